//! What becomes of a record of `policy-changes`: its change set is applied, or was applied
//! before, or its chain stands still and the record waits.

use tracing::Span;
use tracing::field::Empty;
use writ_contract::policy_change::{ChainState, ChangeSet, PolicyOps};
use writ_contract::{ChainId, CodecError, Record as _, decode};
use writ_log::{Envelope, EnvelopeError, Record};
use writ_policy::{Delta, Halt, Position, Verdict};

use super::applied::Applied;
use super::effects::Effects;
use super::measure;
use super::projection::{Keep, ReadModel};
use crate::trace;

/// Why a record is no change set. The text is kept with the record.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
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
enum Outcome {
    /// It is in force. The chain may have seen more.
    Applied { more: bool },
    /// It was in force before, is refused, or waits.
    Unchanged,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Applied { .. } => "applied",
            Self::Unchanged => "unchanged",
        }
    }
}

impl ReadModel {
    /// Processes a record of `policy-changes`.
    pub(super) fn change_set(&mut self, record: &Record, effects: &mut Effects) -> Result<(), Keep> {
        let Some(organization) = record.organization() else {
            // Only authorization writes here; without a key there is nobody to park.
            tracing::error!(topic = record.topic, offset = record.offset, "a change set without an organization");
            metrics::counter!("writ_unattributable_records_total", "topic" => record.topic.clone()).increment(1);
            return Ok(());
        };
        let origin = record.origin(&self.region).to_owned();
        match read(record, &self.schemas) {
            Ok((envelope, set)) => {
                if self.apply(&origin, set, effects)? {
                    measure::hops(&self.region, &origin, &envelope, record.timestamp);
                }
                Ok(())
            }
            Err(unreadable) => {
                let parked = self.index.write(|index| index.park(organization, &origin, Halt::Unreadable));
                parked.iter().for_each(|delta| alarm(delta, Halt::Unreadable));
                effects.deltas.extend(parked);
                Err(Keep { organization, reason: unreadable.to_string() })
            }
        }
    }

    /// Applies a change set, and those that waited for it. False if it changed nothing.
    fn apply(&mut self, origin: &str, set: ChangeSet, effects: &mut Effects) -> Result<bool, Keep> {
        let chain = ChainId { organization: set.organization, origin: origin.to_owned(), stream: set.stream };
        let outcome = self.apply_one(&chain, set, effects)?;
        if outcome == (Outcome::Applied { more: true }) {
            self.apply_staged(&chain, effects);
        }
        Ok(outcome != Outcome::Unchanged)
    }

    /// Applies what came too early and is next now. What still cannot be applied stays staged.
    pub(super) fn apply_staged(&mut self, chain: &ChainId, effects: &mut Effects) {
        while let Some(set) = self.take_staged(chain) {
            let position = Position { epoch: set.epoch, revision: set.revision };
            match self.apply_one(chain, set.clone(), effects) {
                Ok(Outcome::Applied { .. }) => effects.unstaged.push((chain.clone(), position)),
                Ok(Outcome::Unchanged) => return,
                Err(_) => return self.staged.put(&chain.origin, set),
            }
        }
    }

    fn apply_one(&mut self, chain: &ChainId, set: ChangeSet, effects: &mut Effects) -> Result<Outcome, Keep> {
        let span = apply_span(chain, &set);
        let outcome = span.in_scope(|| self.apply_set(chain, set, effects));
        span.record("writ.outcome", outcome.as_ref().map_or("kept", |outcome| outcome.as_str()));
        outcome
    }

    fn apply_set(&mut self, chain: &ChainId, set: ChangeSet, effects: &mut Effects) -> Result<Outcome, Keep> {
        let ops = match decode::<PolicyOps>(&set.payload, &self.schemas) {
            Ok(ops) => ops,
            Err(error) => return self.unknown_operations(chain, &set, &error, effects),
        };
        match self.index.write(|index| index.apply(&chain.origin, &set, &ops)) {
            Verdict::Applied(delta) => return Ok(self.applied(chain, &set, delta, effects)),
            Verdict::Halted { halt, newer, delta } => self.halted(set, halt, newer, delta, effects)?,
            Verdict::Duplicate => {
                metrics::counter!("writ_duplicate_change_sets_total", "origin" => chain.origin.clone()).increment(1);
            }
            Verdict::ForeignOrigin { home } => foreign(chain, &home),
        }
        Ok(Outcome::Unchanged)
    }

    fn applied(&mut self, chain: &ChainId, set: &ChangeSet, delta: Delta, effects: &mut Effects) -> Outcome {
        self.freshness.reached(chain, (set.epoch, set.revision), &trace::current());
        measure::applied(&chain.origin, set.committed_at);
        effects.applied.extend(Applied::of(chain, set));
        let more = delta.head().state == ChainState::Stopped;
        effects.deltas.push(delta);
        Outcome::Applied { more }
    }

    /// A chain that stopped keeps its tail staged; one that is parked keeps the records.
    fn halted(
        &mut self,
        set: ChangeSet,
        halt: Halt,
        newer: bool,
        delta: Delta,
        effects: &mut Effects,
    ) -> Result<(), Keep> {
        alarm(&delta, halt);
        let (organization, origin) = (set.organization, delta.chain().origin.clone());
        effects.deltas.push(delta);
        if newer && halt.state() == ChainState::Parked {
            return Err(Keep { organization, reason: format!("the chain is parked: {halt}") });
        }
        if newer {
            effects.staged.push((origin.clone(), set.clone()));
            self.staged.put(&origin, set);
        }
        Ok(())
    }

    /// Operations that this build cannot read: the chain parks, unless it is past them already.
    fn unknown_operations(
        &mut self,
        chain: &ChainId,
        set: &ChangeSet,
        error: &CodecError,
        effects: &mut Effects,
    ) -> Result<Outcome, Keep> {
        let position = Position { epoch: set.epoch, revision: set.revision };
        let delta = self.index.write(|index| {
            let past = index.chain(chain).is_some_and(|chain| chain.position() >= position);
            let foreign = index.home(chain.organization).is_some_and(|home| home != chain.origin);
            let refused = past || (foreign && chain.stream == writ_contract::Stream::Identity);
            (!refused).then(|| index.halt(chain, Halt::Unreadable, Some(position)))
        });
        let Some(delta) = delta else { return Ok(Outcome::Unchanged) };
        alarm(&delta, Halt::Unreadable);
        effects.deltas.push(delta);
        Err(Keep { organization: chain.organization, reason: error.to_string() })
    }

    /// The next change set of a chain, if it came too early.
    fn take_staged(&mut self, chain: &ChainId) -> Option<ChangeSet> {
        let applied = self.index.write(|index| index.chain(chain).map_or(Position::START, |chain| chain.position()));
        self.staged.take(chain, applied.next())
    }
}

fn read(record: &Record, schemas: &writ_contract::SchemaRegistry) -> Result<(Envelope, ChangeSet), Unreadable> {
    let envelope = record.envelope()?;
    if envelope.ce_type != ChangeSet::TYPE {
        return Err(Unreadable::Type);
    }
    let set: ChangeSet = decode(record.value.as_deref().unwrap_or_default(), schemas)?;
    if record.organization() != Some(set.organization) {
        return Err(Unreadable::Key);
    }
    Ok((envelope, set))
}

/// The span `apply`: at its end every request sees the change set, if its outcome is `applied`.
fn apply_span(chain: &ChainId, set: &ChangeSet) -> Span {
    tracing::info_span!(
        "apply",
        writ.organization = %chain.organization,
        writ.origin = chain.origin,
        writ.stream = %chain.stream,
        writ.epoch = set.epoch,
        writ.revision = set.revision,
        writ.outcome = Empty,
    )
}

fn alarm(delta: &Delta, halt: Halt) {
    let standing = &delta.standing;
    tracing::error!(chain = %delta.chain(), %halt, applied = %standing.position(), seen = %standing.seen, "a chain stands still");
    metrics::counter!("writ_chain_halts_total", "halt" => halt.as_str(), "origin" => delta.chain().origin.clone())
        .increment(1);
}

/// A region that speaks for an organization it is not the home of.
fn foreign(chain: &ChainId, home: &str) {
    tracing::error!(%chain, home, "an identity change set from a region that is not the home: refused");
    metrics::counter!("writ_foreign_change_sets_total", "origin" => chain.origin.clone()).increment(1);
}
