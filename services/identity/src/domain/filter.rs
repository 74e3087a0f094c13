//! Conditions on a list.

use writ_contract::UserId;

use super::text::Term;

/// Conditions on a text; all that are given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextFilter {
    /// The text is exactly this.
    pub eq: Option<Term>,
    /// The text contains this, ignoring case.
    pub contains: Option<Term>,
}

/// A condition on one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelFilter {
    /// Key of the label.
    pub key: Term,
    /// What must hold for it.
    pub test: LabelTest,
}

/// What must hold for a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelTest {
    /// It has this value.
    Eq(Term),
    /// Its value contains this, ignoring case.
    Contains(Term),
    /// It exists, or it does not.
    Exists(bool),
}

/// Conditions on a list of users.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// This user only.
    pub id: Option<UserId>,
    /// On the e-mail address, ignoring case.
    pub email: TextFilter,
    /// On the full name.
    pub full_name: TextFilter,
    /// Whether the user is active.
    pub active: Option<bool>,
}

/// Conditions on a list of teams.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TeamFilter {
    /// On the name.
    pub name: TextFilter,
    /// On labels; all must hold.
    pub labels: Vec<LabelFilter>,
}
