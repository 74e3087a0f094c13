//! A small world, so that random operations meet.

use proptest::prelude::*;
use uuid::Uuid;
use writ_contract::identity_event::{Effect, OrganizationState, TokenKind};
use writ_contract::policy_change::{Operation, PrincipalKind};
use writ_contract::{ChainId, Hash, PLATFORM_ORGANIZATION, Stream, Timestamp};

pub(crate) const ACTIONS: [&str; 2] = ["view", "edit"];
pub(crate) const TYPES: [&str; 2] = ["planes", "routes"];
pub(crate) const ENTITIES: [&str; 3] = ["a", "b", "c"];
pub(crate) const ROLES: [&str; 3] = ["planes.viewer", "planes.admin", "own"];
pub(crate) const REGIONS: [&str; 2] = ["us", "eu"];
pub(crate) const PRINCIPALS: u128 = 4;

pub(crate) fn organization() -> Uuid {
    Uuid::from_u128(0xA)
}

/// The chains of the small world; the last one claims an organization that is not its own.
pub(crate) fn chains() -> Vec<ChainId> {
    let chain = |organization, origin: &str, stream| ChainId { organization, origin: origin.to_owned(), stream };
    vec![
        chain(organization(), "us", Stream::Identity),
        chain(PLATFORM_ORGANIZATION, "us", Stream::Identity),
        chain(organization(), "us", Stream::Entities),
        chain(organization(), "eu", Stream::Entities),
        chain(organization(), "eu", Stream::Identity),
    ]
}

/// Begins every chain, so that most queries get as far as the grants.
pub(crate) fn beginning(chain: usize) -> Vec<Operation> {
    let role = |role: &str, actions: &[&str], covers: &[&str]| Operation::PutRole {
        role: role.to_owned(),
        entity_type: "planes".to_owned(),
        actions: actions.iter().map(|action| (*action).to_owned()).collect(),
        covers_children: covers.iter().map(|kind| (*kind).to_owned()).collect(),
    };
    let principal = |id, kind| Operation::PutPrincipal { id: Uuid::from_u128(id), kind, active: true };
    let entity = |id: &str| Operation::PutEntity {
        entity_type: "planes".to_owned(),
        id: id.to_owned(),
        parent_type: None,
        parent_id: None,
    };
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

fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(texts).prop_map(str::to_owned)
}

fn some_of(texts: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(one_of(texts), 0..3)
}

fn bound() -> impl Strategy<Value = Option<Timestamp>> {
    prop_oneof![3 => Just(None), 2 => (0..4_i64).prop_map(|time| Some(Timestamp(time)))]
}

fn kind() -> impl Strategy<Value = PrincipalKind> {
    prop::sample::select(&[PrincipalKind::User, PrincipalKind::Team, PrincipalKind::SystemAccount][..])
}

fn principals() -> impl Strategy<Value = Operation> {
    prop_oneof![
        3 => (id(), kind(), prop::bool::weighted(0.8))
            .prop_map(|(id, kind, active)| Operation::PutPrincipal { id, kind, active }),
        1 => id().prop_map(|id| Operation::DropPrincipal { id }),
        4 => (id(), id(), bound(), bound()).prop_map(|(team, member, valid_from, valid_until)| Operation::PutBinding {
            team, member, valid_from, valid_until,
        }),
        1 => (id(), id()).prop_map(|(team, member)| Operation::DropBinding { team, member }),
    ]
}

fn grants() -> impl Strategy<Value = Operation> {
    let scope = (prop::option::of(one_of(&ENTITIES)), prop::option::of(one_of(&REGIONS)));
    let put = (id(), id(), one_of(&ROLES), one_of(&TYPES), scope, bound(), bound(), prop::option::weighted(0.1, id()));
    prop_oneof![
        8 => put.prop_map(|(id, principal, role, entity_type, scope, valid_from, valid_until, condition)| {
            let (entity_id, region) = scope;
            Operation::PutGrant {
                id, principal, role, entity_type, entity_id, region, valid_from, valid_until, condition,
            }
        }),
        1 => id().prop_map(|id| Operation::DropGrant { id }),
        2 => (one_of(&ROLES), one_of(&TYPES), some_of(&ACTIONS), some_of(&TYPES)).prop_map(
            |(role, entity_type, actions, covers_children)| {
                Operation::PutRole { role, entity_type, actions, covers_children }
            }
        ),
        1 => one_of(&ROLES).prop_map(|role| Operation::DropRole { role }),
    ]
}

fn entities() -> impl Strategy<Value = Operation> {
    let parent = (prop::option::of(one_of(&TYPES)), prop::option::of(one_of(&ENTITIES)));
    prop_oneof![
        5 => (one_of(&TYPES), one_of(&ENTITIES), parent).prop_map(|(entity_type, id, (parent_type, parent_id))| {
            Operation::PutEntity { entity_type, id, parent_type, parent_id }
        }),
        1 => (one_of(&TYPES), one_of(&ENTITIES))
            .prop_map(|(entity_type, id)| Operation::DropEntity { entity_type, id }),
    ]
}

fn others() -> impl Strategy<Value = Operation> {
    use OrganizationState::{Active, Deleted, Suspended};
    let state = prop_oneof![6 => Just(Active), 2 => Just(Suspended), 1 => Just(Deleted)];
    let token_kind = prop::sample::select(&[TokenKind::Personal, TokenKind::SystemAccount, TokenKind::Invite][..]);
    let effect = prop::sample::select(&[Effect::Forbid, Effect::When, Effect::When][..]);
    prop_oneof![
        2 => state.prop_map(|state| Operation::PutOrganization { state }),
        1 => Just(Operation::DropAll {}),
        8 => (id(), 0..3_u8, id(), token_kind, 0..4_i64).prop_map(|(id, hash, principal, kind, until)| {
            Operation::PutToken { id, hash: Hash::of(&[&[hash]]), principal, kind, expires_at: Timestamp(until) }
        }),
        1 => id().prop_map(|id| Operation::DropToken { id }),
        2 => (id(), effect)
            .prop_map(|(id, effect)| Operation::PutCondition { id, effect, cedar_json: "{}".to_owned() }),
        2 => id().prop_map(|id| Operation::DropCondition { id }),
    ]
}

/// Any operation.
pub(crate) fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![3 => principals(), 4 => grants(), 4 => entities(), 1 => others()]
}
