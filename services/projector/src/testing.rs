//! What tests of this crate share: regions that seal change sets, and records as they are read from the log.

use uuid::Uuid;
use writ_chains::SharedIndex;
use writ_contract::actor::{Actor, Cause};
use writ_contract::catalogue::Catalogue;
use writ_contract::policy_change::{ChangeSet, Operation};
use writ_contract::row::{
    Entity, EntityKey, Grant, Membership, OrganizationState, Principal, PrincipalKind, Token, TokenKind, Validity,
};
use writ_contract::{
    ChainId, GrantId, OrganizationId, PLATFORM_ORGANIZATION, PrincipalId, Region, Revision, SchemaRegistry, StoredText,
    Stream, TeamId, Timestamp, TokenId, UserId, encode,
};
use writ_kafka::topics;
use writ_log::{ConsumedRecord, Envelope};
use writ_policy::{Header, Index};
use writ_tokens::BearerToken;

use crate::freshness::{Freshness, WaiterLimits};
use crate::read_model::ReadModel;

/// The region the tests read in.
pub(crate) const LOCAL: &str = "eu";
/// The home region of the organizations.
pub(crate) const HOME: &str = "us";
pub(crate) const OWNER: UserId = UserId::from_uuid(Uuid::from_u128(0xA));
pub(crate) const USER: UserId = UserId::from_uuid(Uuid::from_u128(0xB));
pub(crate) const TEAM: TeamId = TeamId::from_uuid(Uuid::from_u128(0xC));

/// The producer of the entity events.
pub(crate) const PRODUCER: &str = "gateways";

/// The authorization services of all regions.
#[derive(Default)]
pub(crate) struct AllAuthorizations(Index);

pub(crate) fn region(code: &str) -> Region {
    code.parse().unwrap()
}

/// An organization whose home is [`HOME`].
pub(crate) fn organization(number: u32) -> OrganizationId {
    OrganizationId::from_parts(region(HOME), 0, number)
}

pub(crate) fn chain(organization: OrganizationId, origin: &str, stream: Stream) -> ChainId {
    ChainId { organization, origin: region(origin), stream }
}

impl AllAuthorizations {
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
        rejected: Option<StoredText>,
    ) -> ChangeSet {
        let revision = self.0.head(chain).map_or(Revision::START, |head| head.revision).next();
        let header = Header {
            revision,
            committed_at: Timestamp(revision.number),
            actor: Actor::system("test"),
            cause,
            request_id: None,
            rejected,
        };
        self.0.seal(chain, header, ops).unwrap().0
    }

    /// The home region's catalogue, then an organization with an owner who may read others'
    /// decisions, a user and a team that the user is in.
    pub(crate) fn found(&mut self, organization: OrganizationId, tokens: &TestTokens) -> Vec<ChangeSet> {
        let catalogue = chain(PLATFORM_ORGANIZATION, HOME, Stream::Identity);
        let mut sets = Vec::new();
        if self.0.chain(&catalogue).is_none() {
            let roles = Catalogue::compiled_in().roles().into_iter();
            sets.push(self.seal(&catalogue, roles.map(Operation::PutRole).collect()));
        }
        sets.push(self.seal(&chain(organization, HOME, Stream::Identity), founding(tokens)));
        sets
    }

    pub(crate) fn announce(&mut self, organization: OrganizationId, origin: &str, id: &str) -> ChangeSet {
        let cause = cause(&format!("announce-{id}"));
        self.seal_as(&chain(organization, origin, Stream::Entities), vec![put_entity(id)], Some(cause), None)
    }
}

/// An entity event of [`PRODUCER`].
pub(crate) fn cause(id: &str) -> Cause {
    Cause { source: PRODUCER.parse().unwrap(), id: id.parse().unwrap() }
}

/// Bearer tokens of an organization.
pub(crate) struct TestTokens {
    pub(crate) owner: BearerToken,
    pub(crate) user: BearerToken,
    pub(crate) expired: BearerToken,
    pub(crate) invite: BearerToken,
}

impl TestTokens {
    pub(crate) fn of(organization: OrganizationId) -> Self {
        let make = |kind| BearerToken::generate(kind, region(HOME), organization);
        let personal = || make(TokenKind::Personal);
        Self { owner: personal(), user: personal(), expired: personal(), invite: make(TokenKind::Invite) }
    }
}

fn founding(tokens: &TestTokens) -> Vec<Operation> {
    let later = Timestamp::now().plus_seconds(3_600);
    vec![
        Operation::PutOrganization { state: OrganizationState::Active },
        put_principal(OWNER, PrincipalKind::User, true),
        put_principal(USER, PrincipalKind::User, true),
        put_principal(TEAM, PrincipalKind::Team, true),
        membership(),
        grant(1, OWNER, "identity.admin", "identity", None, None),
        put_token(1, &tokens.owner, OWNER, TokenKind::Personal, later),
        put_token(2, &tokens.user, USER, TokenKind::Personal, later),
        put_token(3, &tokens.expired, USER, TokenKind::Personal, Timestamp(1)),
        put_token(4, &tokens.invite, USER, TokenKind::Invite, later),
    ]
}

pub(crate) fn put_principal(id: impl Into<PrincipalId>, kind: PrincipalKind, active: bool) -> Operation {
    Operation::PutPrincipal(Principal { id: id.into(), kind, active })
}

/// The user is in the team.
pub(crate) fn membership() -> Operation {
    Operation::PutMembership(Membership { team: TEAM, member: USER.into(), validity: Validity::default() })
}

pub(crate) fn put_token(
    id: u128,
    token: &BearerToken,
    user: UserId,
    kind: TokenKind,
    expires_at: Timestamp,
) -> Operation {
    let id = TokenId::from_uuid(Uuid::from_u128(id));
    Operation::PutToken(Token { id, hash: token.hash(), principal: user.into(), kind, expires_at })
}

pub(crate) fn grant_id(id: u128) -> GrantId {
    GrantId::from_uuid(Uuid::from_u128(id))
}

pub(crate) fn grant(
    id: u128,
    principal: impl Into<PrincipalId>,
    role: &str,
    entity_type: &str,
    entity_id: Option<&str>,
    region: Option<&str>,
) -> Operation {
    Operation::PutGrant(Grant {
        id: grant_id(id),
        principal: principal.into(),
        role: role.parse().unwrap(),
        entity_type: entity_type.parse().unwrap(),
        entity_id: entity_id.map(|id| id.parse().unwrap()),
        region: region.map(|code| code.parse().unwrap()),
        validity: Validity::default(),
        condition: None,
    })
}

pub(crate) fn entity_key(entity_type: &str, id: &str) -> EntityKey {
    EntityKey { entity_type: entity_type.parse().unwrap(), entity_id: id.parse().unwrap() }
}

pub(crate) fn put_entity(id: &str) -> Operation {
    Operation::PutEntity(Entity { key: entity_key("control_planes", id), parent: None })
}

/// The record of a change set in this region's log.
pub(crate) fn record(origin: &str, set: &ChangeSet) -> ConsumedRecord {
    let envelope = Envelope::new::<ChangeSet>("/test");
    let key = set.organization.to_string().into_bytes();
    let topic = match origin {
        LOCAL => topics::POLICY_CHANGES.to_owned(),
        _ => topics::mirrored(topics::POLICY_CHANGES, origin),
    };
    ConsumedRecord {
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
    let freshness = Freshness::new(WaiterLimits { per_organization: 2, total: 10 });
    ReadModel::new(region(LOCAL), SchemaRegistry::default(), SharedIndex::default(), freshness, Vec::new())
}
