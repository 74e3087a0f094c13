//! The catalogue in the chain of the platform organization.

use writ_contract::catalogue::Catalogue;
use writ_contract::identity_event::{Change, Changes};
use writ_contract::{Hash, PLATFORM_ORGANIZATION, encode};

use super::{Author, PendingRevision, SeenState, Store};
use crate::error::Result;

impl Store {
    /// Publishes the catalogue of this build as the next revision of the platform organization,
    /// unless it was the last to be published.
    pub async fn publish_catalogue(&self) -> Result<SeenState> {
        self.ensure_platform().await?;
        let mut revision = self.revision_in_any_state(PLATFORM_ORGANIZATION, Author::identity()).await?;
        let changes = vec![Change::CatalogueChanged { roles: Catalogue::compiled_in().roles() }];
        if remember(&mut revision, &changes).await? {
            return revision.commit(changes).await;
        }
        revision.unchanged().await
    }

    async fn ensure_platform(&self) -> Result<()> {
        sqlx::query(
            "INSERT INTO organization (id, name, state, revision, digest, committed_at, created_at, updated_at)
             VALUES ($1, '', 'active', 0, $2, now(), now(), now()) ON CONFLICT DO NOTHING",
        )
        .bind(PLATFORM_ORGANIZATION)
        .bind(Hash::ZERO)
        .execute(self.pool())
        .await?;
        Ok(())
    }
}

/// Records the digest of the catalogue to publish. False if it is the one published last.
async fn remember(revision: &mut PendingRevision, changes: &[Change]) -> Result<bool> {
    let digest = Hash::of(&[&encode(&Changes { changes: changes.to_vec() })?]);
    let noted = sqlx::query(
        "INSERT INTO published_catalogue AS last (organization, digest) VALUES ($1, $2)
         ON CONFLICT (organization) DO UPDATE SET digest = $2 WHERE last.digest <> $2",
    )
    .bind(PLATFORM_ORGANIZATION)
    .bind(digest)
    .execute(revision.connection())
    .await?;
    Ok(noted.rows_affected() > 0)
}
