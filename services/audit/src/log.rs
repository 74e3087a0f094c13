//! The topics that audit reads, and how their records become entries.

mod entry_recorder;

use writ_kafka::topics::{
    self, ADMIN_ACTS, AUDIT_HEADS, DECISIONS, DLQ_SUFFIX, ENTITY_EVENTS_PREFIX, IDENTITY_COMMAND_RESULTS,
    IDENTITY_COMMANDS_PREFIX, IDENTITY_EVENTS, ORGANIZATIONS, POLICY_CHANGES, SCHEMAS, TOKEN_USAGE, TopicSpec,
};
use writ_log::consumer::Subscription;

pub use entry_recorder::EntryRecorder;

/// Everything that reaches this region, except snapshots and requests for them, which repeat what change sets say.
pub fn subscriptions() -> Vec<Subscription> {
    let (commands, entities) = (format!("{IDENTITY_COMMANDS_PREFIX}*"), format!("{ENTITY_EVENTS_PREFIX}*"));
    let everywhere =
        [POLICY_CHANGES, ORGANIZATIONS, IDENTITY_COMMAND_RESULTS, &commands, TOKEN_USAGE, AUDIT_HEADS, SCHEMAS];
    let local = [IDENTITY_EVENTS, &entities, DECISIONS, ADMIN_ACTS].map(str::to_owned);
    let all = topics::all().into_iter().chain(topics::per_producer());
    let dead_letters = all.map(TopicSpec::pattern).filter(|name| is_dead_letter(name));
    let local = local.into_iter().chain(dead_letters).map(|name| Subscription::local(&name));
    everywhere.into_iter().map(Subscription::everywhere).chain(local).collect()
}

fn is_dead_letter(topic: &str) -> bool {
    topic.ends_with(DLQ_SUFFIX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_kafka::topics::{POLICY_SNAPSHOTS, SNAPSHOT_REQUESTS};

    #[test]
    fn every_topic_of_the_log_is_read_or_left_out_on_purpose() {
        let left_out = [POLICY_SNAPSHOTS, SNAPSHOT_REQUESTS, "heartbeats"];
        let read = subscriptions();
        for topic in topics::all().into_iter().chain(topics::per_producer()) {
            let found = read.iter().find(|subscription| subscription.name == topic.pattern());
            assert_eq!(found.is_none(), left_out.contains(&topic.name.as_str()), "{}", topic.name);
            if let Some(subscription) = found {
                assert!(subscription.local, "{}", topic.name);
                assert_eq!(subscription.mirrored, topic.mirrored, "{}", topic.name);
            }
        }
    }
}
