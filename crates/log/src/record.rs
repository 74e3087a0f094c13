//! A record as it was read from the log.

use rdkafka::Message;
use rdkafka::message::Headers as _;
use tracing::Span;
use writ_contract::{Hash, OrganizationId, Region, Timestamp};

use crate::headers::{self, Headers};
use crate::{Envelope, EnvelopeError, trace};
use writ_kafka::topics;

/// A record of the log, as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Topic, with the origin's prefix if it is mirrored.
    pub topic: String,
    /// Partition of the topic.
    pub partition: i32,
    /// Offset in the partition; means nothing in another region.
    pub offset: i64,
    /// When this region's broker appended it.
    pub timestamp: Timestamp,
    /// The record's key.
    pub key: Option<Vec<u8>>,
    /// The record's headers; a header without a value has an empty one here.
    pub headers: Headers,
    /// The record's value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
}

impl Record {
    pub(crate) fn of(message: &impl Message) -> Self {
        Self {
            topic: message.topic().to_owned(),
            partition: message.partition(),
            offset: message.offset(),
            timestamp: Timestamp(message.timestamp().to_millis().unwrap_or(0).saturating_mul(1_000)),
            key: message.key().map(<[u8]>::to_vec),
            headers: headers_of(message),
            value: message.payload().map(<[u8]>::to_vec),
        }
    }

    /// The CloudEvents envelope.
    ///
    /// # Errors
    /// [`EnvelopeError`] names the header that is missing or not valid.
    pub fn envelope(&self) -> Result<Envelope, EnvelopeError> {
        Envelope::from_headers(&self.headers, self.timestamp)
    }

    /// Region the record comes from: the prefix of its topic, or `local` if it has none. A prefix is always a region's
    /// code: topics with any other are not read.
    pub fn origin(&self, local: Region) -> Region {
        topics::split(&self.topic).0.and_then(|prefix| prefix.parse().ok()).unwrap_or(local)
    }

    /// The topic's name in its region of origin.
    pub fn base_topic(&self) -> &str {
        topics::split(&self.topic).1
    }

    /// The organization in the key, if the key is one: 36 bytes of lower-case, hyphenated text.
    /// Another spelling is not taken, because it may lie on another partition.
    pub fn organization(&self) -> Option<OrganizationId> {
        let text = std::str::from_utf8(self.key.as_deref()?).ok().filter(|text| text.len() == 36)?;
        let id: OrganizationId = text.parse().ok()?;
        (id.to_string() == text).then_some(id)
    }

    /// A new span `process <topic>` that continues the trace of whoever sent the record.
    /// Enter it in `plan` around what the record causes; keep it in the effects so that it ends
    /// only once they are committed.
    pub fn span(&self) -> Span {
        trace::process_span(self)
    }

    /// As [`Record::span`], for a reader from whom nothing follows: no span if the record is not part of a sampled
    /// trace. There are thousands of such records for each that is.
    pub fn span_if_sampled(&self) -> Span {
        trace::process_span_if_sampled(self)
    }

    /// What tells this record from another at the same offset of a recreated topic.
    pub(crate) fn anchor(&self) -> String {
        match self.envelope() {
            Ok(envelope) => envelope.id,
            Err(_) => format!("sha256:{}", Hash::of(&[self.value.as_deref().unwrap_or_default()])),
        }
    }

    /// Bytes it takes, roughly.
    pub(crate) fn size(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        headers + self.key.as_ref().map_or(0, Vec::len) + self.value.as_ref().map_or(0, Vec::len)
    }

    /// The text of the header `name`, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(headers::last(&self.headers, name)?).ok()
    }
}

fn headers_of(message: &impl Message) -> Headers {
    let Some(headers) = message.headers() else { return Headers::new() };
    headers.iter().map(|header| (header.key.to_owned(), header.value.unwrap_or_default().to_vec())).collect()
}

#[cfg(test)]
mod tests;
