//! What becomes of a record of `identity-events`: the next change set of its organization's
//! identity chain, or nothing, or the chain stands still and the record is kept.

use uuid::Uuid;
use writ_contract::identity_event::{Changes, IdentityEvent};
use writ_contract::{ChainId, CodecError, Record as _, Stream, decode};
use writ_log::{Envelope, EnvelopeError, Record};
use writ_policy::apply::KNOWN_FEATURES;
use writ_policy::{Chain, Halt, Header, Position, RowKey};

use crate::derive;
use crate::effects::Effects;
use crate::outgoing::{change_set_record, derive_span};
use crate::policies::{Keep, Policies};

/// Why an event is not the next change set. The text is kept with the record.
#[derive(Debug, thiserror::Error)]
enum Obstacle {
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    #[error(transparent)]
    Codec(#[from] CodecError),
    #[error("unknown type of record")]
    Type,
    #[error("the key is not the organization of the event")]
    Key,
    #[error("unknown feature bits")]
    Features,
    #[error("revision {wanted} came, but the chain stands at {have}")]
    Gap { have: Position, wanted: Position },
    #[error("the chain stands still: {0}")]
    Halted(Halt),
    #[error("cannot be sealed: {0}")]
    Seal(#[from] writ_policy::SealError),
}

impl Obstacle {
    /// What the chain stands still for.
    fn halt(&self) -> Halt {
        match self {
            Self::Features => Halt::UnknownFeature,
            Self::Gap { .. } => Halt::Gap,
            Self::Halted(halt) => *halt,
            Self::Envelope(_) | Self::Codec(_) | Self::Type | Self::Key | Self::Seal(_) => Halt::Unreadable,
        }
    }

    /// The place the chain has not reached.
    fn seen(&self) -> Option<Position> {
        match self {
            Self::Gap { wanted, .. } => Some(*wanted),
            _ => None,
        }
    }
}

impl Policies {
    /// Processes a record of `identity-events`.
    pub(crate) fn identity_event(&mut self, record: &Record, effects: &mut Effects) -> Result<(), Keep> {
        let Some(organization) = record.organization() else {
            // Only identity writes here; without a key there is nobody to park.
            tracing::error!(partition = record.partition, offset = record.offset, "an event without an organization");
            metrics::counter!("writ_unattributable_records_total", "topic" => record.topic.clone()).increment(1);
            return Ok(());
        };
        let chain = self.chain_id(organization, Stream::Identity);
        self.next_revision(&chain, record, effects).map_err(|obstacle| self.halt(&chain, obstacle, effects))
    }

    /// The chain stands still, and the record waits.
    fn halt(&mut self, chain: &ChainId, obstacle: Obstacle, effects: &mut Effects) -> Keep {
        let halted = matches!(obstacle, Obstacle::Halted(_));
        if !halted {
            let (halt, reason) = (obstacle.halt(), obstacle.to_string());
            tracing::error!(%chain, %halt, reason, "a chain stands still");
            metrics::counter!("writ_chain_halts_total", "halt" => halt.as_str(), "origin" => chain.origin.clone())
                .increment(1);
            effects.deltas.push(self.index().halt(chain, halt, obstacle.seen()));
        }
        Keep { organization: chain.organization, reason: obstacle.to_string() }
    }

    fn next_revision(&mut self, chain: &ChainId, record: &Record, effects: &mut Effects) -> Result<(), Obstacle> {
        let (envelope, event) = self.read_event(chain.organization, record)?;
        let wanted = Position { epoch: event.epoch, revision: event.revision };
        let mut index = self.index();
        if stands(index.chain(chain)) >= wanted {
            tracing::debug!(%chain, %wanted, "an event that was processed before");
            return Ok(());
        }
        check_next(index.chain(chain), wanted)?;
        if event.features & !KNOWN_FEATURES != 0 {
            return Err(Obstacle::Features);
        }
        let changes: Changes = decode(&event.payload, &self.schemas)?;
        let derive = derive_span(chain, wanted).entered();
        let ops = derive::operations(changes, || roles(index.chain(chain))).ops;
        let (set, delta) = index.seal(chain, header(wanted, event), ops)?;
        drop((index, derive));
        effects.outgoing.push(change_set_record(&self.region, &set, &envelope, record.timestamp)?);
        effects.deltas.push(delta);
        Ok(())
    }

    fn read_event(&self, organization: Uuid, record: &Record) -> Result<(Envelope, IdentityEvent), Obstacle> {
        let envelope = record.envelope()?;
        if envelope.ce_type != IdentityEvent::TYPE {
            return Err(Obstacle::Type);
        }
        let event: IdentityEvent = decode(record.value.as_deref().unwrap_or_default(), &self.schemas)?;
        if event.organization != organization {
            return Err(Obstacle::Key);
        }
        Ok((envelope, event))
    }
}

fn stands(chain: Option<&Chain>) -> Position {
    chain.map_or(Position::START, Chain::position)
}

/// A gap heals when what is missing arrives; every other halt waits for a snapshot or a new build.
fn check_next(chain: Option<&Chain>, wanted: Position) -> Result<(), Obstacle> {
    let have = stands(chain);
    match chain.and_then(|chain| chain.standing().halt) {
        Some(halt) if halt != Halt::Gap => Err(Obstacle::Halted(halt)),
        _ if wanted != have.next() => Err(Obstacle::Gap { have, wanted }),
        _ => Ok(()),
    }
}

/// Keys of the roles the chain holds. Looks at every row: only a change of the catalogue asks.
fn roles(chain: Option<&Chain>) -> Vec<String> {
    let keys = chain.into_iter().flat_map(|chain| chain.rows().keys());
    keys.filter_map(|key| if let RowKey::Role(role) = key { Some(role) } else { None }).collect()
}

fn header(position: Position, event: IdentityEvent) -> Header {
    Header {
        position,
        committed_at: event.committed_at,
        actor: event.actor,
        cause: event.cause,
        request_id: event.request_id,
        rejected: None,
    }
}
