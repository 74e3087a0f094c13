//! Entries: what audit keeps of records of the log.

use writ_contract::actor::Actor;
use writ_contract::decision::{DecisionBatch, DecisionRecord};
use writ_contract::identity_event::Watermark;
use writ_contract::policy_change::Heartbeat;
use writ_contract::{
    CodecError, Hash, OrganizationId, PLATFORM_ORGANIZATION, Record, Region, SchemaRegistry, StoredText, Timestamp,
    encode,
};
use writ_kafka::topics;
use writ_log::{ConsumedRecord, Envelope, EnvelopeError, Headers};

use crate::delimited::packed;
use crate::payload::{self, Attribution, Payload};

/// Headers that say how a record travelled, not what it is. A redelivery may have others.
const TRACE_HEADERS: [&str; 4] = ["traceparent", "tracestate", "ce_traceparent", "ce_tracestate"];

/// Why a record is unreadable.
pub type Defect = StoredText<300>;

/// A record as audit keeps it, or one decision of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whose entry it is; the platform's own if it is nobody else's.
    pub organization: OrganizationId,
    /// Region the record comes from.
    pub origin: Region,
    /// Its topic's name there.
    pub topic: String,
    /// The writer: `ce_source`; empty without an envelope.
    pub source: String,
    /// `ce_id`, or a substitute without an envelope; a decision's own id.
    pub id: String,
    /// `ce_type`; empty without an envelope.
    pub record_type: String,
    /// Commit time from the payload, else the time of the envelope or the record.
    pub occurred_at: Timestamp,
    /// Who did it, if the record says so.
    pub actor: Option<Actor>,
    /// Why the record is unreadable, if it is.
    pub defect: Option<Defect>,
    /// The record's key.
    pub key: Option<Vec<u8>>,
    /// The record's headers without the trace's.
    pub headers: Headers,
    /// The record's value; for a decision, a batch of it alone.
    pub payload: Option<Vec<u8>>,
    /// SHA-256 of the payload; of nothing for a tombstone.
    pub payload_hash: Hash,
    /// SHA-256 of the record's value. A redelivered decision is recognized by it and by its id, even if another build
    /// encodes its payload differently.
    pub record_hash: Hash,
}

impl Entry {
    /// The entries of a record that is read in `region`: one for each decision of a batch, and one for any other record.
    /// Heartbeats and watermarks, of which there is one a second and which change nothing, have none.
    pub fn of(record: &ConsumedRecord, region: Region, registry: &SchemaRegistry) -> Vec<Self> {
        if is_beat(record) {
            return Vec::new();
        }
        let envelope = record.envelope();
        let read = match &envelope {
            Ok(envelope) => payload::read(record, envelope, registry),
            Err(error) => Err(error.to_string()),
        };
        let whole = |attribution, defect| Self::whole(record, region, &envelope, attribution, defect);
        match read {
            Ok(Payload::Single(attribution)) => vec![whole(attribution, None)],
            Ok(Payload::Decisions(batch)) => {
                let entry = whole(Attribution::default(), None);
                entry.split(batch).unwrap_or_else(|error| vec![entry.with_defect(&error.to_string())])
            }
            Err(defect) => vec![whole(Attribution::default(), Some(&defect))],
        }
    }

    /// The entry of a record that cannot be processed, whatever it says.
    pub fn unprocessable(record: &ConsumedRecord, region: Region, reason: &str) -> Self {
        // Without an envelope, so that nothing in it is the sender's text.
        Self::whole(record, region, &Err(EnvelopeError::Name), Attribution::default(), Some(&reason.to_owned()))
    }

    fn whole(
        record: &ConsumedRecord,
        region: Region,
        envelope: &Result<Envelope, EnvelopeError>,
        attribution: Attribution,
        defect: Option<&String>,
    ) -> Self {
        let envelope = envelope.as_ref().ok();
        let hash = Hash::of(&[record.value.as_deref().unwrap_or_default()]);
        Self {
            organization: organization(record),
            origin: record.origin(region),
            topic: record.base_topic().to_owned(),
            source: envelope.map(|e| e.source.clone()).unwrap_or_default(),
            id: envelope.map_or_else(|| substitute_id(record), |e| e.id.clone()),
            record_type: envelope.map(|e| e.ce_type.clone()).unwrap_or_default(),
            occurred_at: attribution.committed_at.or(envelope.map(|e| e.time)).unwrap_or(record.timestamp),
            actor: attribution.actor,
            defect: defect.map(|defect| Defect::lossy(defect)),
            key: record.key.clone(),
            headers: without_trace(&record.headers),
            payload: record.value.clone(),
            payload_hash: hash,
            record_hash: hash,
        }
    }

    fn with_defect(self, defect: &str) -> Self {
        Self { defect: Some(Defect::lossy(defect)), ..self }
    }

    /// The entries of the decisions in the batch that this entry is of.
    fn split(&self, batch: DecisionBatch) -> Result<Vec<Self>, CodecError> {
        let DecisionBatch { region, decisions, .. } = batch;
        decisions.into_iter().map(|decision| self.decision(region, decision)).collect()
    }

    fn decision(&self, region: Region, decision: DecisionRecord) -> Result<Self, CodecError> {
        let (organization, id, at) = (decision.organization, decision.id.to_string(), decision.at);
        let actor = Some(decision.requester.clone());
        let payload = encode(&DecisionBatch { region, first_at: at, decisions: vec![decision] })?;
        let payload_hash = Hash::of(&[&payload]);
        Ok(Self { organization, id, occurred_at: at, actor, payload: Some(payload), payload_hash, ..self.clone() })
    }
}

/// Only Writ itself writes these two topics, so the header can be trusted.
fn is_beat(record: &ConsumedRecord) -> bool {
    let beats = match record.base_topic() {
        topics::IDENTITY_EVENTS => Watermark::TYPE,
        topics::POLICY_CHANGES => Heartbeat::TYPE,
        _ => return false,
    };
    record.header("ce_type") == Some(beats)
}

/// The organization in the key, except where keys are something else.
fn organization(record: &ConsumedRecord) -> OrganizationId {
    match record.base_topic() {
        topics::DECISIONS | topics::SCHEMAS | topics::ADMIN_ACTS => None,
        _ => record.organization(),
    }
    .unwrap_or(PLATFORM_ORGANIZATION)
}

/// A record without an envelope is identified by its offset, if it was read from this region's own topic. A mirrored
/// copy has another offset each time it is sent: it is identified by its content.
fn substitute_id(record: &ConsumedRecord) -> String {
    let mirrored = record.topic != record.base_topic();
    if !mirrored {
        return format!("{}:{}", record.partition, record.offset);
    }
    let headers = packed(&without_trace(&record.headers));
    format!("sha256:{}", Hash::of(&[record.key.as_deref().unwrap_or_default(), &headers]))
}

fn without_trace(headers: &Headers) -> Headers {
    headers.iter().filter(|(name, _)| !TRACE_HEADERS.contains(&name.as_str())).cloned().collect()
}

#[cfg(test)]
pub(crate) mod tests;
