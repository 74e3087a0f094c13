//! A record to be written to the log.

use writ_contract::{CodecError, OrganizationId, Record, Timestamp, encode};

use crate::headers::{self, Headers};
use crate::{Envelope, envelope, trace};

/// A record to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Topic of this region.
    pub topic: String,
    /// Records with the same key keep their order.
    pub key: Option<Vec<u8>>,
    /// Partition, or `None` to derive it from the key (murmur2, like Java clients).
    pub partition: Option<i32>,
    /// All headers, including those of the envelope.
    pub headers: Headers,
    /// Value, or `None` for a tombstone.
    pub value: Option<Vec<u8>>,
    /// Start of this record's stage of propagation, or `None` to not measure it.
    pub measured_from: Option<Timestamp>,
}

impl Outgoing {
    /// A record about `organization`, keyed by it, in the current span's trace.
    ///
    /// # Errors
    /// If a value does not fit its schema.
    pub fn new<R: Record>(
        topic: &str,
        organization: OrganizationId,
        source: &str,
        record: &R,
    ) -> Result<Self, CodecError> {
        Self::keyed(topic, &organization.to_string(), source, record)
    }

    /// A record with any key.
    ///
    /// # Errors
    /// If a value does not fit its schema.
    pub fn keyed<R: Record>(topic: &str, key: &str, source: &str, record: &R) -> Result<Self, CodecError> {
        let envelope = Envelope::new::<R>(source);
        Ok(Self::enveloped(topic, key.as_bytes(), &envelope, Some(encode(record)?)))
    }

    /// A record without a key: it may be stored on any partition.
    ///
    /// # Errors
    /// If a value does not fit its schema.
    pub fn unkeyed<R: Record>(topic: &str, source: &str, record: &R) -> Result<Self, CodecError> {
        let headers = Envelope::new::<R>(source).to_headers(None);
        let value = Some(encode(record)?);
        Ok(Self { topic: topic.to_owned(), headers, key: None, partition: None, value, measured_from: None })
    }

    /// A record with the given envelope and value.
    pub fn enveloped(topic: &str, key: &[u8], envelope: &Envelope, value: Option<Vec<u8>>) -> Self {
        Self {
            topic: topic.to_owned(),
            headers: envelope.to_headers(Some(key)),
            key: Some(key.to_vec()),
            partition: None,
            value,
            measured_from: None,
        }
    }

    /// Measures the time from `start` until the record is acknowledged, as this stage of propagation.
    #[must_use]
    pub fn measured_from(mut self, start: Timestamp) -> Self {
        self.measured_from = Some(start);
        self
    }

    /// Marks the record as caused by the record with envelope `cause`, and keeps the trace in which that chain of
    /// causes began.
    #[must_use]
    pub fn caused_by(mut self, cause: &Envelope) -> Self {
        let begun = match &cause.ce_traceparent {
            Some(parent) => Some((parent, &cause.ce_tracestate)),
            // Other systems may only set the plain headers.
            None => cause.traceparent.as_ref().map(|parent| (parent, &cause.tracestate)),
        };
        if let Some((parent, state)) = begun {
            headers::set(&mut self.headers, "ce_traceparent", parent);
            self.headers.retain(|(name, _)| name != "ce_tracestate");
            if let Some(state) = state {
                headers::set(&mut self.headers, "ce_tracestate", state);
            }
        }
        self
    }

    /// Records the wait in the outbox, from when the record was written until now, as a span of its trace.
    pub(crate) fn waited(&mut self) {
        if let Some(written) = envelope::written_at(&self.headers) {
            trace::waited(&self.topic, written, &mut self.headers);
        }
    }

    /// The record's `ce_id`.
    pub fn id(&self) -> Option<&str> {
        headers::last(&self.headers, "ce_id").and_then(|id| std::str::from_utf8(id).ok())
    }

    /// Approximate size in a request, in bytes.
    pub(crate) fn size(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len() + 8).sum();
        headers + self.key.as_ref().map_or(0, Vec::len) + self.value.as_ref().map_or(0, Vec::len)
    }
}
