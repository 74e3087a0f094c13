//! What the audit record reads from payloads: whose they are, who did it, and when.

use serde::de::DeserializeOwned;
use writ_contract::actor::{Actor, ActorKind};
use writ_contract::audit::{AdminAct, AuditHead};
use writ_contract::decision::DecisionBatch;
use writ_contract::entity_event::EntityEvent;
use writ_contract::identity_command::{CommandResult, IdentityCommand};
use writ_contract::identity_event::IdentityEvent;
use writ_contract::organization::OrganizationEntry;
use writ_contract::policy_change::ChangeSet;
use writ_contract::schema::SchemaEntry;
use writ_contract::token_usage::TokenUsage;
use writ_contract::{Record, SchemaRegistry, StoredText, Timestamp};
use writ_kafka::topics::{self, DLQ_SUFFIX, TopicSpec};
use writ_log::{ConsumedRecord, Envelope};

/// A payload, as far as it is read.
pub(crate) enum Payload {
    /// One fact, or nothing of interest.
    Single(Attribution),
    /// Decisions of several organizations.
    Decisions(DecisionBatch),
}

/// Who did something, and when.
#[derive(Debug, Default)]
pub(crate) struct Attribution {
    pub(crate) actor: Option<Actor>,
    pub(crate) committed_at: Option<Timestamp>,
}

impl Default for Payload {
    fn default() -> Self {
        Self::Single(Attribution::default())
    }
}

/// Reads the payload of a record, or says why it is unreadable. Dead letters are not read: they were refused.
pub(crate) fn read(record: &ConsumedRecord, envelope: &Envelope, registry: &SchemaRegistry) -> Result<Payload, String> {
    if record.base_topic().ends_with(DLQ_SUFFIX) {
        return Ok(Payload::default());
    }
    let value = record.value.as_deref().ok_or("no value")?;
    let encoded = EncodedPayload { value, envelope, registry };
    match envelope.ce_type.as_str() {
        DecisionBatch::TYPE => encoded.avro().map(Payload::Decisions),
        IdentityEvent::TYPE => encoded.read::<IdentityEvent>(|e| done(e.actor, e.committed_at)),
        ChangeSet::TYPE => encoded.read::<ChangeSet>(|c| done(c.actor, c.committed_at)),
        AdminAct::TYPE => encoded.read::<AdminAct>(|a| done(a.actor, a.at)),
        EntityEvent::TYPE => encoded.read_foreign::<EntityEvent>(|e| done(producer(record), e.occurred_at)),
        IdentityCommand::TYPE => encoded.read_foreign::<IdentityCommand>(|c| done(producer(record), c.issued_at)),
        CommandResult::TYPE => encoded.read::<CommandResult>(|r| at(r.committed_at)),
        OrganizationEntry::TYPE => encoded.read::<OrganizationEntry>(|o| at(o.updated_at)),
        TokenUsage::TYPE => encoded.read::<TokenUsage>(|t| at(t.last_used_at)),
        AuditHead::TYPE => encoded.read::<AuditHead>(|h| at(h.at)),
        SchemaEntry::TYPE => encoded.read::<SchemaEntry>(|_| Attribution::default()),
        _ => Err("unknown type of record".to_owned()),
    }
}

struct EncodedPayload<'a> {
    value: &'a [u8],
    envelope: &'a Envelope,
    registry: &'a SchemaRegistry,
}

impl EncodedPayload<'_> {
    fn avro<R: Record>(&self) -> Result<R, String> {
        writ_contract::decode(self.value, self.registry).map_err(|error| error.to_string())
    }

    fn read<R: Record>(&self, attribution: impl FnOnce(R) -> Attribution) -> Result<Payload, String> {
        self.avro().map(attribution).map(Payload::Single)
    }

    /// Other systems may also write JSON.
    fn read_foreign<R>(&self, attribution: impl FnOnce(R) -> Attribution) -> Result<Payload, String>
    where
        R: Record + DeserializeOwned,
    {
        if !self.envelope.content_type.starts_with("application/json") {
            return self.read(attribution);
        }
        let record = serde_json::from_slice(self.value).map_err(|error| error.to_string())?;
        Ok(Payload::Single(attribution(record)))
    }
}

fn at(time: Timestamp) -> Attribution {
    Attribution { committed_at: Some(time), ..Attribution::default() }
}

fn done(actor: Actor, time: Timestamp) -> Attribution {
    Attribution { actor: Some(actor), ..at(time) }
}

/// Kafka lets only the producer itself write its topic, so the topic's name proves who wrote the record.
fn producer(record: &ConsumedRecord) -> Actor {
    let topic = record.base_topic();
    let prefixes = topics::per_producer().into_iter().filter_map(TopicSpec::producer_prefix);
    let name = prefixes.into_iter().find_map(|prefix| topic.strip_prefix(prefix)).unwrap_or(topic);
    Actor { kind: ActorKind::PlatformProducer, id: StoredText::lossy(name) }
}
