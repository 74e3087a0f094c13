//! Membership and role changes asked for by other systems, and what became of them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Timestamp;
use crate::identity_event::MemberKind;
use crate::record::record;

/// A membership or role change asked for by another system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityCommand {
    /// The organization to change.
    pub organization: Uuid,
    /// By the producer's clock.
    pub issued_at: Timestamp,
    /// At most one hour after `issued_at`.
    pub expires_at: Timestamp,
    /// The principal the producer acts for.
    #[serde(default)]
    pub on_behalf_of: Option<Uuid>,
    /// Apply only if the organization stands at this revision.
    #[serde(default)]
    pub if_revision: Option<i64>,
    /// What to do.
    pub action: CommandAction,
}
record!(IdentityCommand, "IdentityCommand", "identity-command.avsc");

/// What a command asks for; the fields are those of the change of the same kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of identity-command.avsc and say what they hold")]
pub enum CommandAction {
    /// A principal joins a team.
    AddMember {
        team: Uuid,
        member: Uuid,
        member_kind: MemberKind,
        #[serde(default)]
        valid_from: Option<Timestamp>,
        #[serde(default)]
        valid_until: Option<Timestamp>,
    },
    /// A principal leaves a team.
    RemoveMember { team: Uuid, member: Uuid },
    /// A principal is given a role.
    AssignRole {
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
    /// An assignment ends.
    UnassignRole { assignment: Uuid },
}

/// What became of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It took a revision.
    Applied,
    /// It was so already.
    Unchanged,
    /// It may not or cannot be done.
    Rejected,
    /// It came too late.
    Expired,
    /// No region it reached is the organization's home.
    UnknownOrganization,
}

/// The answer to a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandResult {
    /// Who asked.
    pub producer: String,
    /// `ce_id` of the command.
    pub command_id: String,
    /// The organization it named.
    pub organization: Uuid,
    /// What became of it.
    pub outcome: Outcome,
    /// Why, if it was not applied.
    #[serde(default)]
    pub reason: Option<String>,
    /// Whether the same command may succeed later.
    pub retryable: bool,
    /// Epoch of the state that answers.
    #[serde(default)]
    pub epoch: Option<i64>,
    /// Revision of the state that answers.
    #[serde(default)]
    pub revision: Option<i64>,
    /// For reads that must see it.
    #[serde(default)]
    pub consistency_token: Option<String>,
    /// When it was decided.
    pub committed_at: Timestamp,
}
record!(CommandResult, "CommandResult", "command-result.avsc");
