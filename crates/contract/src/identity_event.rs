//! What happened to an organization, in its home region.

use serde::{Deserialize, Serialize};

use crate::actor::{Actor, Cause};
use crate::record::record;
use crate::row::{Condition, Grant, Membership, OrganizationState, Role, Token};
use crate::{
    ConditionId, GrantId, Hash, OrganizationId, PrincipalId, Revision, RoleKey, StoredText, SystemAccountId, TeamId,
    Timestamp, TokenId, UserId,
};

/// What happened to an organization: one transaction, one event, one revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityEvent {
    /// The organization it happened to.
    pub organization: OrganizationId,
    /// Contiguous per organization.
    pub revision: Revision,
    /// The digest of the event before; zero for the first.
    pub previous_digest: Hash,
    /// SHA-256(previous_digest ‖ payload): the same history.
    pub digest: Hash,
    /// Strictly increasing per organization.
    pub committed_at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// What asked for it.
    #[serde(default)]
    pub cause: Option<Cause>,
    /// Identity's own id of the HTTP request, if there was one.
    #[serde(default)]
    pub request_id: Option<StoredText>,
    /// Bits a reader must know to process this event; none are assigned yet.
    pub features: i64,
    /// [`Changes`], single-object encoded.
    #[serde(with = "serde_bytes")]
    pub payload: Vec<u8>,
}
record!(IdentityEvent, "IdentityEvent", "identity-event.avsc");

/// The changes of one identity event, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Changes {
    /// In the order in which they were made.
    pub changes: Vec<Change>,
}
record!(Changes, "Changes", "changes.avsc");

/// One change. Names and texts never travel: only ids and which fields changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of changes.avsc and say what they hold")]
pub enum Change {
    /// The whole catalogue; platform organization only.
    CatalogueChanged { roles: Vec<Role> },
    /// The first change of every organization.
    OrganizationCreated { owner: UserId },
    /// Suspended or active again.
    OrganizationStateChanged { state: OrganizationState },
    /// Final: the id is never used again.
    OrganizationDeleted {},
    /// A user exists who may not act yet.
    UserInvited { user: UserId },
    /// The user may act.
    UserActivated { user: UserId },
    /// An administrator let the user act, or not.
    UserStateChanged { user: UserId, active: bool },
    /// Personal fields changed; their values stay in identity's database.
    UserChanged { user: UserId, fields: Vec<StoredText> },
    /// The user and everything that refers to it is gone.
    UserErased { user: UserId },
    /// A team exists.
    TeamCreated { team: TeamId, system: bool },
    /// Descriptive fields changed.
    TeamChanged { team: TeamId, fields: Vec<StoredText> },
    /// The team and everything that refers to it is gone.
    TeamDeleted { team: TeamId },
    /// A principal is in a team.
    MemberAdded(Membership),
    /// A principal is no longer in a team.
    MemberRemoved { team: TeamId, member: PrincipalId },
    /// A machine account exists.
    SystemAccountCreated { account: SystemAccountId, managed: bool },
    /// Descriptive fields changed.
    SystemAccountChanged { account: SystemAccountId, fields: Vec<StoredText> },
    /// The account and everything that refers to it is gone.
    SystemAccountDeleted { account: SystemAccountId },
    /// A token is valid until it expires or is revoked.
    TokenIssued(Token),
    /// Descriptive fields changed.
    TokenChanged { token: TokenId, fields: Vec<StoredText> },
    /// The token is no longer valid.
    TokenRevoked { token: TokenId },
    /// A principal has a role.
    RoleAssigned(Grant),
    /// The grant is gone.
    RoleUnassigned { grant: GrantId },
    /// An organization's own role.
    CustomRoleDefined(Role),
    /// The role and its grants are gone.
    CustomRoleDeleted { key: RoleKey },
    /// A Cedar condition.
    ConditionSet(Condition),
    /// The condition is gone.
    ConditionDeleted { condition: ConditionId },
}

/// Every change committed before `closed_at` stands before this record in its partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    /// The partition it speaks of.
    pub partition: i32,
    /// Counts the watermarks of the partition.
    pub seq: i64,
    /// See the type.
    pub closed_at: Timestamp,
}
record!(Watermark, "Watermark", "watermark.avsc");
