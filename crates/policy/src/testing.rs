//! Short names for what tests are made of.

use uuid::Uuid;
use writ_contract::policy_change::Operation;
use writ_contract::row::{
    Entity, EntityKey, Grant, Membership, Principal, PrincipalKind, Role, Token, TokenKind, Validity,
};
use writ_contract::{
    ChainId, GrantId, Hash, OrganizationId, PrincipalId, Region, Revision, Stream, TeamId, Timestamp, TokenId,
};

use crate::Header;
use writ_contract::actor::Actor;

pub(crate) fn region(code: &str) -> Region {
    code.parse().unwrap()
}

/// An organization of us.
pub(crate) fn organization(number: u32) -> OrganizationId {
    OrganizationId::from_parts(region("us"), 1, number)
}

pub(crate) fn chain(organization: OrganizationId, origin: &str, stream: Stream) -> ChainId {
    ChainId { organization, origin: region(origin), stream }
}

pub(crate) fn header(revision: Revision, committed_at: Timestamp) -> Header {
    let actor = Actor::system("test");
    Header { revision, committed_at, actor, cause: None, request_id: None, rejected: None }
}

pub(crate) const fn principal_id(number: u128) -> PrincipalId {
    PrincipalId::from_uuid(Uuid::from_u128(number))
}

pub(crate) const fn team_id(number: u128) -> TeamId {
    TeamId::from_uuid(Uuid::from_u128(number))
}

pub(crate) const fn grant_id(number: u128) -> GrantId {
    GrantId::from_uuid(Uuid::from_u128(number))
}

pub(crate) const fn token_id(number: u128) -> TokenId {
    TokenId::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn put_principal(id: PrincipalId, kind: PrincipalKind, active: bool) -> Operation {
    Operation::PutPrincipal(Principal { id, kind, active })
}

pub(crate) fn put_membership(team: TeamId, member: PrincipalId, from: Option<i64>, until: Option<i64>) -> Operation {
    Operation::PutMembership(Membership { team, member, validity: validity(from, until) })
}

pub(crate) fn validity(from: Option<i64>, until: Option<i64>) -> Validity {
    Validity { from: from.map(Timestamp), until: until.map(Timestamp) }
}

/// A role for planes.
pub(crate) fn role(key: &str, actions: &[&str], covers_children: &[&str]) -> Role {
    Role {
        key: key.parse().unwrap(),
        entity_type: "planes".parse().unwrap(),
        actions: actions.iter().map(|action| action.parse().unwrap()).collect(),
        covers_children: covers_children.iter().map(|kind| kind.parse().unwrap()).collect(),
    }
}

/// A grant on planes, at any time and under no condition.
pub(crate) fn grant(
    id: GrantId,
    principal: PrincipalId,
    role: &str,
    entity_id: Option<&str>,
    region: Option<&str>,
) -> Grant {
    Grant {
        id,
        principal,
        role: role.parse().unwrap(),
        entity_type: "planes".parse().unwrap(),
        entity_id: entity_id.map(|id| id.parse().unwrap()),
        region: region.map(|code| code.parse().unwrap()),
        validity: Validity::default(),
        condition: None,
    }
}

pub(crate) fn token(id: TokenId, hash: Hash, principal: PrincipalId, kind: TokenKind, expires_at: i64) -> Token {
    Token { id, hash, principal, kind, expires_at: Timestamp(expires_at) }
}

pub(crate) fn entity_key(entity_type: &str, entity_id: &str) -> EntityKey {
    EntityKey { entity_type: entity_type.parse().unwrap(), entity_id: entity_id.parse().unwrap() }
}

pub(crate) fn entity(entity_type: &str, entity_id: &str, parent: Option<(&str, &str)>) -> Entity {
    let parent = parent.map(|(entity_type, id)| entity_key(entity_type, id));
    Entity { key: entity_key(entity_type, entity_id), parent }
}
