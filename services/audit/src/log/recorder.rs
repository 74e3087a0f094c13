//! Records of the log → entries.

use sqlx::PgConnection;
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

impl Projection for Recorder {
    type Effects = Vec<Entry>;

    fn plan(&mut self, batch: &[Record]) -> Vec<Entry> {
        batch.iter().filter_map(|record| Entry::of(record, &self.region, &self.registry)).collect()
    }

    async fn persist(&mut self, tx: &mut PgConnection, entries: &Vec<Entry>) -> Result<(), sqlx::Error> {
        self.appended = store::append(tx, entries).await?;
        Ok(())
    }

    fn committed(&mut self, entries: Vec<Entry>) {
        for TopicCount { origin, topic, entries } in self.appended.drain(..) {
            let labels = [("origin", origin), ("topic", topic)];
            metrics::counter!("writ_audit_entries_total", &labels).increment(entries.unsigned_abs());
        }
        for entry in entries.iter().filter(|entry| entry.defect.is_some()) {
            let labels = [("origin", entry.origin.clone()), ("topic", entry.topic.clone())];
            metrics::counter!("writ_audit_unreadable_total", &labels).increment(1);
        }
    }
}

#[cfg(test)]
mod tests;
