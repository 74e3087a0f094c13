//! What becomes of a record of `entity-events`: the next change set of its organization's chain
//! of entities, with operations or with the reason why the event was refused; or, if it is no
//! event at all, only a dead letter.

use writ_contract::actor::{Actor, ActorKind};
use writ_contract::{ChainId, Stream};
use writ_kafka::topics;
use writ_log::{Record, dead_letter};
use writ_policy::{Chain, Header, Position};

use crate::effects::Effects;
use crate::entities;
use crate::inbound::{self, Announcement};
use crate::outgoing::{change_set_record, derive_span};
use crate::policies::{Keep, Policies};
use crate::store::answered::{Answered, EventKey};

impl Policies {
    /// Processes a record of `entity-events`.
    pub(crate) fn entity_event(&mut self, record: &Record, effects: &mut Effects) -> Result<(), Keep> {
        match inbound::read(record, &self.schemas) {
            Err(unreadable) => {
                refuse(record, unreadable.code(), &unreadable.to_string(), effects);
                Ok(())
            }
            Ok(announcement) => self.answer_once(record, announcement, effects),
        }
    }

    /// A producer that sends an event again gets no second revision.
    fn answer_once(&mut self, record: &Record, told: Announcement, effects: &mut Effects) -> Result<(), Keep> {
        let organization = told.event.organization;
        let key = EventKey::new(organization, &told.cause.source, &told.cause.id);
        if self.answered.contains(&key) {
            metrics::counter!("writ_duplicate_entity_events_total").increment(1);
            return Ok(());
        }
        let chain = self.chain_id(organization, Stream::Entities);
        self.answer(&chain, record, told, effects).map_err(|reason| {
            tracing::error!(%chain, reason, "an entity event cannot be answered");
            Keep { organization, reason }
        })?;
        self.answered.insert(key);
        Ok(())
    }

    fn answer(
        &mut self,
        chain: &ChainId,
        record: &Record,
        told: Announcement,
        effects: &mut Effects,
    ) -> Result<(), String> {
        let mut index = self.index();
        let next = index.chain(chain).map_or(Position::START, Chain::position).next();
        let derive = derive_span(chain, next).entered();
        let outcome = entities::operations(index.chain(chain), &told.event);
        let (ops, rejected) = match outcome {
            Ok(ops) => (ops, None),
            Err(refusal) => (Vec::new(), Some(refusal.as_str())),
        };
        let header = header(index.chain(chain), chain, record, &told, rejected);
        let (set, delta) = index.seal(chain, header, ops).map_err(|error| error.to_string())?;
        drop((index, derive));
        let outgoing = change_set_record(&self.region, &set, &told.envelope, record.timestamp);
        effects.outgoing.push(outgoing.map_err(|error| error.to_string())?);
        effects.deltas.push(delta);
        effects.answered.push(answered(chain, &told, set.revision, rejected));
        if let Some(code) = rejected {
            refuse(record, code, code, effects);
        }
        Ok(())
    }
}

/// The time is the log's, not this process's: the same record gives the same change set.
fn header(
    state: Option<&Chain>,
    chain: &ChainId,
    record: &Record,
    told: &Announcement,
    rejected: Option<&str>,
) -> Header {
    let new = Chain::new(chain.clone());
    let state = state.unwrap_or(&new);
    Header {
        position: state.next(),
        committed_at: state.next_committed_at(record.timestamp),
        actor: Actor { kind: ActorKind::PlatformProducer, id: told.cause.source.clone() },
        cause: Some(told.cause.clone()),
        request_id: None,
        rejected: rejected.map(str::to_owned),
    }
}

fn answered(chain: &ChainId, told: &Announcement, revision: i64, rejected: Option<&str>) -> Answered {
    Answered {
        organization: chain.organization,
        source: told.cause.source.clone(),
        id: told.cause.id.clone(),
        revision,
        rejected: rejected.map(str::to_owned),
    }
}

fn refuse(record: &Record, code: &'static str, reason: &str, effects: &mut Effects) {
    tracing::warn!(partition = record.partition, offset = record.offset, code, "an entity event is refused");
    metrics::counter!("writ_dead_letters_total", "topic" => topics::ENTITY_EVENTS, "reason" => code).increment(1);
    effects.outgoing.push(dead_letter::refuse(record, reason));
}
