//! A small world, so that random operations meet.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::str::FromStr;

use proptest::prelude::*;
use uuid::Uuid;
use writ_contract::policy_change::Operation;
use writ_contract::row::{
    Condition, Effect, Entity, EntityKey, Grant, Membership, OrganizationState, Principal, PrincipalKind, Role, Token,
    TokenKind, Validity,
};
use writ_contract::{
    ChainId, ConditionId, GrantId, Hash, OrganizationId, PLATFORM_ORGANIZATION, PrincipalId, Stream, TeamId, Timestamp,
    TokenId,
};

use crate::testing::{self, chain, entity, principal_id, put_principal, role};

pub(crate) const ACTIONS: [&str; 2] = ["view", "edit"];
pub(crate) const TYPES: [&str; 2] = ["planes", "routes"];
pub(crate) const ENTITIES: [&str; 3] = ["a", "b", "c"];
pub(crate) const ROLES: [&str; 3] = ["planes.viewer", "planes.admin", "own"];
pub(crate) const REGIONS: [&str; 2] = ["us", "eu"];
pub(crate) const PRINCIPALS: u128 = 4;

pub(crate) fn organization() -> OrganizationId {
    testing::organization(0xA)
}

/// A chain of identity that claims to come from elsewhere than the organization's home.
pub(crate) fn foreign() -> ChainId {
    chain(organization(), "eu", Stream::Identity)
}

/// The chains of the small world; the last one claims an organization that is not its own.
pub(crate) fn chains() -> Vec<ChainId> {
    vec![
        chain(organization(), "us", Stream::Identity),
        chain(PLATFORM_ORGANIZATION, "us", Stream::Identity),
        chain(organization(), "us", Stream::Entities),
        chain(organization(), "eu", Stream::Entities),
        foreign(),
    ]
}

/// Begins every chain, so that most queries get as far as the grants.
pub(crate) fn beginning(chain: usize) -> Vec<Operation> {
    let principal = |id, kind| put_principal(principal_id(id), kind, true);
    let role = |key, actions, covers| Operation::PutRole(role(key, actions, covers));
    let entity = |id| Operation::PutEntity(entity("planes", id, None));
    match chain {
        0 | 4 => vec![
            Operation::PutOrganization { state: OrganizationState::Active },
            principal(0, PrincipalKind::User),
            principal(1, PrincipalKind::Team),
            principal(2, PrincipalKind::SystemAccount),
        ],
        1 => vec![role(ROLES[0], &["view"], &[]), role(ROLES[1], &ACTIONS, &["routes"])],
        2 => vec![entity("a"), entity("b")],
        _ => vec![entity("b")],
    }
}

fn id() -> impl Strategy<Value = Uuid> {
    (0..PRINCIPALS).prop_map(Uuid::from_u128)
}

fn principal() -> impl Strategy<Value = PrincipalId> {
    id().prop_map(PrincipalId::from_uuid)
}

fn one_of<T: FromStr<Err: Debug> + Debug>(texts: &'static [&'static str]) -> impl Strategy<Value = T> {
    prop::sample::select(texts).prop_map(|text| text.parse().unwrap())
}

fn some_of<T: FromStr<Err: Debug> + Debug + Ord>(texts: &'static [&'static str]) -> impl Strategy<Value = BTreeSet<T>> {
    prop::collection::btree_set(one_of(texts), 0..3)
}

fn bound() -> impl Strategy<Value = Option<Timestamp>> {
    prop_oneof![3 => Just(None), 2 => (0..4_i64).prop_map(|time| Some(Timestamp(time)))]
}

fn kind() -> impl Strategy<Value = PrincipalKind> {
    prop::sample::select(&[PrincipalKind::User, PrincipalKind::Team, PrincipalKind::SystemAccount][..])
}

fn validity() -> impl Strategy<Value = Validity> {
    (bound(), bound()).prop_map(|(from, until)| Validity { from, until })
}

fn principals() -> impl Strategy<Value = Operation> {
    let team = || id().prop_map(TeamId::from_uuid);
    prop_oneof![
        3 => (principal(), kind(), prop::bool::weighted(0.8))
            .prop_map(|(id, kind, active)| Operation::PutPrincipal(Principal { id, kind, active })),
        1 => principal().prop_map(|id| Operation::DropPrincipal { id }),
        4 => (team(), principal(), validity())
            .prop_map(|(team, member, validity)| Operation::PutMembership(Membership { team, member, validity })),
        1 => (team(), principal()).prop_map(|(team, member)| Operation::DropMembership { team, member }),
    ]
}

fn grants() -> impl Strategy<Value = Operation> {
    let grant = || id().prop_map(GrantId::from_uuid);
    let condition = prop::option::weighted(0.1, id().prop_map(ConditionId::from_uuid));
    let scope = (prop::option::of(one_of(&ENTITIES)), prop::option::of(one_of(&REGIONS)));
    let put = (grant(), principal(), one_of(&ROLES), one_of(&TYPES), scope, validity(), condition);
    prop_oneof![
        8 => put.prop_map(|(id, principal, role, entity_type, (entity_id, region), validity, condition)| {
            Operation::PutGrant(Grant { id, principal, role, entity_type, entity_id, region, validity, condition })
        }),
        1 => grant().prop_map(|id| Operation::DropGrant { id }),
        2 => (one_of(&ROLES), one_of(&TYPES), some_of(&ACTIONS), some_of(&TYPES)).prop_map(
            |(key, entity_type, actions, covers_children)| {
                Operation::PutRole(Role { key, entity_type, actions, covers_children })
            }
        ),
        1 => one_of(&ROLES).prop_map(|key| Operation::DropRole { key }),
    ]
}

fn entity_key() -> impl Strategy<Value = EntityKey> {
    (one_of(&TYPES), one_of(&ENTITIES)).prop_map(|(entity_type, entity_id)| EntityKey { entity_type, entity_id })
}

fn entities() -> impl Strategy<Value = Operation> {
    prop_oneof![
        5 => (entity_key(), prop::option::of(entity_key()))
            .prop_map(|(key, parent)| Operation::PutEntity(Entity { key, parent })),
        1 => entity_key().prop_map(Operation::DropEntity),
    ]
}

fn others() -> impl Strategy<Value = Operation> {
    use OrganizationState::{Active, Deleted, Suspended};
    let token = || id().prop_map(TokenId::from_uuid);
    let condition = || id().prop_map(ConditionId::from_uuid);
    let state = prop_oneof![6 => Just(Active), 2 => Just(Suspended), 1 => Just(Deleted)];
    let token_kind = prop::sample::select(&[TokenKind::Personal, TokenKind::SystemAccount, TokenKind::Invite][..]);
    let effect = prop::sample::select(&[Effect::Forbid, Effect::When, Effect::When][..]);
    prop_oneof![
        2 => state.prop_map(|state| Operation::PutOrganization { state }),
        1 => Just(Operation::DropAll {}),
        8 => (token(), 0..3_u8, principal(), token_kind, 0..4_i64).prop_map(|(id, hash, principal, kind, until)| {
            let (hash, expires_at) = (Hash::of(&[&[hash]]), Timestamp(until));
            Operation::PutToken(Token { id, hash, principal, kind, expires_at })
        }),
        1 => token().prop_map(|id| Operation::DropToken { id }),
        2 => (condition(), effect).prop_map(|(id, effect)| {
            Operation::PutCondition(Condition { id, effect, cedar_json: "{}".parse().unwrap() })
        }),
        2 => condition().prop_map(|id| Operation::DropCondition { id }),
    ]
}

/// Any operation.
pub(crate) fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![3 => principals(), 4 => grants(), 4 => entities(), 1 => others()]
}
