//! Why a decision is what it is.

use std::fmt;

use serde::Serialize;

/// Why a decision is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Allowed: a grant reaches the resource.
    Granted,
    /// No such organization has arrived here.
    UnknownOrganization,
    /// The organization is suspended or deleted.
    OrganizationInactive,
    /// The organization has no such user or system account.
    UnknownSubject,
    /// The subject may not act.
    SubjectInactive,
    /// The entity was announced in no region, or was deleted.
    UnknownEntity,
    /// No grant reaches the resource with this action.
    NoGrant,
    /// A grant would, but for another region.
    RegionNotCovered,
    /// A grant would, but not at this moment.
    GrantNotValidNow,
    /// A grant would, under a condition that this build cannot evaluate.
    ConditionNotSupported,
    /// The organization forbids something, and this build cannot evaluate what.
    Forbidden,
    /// A chain that the answer may depend on stands still.
    ViewIncomplete,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Granted,
        Self::UnknownOrganization,
        Self::OrganizationInactive,
        Self::UnknownSubject,
        Self::SubjectInactive,
        Self::UnknownEntity,
        Self::NoGrant,
        Self::RegionNotCovered,
        Self::GrantNotValidNow,
        Self::ConditionNotSupported,
        Self::Forbidden,
        Self::ViewIncomplete,
    ];

    /// Its name in answers, on the log and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::UnknownOrganization => "unknown_organization",
            Self::OrganizationInactive => "organization_inactive",
            Self::UnknownSubject => "unknown_subject",
            Self::SubjectInactive => "subject_inactive",
            Self::UnknownEntity => "unknown_entity",
            Self::NoGrant => "no_grant",
            Self::RegionNotCovered => "region_not_covered",
            Self::GrantNotValidNow => "grant_not_valid_now",
            Self::ConditionNotSupported => "condition_not_supported",
            Self::Forbidden => "forbidden",
            Self::ViewIncomplete => "view_incomplete",
        }
    }

    /// Of two reasons why a grant did not count, the one that tells more.
    pub(super) fn closer(self, other: Self) -> Self {
        if other.closeness() > self.closeness() { other } else { self }
    }

    /// How many checks of a grant come before the one that failed.
    fn closeness(self) -> u8 {
        match self {
            Self::RegionNotCovered => 1,
            Self::GrantNotValidNow => 2,
            Self::ConditionNotSupported => 3,
            _ => 0,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
