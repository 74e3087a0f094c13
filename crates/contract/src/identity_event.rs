//! What happened to an organization, in its home region.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actor::{Actor, Cause};
use crate::record::record;
use crate::{Hash, Timestamp};

/// What happened to an organization: one transaction, one event, one revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityEvent {
    /// The organization it happened to.
    pub organization: Uuid,
    /// Begins at 1 and grows only after a restore from backup.
    pub epoch: i64,
    /// Contiguous per organization, from 1; never reset.
    pub revision: i64,
    /// Strictly increasing per organization.
    pub committed_at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// What asked for it.
    #[serde(default)]
    pub cause: Option<Cause>,
    /// The id of the HTTP request, if there was one.
    #[serde(default)]
    pub request_id: Option<String>,
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

/// A role of the platform's catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueRole {
    /// `<entity type>.<role>`, such as `control_planes.viewer`.
    pub key: String,
    /// Key of the entity type the role is for.
    pub entity_type: String,
    /// What the role allows.
    pub actions: Vec<String>,
    /// Entity types of descendants that the role reaches.
    pub covers_children: Vec<String>,
}

/// What kind of principal a member of a team is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberKind {
    /// A person.
    User,
    /// A machine account.
    SystemAccount,
}

/// What a bearer token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// A user's personal access token.
    Personal,
    /// A system account's token.
    SystemAccount,
    /// Accepts an invitation, once.
    Invite,
}

/// What a condition does when it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Denies, in the whole organization.
    Forbid,
    /// Lets the grants count that name it.
    When,
}

/// Whether an organization may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrganizationState {
    /// It may.
    Active,
    /// Every decision is a denial until it is active again.
    Suspended,
    /// Final.
    Deleted,
}

/// One change. Names and texts never travel: only ids and which fields changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of changes.avsc and say what they hold")]
pub enum Change {
    /// The whole catalogue; platform organization only.
    CatalogueChanged { roles: Vec<CatalogueRole> },
    /// The first change of every organization.
    OrganizationCreated { owner: Uuid },
    /// Suspended or active again.
    OrganizationStateChanged { state: OrganizationState },
    /// Final: the id is never used again.
    OrganizationDeleted {},
    /// A user exists who may not act yet.
    UserInvited { user: Uuid },
    /// The user may act.
    UserActivated { user: Uuid },
    /// An administrator let the user act, or not.
    UserStateChanged { user: Uuid, active: bool },
    /// Personal fields changed; their values stay in identity's database.
    UserChanged { user: Uuid, fields: Vec<String> },
    /// The user and all that hangs on it is gone.
    UserErased { user: Uuid },
    /// A team exists.
    TeamCreated { team: Uuid, system: bool },
    /// Descriptive fields changed.
    TeamChanged { team: Uuid, fields: Vec<String> },
    /// The team and all that hangs on it is gone.
    TeamDeleted { team: Uuid },
    /// A principal is in a team, optionally from–until.
    MemberAdded {
        team: Uuid,
        member: Uuid,
        member_kind: MemberKind,
        #[serde(default)]
        valid_from: Option<Timestamp>,
        #[serde(default)]
        valid_until: Option<Timestamp>,
    },
    /// A principal is no longer in a team.
    MemberRemoved { team: Uuid, member: Uuid },
    /// A machine account exists.
    SystemAccountCreated { account: Uuid, managed: bool },
    /// Descriptive fields changed.
    SystemAccountChanged { account: Uuid, fields: Vec<String> },
    /// The account and all that hangs on it is gone.
    SystemAccountDeleted { account: Uuid },
    /// A token is valid until it expires or is revoked.
    TokenIssued { token: Uuid, principal: Uuid, kind: TokenKind, hash: Hash, expires_at: Timestamp },
    /// Descriptive fields changed.
    TokenChanged { token: Uuid, fields: Vec<String> },
    /// The token is no longer valid.
    TokenRevoked { token: Uuid },
    /// A principal has a role. No entity id: every entity; no region: every region.
    RoleAssigned {
        assignment: Uuid,
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
    /// The assignment is gone.
    RoleUnassigned { assignment: Uuid },
    /// An organization's own role.
    CustomRoleDefined { role: Uuid, entity_type: String, actions: Vec<String> },
    /// The role and its assignments are gone.
    CustomRoleDeleted { role: Uuid },
    /// A Cedar condition.
    ConditionSet { condition: Uuid, effect: Effect, cedar_json: String },
    /// The condition is gone.
    ConditionDeleted { condition: Uuid },
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
