//! Reads records that other systems write to `entity-events`. Nothing about them is taken for
//! granted: what is not as `schemas/README.md` says is refused with a reason.

use serde_json::{Map, Value};
use writ_contract::actor::Cause;
use writ_contract::entity_event::EntityEvent;
use writ_contract::{CodecError, Record as _, SchemaRegistry, decode};
use writ_log::{Envelope, EnvelopeError, Record};

/// Largest value taken, in bytes.
const LARGEST: usize = 64 * 1024;

/// An event as its producer announced it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// What happened.
    pub event: EntityEvent,
    /// The producer's name for the event: the same again is the same event.
    pub cause: Cause,
    /// Who wrote it and when, and the trace it belongs to.
    pub envelope: Envelope,
}

/// Why a record is no announcement. Its text begins with a stable code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A required header is not there.
    #[error("missing_header: {0}")]
    MissingHeader(&'static str),
    /// A header is there, but cannot be taken.
    #[error("invalid_header: {0}")]
    InvalidHeader(String),
    /// Neither Avro nor JSON.
    #[error("unsupported_content_type: application/avro or application/json is expected")]
    ContentType,
    /// The value is larger than 64 KiB.
    #[error("too_large: more than {LARGEST} bytes")]
    TooLarge,
    /// The value is not an event.
    #[error("not_decodable: {0}")]
    NotDecodable(String),
    /// The writer's schema is not known.
    #[error("unknown_schema: {0}")]
    UnknownSchema(String),
    /// The key is not the organization of the value.
    #[error("key_mismatch: the key is not the organization of the value")]
    Key,
}

/// Reads a record.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn read(record: &Record, registry: &SchemaRegistry) -> Result<Announcement, Unreadable> {
    let envelope = record.envelope()?;
    if envelope.ce_type != EntityEvent::TYPE {
        return Err(Unreadable::InvalidHeader(format!("ce_type: {} is expected", EntityEvent::TYPE)));
    }
    let event = event(record, &envelope, registry)?;
    if record.organization() != Some(event.organization) {
        return Err(Unreadable::Key);
    }
    let cause = Cause { source: envelope.source.clone(), id: envelope.id.clone() };
    Ok(Announcement { event, cause, envelope })
}

fn event(record: &Record, envelope: &Envelope, registry: &SchemaRegistry) -> Result<EntityEvent, Unreadable> {
    let value = record.value.as_deref().unwrap_or_default();
    if value.len() > LARGEST {
        return Err(Unreadable::TooLarge);
    }
    let content_type = envelope.content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match content_type.as_str() {
        "application/avro" => Ok(decode(value, registry)?),
        "application/json" => json(value),
        _ => Err(Unreadable::ContentType),
    }
}

/// Only an object: a list of the fields' values in order would pass for a record otherwise.
fn json(value: &[u8]) -> Result<EntityEvent, Unreadable> {
    let not_decodable = |error: serde_json::Error| Unreadable::NotDecodable(position_or_kind(&error));
    let fields: Map<String, Value> = serde_json::from_slice(value).map_err(not_decodable)?;
    serde_json::from_value(Value::Object(fields)).map_err(not_decodable)
}

/// What the parser says, but for values, which it quotes.
fn position_or_kind(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.contains('"') || error.is_data() && text.starts_with("invalid") {
        return "a field does not have the type it should have".to_owned();
    }
    text
}

impl From<EnvelopeError> for Unreadable {
    fn from(error: EnvelopeError) -> Self {
        match error {
            EnvelopeError::Missing { header } => Self::MissingHeader(header),
            EnvelopeError::Invalid { header, reason } => Self::InvalidHeader(format!("{header}: {reason}")),
        }
    }
}

impl From<CodecError> for Unreadable {
    fn from(error: CodecError) -> Self {
        match error {
            CodecError::UnknownSchema { fingerprint } => Self::UnknownSchema(fingerprint),
            CodecError::NotSingleObject => Self::NotDecodable("not Avro single-object encoded".to_owned()),
            CodecError::TrailingBytes(_) => Self::NotDecodable("bytes after the end of the record".to_owned()),
            CodecError::Invalid { .. } => Self::NotDecodable("the body does not follow its schema".to_owned()),
        }
    }
}

impl Unreadable {
    /// All names in metrics.
    pub const CODES: [&'static str; 7] = [
        "missing_header",
        "invalid_header",
        "unsupported_content_type",
        "too_large",
        "not_decodable",
        "unknown_schema",
        "key_mismatch",
    ];

    /// Its name in metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingHeader(_) => "missing_header",
            Self::InvalidHeader(_) => "invalid_header",
            Self::ContentType => "unsupported_content_type",
            Self::TooLarge => "too_large",
            Self::NotDecodable(_) => "not_decodable",
            Self::UnknownSchema(_) => "unknown_schema",
            Self::Key => "key_mismatch",
        }
    }
}

#[cfg(test)]
#[path = "inbound_tests.rs"]
mod tests;
