//! Reads records that other systems write to their topics of entity events. Nothing about them is taken for granted: what
//! is not as `schemas/README.md` says is refused with a reason.

use serde_json::{Map, Value};
use writ_contract::actor::Cause;
use writ_contract::entity_event::EntityEvent;
use writ_contract::{CodecError, Hash, OrganizationId, ProducerName, Record as _, SchemaRegistry, StoredText, decode};
use writ_kafka::{ProducerScope, ProducerScopes};
use writ_log::{ConsumedRecord, Envelope, EnvelopeError};

use crate::entities::EntityChange;
use crate::refusal::EventRefusal;

/// Largest value accepted, in bytes.
const MAX_VALUE: usize = 64 * 1024;

/// An event that its producer may announce for its organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Who announced it.
    pub producer: ProducerName,
    /// The organization that the entity belongs to.
    pub organization: OrganizationId,
    /// The event's `ce_id`: the same id again is the same event.
    pub id: StoredText,
    /// What happened, or why the event is refused whatever was announced before.
    pub change: Result<EntityChange, EventRefusal>,
    /// What tells two events with the same id apart.
    pub content: Hash,
    /// Who wrote it and when, and the trace it belongs to.
    pub envelope: Envelope,
}

/// Why a record is not an announcement. It is only dead-lettered: it belongs to no organization, or to one that the
/// producer may not speak for. The text begins with a stable code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unacceptable {
    /// The operator has not said what the producer may speak for.
    #[error("producer_not_configured: this producer may speak for nobody")]
    NotConfigured,
    /// A required header is missing.
    #[error("missing_header: {0}")]
    MissingHeader(&'static str),
    /// A header is invalid.
    #[error("invalid_header: {0}")]
    InvalidHeader(String),
    /// Neither Avro nor JSON.
    #[error("unsupported_content_type: application/avro or application/json is expected")]
    ContentType,
    /// The value is larger than 64 KiB.
    #[error("too_large: more than {MAX_VALUE} bytes")]
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
    /// The producer may not speak for the organization.
    #[error("organization_not_allowed: this producer may not speak for the organization")]
    OrganizationNotAllowed,
}

/// Reads a record of the topic of `producer`.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn read(
    record: &ConsumedRecord,
    producer: &ProducerName,
    scopes: &ProducerScopes,
    registry: &SchemaRegistry,
) -> Result<Announcement, Unacceptable> {
    let scope = scopes.producer.get(producer).ok_or(Unacceptable::NotConfigured)?;
    let envelope = record.envelope()?;
    if envelope.ce_type != EntityEvent::TYPE {
        return Err(Unacceptable::InvalidHeader(format!("ce_type: {} is expected", EntityEvent::TYPE)));
    }
    let event = event(record, &envelope, registry)?;
    if record.organization() != Some(event.organization) {
        return Err(Unacceptable::Key);
    }
    if !scope.organizations.allows(&event.organization) {
        return Err(Unacceptable::OrganizationNotAllowed);
    }
    let id = envelope.id.parse().map_err(|error| Unacceptable::InvalidHeader(format!("ce_id: {error}")))?;
    Ok(Announcement {
        producer: producer.clone(),
        organization: event.organization,
        id,
        change: change(&event, scope),
        content: content(&event),
        envelope,
    })
}

fn change(event: &EntityEvent, scope: &ProducerScope) -> Result<EntityChange, EventRefusal> {
    let change = EntityChange::of(event)?;
    if scope.types.allows(change.entity_type()) { Ok(change) } else { Err(EventRefusal::EntityTypeNotAllowed) }
}

/// All that the event says of the entity. When it occurred is informative: a producer that builds its event again for a
/// retry may say another time.
fn content(event: &EntityEvent) -> Hash {
    let EntityEvent { kind, organization: _, entity_type, entity_id, parent_type, parent_id, occurred_at: _ } = event;
    let optional = [parent_type, parent_id].map(|text| text.as_deref());
    let texts = [Some(kind.as_str()), Some(entity_type), Some(entity_id)].into_iter().chain(optional);
    let mut bytes = Vec::new();
    for text in texts {
        // Each text with its length, so that none can pass for part of another.
        bytes.extend_from_slice(&text.map_or(u64::MAX, |text| text.len() as u64).to_be_bytes());
        bytes.extend_from_slice(text.unwrap_or_default().as_bytes());
    }
    Hash::of(&[&bytes])
}

impl Announcement {
    /// How change sets name the event.
    pub fn cause(&self) -> Cause {
        Cause { source: StoredText::lossy(self.producer.as_str()), id: self.id.clone() }
    }
}

fn event(record: &ConsumedRecord, envelope: &Envelope, registry: &SchemaRegistry) -> Result<EntityEvent, Unacceptable> {
    let value = record.value.as_deref().unwrap_or_default();
    if value.len() > MAX_VALUE {
        return Err(Unacceptable::TooLarge);
    }
    let content_type = envelope.content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match content_type.as_str() {
        "application/avro" => Ok(decode(value, registry)?),
        "application/json" => json(value),
        _ => Err(Unacceptable::ContentType),
    }
}

/// Only an object: a list of the fields' values in order would pass for a record otherwise.
fn json(value: &[u8]) -> Result<EntityEvent, Unacceptable> {
    let not_decodable = |error: serde_json::Error| Unacceptable::NotDecodable(position_or_kind(&error));
    let fields: Map<String, Value> = serde_json::from_slice(value).map_err(not_decodable)?;
    serde_json::from_value(Value::Object(fields)).map_err(not_decodable)
}

/// The parser's message, unless it quotes a value.
fn position_or_kind(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.contains('"') || error.is_data() && text.starts_with("invalid") {
        return "a field does not have the type it should have".to_owned();
    }
    text
}

impl From<EnvelopeError> for Unacceptable {
    fn from(error: EnvelopeError) -> Self {
        match error {
            EnvelopeError::Name => Self::InvalidHeader(error.to_string()),
            EnvelopeError::Missing { header } => Self::MissingHeader(header),
            EnvelopeError::Invalid { header, reason } => Self::InvalidHeader(format!("{header}: {reason}")),
        }
    }
}

impl From<CodecError> for Unacceptable {
    fn from(error: CodecError) -> Self {
        match error {
            CodecError::UnknownSchema { fingerprint } => Self::UnknownSchema(fingerprint),
            CodecError::NotSingleObject => Self::NotDecodable("not Avro single-object encoded".to_owned()),
            CodecError::TrailingBytes(_) => Self::NotDecodable("bytes after the end of the record".to_owned()),
            CodecError::Invalid { .. } => Self::NotDecodable("the body does not follow its schema".to_owned()),
        }
    }
}

impl Unacceptable {
    /// All names in metrics.
    pub const CODES: [&'static str; 9] = [
        "producer_not_configured",
        "missing_header",
        "invalid_header",
        "unsupported_content_type",
        "too_large",
        "not_decodable",
        "unknown_schema",
        "key_mismatch",
        "organization_not_allowed",
    ];

    /// Its name in metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotConfigured => "producer_not_configured",
            Self::MissingHeader(_) => "missing_header",
            Self::InvalidHeader(_) => "invalid_header",
            Self::ContentType => "unsupported_content_type",
            Self::TooLarge => "too_large",
            Self::NotDecodable(_) => "not_decodable",
            Self::UnknownSchema(_) => "unknown_schema",
            Self::Key => "key_mismatch",
            Self::OrganizationNotAllowed => "organization_not_allowed",
        }
    }
}

#[cfg(test)]
mod tests;
