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
pub mod quotas;
pub mod recovery;
pub mod revision;
pub mod room;
pub mod teams;
pub mod tokens;
pub mod turns;
pub mod users;

use std::sync::LazyLock;

use sqlx::PgPool;
use sqlx::migrate::Migrator;
use writ_contract::{OrganizationId, Region, Revision};
use writ_log::outbox::Handover;

pub use revision::{Author, PendingRevision, SeenState};
pub use room::OutboxRoom;
use turns::ChangeTurns;

use crate::error::{IdentityError, Result};

/// The event log's tables and identity's own.
pub static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    static OWN: Migrator = sqlx::migrate!();
    writ_service::database::merged(&[&writ_log::MIGRATIONS, &OWN])
});

/// Access to the database of the organizations homed in one region.
#[derive(Clone)]
pub struct Store {
    reads: PgPool,
    writes: PgPool,
    region: Region,
    turns: ChangeTurns,
    room: OutboxRoom,
    handover: Handover,
}

impl Store {
    /// The store of the organizations homed in `region`. Changes are made on connections of `writes` alone, so that no
    /// number of them keeps reads, and callers who authenticate, from those of `reads`.
    pub fn new(reads: PgPool, writes: PgPool, region: Region, room: OutboxRoom) -> Self {
        let handover = Handover::start(reads.clone());
        Self { reads, writes, region, turns: ChangeTurns::default(), room, handover }
    }

    /// Connections for statements that change nothing.
    pub fn pool(&self) -> &PgPool {
        &self.reads
    }

    /// Where the publisher is handed what is committed.
    pub fn handover(&self) -> &Handover {
        &self.handover
    }

    /// How full the outbox is.
    pub fn room(&self) -> &OutboxRoom {
        &self.room
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
                .fetch_optional(self.pool())
                .await?;
        let (epoch, number) = revision.ok_or(IdentityError::NotFound("organization"))?;
        Ok(SeenState { organization, revision: Revision { epoch, number } })
    }
}
