//! The settings of audit.

use serde::Deserialize;
use writ_service::{DatabaseUrl, Required, ServiceSettings};

/// Settings besides those of every service.
#[derive(Debug, Clone, Deserialize)]
pub struct AuditSettings {
    /// `WRIT_DATABASE_URL`: the database `audit`.
    pub database_url: DatabaseUrl,
}

impl ServiceSettings for AuditSettings {
    const REQUIRED: Required = &[("database_url", "postgres://audit@127.0.0.1:15432/audit")];
}
