//! Records of the log → entries.

use sqlx::PgConnection;
use tracing::Span;
use writ_contract::{Region, SchemaRegistry};
use writ_log::ConsumedRecord;
use writ_log::consumer::Projection;

use crate::entry::Entry;
use crate::store::{self, TopicCount};

/// Appends what is read to the audit record.
pub struct EntryRecorder {
    region: Region,
    registry: SchemaRegistry,
    /// What the last transaction appended, which is the one that committed when [`Projection::committed`] is called.
    appended: Vec<TopicCount>,
}

impl EntryRecorder {
    /// Records what is read in `region`, written with the schemas of `registry`.
    pub fn new(region: Region, registry: SchemaRegistry) -> Self {
        Self { region, registry, appended: Vec::new() }
    }
}

/// What a batch of records adds.
#[derive(Debug, Default)]
pub struct NewEntries {
    /// In the order of the records.
    pub entries: Vec<Entry>,
    /// One for each record of a sampled trace; they end when the entries are committed.
    pub spans: Vec<Span>,
}

impl Projection for EntryRecorder {
    type Effects = NewEntries;

    fn plan_one(&mut self, record: &ConsumedRecord, new: &mut NewEntries) {
        let entries = Entry::of(record, self.region, &self.registry);
        if !entries.is_empty() {
            new.spans.push(record.span_if_sampled());
            new.entries.extend(entries);
        }
    }

    /// Nothing is kept in memory.
    fn take_back(&mut self, _: NewEntries) {}

    fn set_aside(&mut self, record: &ConsumedRecord, reason: &str, new: &mut NewEntries) {
        new.entries.push(Entry::unprocessable(record, self.region, reason));
    }

    async fn persist(&mut self, tx: &mut PgConnection, new: &NewEntries) -> Result<(), sqlx::Error> {
        self.appended = store::append(tx, &new.entries).await?;
        Ok(())
    }

    fn spans(new: &NewEntries) -> &[Span] {
        &new.spans
    }

    fn committed(&mut self, new: NewEntries) {
        for TopicCount { origin, topic, entries } in self.appended.drain(..) {
            let labels = [("origin", origin.to_string()), ("topic", topic)];
            metrics::counter!("writ_audit_entries_total", &labels).increment(entries.unsigned_abs());
        }
        for entry in new.entries.iter().filter(|entry| entry.defect.is_some()) {
            let labels = [("origin", entry.origin.to_string()), ("topic", entry.topic.clone())];
            metrics::counter!("writ_audit_unreadable_total", &labels).increment(1);
        }
    }
}

#[cfg(test)]
mod tests;
