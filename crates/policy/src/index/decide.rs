//! Who may do what.
//!
//! A request is allowed when the organization and the subject are active and the subject, or an
//! active team it is in at this moment, holds a grant that reaches the resource. A grant, of a
//! role on entities of type T (on one of them, or on every one), reaches a resource if
//! - it is valid at this moment and has no condition (this build cannot evaluate any);
//! - its role is known, is one for entities of type T, and includes the action;
//! - the resource is of type T and is the grant's entity, *or* an ancestor of the resource is of
//!   type T and is the grant's entity and the role covers children of the resource's type;
//! - its region, if it names one, is the region in which the entity was announced.
//!
//! An entity announced in several regions must be reached in each of them. A role is looked up
//! among the organization's own, then in the catalogue of the organization's home region.
//!
//! The resource id `*` stands for a type as a whole: creating or listing entities, and types
//! that have none, such as `identity`. A grant on every entity of the type reaches it; one that
//! names a region only if the query names the same.
//!
//! Everything else is a denial: whatever is unknown, any organization-wide forbid, and a chain that is halted although the
//! answer depends on it: the organization's identity, its catalogue, or the entities of the region that announced the
//! entity. A region whose entities are halted takes no part in decisions about entities of other regions.

use writ_contract::policy_change::Head;
use writ_contract::row::{Grant, OrganizationState, PrincipalKind, Role};
use writ_contract::{GrantId, OrganizationId, PrincipalId, Region, RoleKey, Stream, TeamId, Timestamp};

use super::Index;
use crate::rows::Rows;
use crate::state::Chain;

mod reason;
mod resource;

pub use reason::Reason;
use resource::Resource;

/// The resource id that stands for a type as a whole.
pub const WHOLE_TYPE: &str = "*";

/// May this subject do that?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query<'a> {
    /// The organization of subject and resource.
    pub organization: OrganizationId,
    /// The user or system account.
    pub subject: PrincipalId,
    /// Which of the two; one of another kind is unknown.
    pub subject_kind: PrincipalKind,
    /// Key of the catalogue, such as `view`.
    pub action: &'a str,
    /// Key of the catalogue, such as `control_planes`.
    pub resource_type: &'a str,
    /// The entity, or [`WHOLE_TYPE`].
    pub resource_id: &'a str,
    /// For [`WHOLE_TYPE`] only: the region it is asked about. Nothing: every region.
    pub region: Option<Region>,
}

/// A grant that reaches the resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The region of the entity; for a whole type, the query's.
    pub region: Option<Region>,
    /// The grant.
    pub grant: GrantId,
    /// Its role.
    pub role: RoleKey,
    /// The team that holds it, if it is not the subject itself.
    pub team: Option<TeamId>,
}

/// The answer, and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is allowed.
    pub decision: bool,
    /// Why.
    pub reason: Reason,
    /// One grant for each region of the entity; empty for a denial.
    pub matches: Vec<Match>,
    /// The chains that were looked at.
    pub heads: Vec<Head>,
}

impl Index {
    /// Decides a query at `now`. Never fails: what is unknown is a denial.
    pub fn decide(&self, query: &Query<'_>, now: Timestamp) -> Decision {
        let Some(view) = self.view(query) else {
            return Decision {
                decision: false,
                reason: Reason::UnknownOrganization,
                matches: Vec::new(),
                heads: Vec::new(),
            };
        };
        let heads = view.heads();
        match view.permit(query, now) {
            Ok(matches) => Decision { decision: true, reason: Reason::Granted, matches, heads },
            Err(reason) => Decision { decision: false, reason, matches: Vec::new(), heads },
        }
    }

    fn view(&self, query: &Query<'_>) -> Option<View<'_>> {
        let identity = self.identity(query.organization)?;
        let platform = self.organizations.get(&writ_contract::PLATFORM_ORGANIZATION);
        let catalogue = platform.and_then(|chains| chains.find(identity.id().origin, Stream::Identity));
        let entities = match query.resource_id {
            WHOLE_TYPE => &[],
            _ => self.organizations.get(&query.organization)?.entities(),
        };
        Some(View { identity, catalogue, entities })
    }
}

/// The chains that a query may depend on.
struct View<'a> {
    identity: &'a Chain,
    catalogue: Option<&'a Chain>,
    /// Of every region, as any of them may have announced the entity.
    entities: &'a [Chain],
}

impl<'a> View<'a> {
    fn chains(&self) -> impl Iterator<Item = &'a Chain> {
        [self.identity].into_iter().chain(self.catalogue).chain(self.entities)
    }

    fn heads(&self) -> Vec<Head> {
        self.chains().map(|chain| *chain.head()).collect()
    }

    fn permit(&self, query: &Query<'_>, now: Timestamp) -> Result<Vec<Match>, Reason> {
        if self.identity.is_halted() || self.catalogue.is_some_and(Chain::is_halted) {
            return Err(Reason::ViewIncomplete);
        }
        self.check_organization()?;
        self.check_subject(query)?;
        let holders = self.holders(query.subject, now);
        let resources = Resource::find(query, self.entities)?;
        resources.iter().map(|resource| self.reach(query.action, resource, &holders, now)).collect()
    }

    fn check_organization(&self) -> Result<(), Reason> {
        match self.rows().organization() {
            None => Err(Reason::UnknownOrganization),
            Some(OrganizationState::Active) if self.rows().has_forbid() => Err(Reason::Forbidden),
            Some(OrganizationState::Active) => Ok(()),
            Some(_) => Err(Reason::OrganizationInactive),
        }
    }

    fn check_subject(&self, query: &Query<'_>) -> Result<(), Reason> {
        let subject = self.rows().principal(query.subject).filter(|subject| subject.kind == query.subject_kind);
        match subject {
            None => Err(Reason::UnknownSubject),
            Some(subject) if subject.kind == PrincipalKind::Team => Err(Reason::UnknownSubject),
            Some(subject) if !subject.active => Err(Reason::SubjectInactive),
            Some(_) => Ok(()),
        }
    }

    /// The subject, then the active teams it is in at `now`.
    fn holders(&self, subject: PrincipalId, now: Timestamp) -> Vec<Holder> {
        let memberships = self.rows().memberships_of(subject).filter(|membership| membership.validity.holds(now));
        let teams = memberships.map(|membership| membership.team).filter(|team| self.is_active_team(*team));
        let itself = Holder { principal: subject, team: None };
        std::iter::once(itself).chain(teams.map(|team| Holder { principal: team.into(), team: Some(team) })).collect()
    }

    fn is_active_team(&self, id: TeamId) -> bool {
        self.rows().principal(id.into()).is_some_and(|team| team.kind == PrincipalKind::Team && team.active)
    }

    /// The first grant that reaches the resource, or how close the closest one came.
    fn reach(
        &self,
        action: &str,
        resource: &Resource<'_>,
        holders: &[Holder],
        now: Timestamp,
    ) -> Result<Match, Reason> {
        let mut closest = Reason::NoGrant;
        for holder in holders {
            for grant in self.rows().grants_of(holder.principal) {
                match self.try_grant(grant, action, resource, now) {
                    Ok(()) => return Ok(resource.matched(grant, holder.team)),
                    Err(reason) => closest = closest.closer(reason),
                }
            }
        }
        Err(closest)
    }

    fn try_grant(&self, grant: &Grant, action: &str, resource: &Resource<'_>, now: Timestamp) -> Result<(), Reason> {
        let role = self
            .role(&grant.role)
            .filter(|role| role.entity_type == grant.entity_type && role.actions.contains(action));
        if !role.is_some_and(|role| resource.lies_under(grant, role)) {
            return Err(Reason::NoGrant);
        }
        if grant.region.is_some_and(|region| resource.region() != Some(region)) {
            return Err(Reason::RegionNotCovered);
        }
        if !grant.validity.holds(now) {
            return Err(Reason::GrantNotValidNow);
        }
        if grant.condition.is_some() { Err(Reason::ConditionNotSupported) } else { Ok(()) }
    }

    fn role(&self, role: &RoleKey) -> Option<&'a Role> {
        self.rows().role(role).or_else(|| self.catalogue?.rows().role(role))
    }

    fn rows(&self) -> &'a Rows {
        self.identity.rows()
    }
}

/// Who may hold a grant for the subject.
struct Holder {
    principal: PrincipalId,
    team: Option<TeamId>,
}

#[cfg(test)]
mod tests;
