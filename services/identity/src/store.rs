//! Identity's tables: one file a resource. Statements that change something run within a
//! [`PendingRevision`].

pub mod administrators;
pub mod answers;
pub mod assignments;
pub mod callers;
pub mod catalogue;
pub mod invites;
pub mod last_uses;
mod listing;
pub mod members;
pub mod organizations;
pub mod recovery;
pub mod revision;
pub mod teams;
pub mod tokens;
pub mod users;

use std::sync::LazyLock;

use sqlx::PgPool;
use sqlx::migrate::Migrator;
use writ_contract::{OrganizationId, Region, Revision};

pub use revision::{Author, PendingRevision, SeenState};

use crate::error::{IdentityError, Result};

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
    pub fn region(&self) -> Region {
        self.region
    }

    /// The latest revision of an organization. Read after what it is to cover.
    ///
    /// # Errors
    /// [`IdentityError::NotFound`] when the organization has been deleted.
    pub async fn seen(&self, organization: OrganizationId) -> Result<SeenState> {
        let revision: Option<(i64, i64)> =
            sqlx::query_as("SELECT epoch, revision FROM organization WHERE id = $1 AND state <> 'deleted'")
                .bind(organization)
                .fetch_optional(&self.pool)
                .await?;
        let (epoch, number) = revision.ok_or(IdentityError::NotFound("organization"))?;
        Ok(SeenState { organization, revision: Revision { epoch, number } })
    }
}
