//! What becomes of a record of an entity producer: the next change set of its organization's chain of entities, with
//! operations or with the reason why the event was refused; or only a dead letter.

use writ_chains::Park;
use writ_contract::actor::{Actor, ActorKind};
use writ_contract::policy_change::Operation;
use writ_contract::{ChainId, ProducerName, Revision, StoredText, Stream};
use writ_log::{ConsumedRecord, dead_letter};
use writ_policy::{Chain, Header};

use crate::entities;
use crate::inbound::{self, Announcement};
use crate::outgoing::{change_set_record, derive_span};
use crate::policies::{Policies, PolicyEffects};
use crate::refusal::EventRefusal;
use crate::store::answered::{Answered, EventKey, Outcome};

/// Code of records that cannot be processed.
pub(crate) const UNPROCESSABLE: &str = "unprocessable";

impl Policies {
    /// Processes a record of the topic of `producer`.
    pub(crate) fn entity_event(
        &mut self,
        producer: &ProducerName,
        record: &ConsumedRecord,
        effects: &mut PolicyEffects,
    ) -> Result<(), Park> {
        let read = inbound::read(record, producer, &self.scopes.borrow(), &self.schemas);
        match read {
            Err(unacceptable) => refuse(record, unacceptable.code(), &unacceptable.to_string(), effects),
            Ok(told) => self.answer_once(record, &told, effects)?,
        }
        Ok(())
    }

    /// An accepted event that is sent again gets no second revision. A refused one is judged again: its parent may have
    /// been announced since.
    fn answer_once(
        &mut self,
        record: &ConsumedRecord,
        told: &Announcement,
        effects: &mut PolicyEffects,
    ) -> Result<(), Park> {
        let chain = self.chain_id(told.organization, Stream::Entities);
        let key = EventKey::new(&told.producer, told.organization, &told.id);
        let before = self.answered.get(&key).copied();
        let reused = before.is_some_and(|outcome| outcome.content != told.content);
        if !reused && before.is_some_and(|outcome| !outcome.rejected) {
            metrics::counter!("writ_duplicate_entity_events_total").increment(1);
            return Ok(());
        }
        let (revision, rejected) = self.answer(chain, record, told, reused, effects).map_err(|reason| {
            tracing::error!(%chain, reason, "an entity event cannot be answered");
            Park { organization: told.organization, reason }
        })?;
        if !reused {
            let before = self.answered.insert(key, Outcome { content: told.content, rejected: rejected.is_some() });
            effects.own.outcomes_before.push((key, before));
            effects.own.answered.push(answered(told, revision, rejected));
        }
        Ok(())
    }

    /// Makes the change set that answers the event.
    fn answer(
        &self,
        chain: ChainId,
        record: &ConsumedRecord,
        told: &Announcement,
        reused: bool,
        effects: &mut PolicyEffects,
    ) -> Result<(Revision, Option<EventRefusal>), String> {
        let sealed = self.index.write(|index| {
            let new = Chain::new(chain);
            let state = index.chain(&chain).unwrap_or(&new);
            let _derive = derive_span(&chain, state.next()).entered();
            let (ops, rejected) = match judge(state, told, reused) {
                Ok(ops) => (ops, None),
                Err(refusal) => (Vec::new(), Some(refusal)),
            };
            let header = header(state, record, told, rejected);
            index.seal(&chain, header, ops).map(|(set, delta)| (set, delta, rejected))
        });
        let (set, delta, rejected) = sealed.map_err(|error| error.to_string())?;
        effects.deltas.push(delta);
        let outgoing = change_set_record(self.region, &set, &told.envelope, record.timestamp);
        effects.own.outgoing.push(outgoing.map_err(|error| error.to_string())?);
        if let Some(refusal) = rejected {
            refuse(record, refusal.as_str(), refusal.as_str(), effects);
        }
        Ok((set.revision, rejected))
    }
}

/// Dead-letters a record that cannot be processed, whatever it says.
pub(crate) fn unprocessable_entity_event(record: &ConsumedRecord, reason: &str, effects: &mut PolicyEffects) {
    refuse(record, UNPROCESSABLE, &format!("{UNPROCESSABLE}: {reason}"), effects);
}

fn judge(chain: &Chain, told: &Announcement, reused: bool) -> Result<Vec<Operation>, EventRefusal> {
    if reused {
        return Err(EventRefusal::CeIdReused);
    }
    Ok(entities::operations(chain, told.change.clone()?)?)
}

/// The time is the log's, not this process's: the same record gives the same change set.
fn header(chain: &Chain, record: &ConsumedRecord, told: &Announcement, rejected: Option<EventRefusal>) -> Header {
    let cause = told.cause();
    Header {
        revision: chain.next(),
        committed_at: chain.next_committed_at(record.timestamp),
        actor: Actor { kind: ActorKind::PlatformProducer, id: cause.source.clone() },
        cause: Some(cause),
        request_id: None,
        rejected: rejected.map(|refusal| StoredText::lossy(refusal.as_str())),
    }
}

fn answered(told: &Announcement, revision: Revision, rejected: Option<EventRefusal>) -> Answered {
    Answered {
        producer: told.producer.clone(),
        organization: told.organization,
        id: told.id.clone(),
        content: told.content,
        revision,
        rejected: rejected.map(EventRefusal::as_str),
    }
}

fn refuse(record: &ConsumedRecord, code: &'static str, reason: &str, effects: &mut PolicyEffects) {
    let ConsumedRecord { topic, partition, offset, .. } = record;
    tracing::warn!(topic, partition, offset, code, "an entity event is refused");
    metrics::counter!("writ_dead_letters_total", "topic" => topic.clone(), "reason" => code).increment(1);
    effects.own.outgoing.push(dead_letter::refuse(record, reason));
}
