//! The names that code uses.

use writ_contract::ProducerName;

/// What happened to an organization, in its home region.
pub const IDENTITY_EVENTS: &str = "identity-events";
/// Prefix of the topics of entity producers; the producer's name follows.
pub const ENTITY_EVENTS_PREFIX: &str = "entity-events-";
/// Prefix of the topics of command producers; the producer's name follows.
pub const IDENTITY_COMMANDS_PREFIX: &str = "identity-commands-";
/// Outcome of each command.
pub const IDENTITY_COMMAND_RESULTS: &str = "identity-command-results";
/// Directory of organizations and their home regions.
pub const ORGANIZATIONS: &str = "organizations";
/// The authorization log: change sets and heartbeats.
pub const POLICY_CHANGES: &str = "policy-changes";
/// Whole states of chains.
pub const POLICY_SNAPSHOTS: &str = "policy-snapshots";
/// Requests to publish chains again.
pub const SNAPSHOT_REQUESTS: &str = "snapshot-requests";
/// Every Avro schema in use.
pub const SCHEMAS: &str = "schemas";
/// Decisions of the read API.
pub const DECISIONS: &str = "decisions";
/// Times of last use of tokens.
pub const TOKEN_USAGE: &str = "token-usage";
/// Signed heads of each region's audit record.
pub const AUDIT_HEADS: &str = "audit-heads";
/// Acts of operators and of the services themselves.
pub const ADMIN_ACTS: &str = "admin-acts";
/// MirrorMaker's own topic, to which each direction writes once a second.
pub const HEARTBEATS: &str = "heartbeats";

/// The topic of an entity producer.
pub fn entity_events(producer: &ProducerName) -> String {
    format!("{ENTITY_EVENTS_PREFIX}{producer}")
}

/// The producer that a topic of entity events belongs to.
pub fn entity_producer(topic: &str) -> Option<ProducerName> {
    topic.strip_prefix(ENTITY_EVENTS_PREFIX)?.parse().ok()
}

/// Suffix of dead-letter topics.
pub const DLQ_SUFFIX: &str = "-dlq";

/// The topic for refused records of `name`.
pub fn dead_letter(name: &str) -> String {
    format!("{name}{DLQ_SUFFIX}")
}
