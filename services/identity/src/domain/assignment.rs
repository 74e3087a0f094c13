//! Roles that principals hold.

/// The role that administrators hold.
pub const ADMINISTRATOR: &str = "identity.admin";
/// The entity type of roles over the organization itself, which is global.
pub const IDENTITY: &str = "identity";

/// What a principal may be: the catalogue's key of a role, and where it counts.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Grant {
    /// Key of the role, `<entity type>.<role>`.
    pub role: String,
    /// Key of the entity type.
    pub entity_type: String,
    /// On this entity. `None` means every one.
    pub entity_id: Option<String>,
    /// In this region. `None` means every one.
    pub region: Option<String>,
}

impl Grant {
    /// What an organization's administrators hold.
    pub fn administrator() -> Self {
        Self { role: ADMINISTRATOR.to_owned(), entity_type: IDENTITY.to_owned(), entity_id: None, region: None }
    }
}
