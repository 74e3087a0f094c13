//! What is kept of a record of the log.

use uuid::Uuid;
use writ_contract::actor::Actor;
use writ_contract::identity_event::Watermark;
use writ_contract::policy_change::Heartbeat;
use writ_contract::{Hash, PLATFORM_ORGANIZATION, Record as _, SchemaRegistry, Timestamp};
use writ_kafka::topics;
use writ_log::{Envelope, Headers, Record};

use crate::chain;
use crate::content::{self, Content};

/// Headers that say how a record travelled, not what it is. A redelivery may have others.
const TRACE_HEADERS: [&str; 4] = ["traceparent", "tracestate", "ce_traceparent", "ce_tracestate"];
/// Longest text kept of what is wrong with a record, in characters.
const LONGEST_DEFECT: usize = 300;

/// What is kept of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whose record it belongs to; nil for the platform's own.
    pub organization: Uuid,
    /// Region the record comes from.
    pub origin: String,
    /// Its topic's name there.
    pub topic: String,
    /// Who wrote it: `ce_source`; empty if there is no envelope.
    pub source: String,
    /// `ce_id`, or what takes its place if there is no envelope.
    pub id: String,
    /// `ce_type`; empty if there is none.
    pub record_type: String,
    /// When what it tells was committed; if it does not tell, when it was written.
    pub occurred_at: Timestamp,
    /// Who did it, if the record says so.
    pub actor: Option<Actor>,
    /// Why it cannot be read, if it cannot.
    pub defect: Option<String>,
    /// The record's key.
    pub key: Option<Vec<u8>>,
    /// The record's headers without the trace's.
    pub headers: Headers,
    /// The record's value.
    pub payload: Option<Vec<u8>>,
    /// SHA-256 of the value; of nothing for a tombstone.
    pub payload_hash: Hash,
}

impl Entry {
    /// What to keep of `record`, read in `region`. Nothing of heartbeats and watermarks: they
    /// come each second and change nothing.
    pub fn of(record: &Record, region: &str, registry: &SchemaRegistry) -> Option<Self> {
        if is_beat(record) {
            return None;
        }
        let envelope = record.envelope();
        let read = match &envelope {
            Ok(envelope) => content::read(record, envelope, registry),
            Err(error) => Err(error.to_string()),
        };
        let defect = read.as_ref().err().map(|defect| plain(defect));
        let content = read.unwrap_or_default();
        let payload_hash = Hash::of(&[record.value.as_deref().unwrap_or_default()]);
        Some(Self {
            organization: organization(record, &content),
            origin: record.origin(region).to_owned(),
            topic: record.base_topic().to_owned(),
            source: envelope.as_ref().map(|e| e.source.clone()).unwrap_or_default(),
            id: envelope.as_ref().map_or_else(|_| substitute_id(record), |e| e.id.clone()),
            record_type: envelope.as_ref().map(|e| e.ce_type.clone()).unwrap_or_default(),
            occurred_at: occurred_at(&content, envelope.as_ref().ok(), record),
            actor: content.actor.map(|actor| Actor { id: plain(&actor.id), ..actor }),
            defect,
            key: record.key.clone(),
            headers: without_trace(&record.headers),
            payload: record.value.clone(),
            payload_hash,
        })
    }
}

/// Only Writ itself writes to these two topics, so the header is believed.
fn is_beat(record: &Record) -> bool {
    let beats = match record.base_topic() {
        topics::IDENTITY_EVENTS => Watermark::TYPE,
        topics::POLICY_CHANGES => Heartbeat::TYPE,
        _ => return false,
    };
    record.header("ce_type") == Some(beats)
}

/// The key's organization, except where keys are something else.
fn organization(record: &Record, content: &Content) -> Uuid {
    match record.base_topic() {
        topics::DECISIONS => content.organization,
        topics::SCHEMAS | topics::ADMIN_ACTS => None,
        _ => record.organization(),
    }
    .unwrap_or(PLATFORM_ORGANIZATION)
}

fn occurred_at(content: &Content, envelope: Option<&Envelope>, record: &Record) -> Timestamp {
    content.committed_at.or(envelope.map(|envelope| envelope.time)).unwrap_or(record.timestamp)
}

/// A record without an envelope is known by its place, if it was read from this region's own
/// topic. A mirrored copy has another place each time it is sent: it is known by its content.
fn substitute_id(record: &Record) -> String {
    let mirrored = record.topic != record.base_topic();
    if !mirrored {
        return format!("{}:{}", record.partition, record.offset);
    }
    let headers = chain::packed(&without_trace(&record.headers));
    format!("sha256:{}", Hash::of(&[record.key.as_deref().unwrap_or_default(), &headers]))
}

fn without_trace(headers: &Headers) -> Headers {
    headers.iter().filter(|(name, _)| !TRACE_HEADERS.contains(&name.as_str())).cloned().collect()
}

/// Text that PostgreSQL takes, of bounded length.
fn plain(text: &str) -> String {
    text.chars().take(LONGEST_DEFECT).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
pub(crate) mod tests;
