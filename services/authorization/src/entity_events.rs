//! What becomes of a record of an entity producer: the next change set of its organization's chain of entities or, if it is
//! refused, a dead letter and nothing else.

use writ_chains::Park;
use writ_contract::actor::{Actor, ActorKind};
use writ_contract::policy_change::Operation;
use writ_contract::{ChainId, ProducerName, Revision, Stream};
use writ_log::{ConsumedRecord, dead_letter};
use writ_policy::{Chain, Header};

use crate::entities;
use crate::inbound::{self, Announcement, Inbound};
use crate::outgoing::{change_set_record, derive_span};
use crate::policies::{Policies, PolicyEffects};
use crate::refusal::EventRefusal;
use crate::store::answered::{Answered, EventKey, Remembered};

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
        let read = {
            let scopes = self.scopes.borrow();
            let inbound = Inbound { scopes: &scopes, directory: &self.directory, registry: &self.schemas };
            inbound::read(record, producer, inbound)
        };
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
        let key = EventKey::new(&told.producer, told.organization, &told.id);
        match self.answered.get(&key) {
            Some(before) if before.content == told.content => {
                metrics::counter!("writ_duplicate_entity_events_total").increment(1);
                return Ok(());
            }
            Some(_) => {
                refuse_event(record, EventRefusal::CeIdReused, effects);
                return Ok(());
            }
            None => {}
        }
        let chain = self.chain_id(told.organization, Stream::Entities);
        let ops = match self.index.read(|index| self.operations(index.chain(&chain), chain, told)) {
            Ok(ops) => ops,
            Err(refusal) => {
                refuse_event(record, refusal, effects);
                return Ok(());
            }
        };
        let revision = self.seal(chain, record, told, ops, effects).map_err(|reason| {
            tracing::error!(%chain, reason, "an entity event cannot be answered");
            Park { organization: told.organization, reason }
        })?;
        self.answered.insert(key, Remembered { content: told.content, at: record.timestamp });
        effects.own.remembered.push(key);
        effects.own.answered.push(answered(told, record, revision));
        Ok(())
    }

    fn operations(
        &self,
        chain: Option<&Chain>,
        id: ChainId,
        told: &Announcement,
    ) -> Result<Vec<Operation>, EventRefusal> {
        let change = told.change.clone()?;
        let new = Chain::new(id);
        let chain = chain.unwrap_or(&new);
        let operations = entities::operations(chain, change)?;
        // A chain of entities has no other rows. A deleted entity stays one of them, because it cannot be created again.
        let adds = operations.iter().any(|operation| matches!(operation, Operation::PutEntity(_)));
        if adds && chain.rows().len() >= self.max_entities {
            return Err(EventRefusal::TooManyEntities);
        }
        Ok(operations)
    }

    /// Makes the change set that answers the event.
    fn seal(
        &self,
        chain: ChainId,
        record: &ConsumedRecord,
        told: &Announcement,
        ops: Vec<Operation>,
        effects: &mut PolicyEffects,
    ) -> Result<Revision, String> {
        let sealed = self.index.write(|index| {
            let new = Chain::new(chain);
            let state = index.chain(&chain).unwrap_or(&new);
            let _derive = derive_span(&chain, state.next()).entered();
            let header = header(state, record, told);
            index.seal(&chain, header, ops)
        });
        let (set, delta) = sealed.map_err(|error| error.to_string())?;
        effects.deltas.push(delta);
        let outgoing = change_set_record(self.region, &set, &told.envelope, record.timestamp);
        effects.own.outgoing.push(outgoing.map_err(|error| error.to_string())?);
        Ok(set.revision)
    }
}

/// Dead-letters a record that cannot be processed, whatever it says.
pub(crate) fn unprocessable_entity_event(record: &ConsumedRecord, reason: &str, effects: &mut PolicyEffects) {
    refuse(record, UNPROCESSABLE, &format!("{UNPROCESSABLE}: {reason}"), effects);
}

/// The time is the log's, not this process's: the same record gives the same change set.
fn header(chain: &Chain, record: &ConsumedRecord, told: &Announcement) -> Header {
    let cause = told.cause();
    Header {
        revision: chain.next(),
        committed_at: chain.next_committed_at(record.timestamp),
        actor: Actor { kind: ActorKind::PlatformProducer, id: cause.source.clone() },
        cause: Some(cause),
        request_id: None,
        rejected: None,
    }
}

fn answered(told: &Announcement, record: &ConsumedRecord, revision: Revision) -> Answered {
    Answered {
        producer: told.producer.clone(),
        organization: told.organization,
        id: told.id.clone(),
        content: told.content,
        revision,
        at: record.timestamp,
    }
}

fn refuse_event(record: &ConsumedRecord, refusal: EventRefusal, effects: &mut PolicyEffects) {
    refuse(record, refusal.as_str(), &refusal.to_string(), effects);
}

fn refuse(record: &ConsumedRecord, code: &'static str, reason: &str, effects: &mut PolicyEffects) {
    let ConsumedRecord { topic, partition, offset, .. } = record;
    tracing::warn!(topic, partition, offset, code, "an entity event is refused");
    metrics::counter!("writ_dead_letters_total", "topic" => topic.clone(), "reason" => code).increment(1);
    effects.own.outgoing.push(dead_letter::refuse(record, reason));
}
