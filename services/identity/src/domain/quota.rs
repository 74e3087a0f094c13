//! How much an organization may have.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is limited for each organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Quota {
    /// Users, invited ones included.
    Users,
    /// Teams.
    Teams,
    /// Users in teams, each team counted.
    Memberships,
    /// Tokens of all users, invitations included. A user has at most 1,000.
    Tokens,
    /// Roles of one user or team.
    RolesPerPrincipal,
    /// Requests to the management API in a second.
    RequestsPerSecond,
}

impl Quota {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Users, Self::Teams, Self::Memberships, Self::Tokens, Self::RolesPerPrincipal, Self::RequestsPerSecond];

    /// Its name in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Teams => "teams",
            Self::Memberships => "memberships",
            Self::Tokens => "tokens",
            Self::RolesPerPrincipal => "roles_per_principal",
            Self::RequestsPerSecond => "requests_per_second",
        }
    }

    /// The maximum unless the operator sets another. Of requests, it is a setting of the process.
    pub fn default_maximum(self) -> Option<i64> {
        match self {
            Self::Users => Some(100_000),
            Self::Teams => Some(10_000),
            Self::Memberships => Some(500_000),
            Self::Tokens => Some(200_000),
            Self::RolesPerPrincipal => Some(1_000),
            Self::RequestsPerSecond => None,
        }
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// How much of a quota an organization uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaUse {
    /// The quota.
    pub quota: Quota,
    /// How much there is; `None` for what is not counted for the organization as a whole.
    pub used: Option<i64>,
    /// The maximum that the operator has set.
    pub maximum: Option<i64>,
}
