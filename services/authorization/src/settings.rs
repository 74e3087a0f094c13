//! AuthorizationSettings of this service.

use std::path::PathBuf;

use serde::Deserialize;
use writ_service::config::parsed;
use writ_service::{DatabaseUrl, Required, ServiceSettings};

/// AuthorizationSettings of authorization, besides those of every service.
#[derive(Debug, Deserialize)]
pub struct AuthorizationSettings {
    /// `WRIT_DATABASE_URL`: the database `authorization`.
    pub database_url: DatabaseUrl,
    /// `WRIT_ENTITY_PRODUCERS`: file with what each entity producer may speak for. Without it, none may speak for anybody.
    pub entity_producers: Option<PathBuf>,
    /// `WRIT_MAX_ENTITIES_PER_ORGANIZATION`: entities that an organization may have in this region, deleted ones included.
    #[serde(deserialize_with = "parsed")]
    pub max_entities_per_organization: usize,
}

impl ServiceSettings for AuthorizationSettings {
    const REQUIRED: Required = &[("database_url", "postgres://authorization@127.0.0.1:15432/authorization")];
}
