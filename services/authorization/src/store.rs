//! What authorization keeps in PostgreSQL: the chains it has written, the records that wait to be sent, the entity events
//! it has accepted, the directory of organizations, and the digests of identity events.

pub mod answered;
mod directory;
mod identity_history;

use std::collections::HashMap;
use std::sync::LazyLock;

use sqlx::migrate::Migrator;
use sqlx::{PgConnection, PgPool};
use writ_contract::OrganizationId;
use writ_log::outbox::{self, Appended};

use crate::directory::Directory;
use crate::identity_history::IdentityHistory;
use crate::policies::PolicyEffects;
use answered::{EventKey, Remembered};

/// All tables of the database `authorization`.
pub static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let own = sqlx::migrate!("./migrations");
    writ_service::database::merged(&[&writ_log::MIGRATIONS, &writ_chains::MIGRATIONS, &own])
});

/// What is remembered of events besides the chains.
#[derive(Debug, Default)]
pub struct Memory {
    /// Accepted entity events that may come again.
    pub answered: HashMap<EventKey, Remembered>,
    /// The organizations that exist.
    pub directory: Directory,
    /// By organization.
    pub histories: HashMap<OrganizationId, IdentityHistory>,
}

/// Writes what a batch changed, in the transaction that records how far the log was read.
pub async fn write(tx: &mut PgConnection, effects: &PolicyEffects) -> Result<Appended, sqlx::Error> {
    effects.write(&mut *tx).await?;
    identity_history::put(&mut *tx, &effects.own.histories).await?;
    answered::put(&mut *tx, &effects.own.answered).await?;
    directory::put(&mut *tx, &effects.own.listed).await?;
    outbox::append(tx, effects.own.outgoing.clone()).await
}

/// Reads what is remembered.
pub async fn load(pool: &PgPool) -> Result<Memory, sqlx::Error> {
    Ok(Memory {
        answered: answered::load(pool).await?,
        directory: Directory::new(directory::load(pool).await?),
        histories: identity_history::load(pool).await?,
    })
}

#[cfg(test)]
mod tests;
