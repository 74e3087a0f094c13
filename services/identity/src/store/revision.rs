//! The next revision of an organization: the only place that writes an event.
//!
//! One transaction = one revision = one event. The organization's row is locked from the first
//! statement on, so revisions are contiguous and in the order of their commits.

use sqlx::{PgConnection, Postgres, QueryBuilder, Transaction};
use time::{Duration, OffsetDateTime};
use tracing::field::Empty;
use tracing::{Instrument, Span};
use uuid::Uuid;
use writ_contract::actor::{Actor, ActorKind};
use writ_contract::identity_event::{Change, Changes, IdentityEvent};
use writ_contract::organization::OrganizationEntry;
use writ_contract::row::OrganizationState;
use writ_contract::{Hash, OrganizationId, Revision, StoredText, Timestamp, UserId, encode};
use writ_kafka::topics;
use writ_log::{Outgoing, outbox};

use super::callers::{Bearer, TokenHolder};
use super::turns::ChangeTurn;
use super::{Store, answers};
use crate::domain::answer::KeptAnswer;
use crate::domain::answer::RepeatableRequest;
use crate::domain::text::Name;
use crate::error::{IdentityError, Result};
use crate::log;

/// How far the last change of an organization may lie in the future of the database's clock. Its next change would have
/// to lie there as well.
const FURTHEST_AHEAD: Duration = Duration::minutes(1);

/// Columns of [`Next`], of a locked organization `o`.
macro_rules! next_columns {
    () => {
        "o.state, o.epoch, o.revision + 1 AS revision, o.digest, o.writer, clock_timestamp() AS now,
         greatest(clock_timestamp(), o.committed_at + interval '1 microsecond') AS committed_at"
    };
}
pub(super) use next_columns;

/// The author of a change.
#[derive(Debug, Clone)]
pub struct Author {
    /// The actor.
    pub actor: Actor,
    /// Our own id of the request, if there is one.
    pub request_id: Option<StoredText>,
    /// The request, if it may be repeated.
    pub repeatable: Option<RepeatableRequest>,
}

impl Author {
    /// The holder of a token.
    pub fn of(bearer: &Bearer) -> Self {
        let id = StoredText::lossy(&bearer.holder.user.to_string());
        Self {
            actor: Actor { kind: ActorKind::User, id },
            request_id: bearer.request_id.clone(),
            repeatable: bearer.repeatable.clone(),
        }
    }

    /// Identity itself.
    pub fn identity() -> Self {
        Self { actor: Actor::system("identity"), request_id: None, repeatable: None }
    }
}

/// A state of an organization that a client has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenState {
    /// The organization.
    pub organization: OrganizationId,
    /// The revision it had.
    pub revision: Revision,
}

/// Where the next revision begins.
#[derive(sqlx::FromRow)]
pub(super) struct Next {
    state: OrganizationState,
    epoch: i64,
    revision: i64,
    /// Of the event before.
    digest: Hash,
    /// The process that made the change before.
    writer: Option<Uuid>,
    committed_at: OffsetDateTime,
    /// The database's clock, read under the organization's lock.
    now: OffsetDateTime,
}

impl Next {
    fn revision(&self) -> Revision {
        Revision { epoch: self.epoch, number: self.revision }
    }
}

/// A transaction that becomes the next revision of one organization when it is committed. Dropping it rolls back.
pub struct PendingRevision {
    tx: Transaction<'static, Postgres>,
    store: Store,
    organization: OrganizationId,
    next: Next,
    author: Author,
    holder: Option<TokenHolder>,
    span: Span,
    // Last: the next change begins when all of this is over.
    _turn: ChangeTurn,
}

impl Store {
    /// Begins the next revision of an organization that is not deleted, for the operator or Writ itself, whose right
    /// nothing in the organization can take away. For everyone else there is [`Store::revision`].
    ///
    /// # Errors
    /// [`IdentityError::NotFound`] when there is no such organization; [`IdentityError::ClockAhead`];
    /// [`IdentityError::Answered`] when the request is a repetition; [`IdentityError::TooManyChanges`] and
    /// [`IdentityError::OutboxFull`] when there is no room for it.
    pub async fn revision_in_any_state(&self, organization: OrganizationId, author: Author) -> Result<PendingRevision> {
        let mut change = self.change(organization).await?;
        // The clock is read once the lock is held.
        let next = sqlx::query_as(concat!(
            "SELECT ",
            next_columns!(),
            " FROM (SELECT * FROM organization WHERE id = $1 AND state <> 'deleted' FOR NO KEY UPDATE) AS o"
        ))
        .bind(organization)
        .fetch_optional(&mut *change.tx)
        .await?
        .ok_or(IdentityError::NotFound("organization"))?;
        change.must_be_new(&author).await?;
        change.begin(self, next, author, None)
    }

    /// Begins the first revision of a new organization.
    ///
    /// # Errors
    /// When the organization exists; [`IdentityError::Answered`] when the request is a repetition.
    pub async fn founding(
        &self,
        organization: OrganizationId,
        name: &Name,
        owner: UserId,
        author: Author,
    ) -> Result<PendingRevision> {
        let mut change = self.change(organization).await?;
        if let Some(request) = &author.repeatable {
            answers::lock(&mut change.tx, request).await?;
        }
        let next = sqlx::query_as(
            "INSERT INTO organization (id, name, owner_id, state, revision, digest, writer, committed_at, created_at, updated_at)
             SELECT $1, $2, $3, 'active', 1, $4, $5, now, now, now FROM clock_timestamp() AS now
             RETURNING state, epoch, revision, digest, writer, committed_at, committed_at AS now",
        )
        .bind(organization)
        .bind(name.as_str())
        .bind(owner)
        .bind(Hash::ZERO)
        .bind(self.handover.writer())
        .fetch_one(&mut *change.tx)
        .await?;
        change.must_be_new(&author).await?;
        change.begin(self, next, author, None)
    }

    /// A transaction in the organization's turn, if the outbox has room.
    pub(super) async fn change(&self, organization: OrganizationId) -> Result<ChangeTransaction> {
        let span = transaction_span(organization);
        self.room.must_be_left()?;
        let turn = self.turns.take(organization).await?;
        Ok(ChangeTransaction { tx: self.writes.begin().await?, organization, span, turn })
    }
}

/// A transaction that is about to lock its organization.
pub(super) struct ChangeTransaction {
    pub(super) tx: Transaction<'static, Postgres>,
    organization: OrganizationId,
    span: Span,
    // Last: the next change begins when all of this is over.
    turn: ChangeTurn,
}

impl ChangeTransaction {
    /// Requires that the author's request is none that was answered before. To be asked under the lock.
    ///
    /// # Errors
    /// [`IdentityError::Answered`] if it was.
    pub(super) async fn must_be_new(&mut self, author: &Author) -> Result<()> {
        match &author.repeatable {
            Some(request) => answers::must_be_new(&mut self.tx, request).await,
            None => Ok(()),
        }
    }

    /// Begins the revision, by the right of `holder`, if there is one.
    ///
    /// # Errors
    /// [`IdentityError::ClockAhead`].
    pub(super) fn begin(
        self,
        store: &Store,
        next: Next,
        author: Author,
        holder: Option<TokenHolder>,
    ) -> Result<PendingRevision> {
        must_not_be_ahead(&next)?;
        let Self { tx, organization, span, turn } = self;
        Ok(PendingRevision { tx, store: store.clone(), organization, next, author, holder, span, _turn: turn })
    }
}

impl PendingRevision {
    /// Where statements of this revision run.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// By whose right it is made, as that is under the organization's lock; `None` for the operator and Writ itself.
    pub fn holder(&self) -> Option<&TokenHolder> {
        self.holder.as_ref()
    }

    /// The organization that changes.
    pub fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// The state there is once the revision is committed.
    pub fn pending(&self) -> SeenState {
        SeenState { organization: self.organization, revision: self.next.revision() }
    }

    /// Keeps the answer for a repetition of the request, if it may be repeated. It goes when `whose` goes.
    pub async fn keep(&mut self, whose: UserId, answer: impl FnOnce() -> Result<KeptAnswer>) -> Result<()> {
        let Some(request) = self.author.repeatable.clone() else { return Ok(()) };
        answers::insert(self, &request, whose, &answer()?).await
    }

    /// Time of the revision; strictly increasing per organization, and therefore now and then later than
    /// [`Self::now`].
    pub fn at(&self) -> OffsetDateTime {
        self.next.committed_at
    }

    /// The time by the database's clock, from which on lifetimes are counted.
    pub fn now(&self) -> OffsetDateTime {
        self.next.now
    }

    /// The state of the organization when the revision began.
    pub fn state(&self) -> OrganizationState {
        self.next.state
    }

    /// Commits, with the event that says what changed and, if the organization's state did, its
    /// entry in the directory.
    pub async fn commit(mut self, changes: Vec<Change>) -> Result<SeenState> {
        let state = state_after(&changes);
        let event = self.event(changes)?;
        // What follows from the transaction is a part of its trace.
        let records = self.span.clone().in_scope(|| self.records(&event, state))?;
        let (handover, room, count) = (&self.store.handover, &self.store.room, records.len());
        async {
            let advance = advance(&event, &self.next, handover.writer());
            let appended = outbox::append_with(advance, &mut self.tx, records).await?;
            handover.commit(self.tx, appended, self.next.writer).await
        }
        .instrument(self.span.clone())
        .await?;
        room.filled(count);
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
        let (key, source) = (self.organization, log::source(self.store.region));
        let record = Outgoing::new(topics::IDENTITY_EVENTS, key, &source, event)?;
        let mut records = vec![record.measured_from(event.committed_at)];
        if let Some(state) = state {
            let entry = OrganizationEntry {
                organization: self.organization,
                home_region: self.store.region,
                state,
                revision: self.next.revision(),
                updated_at: event.committed_at,
            };
            records.push(Outgoing::new(topics::ORGANIZATIONS, key, &source, &entry)?);
        }
        Ok(records)
    }
}

/// After a clock that was wrong, the times of an organization's changes say nothing until the clock has reached them.
fn must_not_be_ahead(next: &Next) -> Result<()> {
    if next.committed_at - next.now <= FURTHEST_AHEAD {
        return Ok(());
    }
    metrics::counter!("writ_clock_ahead_refusals_total").increment(1);
    Err(IdentityError::ClockAhead)
}

/// The beginning of the statement that stores the event: the organization is at its revision, and the next event names its
/// digest.
fn advance(event: &IdentityEvent, next: &Next, writer: Uuid) -> QueryBuilder<Postgres> {
    let mut statement = QueryBuilder::new("WITH advanced AS (UPDATE organization SET revision = ");
    statement
        .push_bind(next.revision)
        .push(", committed_at = ")
        .push_bind(next.committed_at)
        .push(", digest = ")
        .push_bind(event.digest)
        .push(", writer = ")
        .push_bind(writer)
        .push(" WHERE id = ")
        .push_bind(event.organization)
        .push(") ");
    statement
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
