//! Teams of an organization.

use time::OffsetDateTime;
use writ_contract::TeamId;

use super::labels::Labels;
use super::text::{Name, Text};

/// A group of users and system accounts that hold roles together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Never reused once the team is deleted.
    pub id: TeamId,
    /// Not unique.
    pub name: Name,
    /// What the team is for.
    pub description: Option<Text>,
    /// Whether Writ made the team; it cannot be changed.
    pub system_team: bool,
    /// What clients file the team under.
    pub labels: Labels,
    /// When the team was created.
    pub created_at: OffsetDateTime,
    /// When the team last changed.
    pub updated_at: OffsetDateTime,
}

impl Team {
    /// The new team of an organization's administrators.
    pub fn administrators(at: OffsetDateTime) -> Self {
        Self {
            id: TeamId::generate(),
            name: Name::of_ours("Organization Admin"),
            description: Some(Text::of_ours("Manages the organization's users, teams, tokens and role assignments.")),
            system_team: true,
            labels: Labels::default(),
            created_at: at,
            updated_at: at,
        }
    }
}
