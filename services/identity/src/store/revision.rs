//! The next revision of an organization: the only place that writes an event.
//!
//! One transaction = one revision = one event. The organization's row is locked from the first
//! statement on, so revisions are contiguous and in the order of their commits.

use sqlx::{PgConnection, Postgres, Transaction};
use time::OffsetDateTime;
use tracing::field::Empty;
use tracing::{Instrument, Span};
use writ_contract::actor::Actor;
use writ_contract::identity_event::{Change, Changes, IdentityEvent};
use writ_contract::organization::OrganizationEntry;
use writ_contract::row::OrganizationState;
use writ_contract::{Hash, OrganizationId, Region, Revision, StoredText, Timestamp, UserId, encode};
use writ_kafka::topics;
use writ_log::{Outgoing, outbox};

use super::Store;
use crate::domain::text::Name;
use crate::error::{IdentityError, Result};
use crate::log;

/// The author of a change.
#[derive(Debug, Clone)]
pub struct Author {
    /// The actor.
    pub actor: Actor,
    /// Id of the request, if there is one.
    pub request_id: Option<StoredText>,
}

/// A state of an organization that a client has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenState {
    /// The organization.
    pub organization: OrganizationId,
    /// The revision it had.
    pub revision: Revision,
}

#[derive(sqlx::FromRow)]
struct Next {
    state: OrganizationState,
    epoch: i64,
    revision: i64,
    /// Of the event before.
    digest: Hash,
    committed_at: OffsetDateTime,
}

impl Next {
    fn revision(&self) -> Revision {
        Revision { epoch: self.epoch, number: self.revision }
    }
}

/// A transaction that becomes the next revision of one organization when it is committed. Dropping it rolls back.
pub struct PendingRevision {
    tx: Transaction<'static, Postgres>,
    region: Region,
    organization: OrganizationId,
    next: Next,
    author: Author,
    span: Span,
}

impl Store {
    /// Begins the next revision of an active organization.
    ///
    /// # Errors
    /// [`IdentityError::Unauthenticated`] when the organization is not active: its tokens are not valid.
    pub async fn revision(&self, organization: OrganizationId, author: Author) -> Result<PendingRevision> {
        let revision = self.revision_in_any_state(organization, author).await?;
        if revision.next.state != OrganizationState::Active {
            return Err(IdentityError::Unauthenticated);
        }
        Ok(revision)
    }

    /// Begins the next revision of an organization that is not deleted.
    ///
    /// # Errors
    /// [`IdentityError::NotFound`] when there is no such organization.
    pub async fn revision_in_any_state(&self, organization: OrganizationId, author: Author) -> Result<PendingRevision> {
        let span = transaction_span(organization);
        let mut tx = self.pool.begin().await?;
        let next = sqlx::query_as(
            "UPDATE organization SET revision = revision + 1,
                    committed_at = greatest(clock_timestamp(), committed_at + interval '1 microsecond')
              WHERE id = $1 AND state <> 'deleted'
             RETURNING state, epoch, revision, digest, committed_at",
        )
        .bind(organization)
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(IdentityError::NotFound("organization"))?;
        Ok(self.begun(tx, organization, next, author, span))
    }

    /// Begins the first revision of a new organization.
    ///
    /// # Errors
    /// When the organization exists.
    pub async fn founding(
        &self,
        organization: OrganizationId,
        name: &Name,
        owner: UserId,
        author: Author,
    ) -> Result<PendingRevision> {
        let span = transaction_span(organization);
        let mut tx = self.pool.begin().await?;
        let next = sqlx::query_as(
            "INSERT INTO organization (id, name, owner_id, state, revision, digest, committed_at, created_at, updated_at)
             SELECT $1, $2, $3, 'active', 1, $4, now, now, now FROM clock_timestamp() AS now
             RETURNING state, epoch, revision, digest, committed_at",
        )
        .bind(organization)
        .bind(name.as_str())
        .bind(owner)
        .bind(Hash::ZERO)
        .fetch_one(&mut *tx)
        .await?;
        Ok(self.begun(tx, organization, next, author, span))
    }

    fn begun(
        &self,
        tx: Transaction<'static, Postgres>,
        organization: OrganizationId,
        next: Next,
        author: Author,
        span: Span,
    ) -> PendingRevision {
        PendingRevision { tx, region: self.region, organization, next, author, span }
    }
}

impl PendingRevision {
    /// Where statements of this revision run.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// The organization that changes.
    pub fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// Time of the revision; strictly increasing per organization.
    pub fn at(&self) -> OffsetDateTime {
        self.next.committed_at
    }

    /// Commits, with the event that says what changed and, if the organization's state did, its
    /// entry in the directory.
    pub async fn commit(mut self, changes: Vec<Change>) -> Result<SeenState> {
        let state = state_after(&changes);
        let event = self.event(changes)?;
        // What follows from the transaction is a part of its trace.
        let records = self.span.clone().in_scope(|| self.records(&event, state))?;
        async {
            store_digest(&mut self.tx, &event).await?;
            outbox::append(&mut self.tx, &records).await?;
            self.tx.commit().await
        }
        .instrument(self.span.clone())
        .await?;
        self.span.record("writ.outcome", "committed");
        self.span.record("writ.epoch", self.next.epoch).record("writ.revision", self.next.revision);
        Ok(SeenState { organization: self.organization, revision: self.next.revision() })
    }

    /// Gives the revision up because nothing changes; returns what was seen.
    pub async fn unchanged(self) -> Result<SeenState> {
        self.tx.rollback().await?;
        self.span.record("writ.outcome", "unchanged");
        let seen = Revision { epoch: self.next.epoch, number: self.next.revision - 1 };
        Ok(SeenState { organization: self.organization, revision: seen })
    }

    fn event(&self, changes: Vec<Change>) -> Result<IdentityEvent> {
        let payload = encode(&Changes { changes })?;
        Ok(IdentityEvent {
            organization: self.organization,
            revision: self.next.revision(),
            previous_digest: self.next.digest,
            digest: Hash::of(&[&self.next.digest.0, &payload]),
            committed_at: Timestamp::from(self.next.committed_at),
            actor: self.author.actor.clone(),
            cause: None,
            request_id: self.author.request_id.clone(),
            features: 0,
            payload,
        })
    }

    /// The event and, if the organization's state changed, its entry in the directory.
    fn records(&self, event: &IdentityEvent, state: Option<OrganizationState>) -> Result<Vec<Outgoing>> {
        let (key, source) = (self.organization, log::source(self.region));
        let record = Outgoing::new(topics::IDENTITY_EVENTS, key, &source, event)?;
        let mut records = vec![record.measured_from(event.committed_at)];
        if let Some(state) = state {
            let entry = OrganizationEntry {
                organization: self.organization,
                home_region: self.region,
                state,
                revision: self.next.revision(),
                updated_at: event.committed_at,
            };
            records.push(Outgoing::new(topics::ORGANIZATIONS, key, &source, &entry)?);
        }
        Ok(records)
    }
}

/// The next event names the digest of this one.
async fn store_digest(connection: &mut PgConnection, event: &IdentityEvent) -> sqlx::Result<()> {
    let statement = sqlx::query("UPDATE organization SET digest = $2 WHERE id = $1");
    statement.bind(event.organization).bind(event.digest).execute(connection).await.map(drop)
}

/// The span `transaction`, from the wait for a connection until it is committed or given up.
fn transaction_span(organization: OrganizationId) -> Span {
    tracing::info_span!(
        "transaction",
        otel.kind = "client",
        db.system.name = "postgresql",
        db.namespace = "identity",
        writ.organization = %organization,
        writ.epoch = Empty,
        writ.revision = Empty,
        writ.outcome = Empty,
    )
}

/// The state the organization is in after `changes`, if they concern it.
fn state_after(changes: &[Change]) -> Option<OrganizationState> {
    changes.iter().rev().find_map(|change| match change {
        Change::OrganizationCreated { .. } => Some(OrganizationState::Active),
        Change::OrganizationStateChanged { state } => Some(*state),
        Change::OrganizationDeleted {} => Some(OrganizationState::Deleted),
        _ => None,
    })
}
