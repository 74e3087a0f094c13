//! Identity's tables: one file a resource. Statements that change something run within a
//! [`Revision`].

pub mod administrators;
pub mod assignments;
pub mod callers;
pub mod catalogue;
pub mod invites;
mod listing;
pub mod members;
pub mod organizations;
pub mod revision;
pub mod teams;
pub mod tokens;
pub mod users;

use std::sync::LazyLock;

use sqlx::PgPool;
use sqlx::migrate::Migrator;
use uuid::Uuid;
use writ_contract::Region;

pub use revision::{Author, Revision, Seen};

use crate::error::{Error, Result};

/// The event log's tables and identity's own.
pub static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    static OWN: Migrator = sqlx::migrate!();
    writ_service::database::merged(&[&writ_log::MIGRATIONS, &OWN])
});

/// Access to the database of the organizations homed in one region.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
    region: Region,
}

impl Store {
    /// The store behind `pool`, of the organizations homed in `region`.
    pub fn new(pool: PgPool, region: Region) -> Self {
        Self { pool, region }
    }

    /// Connections for statements that change nothing.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The region the organizations are homed in.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// The latest revision of an organization. Read after what it is to cover.
    ///
    /// # Errors
    /// When the organization does not exist any more.
    pub async fn seen(&self, organization: Uuid) -> Result<Seen> {
        sqlx::query_as(
            "SELECT id AS organization, epoch, revision FROM organization WHERE id = $1 AND state <> 'deleted'",
        )
        .bind(organization)
        .fetch_optional(&self.pool)
        .await?
        .ok_or(Error::NotFound("organization"))
    }
}
