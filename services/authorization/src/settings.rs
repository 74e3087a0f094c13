//! AuthorizationSettings of this service.

use std::path::PathBuf;

use serde::Deserialize;
use writ_service::{DatabaseUrl, Required, ServiceSettings};

/// AuthorizationSettings of authorization, besides those of every service.
#[derive(Debug, Deserialize)]
pub struct AuthorizationSettings {
    /// `WRIT_DATABASE_URL`: the database `authorization`.
    pub database_url: DatabaseUrl,
    /// `WRIT_ENTITY_PRODUCERS`: file with what each entity producer may speak for. Without it, none may speak for anybody.
    pub entity_producers: Option<PathBuf>,
}

impl ServiceSettings for AuthorizationSettings {
    const REQUIRED: Required = &[("database_url", "postgres://authorization@127.0.0.1:15432/authorization")];
}
