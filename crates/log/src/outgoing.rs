//! A record on its way to the log.

use writ_contract::{CodecError, OrganizationId, Timestamp, encode};

use crate::Envelope;
use crate::headers::{self, Headers};

/// A record to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Topic of this region.
    pub topic: String,
    /// Key; records of one key keep their order.
    pub key: Option<Vec<u8>>,
    /// Partition; `None` lets the key decide (murmur2, as Java clients do).
    pub partition: Option<i32>,
    /// All headers, those of the envelope included.
    pub headers: Headers,
    /// Value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Since when this record's stage of the propagation is measured; `None` leaves it out.
    pub measured_from: Option<Timestamp>,
}

impl Outgoing {
    /// A record about `organization`, keyed by it, in the current span's trace.
    ///
    /// # Errors
    /// When a value does not fit its schema.
    pub fn new<R: writ_contract::Record>(
        topic: &str,
        organization: OrganizationId,
        source: &str,
        record: &R,
    ) -> Result<Self, CodecError> {
        Self::keyed(topic, &organization.to_string(), source, record)
    }

    /// A record with any other key.
    ///
    /// # Errors
    /// When a value does not fit its schema.
    pub fn keyed<R: writ_contract::Record>(
        topic: &str,
        key: &str,
        source: &str,
        record: &R,
    ) -> Result<Self, CodecError> {
        let envelope = Envelope::new::<R>(source);
        Ok(Self::enveloped(topic, key.as_bytes(), &envelope, Some(encode(record)?)))
    }

    /// A record with an envelope and a value made by the caller.
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

    /// Is measured: when it is acknowledged, the time since `start` is this stage's.
    #[must_use]
    pub fn measured_from(mut self, start: Timestamp) -> Self {
        self.measured_from = Some(start);
        self
    }

    /// Follows from the record with envelope `cause`: keeps the trace in which that line began.
    #[must_use]
    pub fn caused_by(mut self, cause: &Envelope) -> Self {
        let begun = match &cause.ce_traceparent {
            Some(parent) => Some((parent, &cause.ce_tracestate)),
            // Another system may know only the plain headers.
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

    /// The record's `ce_id`.
    pub fn id(&self) -> Option<&str> {
        headers::last(&self.headers, "ce_id").and_then(|id| std::str::from_utf8(id).ok())
    }

    /// Bytes it takes in a request, roughly.
    pub(crate) fn size(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len() + 8).sum();
        headers + self.key.as_ref().map_or(0, Vec::len) + self.value.as_ref().map_or(0, Vec::len)
    }
}
