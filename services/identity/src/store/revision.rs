//! The next revision of an organization: the only place that writes an event.
//!
//! One transaction = one revision = one event. The organization's row is locked from the first
//! statement on, so revisions are contiguous and in the order of their commits.

use sqlx::{PgConnection, Postgres, Transaction};
use time::OffsetDateTime;
use tracing::field::Empty;
use tracing::{Instrument, Span};
use uuid::Uuid;
use writ_contract::actor::Actor;
use writ_contract::identity_event::{Change, Changes, IdentityEvent, OrganizationState};
use writ_contract::organization::OrganizationEntry;
use writ_contract::{Timestamp, encode};
use writ_kafka::topics;
use writ_log::{Outgoing, outbox};

use super::Store;
use super::organizations::state_name;
use crate::domain::text::Name;
use crate::error::{Error, Result};
use crate::log;

/// Who makes a change, and in which request.
#[derive(Debug, Clone)]
pub struct Author {
    /// Who it is.
    pub actor: Actor,
    /// Id of the request, if there is one.
    pub request_id: Option<String>,
}

/// A state of an organization that somebody has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Seen {
    /// Which organization.
    pub organization: Uuid,
    /// Epoch of the state.
    pub epoch: i64,
    /// Revision of the state.
    pub revision: i64,
}

#[derive(sqlx::FromRow)]
struct Next {
    state: String,
    epoch: i64,
    revision: i64,
    committed_at: OffsetDateTime,
}

/// A transaction that becomes the next revision of one organization when it commits, and leaves
/// no trace when it is dropped.
pub struct Revision {
    tx: Transaction<'static, Postgres>,
    region: String,
    organization: Uuid,
    next: Next,
    author: Author,
    span: Span,
}

impl Store {
    /// Begins the next revision of an active organization.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when the organization is not active: its tokens are not valid.
    pub async fn revision(&self, organization: Uuid, author: Author) -> Result<Revision> {
        let revision = self.revision_in_any_state(organization, author).await?;
        if revision.next.state != state_name(OrganizationState::Active) {
            return Err(Error::Unauthenticated);
        }
        Ok(revision)
    }

    /// Begins the next revision of an organization that is not deleted.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such organization.
    pub async fn revision_in_any_state(&self, organization: Uuid, author: Author) -> Result<Revision> {
        let span = transaction_span(organization);
        let mut tx = self.pool.begin().await?;
        let next = sqlx::query_as(
            "UPDATE organization SET revision = revision + 1,
                    committed_at = greatest(clock_timestamp(), committed_at + interval '1 microsecond')
              WHERE id = $1 AND state <> 'deleted'
             RETURNING state, epoch, revision, committed_at",
        )
        .bind(organization)
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(Error::NotFound("organization"))?;
        Ok(self.begun(tx, organization, next, author, span))
    }

    /// Begins the first revision of a new organization.
    ///
    /// # Errors
    /// When the organization exists.
    pub async fn founding(&self, organization: Uuid, name: &Name, owner: Uuid, author: Author) -> Result<Revision> {
        let span = transaction_span(organization);
        let mut tx = self.pool.begin().await?;
        let next = sqlx::query_as(
            "INSERT INTO organization (id, name, owner_id, state, revision, committed_at, created_at, updated_at)
             SELECT $1, $2, $3, 'active', 1, now, now, now FROM clock_timestamp() AS now
             RETURNING state, epoch, revision, committed_at",
        )
        .bind(organization)
        .bind(name.as_str())
        .bind(owner)
        .fetch_one(&mut *tx)
        .await?;
        Ok(self.begun(tx, organization, next, author, span))
    }

    fn begun(
        &self,
        tx: Transaction<'static, Postgres>,
        organization: Uuid,
        next: Next,
        author: Author,
        span: Span,
    ) -> Revision {
        Revision { tx, region: self.region.to_string(), organization, next, author, span }
    }
}

impl Revision {
    /// Where statements of this revision run.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// The organization that changes.
    pub fn organization(&self) -> Uuid {
        self.organization
    }

    /// Time of the revision; strictly increasing per organization.
    pub fn at(&self) -> OffsetDateTime {
        self.next.committed_at
    }

    /// Commits, with the event that says what changed and, if the organization's state did, its
    /// entry in the directory.
    ///
    /// # Errors
    /// When the database does not commit; nothing has changed then.
    pub async fn commit(mut self, changes: Vec<Change>) -> Result<Seen> {
        // What follows from the transaction is a part of its trace.
        let records = self.span.clone().in_scope(|| self.outgoing(changes))?;
        async {
            outbox::append(&mut self.tx, &records).await?;
            self.tx.commit().await
        }
        .instrument(self.span.clone())
        .await?;
        self.span.record("writ.outcome", "committed");
        self.span.record("writ.epoch", self.next.epoch).record("writ.revision", self.next.revision);
        Ok(Seen { organization: self.organization, epoch: self.next.epoch, revision: self.next.revision })
    }

    /// Gives the revision up because nothing changes, and says what was seen.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn unchanged(self) -> Result<Seen> {
        self.tx.rollback().await?;
        self.span.record("writ.outcome", "unchanged");
        Ok(Seen { organization: self.organization, epoch: self.next.epoch, revision: self.next.revision - 1 })
    }

    fn outgoing(&self, changes: Vec<Change>) -> Result<Vec<Outgoing>> {
        let state = state_after(&changes);
        let mut records = vec![self.outgoing_event(changes)?];
        if let Some(state) = state {
            records.push(self.outgoing_entry(state)?);
        }
        Ok(records)
    }

    fn outgoing_event(&self, changes: Vec<Change>) -> Result<Outgoing> {
        let event = IdentityEvent {
            organization: self.organization,
            epoch: self.next.epoch,
            revision: self.next.revision,
            committed_at: Timestamp::from(self.next.committed_at),
            actor: self.author.actor.clone(),
            cause: None,
            request_id: self.author.request_id.clone(),
            features: 0,
            payload: encode(&Changes { changes })?,
        };
        let record = Outgoing::new(topics::IDENTITY_EVENTS, self.organization, &self.source(), &event)?;
        Ok(record.measured_from(event.committed_at))
    }

    fn outgoing_entry(&self, state: OrganizationState) -> Result<Outgoing> {
        let entry = OrganizationEntry {
            organization: self.organization,
            home_region: self.region.clone(),
            state,
            epoch: self.next.epoch,
            revision: self.next.revision,
            updated_at: Timestamp::from(self.next.committed_at),
        };
        Ok(Outgoing::new(topics::ORGANIZATIONS, self.organization, &self.source(), &entry)?)
    }

    fn source(&self) -> String {
        log::source(&self.region)
    }
}

/// The span `transaction`, from the wait for a connection until it is committed or given up.
fn transaction_span(organization: Uuid) -> Span {
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
