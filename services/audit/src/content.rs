//! What the audit record reads from payloads: whose they are, who did it, and when.

use serde::de::DeserializeOwned;
use uuid::Uuid;
use writ_contract::actor::{Actor, ActorKind};
use writ_contract::audit::{AdminAct, AuditHead};
use writ_contract::decision::DecisionRecord;
use writ_contract::entity_event::EntityEvent;
use writ_contract::identity_command::{CommandResult, IdentityCommand};
use writ_contract::identity_event::IdentityEvent;
use writ_contract::organization::OrganizationEntry;
use writ_contract::policy_change::ChangeSet;
use writ_contract::schema::SchemaEntry;
use writ_contract::token_usage::TokenUsage;
use writ_contract::{Record as Contract, SchemaRegistry, Timestamp};
use writ_kafka::topics::{DLQ_SUFFIX, IDENTITY_COMMANDS_PREFIX};
use writ_log::{Envelope, Record};

/// What a payload says.
#[derive(Debug, Default)]
pub(crate) struct Content {
    pub(crate) organization: Option<Uuid>,
    pub(crate) actor: Option<Actor>,
    pub(crate) committed_at: Option<Timestamp>,
}

/// Reads the payload, or says why it cannot. Dead letters are not read: they were refused.
pub(crate) fn read(record: &Record, envelope: &Envelope, registry: &SchemaRegistry) -> Result<Content, String> {
    if record.base_topic().ends_with(DLQ_SUFFIX) {
        return Ok(Content::default());
    }
    let value = record.value.as_deref().ok_or("no value")?;
    let payload = Payload { value, envelope, registry };
    match envelope.ce_type.as_str() {
        IdentityEvent::TYPE => payload.of::<IdentityEvent>(|e| done(e.actor, e.committed_at)),
        ChangeSet::TYPE => payload.of::<ChangeSet>(|c| done(c.actor, c.committed_at)),
        DecisionRecord::TYPE => payload.of::<DecisionRecord>(decided),
        AdminAct::TYPE => payload.of::<AdminAct>(|a| done(a.actor, a.at)),
        EntityEvent::TYPE => payload.of_others::<EntityEvent>(|e| done(producer(&envelope.source), e.occurred_at)),
        IdentityCommand::TYPE => payload.of_others::<IdentityCommand>(|c| done(commander(record), c.issued_at)),
        CommandResult::TYPE => payload.of::<CommandResult>(|r| at(r.committed_at)),
        OrganizationEntry::TYPE => payload.of::<OrganizationEntry>(|o| at(o.updated_at)),
        TokenUsage::TYPE => payload.of::<TokenUsage>(|t| at(t.last_used_at)),
        AuditHead::TYPE => payload.of::<AuditHead>(|h| at(h.at)),
        SchemaEntry::TYPE => payload.of::<SchemaEntry>(|_| Content::default()),
        _ => Err("a type that is not known".to_owned()),
    }
}

struct Payload<'a> {
    value: &'a [u8],
    envelope: &'a Envelope,
    registry: &'a SchemaRegistry,
}

impl Payload<'_> {
    fn of<R: Contract>(&self, content: impl FnOnce(R) -> Content) -> Result<Content, String> {
        let record = writ_contract::decode(self.value, self.registry).map_err(|error| error.to_string())?;
        Ok(content(record))
    }

    /// Other systems may also write JSON.
    fn of_others<R: Contract + DeserializeOwned>(&self, content: impl FnOnce(R) -> Content) -> Result<Content, String> {
        if !self.envelope.content_type.starts_with("application/json") {
            return self.of(content);
        }
        let record = serde_json::from_slice(self.value).map_err(|error| error.to_string())?;
        Ok(content(record))
    }
}

fn at(time: Timestamp) -> Content {
    Content { committed_at: Some(time), ..Content::default() }
}

fn done(actor: Actor, time: Timestamp) -> Content {
    Content { actor: Some(actor), ..at(time) }
}

fn decided(decision: DecisionRecord) -> Content {
    Content { organization: Some(decision.organization), ..done(decision.requester, decision.at) }
}

fn producer(name: &str) -> Actor {
    Actor { kind: ActorKind::PlatformProducer, id: name.to_owned() }
}

/// Who may write to a command topic is proven by Kafka, so its name says who did.
fn commander(record: &Record) -> Actor {
    let topic = record.base_topic();
    producer(topic.strip_prefix(IDENTITY_COMMANDS_PREFIX).unwrap_or(topic))
}
