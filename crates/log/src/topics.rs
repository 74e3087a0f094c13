//! The topics: names, and what `infra/topics.toml` says of each.

mod create;
mod spec;

use std::collections::HashMap;
use std::sync::LazyLock;

pub use create::{EnsureError, ensure};
pub use spec::{Cleanup, TopicSpec};

/// What happened to an organization, in its home region.
pub const IDENTITY_EVENTS: &str = "identity-events";
/// Regional entities created and deleted, by other systems of this region.
pub const ENTITY_EVENTS: &str = "entity-events";
/// Refused entity events.
pub const ENTITY_EVENTS_DLQ: &str = "entity-events-dlq";
/// Topics of command producers: this and the producer's name.
pub const IDENTITY_COMMANDS_PREFIX: &str = "identity-commands-";
/// What became of each command.
pub const IDENTITY_COMMAND_RESULTS: &str = "identity-command-results";
/// Directory of organizations and their home regions.
pub const ORGANIZATIONS: &str = "organizations";
/// The authorization log: change sets and heartbeats.
pub const POLICY_CHANGES: &str = "policy-changes";
/// Whole states of chains.
pub const POLICY_SNAPSHOTS: &str = "policy-snapshots";
/// "Send me these chains again."
pub const SNAPSHOT_REQUESTS: &str = "snapshot-requests";
/// Every Avro schema in use.
pub const SCHEMAS: &str = "schemas";
/// What the read API decided.
pub const DECISIONS: &str = "decisions";
/// When tokens were last used.
pub const TOKEN_USAGE: &str = "token-usage";
/// Signed heads of each region's audit record.
pub const AUDIT_HEADS: &str = "audit-heads";
/// What operators and the services themselves did.
pub const ADMIN_ACTS: &str = "admin-acts";

/// End of a dead-letter topic's name.
pub const DLQ_SUFFIX: &str = "-dlq";

/// Limit of a topic that the file does not name: that of all but the dead-letter topics.
const DEFAULT_MAX_MESSAGE_BYTES: usize = 1_048_576;
/// What a request adds around a record.
const BATCH_OVERHEAD: usize = 1_024;

static TOPICS: LazyLock<HashMap<String, TopicSpec>> = LazyLock::new(|| {
    spec::compiled_in(include_str!("../../../infra/topics.toml")).into_iter().map(|s| (s.name.clone(), s)).collect()
});

/// All topics of a region, by name.
pub fn all() -> Vec<&'static TopicSpec> {
    let mut topics: Vec<_> = TOPICS.values().collect();
    topics.sort_by(|a, b| a.name.cmp(&b.name));
    topics
}

/// What the file says of a topic of this region.
pub fn spec(name: &str) -> Option<&'static TopicSpec> {
    TOPICS.get(name)
}

/// What a command producer's topic and its dead-letter topic are like: as those of entity events, but mirrored, and
/// kept no longer than a command may be late.
pub fn of_commands(topic: &str) -> Vec<TopicSpec> {
    let like = |model: &str, name: String, mirrored: bool| {
        spec(model).map(|model| TopicSpec { name, mirrored, writers: Vec::new(), readers: Vec::new(), ..model.clone() })
    };
    let commands =
        like(IDENTITY_COMMAND_RESULTS, topic.to_owned(), true).map(|topic| TopicSpec { dead_letter: true, ..topic });
    commands.into_iter().chain(like(ENTITY_EVENTS_DLQ, dead_letter(topic), false)).collect()
}

/// Name under which another region finds the topic `name` of `origin`.
pub fn mirrored(name: &str, origin: &str) -> String {
    format!("{origin}.{name}")
}

/// Name of the topic for refused records of `name`.
pub fn dead_letter(name: &str) -> String {
    format!("{name}{DLQ_SUFFIX}")
}

/// The region of origin, if the topic is mirrored, and the topic's name there.
pub(crate) fn split(topic: &str) -> (Option<&str>, &str) {
    match topic.split_once('.') {
        Some((origin, base)) => (Some(origin), base),
        None => (None, topic),
    }
}

/// Most bytes that a record for `topic` may have.
pub(crate) fn largest_record(topic: &str) -> usize {
    spec(topic).map_or(DEFAULT_MAX_MESSAGE_BYTES, |topic| topic.max_message_bytes) - BATCH_OVERHEAD
}
