//! A record that was read from the log.

mod span;

use std::panic::{self, AssertUnwindSafe};

use rdkafka::Message;
use rdkafka::message::BorrowedMessage;
use tracing::Span;
use writ_contract::{Hash, OrganizationId, Region, Timestamp};
use writ_kafka::topics;

use crate::headers::{self, Headers};
use crate::{Envelope, EnvelopeError, envelope};

/// A record that was read from the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumedRecord {
    /// Topic, with the prefix of the origin if it is mirrored.
    pub topic: String,
    /// Partition of the topic.
    pub partition: i32,
    /// Offset in the partition. Differs from the offset in other regions.
    pub offset: i64,
    /// When this region's broker appended it.
    pub timestamp: Timestamp,
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Headers. A header without a value has an empty one here. In a name, bytes that are not UTF-8 are replaced by
    /// U+FFFD, and the record has no valid envelope.
    pub headers: Headers,
    /// Value, or `None` for a tombstone.
    pub value: Option<Vec<u8>>,
}

impl ConsumedRecord {
    /// Copies a message. Should reading its headers panic, the record has no valid envelope, and is processed as
    /// unreadable like any other.
    pub(crate) fn of(message: &BorrowedMessage<'_>) -> Self {
        let read = panic::catch_unwind(AssertUnwindSafe(|| writ_kafka::headers(message)));
        Self {
            topic: message.topic().to_owned(),
            partition: message.partition(),
            offset: message.offset(),
            timestamp: Timestamp(message.timestamp().to_millis().unwrap_or(0).saturating_mul(1_000)),
            key: message.key().map(<[u8]>::to_vec),
            headers: read.unwrap_or_else(|_| headers::unreadable()),
            value: message.payload().map(<[u8]>::to_vec),
        }
    }

    /// The CloudEvents envelope.
    ///
    /// # Errors
    /// If a header is missing or invalid; the error names it.
    pub fn envelope(&self) -> Result<Envelope, EnvelopeError> {
        Envelope::from_headers(&self.headers, self.timestamp)
    }

    /// The region of origin: the prefix of the topic, or `local` if it has none. A prefix is always the code of a region:
    /// topics with any other are not read.
    pub fn origin(&self, local: Region) -> Region {
        topics::split(&self.topic).0.and_then(|prefix| prefix.parse().ok()).unwrap_or(local)
    }

    /// Name of the topic in its region of origin.
    pub fn base_topic(&self) -> &str {
        topics::split(&self.topic).1
    }

    /// Whether the record says when it was written, but in no way that is understood.
    pub fn has_invalid_time(&self) -> bool {
        headers::last(&self.headers, "ce_time").is_some() && envelope::written_at(&self.headers).is_none()
    }

    /// The organization in the key, if the key is one: 36 bytes of lower-case, hyphenated text.
    /// Another spelling is not taken, because it may lie on another partition.
    pub fn organization(&self) -> Option<OrganizationId> {
        let text = std::str::from_utf8(self.key.as_deref()?).ok().filter(|text| text.len() == 36)?;
        let id: OrganizationId = text.parse().ok()?;
        (id.to_string() == text).then_some(id)
    }

    /// A new span `process <topic>` that continues the trace of the record. Enter it in `plan` while the record is
    /// processed, and keep it in the effects, so that it ends only when they are committed.
    pub fn span(&self) -> Span {
        span::process(self)
    }

    /// Like [`ConsumedRecord::span`], but a disabled span unless the trace of the record is sampled. For readers that cause no
    /// further records, and for which the trace need not be continued.
    pub fn span_if_sampled(&self) -> Span {
        span::process_if_sampled(self)
    }

    /// Distinguishes this record from another at the same offset of a recreated topic.
    pub(crate) fn anchor(&self) -> String {
        match self.envelope() {
            Ok(envelope) => envelope.id,
            Err(_) => format!("sha256:{}", Hash::of(&[self.value.as_deref().unwrap_or_default()])),
        }
    }

    /// Approximate size in bytes.
    pub(crate) fn size(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        headers + self.key.as_ref().map_or(0, Vec::len) + self.value.as_ref().map_or(0, Vec::len)
    }

    /// The header `name`, if it exists and is UTF-8.
    pub fn header(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(headers::last(&self.headers, name)?).ok()
    }
}

#[cfg(test)]
mod tests;
