//! Membership and role changes asked for by other systems, and what became of them.

use serde::{Deserialize, Serialize};

use crate::names::names;
use crate::record::record;
use crate::row::{Grant, Membership};
use crate::{GrantId, OrganizationId, PrincipalId, Revision, StoredText, TeamId, Timestamp};

/// A membership or role change asked for by another system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityCommand {
    /// The organization to change.
    pub organization: OrganizationId,
    /// By the producer's clock.
    pub issued_at: Timestamp,
    /// At most one hour after `issued_at`.
    pub expires_at: Timestamp,
    /// The principal the producer acts for.
    #[serde(default)]
    pub on_behalf_of: Option<PrincipalId>,
    /// Apply only if the organization stands at this revision.
    #[serde(default)]
    pub if_revision: Option<Revision>,
    /// What to do.
    pub action: CommandAction,
}
record!(IdentityCommand, "IdentityCommand", "identity-command.avsc");

/// What a command asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of identity-command.avsc and say what they hold")]
pub enum CommandAction {
    /// A principal joins a team.
    AddMember(Membership),
    /// A principal leaves a team.
    RemoveMember { team: TeamId, member: PrincipalId },
    /// A principal is given a role.
    AssignRole(Grant),
    /// A grant ends.
    UnassignRole { grant: GrantId },
}

names! {
    /// What became of a command.
    CommandOutcome {
        /// It took a revision.
        Applied = "applied",
        /// It was so already.
        Unchanged = "unchanged",
        /// It may not or cannot be done.
        Rejected = "rejected",
        /// It came too late.
        Expired = "expired",
        /// No region it reached is the organization's home.
        UnknownOrganization = "unknown_organization",
    }
}

/// The answer to a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandResult {
    /// Who asked.
    pub producer: StoredText,
    /// `ce_id` of the command.
    pub command_id: StoredText,
    /// The organization it named.
    pub organization: OrganizationId,
    /// What became of it.
    pub outcome: CommandOutcome,
    /// Why, if it was not applied.
    #[serde(default)]
    pub reason: Option<StoredText>,
    /// Whether the same command may succeed later.
    pub retryable: bool,
    /// Of the state that answers.
    #[serde(default)]
    pub revision: Option<Revision>,
    /// For reads that must see it.
    #[serde(default)]
    pub consistency_token: Option<StoredText>,
    /// When it was decided.
    pub committed_at: Timestamp,
}
record!(CommandResult, "CommandResult", "command-result.avsc");
