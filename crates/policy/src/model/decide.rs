//! Decisions by looking at every row.

use writ_contract::row::{Effect, EntityKey, Grant, OrganizationState, Principal, PrincipalKind, Role, TokenKind};
use writ_contract::{
    EntityId, EntityType, Hash, OrganizationId, PLATFORM_ORGANIZATION, PrincipalId, Region, Stream, Timestamp,
};

use super::rows::entity;
use super::{Model, ModelChain};
use crate::testing::entity_key;
use crate::{Query, Reason, Row};

impl Model {
    fn of_stream(&self, organization: OrganizationId, stream: Stream) -> Vec<&ModelChain> {
        self.chains.iter().filter(|chain| chain.id.organization == organization && chain.id.stream == stream).collect()
    }

    /// Whether and why a query is allowed.
    pub(crate) fn decide(&self, query: &Query<'_>, now: Timestamp) -> Reason {
        let Some(identity) = self.of_stream(query.organization, Stream::Identity).pop() else {
            return Reason::UnknownOrganization;
        };
        let mut catalogues = self.of_stream(PLATFORM_ORGANIZATION, Stream::Identity);
        catalogues.retain(|chain| chain.id.origin == identity.id.origin);
        let mut regions = self.of_stream(query.organization, Stream::Entities);
        regions.retain(|_| query.resource_id != "*");
        if [&[identity], &catalogues[..]].concat().iter().any(|chain| chain.halt.is_some()) {
            return Reason::ViewIncomplete;
        }
        let rows = identity.rows();
        if let Err(reason) = check_organization(&rows).and_then(|()| check_subject(&rows, query)) {
            return reason;
        }
        let roles = [rows.clone(), catalogues.iter().flat_map(|chain| chain.rows()).collect()].concat();
        let reach = |region: Option<Region>, lineage: &[Place]| reach(&rows, &roles, query, region, lineage, now);
        if query.resource_id == "*" {
            return reach(query.region, &[(query.resource_type.parse().unwrap(), None)]);
        }
        let key = entity_key(query.resource_type, query.resource_id);
        let lineages = regions.iter().map(|chain| (*chain, lineage(&chain.rows(), &key)));
        let found: Vec<_> = lineages.filter(|(_, lineage)| !lineage.is_empty()).collect();
        if found.iter().any(|(chain, _)| chain.halt.is_some()) {
            return Reason::ViewIncomplete;
        }
        if found.is_empty() {
            let halted = regions.iter().any(|chain| chain.halt.is_some());
            return if halted { Reason::ViewIncomplete } else { Reason::UnknownEntity };
        }
        // Which region's denial is named depends on the order; any is right.
        let mut reasons: Vec<_> =
            found.iter().map(|(chain, lineage)| (chain.id.origin, reach(Some(chain.id.origin), lineage))).collect();
        reasons.sort_by_key(|(origin, _)| *origin);
        reasons
            .into_iter()
            .map(|(_, reason)| reason)
            .find(|reason| *reason != Reason::Granted)
            .unwrap_or(Reason::Granted)
    }

    /// The principal that a token stands for.
    pub(crate) fn authenticate(
        &self,
        organization: OrganizationId,
        hash: &Hash,
        now: Timestamp,
    ) -> Option<PrincipalId> {
        let chains = self.of_stream(organization, Stream::Identity);
        let found: Vec<_> = chains
            .into_iter()
            .flat_map(|chain| chain.rows().into_iter().map(move |row| (chain, row)))
            .filter_map(|(chain, row)| match row {
                Row::Token(token) if token.hash == *hash => Some((chain, token)),
                _ => None,
            })
            .collect();
        let [(chain, token)] = &found[..] else { return None };
        let rows = chain.rows();
        let kind = match token.kind {
            TokenKind::Personal => PrincipalKind::User,
            TokenKind::SystemAccount => PrincipalKind::SystemAccount,
            TokenKind::Invite => return None,
        };
        let active = rows.contains(&Row::Organization(OrganizationState::Active))
            && rows.contains(&Row::Principal(Principal { id: token.principal, kind, active: true }));
        let customer = chain.id.organization != PLATFORM_ORGANIZATION;
        (active && customer && chain.halt.is_none() && now < token.expires_at).then_some(token.principal)
    }
}

fn check_organization(rows: &[Row]) -> Result<(), Reason> {
    let state = rows.iter().find_map(|row| match row {
        Row::Organization(state) => Some(*state),
        _ => None,
    });
    match state {
        None => Err(Reason::UnknownOrganization),
        Some(OrganizationState::Active) => Ok(()),
        Some(_) => Err(Reason::OrganizationInactive),
    }?;
    let forbids = rows.iter().any(|row| matches!(row, Row::Condition(row) if row.effect == Effect::Forbid));
    if forbids { Err(Reason::Forbidden) } else { Ok(()) }
}

fn check_subject(rows: &[Row], query: &Query<'_>) -> Result<(), Reason> {
    let subject = rows.iter().find_map(|row| match row {
        Row::Principal(row) if row.id == query.subject && row.kind == query.subject_kind => Some(row),
        _ => None,
    });
    match subject {
        Some(row) if row.kind != PrincipalKind::Team => row.active.then_some(()).ok_or(Reason::SubjectInactive),
        _ => Err(Reason::UnknownSubject),
    }
}

/// What a grant may be on: an entity, or with none a type as a whole.
type Place = (EntityType, Option<EntityKey>);

/// The living entity and its ancestors; nothing if it does not live.
fn lineage(rows: &[Row], key: &EntityKey) -> Vec<Place> {
    let mut lineage = Vec::new();
    let mut next = Some(key.clone());
    while let Some(found) = next.and_then(|key| entity(rows, &key)) {
        lineage.push((found.key.entity_type.clone(), Some(found.key.clone())));
        next = found.parent.clone();
    }
    lineage
}

/// Of all grants of the organization, how the best one does.
fn reach(
    rows: &[Row],
    roles: &[Row],
    query: &Query<'_>,
    region: Option<Region>,
    lineage: &[Place],
    now: Timestamp,
) -> Reason {
    let order = [
        Reason::NoGrant,
        Reason::RegionNotCovered,
        Reason::GrantNotValidNow,
        Reason::ConditionNotSupported,
        Reason::Granted,
    ];
    let grants = rows.iter().filter_map(|row| match row {
        Row::Grant(grant) if holds(rows, query.subject, grant.principal, now) => Some(grant),
        _ => None,
    });
    let outcome = |grant: &Grant| {
        if !fits(roles, grant, query.action, lineage) {
            0
        } else if grant.region.is_some() && grant.region != region {
            1
        } else if !grant.validity.holds(now) {
            2
        } else if grant.condition.is_some() {
            3
        } else {
            4
        }
    };
    order[grants.map(outcome).max().unwrap_or(0)]
}

/// Whether the subject is the principal, or in the team that it is.
fn holds(rows: &[Row], subject: PrincipalId, principal: PrincipalId, now: Timestamp) -> bool {
    let active_team = Principal { id: principal, kind: PrincipalKind::Team, active: true };
    let is_team = rows.contains(&Row::Principal(active_team));
    let is_member = rows.iter().any(|row| {
        matches!(row, Row::Membership(row) if PrincipalId::from(row.team) == principal && row.member == subject && row.validity.holds(now))
    });
    subject == principal || is_team && is_member
}

fn fits(roles: &[Row], grant: &Grant, action: &str, lineage: &[Place]) -> bool {
    // The organization's own rows come first.
    let role: Option<&Role> = roles.iter().find_map(|row| match row {
        Row::Role(role) if role.key == grant.role => Some(role),
        _ => None,
    });
    let Some(role) = role else { return false };
    let is_on = |(entity_type, key): &Place| {
        let on_it = |id: &EntityId| key.as_ref().is_some_and(|key| key.entity_id == *id);
        *entity_type == grant.entity_type && grant.entity_id.as_ref().is_none_or(on_it)
    };
    let covers = role.covers_children.contains(&lineage[0].0);
    role.entity_type == grant.entity_type
        && role.actions.iter().any(|known| known.as_str() == action)
        && (is_on(&lineage[0]) || covers && lineage[1..].iter().any(is_on))
}
