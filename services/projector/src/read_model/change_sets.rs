//! What becomes of a record of `policy-changes`: its change set is applied, or was applied before, or its chain is halted
//! and the record waits.

use std::fmt::Display;

use tracing::Span;
use tracing::field::Empty;
use writ_chains::metrics::report_halt;
use writ_chains::{Park, organization_of};
use writ_contract::policy_change::{ChainState, ChangeSet, PolicyOps};
use writ_contract::{ChainId, CodecError, OrganizationId, Record, Revision, SchemaRegistry, decode};
use writ_log::{ConsumedRecord, Envelope, EnvelopeError};
use writ_policy::{Delta, Halt, Verdict};

use super::applied_events::AppliedEvent;
use super::measure;
use super::projection::{ReadModel, ReadModelEffects};
use crate::current_span_context;

/// Why a record is not a change set. The text is parked with the record.
#[derive(Debug, thiserror::Error)]
enum UnreadableChangeSet {
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    #[error(transparent)]
    Codec(#[from] CodecError),
    #[error("unknown type of record")]
    Type,
    #[error("the key is not the organization of the change set")]
    Key,
}

/// What a change set did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Application {
    /// It is in force now. `more` if the chain has seen later ones.
    Applied { more: bool },
    /// It was in force before, is refused, or waits.
    Unchanged,
}

impl Application {
    fn as_str(self) -> &'static str {
        match self {
            Self::Applied { .. } => "applied",
            Self::Unchanged => "unchanged",
        }
    }
}

impl ReadModel {
    /// Processes a record of `policy-changes`.
    pub(super) fn change_set(&mut self, record: &ConsumedRecord, effects: &mut ReadModelEffects) -> Result<(), Park> {
        let Some(organization) = organization_of(record) else { return Ok(()) };
        let origin = record.origin(self.region);
        match read(record, &self.schemas) {
            Ok((envelope, set)) => {
                let chain = ChainId { organization, origin, stream: set.stream };
                if self.apply(&chain, set, effects)? {
                    measure::hops(self.region, origin, &envelope, record.timestamp);
                }
                Ok(())
            }
            Err(reason) => Err(self.unreadable(record, organization, &reason, effects)),
        }
    }

    /// Whatever an unreadable record was about must not move on without it.
    pub(super) fn unreadable(
        &mut self,
        record: &ConsumedRecord,
        organization: OrganizationId,
        reason: &dyn Display,
        effects: &mut ReadModelEffects,
    ) -> Park {
        let origin = record.origin(self.region);
        let parked = self.index.write(|index| index.park(organization, origin, Halt::Unreadable));
        parked.iter().for_each(|delta| report_halt(delta, Halt::Unreadable, reason));
        effects.deltas.extend(parked);
        Park { organization, reason: reason.to_string() }
    }

    /// Applies a change set, and then those that waited for it. False if it changed nothing.
    fn apply(&mut self, chain: &ChainId, set: ChangeSet, effects: &mut ReadModelEffects) -> Result<bool, Park> {
        let application = self.apply_one(chain, set, effects)?;
        if application == (Application::Applied { more: true }) {
            self.apply_staged(chain, effects);
        }
        Ok(application != Application::Unchanged)
    }

    /// Applies staged change sets as long as the next one is among them. What still cannot be applied stays staged.
    pub(super) fn apply_staged(&mut self, chain: &ChainId, effects: &mut ReadModelEffects) {
        while let Some(set) = self.take_staged(chain, effects) {
            let revision = set.revision;
            match self.apply_one(chain, set.clone(), effects) {
                Ok(Application::Applied { .. }) => effects.own.unstaged.push((*chain, revision)),
                Ok(Application::Unchanged) => return,
                // Its row is still there: a build that understands it goes on from there.
                Err(_) => return self.staged.put(*chain, set, &mut effects.own.steps),
            }
        }
    }

    /// The next change set of a chain, if it is staged.
    fn take_staged(&mut self, chain: &ChainId, effects: &mut ReadModelEffects) -> Option<ChangeSet> {
        let applied = self.index.read(|index| index.head(chain).map_or(Revision::START, |head| head.revision));
        self.staged.take(chain, applied.next(), &mut effects.own.steps)
    }

    fn apply_one(
        &mut self,
        chain: &ChainId,
        set: ChangeSet,
        effects: &mut ReadModelEffects,
    ) -> Result<Application, Park> {
        let span = apply_span(chain, &set);
        let application = span.in_scope(|| self.apply_in_span(chain, set, effects));
        span.record("writ.outcome", application.as_ref().map_or("kept", |application| application.as_str()));
        application
    }

    /// Applies one change set to the index, which decides whether it applies, and notes what is to be written.
    fn apply_in_span(
        &mut self,
        chain: &ChainId,
        set: ChangeSet,
        effects: &mut ReadModelEffects,
    ) -> Result<Application, Park> {
        let ops = decode::<PolicyOps>(&set.payload, &self.schemas);
        let verdict = self.index.write(|index| match &ops {
            Ok(ops) => index.apply(chain.origin, &set, ops),
            Err(_) => index.apply_undecodable(chain.origin, &set),
        });
        match verdict {
            Verdict::Applied(delta) => return Ok(self.applied(chain, &set, delta, effects)),
            Verdict::Halted { halt, newer, delta } => {
                // Another change set may be what halted the chain.
                let undecodable = ops.err().filter(|_| halt == Halt::Unreadable);
                let reason =
                    undecodable.map_or_else(|| format!("the chain is halted: {halt}"), |error| error.to_string());
                report_halt(&delta, halt, &reason);
                self.halted(set, halt, newer, delta, reason, effects)?;
            }
            Verdict::Duplicate => {
                metrics::counter!("writ_duplicate_change_sets_total", "origin" => chain.origin.to_string())
                    .increment(1);
            }
            Verdict::ForeignOrigin => foreign(chain),
            Verdict::TooManyChains => too_many_chains(chain),
        }
        Ok(Application::Unchanged)
    }

    /// From here on every request sees the change set; the readers that wait for it are woken.
    fn applied(
        &mut self,
        chain: &ChainId,
        set: &ChangeSet,
        delta: Delta,
        effects: &mut ReadModelEffects,
    ) -> Application {
        self.freshness.reached(chain, set.revision, &current_span_context());
        measure::applied(chain.origin, set.committed_at);
        effects.own.applied.extend(AppliedEvent::of(chain, set));
        let more = delta.head().state == ChainState::Stopped;
        effects.deltas.push(delta);
        Application::Applied { more }
    }

    /// A newer change set of a chain with a gap is staged: what is missing will come, and then it applies. One of a parked
    /// chain waits as a record, because only another build, or other settings, can go on. One of a chain that only a
    /// snapshot mends is not kept: the snapshot has it.
    fn halted(
        &mut self,
        set: ChangeSet,
        halt: Halt,
        newer: bool,
        delta: Delta,
        reason: String,
        effects: &mut ReadModelEffects,
    ) -> Result<(), Park> {
        let chain = delta.chain();
        let ChainId { organization, origin, .. } = chain;
        effects.deltas.push(delta);
        if newer && halt.state() == ChainState::Parked {
            return Err(Park { organization, reason });
        }
        // Of several at one revision, the first one stays.
        if !newer || self.staged.contains(&chain, set.revision) {
            return Ok(());
        }
        if halt != Halt::Gap || !self.staged.has_room(&chain, &set) {
            metrics::counter!("writ_unstaged_change_sets_total", "origin" => origin.to_string()).increment(1);
            return Ok(());
        }
        effects.own.staged.push((origin, set.clone()));
        self.staged.put(chain, set, &mut effects.own.steps);
        Ok(())
    }
}

fn read(record: &ConsumedRecord, schemas: &SchemaRegistry) -> Result<(Envelope, ChangeSet), UnreadableChangeSet> {
    let envelope = record.envelope()?;
    if envelope.ce_type != ChangeSet::TYPE {
        return Err(UnreadableChangeSet::Type);
    }
    let set: ChangeSet = decode(record.value.as_deref().unwrap_or_default(), schemas)?;
    if record.organization() != Some(set.organization) {
        return Err(UnreadableChangeSet::Key);
    }
    Ok((envelope, set))
}

/// The span `apply`. When it ends every request sees the change set, if its outcome is `applied`.
fn apply_span(chain: &ChainId, set: &ChangeSet) -> Span {
    tracing::info_span!(
        "apply",
        writ.organization = %chain.organization,
        writ.origin = %chain.origin,
        writ.stream = %chain.stream,
        writ.epoch = set.revision.epoch,
        writ.revision = set.revision.number,
        writ.outcome = Empty,
    )
}

/// A region has begun as many chains as it may.
fn too_many_chains(chain: &ChainId) {
    tracing::error!(%chain, "a region has too many chains: another one is refused");
    metrics::counter!("writ_refused_chains_total", "origin" => chain.origin.to_string()).increment(1);
}

/// A region that is not the home of an organization sent identity data of it.
fn foreign(chain: &ChainId) {
    tracing::error!(%chain, "an identity change set from a region that is not the organization's home: refused");
    metrics::counter!("writ_foreign_change_sets_total", "origin" => chain.origin.to_string()).increment(1);
}
