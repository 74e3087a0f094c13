//! Records of the log → entries.

use sqlx::PgConnection;
use tracing::Span;
use writ_contract::SchemaRegistry;
use writ_log::Record;
use writ_log::consumer::Projection;

use crate::record::Entry;
use crate::store::{self, TopicCount};

/// Keeps what is read.
pub struct Recorder {
    region: String,
    registry: SchemaRegistry,
    appended: Vec<TopicCount>,
}

impl Recorder {
    /// Keeps what is read in `region`, written with the schemas of `registry`.
    pub fn new(region: &str, registry: SchemaRegistry) -> Self {
        Self { region: region.to_owned(), registry, appended: Vec::new() }
    }
}

/// What a batch of records adds.
#[derive(Debug, Default)]
pub struct Effects {
    /// In the order of the records.
    pub entries: Vec<Entry>,
    /// One an entry, none if it is not part of a sampled trace; they end when the effects are committed.
    pub spans: Vec<Span>,
}

impl Projection for Recorder {
    type Effects = Effects;

    fn plan(&mut self, batch: &[Record]) -> Effects {
        let mut effects = Effects::default();
        for record in batch {
            if let Some(entry) = Entry::of(record, &self.region, &self.registry) {
                effects.spans.push(record.span_if_sampled());
                effects.entries.push(entry);
            }
        }
        effects
    }

    async fn persist(&mut self, tx: &mut PgConnection, effects: &Effects) -> Result<(), sqlx::Error> {
        self.appended = store::append(tx, &effects.entries).await?;
        Ok(())
    }

    fn spans(effects: &Effects) -> &[Span] {
        &effects.spans
    }

    fn committed(&mut self, effects: Effects) {
        for TopicCount { origin, topic, entries } in self.appended.drain(..) {
            let labels = [("origin", origin), ("topic", topic)];
            metrics::counter!("writ_audit_entries_total", &labels).increment(entries.unsigned_abs());
        }
        for entry in effects.entries.iter().filter(|entry| entry.defect.is_some()) {
            let labels = [("origin", entry.origin.clone()), ("topic", entry.topic.clone())];
            metrics::counter!("writ_audit_unreadable_total", &labels).increment(1);
        }
    }
}

#[cfg(test)]
mod tests;
