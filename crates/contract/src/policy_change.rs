//! The authorization log: change sets of policy operations, and heartbeats.

use serde::{Deserialize, Serialize};

use crate::actor::{Actor, Cause};
use crate::names::names;
use crate::record::record;
use crate::row::{Condition, Entity, EntityKey, Grant, Membership, OrganizationState, Principal, Role, Token};
use crate::{
    ChainId, ConditionId, GrantId, Hash, OrganizationId, PrincipalId, Revision, RoleKey, StoredText, Stream, TeamId,
    Timestamp, TokenId,
};

/// One revision of a chain: the policy operations of one event, possibly none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeSet {
    /// The organization of the chain.
    pub organization: OrganizationId,
    /// The stream of the chain. Its origin is the prefix of the topic, never a field.
    pub stream: Stream,
    /// Contiguous per chain.
    pub revision: Revision,
    /// The digest of the change set before; zero for the first.
    pub previous_digest: Hash,
    /// SHA-256(previous_digest ‖ payload): the same history.
    pub digest: Hash,
    /// Sum modulo 2²⁵⁶ of SHA-256(canonical row) over the chain's rows after it: the same state.
    pub state_digest: Hash,
    /// When the event was committed in its home region.
    pub committed_at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// What asked for it.
    #[serde(default)]
    pub cause: Option<Cause>,
    /// The id of the HTTP request, if there was one.
    #[serde(default)]
    pub request_id: Option<StoredText>,
    /// Why an entity event was refused; there are no operations then.
    #[serde(default)]
    pub rejected: Option<StoredText>,
    /// Bits a reader must know to process this change set; none are assigned yet.
    pub features: i64,
    /// Number of this part, from 0.
    pub part: i32,
    /// Number of parts.
    pub parts: i32,
    /// [`PolicyOps`], single-object encoded.
    #[serde(with = "serde_bytes")]
    pub payload: Vec<u8>,
}
record!(ChangeSet, "ChangeSet", "change-set.avsc");

/// The operations of one change set, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PolicyOps {
    /// In the order in which they apply.
    pub ops: Vec<Operation>,
}
record!(PolicyOps, "PolicyOps", "policy-ops.avsc");

/// Puts or drops one row by key; valid in any state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of policy-ops.avsc and say what they hold")]
pub enum Operation {
    /// The organization's state.
    PutOrganization { state: OrganizationState },
    /// Drops every row of the chain but the organization's.
    DropAll {},
    /// A user, team or system account.
    PutPrincipal(Principal),
    /// Drops it with its memberships, grants and tokens.
    DropPrincipal { id: PrincipalId },
    /// A principal is in a team.
    PutMembership(Membership),
    /// A principal is no longer in a team.
    DropMembership { team: TeamId, member: PrincipalId },
    /// A role of the catalogue, or an organization's own.
    PutRole(Role),
    /// Drops it with its grants.
    DropRole { key: RoleKey },
    /// A principal has a role.
    PutGrant(Grant),
    /// The grant is gone.
    DropGrant { id: GrantId },
    /// A bearer token, by its hash.
    PutToken(Token),
    /// The token is no longer valid.
    DropToken { id: TokenId },
    /// A Cedar condition.
    PutCondition(Condition),
    /// The condition is gone.
    DropCondition { id: ConditionId },
    /// A regional entity, optionally with a parent.
    PutEntity(Entity),
    /// Drops it with its descendants; leaves tombstones.
    DropEntity(EntityKey),
}

names! {
    /// Whether a chain moves on.
    ChainState {
        /// Change sets apply.
        Live = "live",
        /// A gap or a fork: what is missing must come first.
        Stopped = "stopped",
        /// A record that this build does not understand: it waits for one that does.
        Parked = "parked",
        /// The organization is deleted.
        Closed = "closed",
    }
}

/// Where a chain stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Which chain.
    pub chain: ChainId,
    /// Of the last change set applied.
    pub revision: Revision,
    /// Its digest.
    pub digest: Hash,
    /// Its state digest.
    pub state_digest: Hash,
    /// Whether the chain moves on.
    pub state: ChainState,
}

/// What an origin's chains on one partition sum up to at this place in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The partition it speaks of.
    pub partition: i32,
    /// Counts the heartbeats of the partition.
    pub seq: i64,
    /// When it was written.
    pub at: Timestamp,
    /// Watermark of identity's events that precede it.
    pub identity_closed_at: Timestamp,
    /// Watermark of entity events that precede it.
    pub entities_closed_at: Timestamp,
    /// Number of chains.
    pub chains: i64,
    /// Sum modulo 2²⁵⁶ of SHA-256(chain, epoch, revision, state digest).
    pub set_digest: Hash,
    /// Up to 100 heads that moved since the last heartbeat.
    pub moved: Vec<Head>,
    /// Version of the writer.
    pub build: StoredText,
}
record!(Heartbeat, "Heartbeat", "heartbeat.avsc");
