//! Signed heads of the audit record, and what operators did.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actor::Actor;
use crate::record::record;
use crate::{Hash, OrganizationId, Region, StoredText, Timestamp};

/// A signed head of a region's audit record of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// Whose record.
    pub organization: OrganizationId,
    /// Whose region.
    pub region: Region,
    /// Number of entries.
    pub tree_size: i64,
    /// Root of the tree over them.
    pub root: Hash,
    /// When it was signed.
    pub at: Timestamp,
    /// Which key signed it.
    pub key_id: StoredText,
    /// The signature.
    #[serde(with = "serde_bytes")]
    pub signature: Vec<u8>,
}
record!(AuditHead, "AuditHead", "audit-head.avsc");

/// What an operator or a service itself did (rebuild, new epoch, …).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminAct {
    /// Names the act.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What, as a code.
    pub act: StoredText,
    /// Target of the act.
    pub target: StoredText,
    /// More about it.
    pub detail: StoredText,
}
record!(AdminAct, "AdminAct", "admin-act.avsc");
