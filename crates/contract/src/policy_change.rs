//! The authorization log: change sets of policy operations, and heartbeats.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actor::{Actor, Cause};
use crate::identity_event::{Effect, OrganizationState, TokenKind};
use crate::record::record;
use crate::{ChainId, Hash, Stream, Timestamp};

/// One revision of a chain: the policy operations of one event, possibly none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeSet {
    /// The organization of the chain.
    pub organization: Uuid,
    /// The stream of the chain. Its origin is the prefix of the topic, never a field.
    pub stream: Stream,
    /// Begins at 1 and grows only after a restore from backup.
    pub epoch: i64,
    /// Contiguous per chain, from 1; never reset.
    pub revision: i64,
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
    pub request_id: Option<String>,
    /// Why an entity event was refused; there are no operations then.
    #[serde(default)]
    pub rejected: Option<String>,
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

/// The kind of a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    /// A person.
    User,
    /// A group of users and system accounts.
    Team,
    /// A machine account.
    SystemAccount,
}

/// Puts or drops one row by key; valid in any state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of policy-ops.avsc and say what they hold")]
pub enum Operation {
    /// The organization's state.
    PutOrganization { state: OrganizationState },
    /// Every row of the chain but the organization's.
    DropAll {},
    /// A user, team or system account.
    PutPrincipal { id: Uuid, kind: PrincipalKind, active: bool },
    /// With its bindings, grants and tokens.
    DropPrincipal { id: Uuid },
    /// A principal is in a team.
    PutBinding {
        team: Uuid,
        member: Uuid,
        #[serde(default)]
        valid_from: Option<Timestamp>,
        #[serde(default)]
        valid_until: Option<Timestamp>,
    },
    /// A principal is no longer in a team.
    DropBinding { team: Uuid, member: Uuid },
    /// A role of the catalogue, or an organization's own.
    PutRole { role: String, entity_type: String, actions: Vec<String>, covers_children: Vec<String> },
    /// With its grants.
    DropRole { role: String },
    /// A principal has a role. No entity id: every entity; no region: every region.
    PutGrant {
        id: Uuid,
        principal: Uuid,
        role: String,
        entity_type: String,
        #[serde(default)]
        entity_id: Option<String>,
        #[serde(default)]
        region: Option<String>,
        #[serde(default)]
        valid_from: Option<Timestamp>,
        #[serde(default)]
        valid_until: Option<Timestamp>,
        #[serde(default)]
        condition: Option<Uuid>,
    },
    /// The grant is gone.
    DropGrant { id: Uuid },
    /// A bearer token, by its hash.
    PutToken { id: Uuid, hash: Hash, principal: Uuid, kind: TokenKind, expires_at: Timestamp },
    /// The token is no longer valid.
    DropToken { id: Uuid },
    /// A Cedar condition.
    PutCondition { id: Uuid, effect: Effect, cedar_json: String },
    /// The condition is gone.
    DropCondition { id: Uuid },
    /// A regional entity, optionally with a parent.
    PutEntity {
        #[serde(rename = "type")]
        entity_type: String,
        id: String,
        #[serde(default)]
        parent_type: Option<String>,
        #[serde(default)]
        parent_id: Option<String>,
    },
    /// With its descendants; leaves a tombstone.
    DropEntity {
        #[serde(rename = "type")]
        entity_type: String,
        id: String,
    },
}

/// Whether a chain moves on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChainState {
    /// Change sets apply.
    Live,
    /// A gap or a fork: it waits for a snapshot.
    Stopped,
    /// A record that this build does not understand: it waits for one that does.
    Parked,
    /// The organization is deleted.
    Closed,
}

/// Where a chain stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Which chain.
    pub chain: ChainId,
    /// Epoch of the last change set applied.
    pub epoch: i64,
    /// Revision of the last change set applied.
    pub revision: i64,
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
    pub build: String,
}
record!(Heartbeat, "Heartbeat", "heartbeat.avsc");
