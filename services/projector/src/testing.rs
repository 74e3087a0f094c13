//! What tests of this crate share: regions that seal change sets, and records as the log gives
//! them.

use uuid::Uuid;
use writ_contract::actor::{Actor, Cause};
use writ_contract::catalogue::Catalogue;
use writ_contract::identity_event::{OrganizationState, TokenKind};
use writ_contract::policy_change::{ChangeSet, Operation, PrincipalKind};
use writ_contract::{ChainId, PLATFORM_ORGANIZATION, SchemaRegistry, Stream, Timestamp, encode};
use writ_kafka::topics;
use writ_log::{Envelope, Record};
use writ_policy::{Header, Index};
use writ_tokens::{BearerToken, Kind};

use crate::freshness::{Freshness, Limits};
use crate::index::SharedIndex;
use crate::read_model::ReadModel;

/// The region the tests read in.
pub(crate) const LOCAL: &str = "eu";
/// The home region of the organizations.
pub(crate) const HOME: &str = "us";
pub(crate) const OWNER: Uuid = Uuid::from_u128(0xA);
pub(crate) const USER: Uuid = Uuid::from_u128(0xB);
pub(crate) const TEAM: Uuid = Uuid::from_u128(0xC);

/// The authorization services of all regions.
#[derive(Default)]
pub(crate) struct World(Index);

pub(crate) fn organization(number: u128) -> Uuid {
    Uuid::from_u128(0xACE_0000 + number)
}

pub(crate) fn chain(organization: Uuid, origin: &str, stream: Stream) -> ChainId {
    ChainId { organization, origin: origin.to_owned(), stream }
}

impl World {
    /// The next change set of a chain.
    pub(crate) fn seal(&mut self, chain: &ChainId, ops: Vec<Operation>) -> ChangeSet {
        self.seal_as(chain, ops, None, None)
    }

    /// The next change set of a chain, with what caused it and why it was refused.
    pub(crate) fn seal_as(
        &mut self,
        chain: &ChainId,
        ops: Vec<Operation>,
        cause: Option<Cause>,
        rejected: Option<String>,
    ) -> ChangeSet {
        let position = self.0.chain(chain).map_or(writ_policy::Position::START, |chain| chain.position()).next();
        let header = Header {
            position,
            committed_at: Timestamp(position.revision),
            actor: Actor::system("test"),
            cause,
            request_id: None,
            rejected,
        };
        self.0.seal(chain, header, ops).unwrap().0
    }

    /// The home region's catalogue, then an organization with an owner who may read others'
    /// decisions, a user and a team that the user is in.
    pub(crate) fn found(&mut self, organization: Uuid, tokens: &Tokens) -> Vec<ChangeSet> {
        let catalogue = chain(PLATFORM_ORGANIZATION, HOME, Stream::Identity);
        let mut sets = Vec::new();
        if self.0.chain(&catalogue).is_none() {
            sets.push(self.seal(&catalogue, catalogue_roles()));
        }
        sets.push(self.seal(&chain(organization, HOME, Stream::Identity), founding(tokens)));
        sets
    }

    pub(crate) fn announce(&mut self, organization: Uuid, origin: &str, id: &str) -> ChangeSet {
        let cause = Cause { source: "urn:gateway".to_owned(), id: format!("announce-{id}") };
        self.seal_as(&chain(organization, origin, Stream::Entities), vec![put_entity(id)], Some(cause), None)
    }
}

/// Bearer tokens of an organization.
pub(crate) struct Tokens {
    pub(crate) owner: BearerToken,
    pub(crate) user: BearerToken,
    pub(crate) expired: BearerToken,
    pub(crate) invite: BearerToken,
}

impl Tokens {
    pub(crate) fn of(organization: Uuid) -> Self {
        let make = |kind| BearerToken::generate(kind, HOME.parse().unwrap(), organization);
        let personal = || make(Kind::Personal);
        Self { owner: personal(), user: personal(), expired: personal(), invite: make(Kind::Invite) }
    }
}

fn catalogue_roles() -> Vec<Operation> {
    let roles = Catalogue::compiled_in().roles().into_iter();
    let put = |role: writ_contract::identity_event::CatalogueRole| Operation::PutRole {
        role: role.key,
        entity_type: role.entity_type,
        actions: role.actions,
        covers_children: role.covers_children,
    };
    roles.map(put).collect()
}

fn founding(tokens: &Tokens) -> Vec<Operation> {
    let user = |id| Operation::PutPrincipal { id, kind: PrincipalKind::User, active: true };
    let token = |id: u128, token: &BearerToken, principal, kind, expires_at| Operation::PutToken {
        id: Uuid::from_u128(id),
        hash: token.hash(),
        principal,
        kind,
        expires_at,
    };
    let later = Timestamp::now().plus_seconds(3_600);
    vec![
        Operation::PutOrganization { state: OrganizationState::Active },
        user(OWNER),
        user(USER),
        Operation::PutPrincipal { id: TEAM, kind: PrincipalKind::Team, active: true },
        Operation::PutBinding { team: TEAM, member: USER, valid_from: None, valid_until: None },
        grant(1, OWNER, "identity.admin", "identity", None, None),
        token(1, &tokens.owner, OWNER, TokenKind::Personal, later),
        token(2, &tokens.user, USER, TokenKind::Personal, later),
        token(3, &tokens.expired, USER, TokenKind::Personal, Timestamp(1)),
        token(4, &tokens.invite, USER, TokenKind::Invite, later),
    ]
}

pub(crate) fn grant(
    id: u128,
    principal: Uuid,
    role: &str,
    entity_type: &str,
    entity_id: Option<&str>,
    region: Option<&str>,
) -> Operation {
    Operation::PutGrant {
        id: Uuid::from_u128(id),
        principal,
        role: role.to_owned(),
        entity_type: entity_type.to_owned(),
        entity_id: entity_id.map(str::to_owned),
        region: region.map(str::to_owned),
        valid_from: None,
        valid_until: None,
        condition: None,
    }
}

pub(crate) fn put_entity(id: &str) -> Operation {
    Operation::PutEntity {
        entity_type: "control_planes".to_owned(),
        id: id.to_owned(),
        parent_type: None,
        parent_id: None,
    }
}

/// The record of a change set in this region's log.
pub(crate) fn record(origin: &str, set: &ChangeSet) -> Record {
    let envelope = Envelope::new::<ChangeSet>("/test");
    let key = set.organization.to_string().into_bytes();
    let topic = match origin {
        LOCAL => topics::POLICY_CHANGES.to_owned(),
        _ => topics::mirrored(topics::POLICY_CHANGES, origin),
    };
    Record {
        topic,
        partition: 0,
        offset: 0,
        timestamp: Timestamp::now(),
        headers: envelope.to_headers(Some(&key)),
        key: Some(key),
        value: Some(encode(set).unwrap()),
    }
}

/// A read model that has seen nothing.
pub(crate) fn read_model() -> ReadModel {
    let freshness = Freshness::new(Limits { per_organization: 2, total: 10 });
    ReadModel::new(LOCAL, SchemaRegistry::default(), SharedIndex::default(), freshness, Vec::new())
}
