//! Reads records that other systems write to their topics of entity events. Nothing about them is taken for granted: what
//! is not as `schemas/README.md` says is refused with a reason.

use serde::Deserialize;
use serde_json::{Map, Value};
use writ_contract::actor::Cause;
use writ_contract::entity_event::EntityEvent;
use writ_contract::{
    CodecError, Hash, OrganizationId, ProducerName, Record as _, SchemaRegistry, StoredText, Timestamp, decode,
};
use writ_kafka::{ProducerScope, ProducerScopes, topics};
use writ_log::{ConsumedRecord, Envelope, EnvelopeError};
use writ_service::extract::duplicate_member;

use crate::directory::Directory;
use crate::entities::EntityChange;
use crate::refusal::EventRefusal;

/// Counts what was not understood and did not matter.
pub(crate) const IGNORED: &str = "writ_ignored_fields_total";
const OCCURRED_AT: &str = "occurred_at";
/// The fields that may be ignored.
pub(crate) const IGNORABLE: [&str; 2] = ["ce_time", OCCURRED_AT];
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

/// Why a record is not an announcement: it belongs to no organization, or to one that the producer may not speak for. The
/// text begins with a stable code.
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
    /// The record is on another partition than its key gives: records of an organization would lose their order.
    #[error("wrong_partition: partition {0} is that of the key (murmur2 of the id in lower case)")]
    Partition(i32),
    /// The producer may not speak for the organization.
    #[error("organization_not_allowed: this producer may not speak for the organization")]
    OrganizationNotAllowed,
    /// No region has such an organization, as far as is known here.
    #[error("unknown_organization: no such organization is known here; send the event again if it is new")]
    UnknownOrganization,
}

/// What says which records are announcements.
#[derive(Debug, Clone, Copy)]
pub struct Inbound<'a> {
    /// What producers may speak for.
    pub scopes: &'a ProducerScopes,
    /// The organizations that exist.
    pub directory: &'a Directory,
    /// Schemas of other writers.
    pub registry: &'a SchemaRegistry,
}

/// Reads a record of the topic of `producer`.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn read(
    record: &ConsumedRecord,
    producer: &ProducerName,
    inbound: Inbound<'_>,
) -> Result<Announcement, Unacceptable> {
    let scope = inbound.scopes.producer.get(producer).ok_or(Unacceptable::NotConfigured)?;
    let envelope = record.envelope()?;
    if record.has_invalid_time() {
        metrics::counter!(IGNORED, "field" => "ce_time").increment(1);
    }
    if envelope.ce_type != EntityEvent::TYPE {
        return Err(Unacceptable::InvalidHeader(format!("ce_type: {} is expected", EntityEvent::TYPE)));
    }
    let event = event(record, &envelope, inbound.registry)?;
    if key(record) != Some(event.organization) {
        return Err(Unacceptable::Key);
    }
    on_its_partition(record, event.organization)?;
    if !scope.organizations.allows(&event.organization) {
        return Err(Unacceptable::OrganizationNotAllowed);
    }
    if !inbound.directory.has(event.organization) {
        return Err(Unacceptable::UnknownOrganization);
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

/// The organization in the key, in any spelling of a UUID's 36 characters.
pub(crate) fn key(record: &ConsumedRecord) -> Option<OrganizationId> {
    let text = std::str::from_utf8(record.key.as_deref()?).ok().filter(|text| text.len() == 36)?;
    text.parse().ok()
}

fn on_its_partition(record: &ConsumedRecord, organization: OrganizationId) -> Result<(), Unacceptable> {
    let Some(topic) = topics::spec(record.base_topic()) else { return Ok(()) };
    let partition = topics::partition_of(organization.to_string().as_bytes(), topic.partitions);
    if record.partition == partition { Ok(()) } else { Err(Unacceptable::Partition(partition)) }
}

fn change(event: &EntityEvent, scope: &ProducerScope) -> Result<EntityChange, EventRefusal> {
    let change = EntityChange::of(event)?;
    if !scope.types.allows(change.entity_type()) {
        return Err(EventRefusal::EntityTypeNotAllowed);
    }
    // What was announced once, under an earlier catalogue, can be deleted.
    if let EntityChange::Created(entity) = &change {
        EventRefusal::of_type(&entity.key.entity_type)?;
    }
    Ok(change)
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
        "application/json" => json(value, record.timestamp),
        _ => Err(Unacceptable::ContentType),
    }
}

/// Only an object: a list of the fields' values in order would pass for a record otherwise. A time that is none costs no
/// event, because nothing depends on it: the time when the record was `appended` takes its place.
fn json(value: &[u8], appended: Timestamp) -> Result<EntityEvent, Unacceptable> {
    let not_decodable = |error: serde_json::Error| Unacceptable::NotDecodable(position_or_kind(&error));
    let text = std::str::from_utf8(value).map_err(|_| Unacceptable::NotDecodable("not UTF-8".to_owned()))?;
    if let Ok(Some(member)) = duplicate_member(text) {
        return Err(Unacceptable::NotDecodable(format!("{member} occurs more than once")));
    }
    let mut fields: Map<String, Value> = serde_json::from_str(text).map_err(not_decodable)?;
    let occurred_at = fields.get("occurred_at").map(Timestamp::deserialize);
    if !matches!(occurred_at, Some(Ok(_))) {
        metrics::counter!(IGNORED, "field" => OCCURRED_AT).increment(1);
        fields.insert(OCCURRED_AT.to_owned(), appended.0.into());
    }
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
    pub const CODES: [&'static str; 11] = [
        "producer_not_configured",
        "missing_header",
        "invalid_header",
        "unsupported_content_type",
        "too_large",
        "not_decodable",
        "unknown_schema",
        "key_mismatch",
        "wrong_partition",
        "organization_not_allowed",
        "unknown_organization",
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
            Self::Partition(_) => "wrong_partition",
            Self::OrganizationNotAllowed => "organization_not_allowed",
            Self::UnknownOrganization => "unknown_organization",
        }
    }
}

#[cfg(test)]
mod tests;
