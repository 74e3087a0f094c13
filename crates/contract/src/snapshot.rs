//! Whole states of chains, and the requests for them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::policy_change::Head;
use crate::record::record;
use crate::{ChainId, OrganizationId, Region, Revision, StoredText, Timestamp};

/// The whole state of an organization's identity data, as changes; sent in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationSnapshot {
    /// Which organization.
    pub organization: OrganizationId,
    /// Of the state.
    pub revision: Revision,
    /// Ties the parts together.
    pub snapshot_id: Uuid,
    /// Number of this part, from 0.
    pub part: i32,
    /// Number of parts.
    pub parts: i32,
    /// `Changes`, single-object encoded.
    #[serde(with = "serde_bytes")]
    pub payload: Vec<u8>,
}
record!(OrganizationSnapshot, "OrganizationSnapshot", "organization-snapshot.avsc");

/// Why a snapshot was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotReason {
    /// Somebody asked.
    Requested,
    /// The log always holds the whole state.
    Refresh,
    /// An epoch begins.
    Epoch,
}

/// A part of a chain's whole state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotPart {
    /// Where the chain stood.
    pub head: Head,
    /// Time of the head's change set.
    pub committed_at: Timestamp,
    /// Ties the parts together.
    pub snapshot_id: Uuid,
    /// Number of this part, from 0.
    pub part: i32,
    /// Number of parts.
    pub parts: i32,
    /// Why it was sent.
    pub reason: SnapshotReason,
    /// `PolicyOps`, single-object encoded.
    #[serde(with = "serde_bytes")]
    pub payload: Vec<u8>,
}
record!(SnapshotPart, "SnapshotPart", "snapshot-part.avsc");

/// A page of the heads of one partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadsPage {
    /// The request it answers.
    pub request_id: Uuid,
    /// The partition of `policy-changes`.
    pub partition: i32,
    /// In the order of their chain ids.
    pub heads: Vec<Head>,
    /// Where the next page begins; nothing after the last.
    #[serde(default, with = "serde_bytes")]
    pub next: Option<Vec<u8>>,
}
record!(HeadsPage, "HeadsPage", "heads-page.avsc");

/// Who is to answer a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Identity, asked by authorization.
    Identity,
    /// Authorization, asked by a projector.
    Authorization,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Want {
    /// Where the chains of a partition stand.
    Heads,
    /// The whole state of a chain.
    Snapshot,
}

/// "Send me these chains again."
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotRequest {
    /// Names the request in its answer.
    pub request_id: Uuid,
    /// Service and region that ask.
    pub requester: StoredText,
    /// Who is to answer.
    pub stage: Stage,
    /// Region that is to answer.
    pub origin: Region,
    /// What is asked for.
    pub want: Want,
    /// For a snapshot.
    #[serde(default)]
    pub chain: Option<ChainId>,
    /// For heads.
    #[serde(default)]
    pub partition: Option<i32>,
    /// For heads: where the page begins.
    #[serde(default, with = "serde_bytes")]
    pub after: Option<Vec<u8>>,
    /// What the requester has.
    #[serde(default)]
    pub have: Option<Revision>,
    /// When it was asked.
    pub issued_at: Timestamp,
    /// When it need not be answered any more.
    pub expires_at: Timestamp,
}
record!(SnapshotRequest, "SnapshotRequest", "snapshot-request.avsc");
