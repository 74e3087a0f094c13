//! What becomes of a record of `identity-events`: the next change set of its organization's identity chain, or nothing,
//! or the chain is halted and the record parked.

use std::collections::BTreeSet;

use writ_chains::metrics::report_halt;
use writ_chains::{Park, organization_of};
use writ_contract::identity_event::{Changes, IdentityEvent};
use writ_contract::{ChainId, CodecError, OrganizationId, Record as _, Revision, RoleKey, Stream, decode};
use writ_log::{ConsumedRecord, Envelope, EnvelopeError};
use writ_policy::apply::KNOWN_FEATURES;
use writ_policy::{Chain, Halt, Header, RowKey};

use crate::derive;
use crate::identity_history::{IdentityHistory, is_intact};
use crate::outgoing::{change_set_record, derive_span};
use crate::policies::{Policies, PolicyEffects};

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
    #[error("the digest is not that of the payload")]
    Digest,
    #[error("unknown feature bits")]
    Features,
    #[error("revision {wanted} arrived, but the chain is at {have}")]
    Gap { have: Revision, wanted: Revision },
    #[error("revision {0} arrived with another history than before")]
    Fork(Revision),
    #[error("the chain is halted: {0}")]
    Halted(Halt),
    #[error("cannot be sealed: {0}")]
    Seal(#[from] writ_policy::SealError),
    #[error("{0}")]
    Unprocessable(String),
}

impl Obstacle {
    /// Why the chain is halted.
    fn halt(&self) -> Halt {
        match self {
            Self::Digest => Halt::DigestMismatch,
            Self::Features => Halt::UnknownFeature,
            Self::Gap { .. } => Halt::Gap,
            Self::Fork(_) => Halt::Fork,
            Self::Halted(halt) => *halt,
            Self::Envelope(_) | Self::Codec(_) | Self::Type | Self::Key | Self::Seal(_) | Self::Unprocessable(_) => {
                Halt::Unreadable
            }
        }
    }

    /// The revision that the chain has not reached.
    fn seen(&self) -> Option<Revision> {
        match self {
            Self::Gap { wanted, .. } => Some(*wanted),
            _ => None,
        }
    }
}

impl Policies {
    /// Processes a record of `identity-events`.
    pub(crate) fn identity_event(&mut self, record: &ConsumedRecord, effects: &mut PolicyEffects) -> Result<(), Park> {
        let Some(chain) = self.identity_chain(record) else { return Ok(()) };
        self.next_revision(chain, record, effects).map_err(|obstacle| self.halt(&chain, &obstacle, effects))
    }

    /// Parks a record of `identity-events` that cannot be processed, whatever it says.
    pub(crate) fn unprocessable_identity_event(
        &mut self,
        record: &ConsumedRecord,
        reason: &str,
        effects: &mut PolicyEffects,
    ) {
        let Some(chain) = self.identity_chain(record) else { return };
        let park = self.halt(&chain, &Obstacle::Unprocessable(reason.to_owned()), effects);
        effects.park(record, park);
    }

    /// The chain that a record of `identity-events` belongs to, if it belongs to one of this region.
    fn identity_chain(&self, record: &ConsumedRecord) -> Option<ChainId> {
        let chain = self.chain_id(organization_of(record)?, Stream::Identity);
        if chain.is_legitimate() {
            return Some(chain);
        }
        tracing::error!(%chain, "an identity event of an organization whose home is another region");
        metrics::counter!("writ_foreign_identity_events_total", "origin" => self.region.to_string()).increment(1);
        None
    }

    /// Halts the chain; a halt that only a snapshot or a new build ends stays as it is.
    fn halt(&mut self, chain: &ChainId, obstacle: &Obstacle, effects: &mut PolicyEffects) -> Park {
        if lasting_halt(self.index.read(|index| index.chain(chain).and_then(|chain| chain.standing().halt))).is_none() {
            let delta = self.index.write(|index| index.halt(chain, obstacle.halt(), obstacle.seen()));
            report_halt(&delta, obstacle.halt(), obstacle);
            effects.deltas.push(delta);
        }
        Park { organization: chain.organization, reason: obstacle.to_string() }
    }

    fn next_revision(
        &mut self,
        chain: ChainId,
        record: &ConsumedRecord,
        effects: &mut PolicyEffects,
    ) -> Result<(), Obstacle> {
        let (envelope, event) = self.read_event(chain.organization, record)?;
        let history = self.histories.entry(chain.organization).or_default();
        if !self.index.read(|index| is_next(index.chain(&chain), history, &event))? {
            tracing::debug!(%chain, revision = %event.revision, "an event that was processed before");
            return Ok(());
        }
        let changes: Changes = decode(&event.payload, &self.schemas)?;
        let digest = event.digest;
        let (set, delta) = self.index.write(|index| {
            let _derive = derive_span(&chain, event.revision).entered();
            let ops = derive::operations(changes, || roles(index.chain(&chain)));
            index.seal(&chain, header(event), ops)
        })?;
        effects.deltas.push(delta);
        effects.own.histories_before.entry(chain.organization).or_insert_with(|| history.clone());
        history.push(digest);
        effects.own.histories.insert(chain.organization, history.clone());
        effects.own.outgoing.push(change_set_record(self.region, &set, &envelope, record.timestamp)?);
        Ok(())
    }

    fn read_event(
        &self,
        organization: OrganizationId,
        record: &ConsumedRecord,
    ) -> Result<(Envelope, IdentityEvent), Obstacle> {
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

/// Whether the event is the next one of its chain; `false`: it was processed before.
///
/// An older revision with another digest is never taken for a repetition: identity has used revisions twice, for example
/// because a fail-over lost commits.
fn is_next(chain: Option<&Chain>, history: &IdentityHistory, event: &IdentityEvent) -> Result<bool, Obstacle> {
    let have = chain.map_or(Revision::START, Chain::revision);
    if !is_intact(event) {
        return Err(Obstacle::Digest);
    }
    if event.revision <= have {
        return if history.contradicts(have, event) { Err(Obstacle::Fork(event.revision)) } else { Ok(false) };
    }
    if let Some(halt) = lasting_halt(chain.and_then(|chain| chain.standing().halt)) {
        return Err(Obstacle::Halted(halt));
    }
    if event.revision != have.next() {
        return Err(Obstacle::Gap { have, wanted: event.revision });
    }
    if !history.is_continued_by(event) {
        return Err(Obstacle::Fork(event.revision));
    }
    if event.features & !KNOWN_FEATURES != 0 {
        return Err(Obstacle::Features);
    }
    Ok(true)
}

/// A gap ends when what is missing arrives; every other halt waits for a snapshot or a new build.
fn lasting_halt(halt: Option<Halt>) -> Option<Halt> {
    halt.filter(|halt| *halt != Halt::Gap)
}

/// Keys of the roles the chain holds. Looks at every row: only a change of the catalogue asks.
fn roles(chain: Option<&Chain>) -> BTreeSet<RoleKey> {
    let keys = chain.into_iter().flat_map(|chain| chain.rows().keys());
    keys.filter_map(|key| if let RowKey::Role(role) = key { Some(role) } else { None }).collect()
}

fn header(event: IdentityEvent) -> Header {
    Header {
        revision: event.revision,
        committed_at: event.committed_at,
        actor: event.actor,
        cause: event.cause,
        request_id: event.request_id,
        rejected: None,
    }
}
