//! CloudEvents 1.0 in binary mode: converts between the headers of a record and an [`Envelope`].

use ::time::OffsetDateTime;
use ::time::format_description::well_known::Rfc3339;
use uuid::Uuid;
use writ_contract::{Record, Timestamp};

use crate::headers::{self, Headers};
use crate::trace;

/// Maximum length of the text of a header, in bytes.
const MAX_TEXT: usize = 256;
/// Maximum length of a `tracestate` that is propagated, in bytes (W3C asks for at least 512).
const MAX_TRACESTATE: usize = 512;

/// The CloudEvents attributes of a record and its trace context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Id of the record, unique within its `source`.
    pub id: String,
    /// Full name of the record's schema, such as `writ.ChangeSet`.
    pub ce_type: String,
    /// The writer, such as `/us/identity`.
    pub source: String,
    /// When it was written, by the writer's clock. When the broker appended it, if the writer does not say or says what is
    /// not a time: nothing depends on it.
    pub time: Timestamp,
    /// `application/avro`, or from other systems also `application/json`.
    pub content_type: String,
    /// W3C trace context of the hop that wrote the record.
    pub traceparent: Option<String>,
    /// Vendor-specific part of that context.
    pub tracestate: Option<String>,
    /// Trace context of the first record in this chain of causes.
    pub ce_traceparent: Option<String>,
    /// Vendor-specific part of that context.
    pub ce_tracestate: Option<String>,
}

/// The headers are not those of a CloudEvent. Names the header, never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The name of a header is not UTF-8.
    #[error("the name of a header is not UTF-8")]
    Name,
    /// A required header is missing.
    #[error("header {header} is missing")]
    Missing {
        /// The header's name.
        header: &'static str,
    },
    /// A header is invalid.
    #[error("header {header} is not valid: {reason}")]
    Invalid {
        /// The header's name.
        header: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl Envelope {
    /// An envelope for a record of type `R` written now by `source`, in the current span's trace.
    pub fn new<R: Record>(source: &str) -> Self {
        let context = trace::current();
        Self {
            id: Uuid::now_v7().to_string(),
            ce_type: R::TYPE.to_owned(),
            source: source.to_owned(),
            time: Timestamp::now(),
            content_type: "application/avro".to_owned(),
            traceparent: context.traceparent.clone(),
            tracestate: context.tracestate.clone(),
            ce_traceparent: context.traceparent,
            ce_tracestate: context.tracestate,
        }
    }

    /// The headers of a record with this envelope and key.
    pub fn to_headers(&self, key: Option<&[u8]>) -> Headers {
        let key = key.and_then(|key| std::str::from_utf8(key).ok()).map(str::to_owned);
        let optional = [
            ("ce_partitionkey", &key),
            ("traceparent", &self.traceparent),
            ("tracestate", &self.tracestate),
            ("ce_traceparent", &self.ce_traceparent),
            ("ce_tracestate", &self.ce_tracestate),
        ];
        let required = [
            ("ce_specversion", "1.0".to_owned()),
            ("ce_type", self.ce_type.clone()),
            ("ce_source", self.source.clone()),
            ("ce_id", self.id.clone()),
            ("ce_time", self.time.to_string()),
            ("content-type", self.content_type.clone()),
        ];
        let optional = optional.into_iter().filter_map(|(name, value)| Some((name, value.clone()?)));
        required.into_iter().chain(optional).map(|(name, value)| (name.to_owned(), value.into_bytes())).collect()
    }

    /// Reads the headers of a record that the broker appended at `appended`, which replaces a missing or invalid
    /// `ce_time`. Ignores invalid trace headers.
    ///
    /// # Errors
    /// If the name of a header is not UTF-8, or a required header is missing or invalid; the error names the first one.
    pub fn from_headers(from: &[(String, Vec<u8>)], appended: Timestamp) -> Result<Self, EnvelopeError> {
        if from.iter().any(|(name, _)| headers::is_broken(name)) {
            return Err(EnvelopeError::Name);
        }
        if required(from, "ce_specversion")? != "1.0" {
            return Err(invalid("ce_specversion", "not 1.0"));
        }
        Ok(Self {
            id: required(from, "ce_id")?,
            ce_type: required(from, "ce_type")?,
            source: required(from, "ce_source")?,
            time: written_at(from).unwrap_or(appended),
            content_type: required(from, "content-type")?,
            traceparent: parent(from, "traceparent"),
            tracestate: state(from, "tracestate"),
            ce_traceparent: parent(from, "ce_traceparent"),
            ce_tracestate: state(from, "ce_tracestate"),
        })
    }
}

fn invalid(header: &'static str, reason: &'static str) -> EnvelopeError {
    EnvelopeError::Invalid { header, reason }
}

fn required(from: &[(String, Vec<u8>)], header: &'static str) -> Result<String, EnvelopeError> {
    text(headers::last(from, header).ok_or(EnvelopeError::Missing { header })?)
        .map_err(|reason| invalid(header, reason))
        .map(str::to_owned)
}

/// Text without control characters, at most 256 bytes.
fn text(value: &[u8]) -> Result<&str, &'static str> {
    let text = std::str::from_utf8(value).map_err(|_| "not UTF-8")?;
    match text {
        "" => Err("empty"),
        _ if text.len() > MAX_TEXT => Err("longer than 256 bytes"),
        _ if text.chars().any(char::is_control) => Err("a control character in it"),
        _ => Ok(text),
    }
}

/// The time when the record was written, if its headers contain it.
pub(crate) fn written_at(from: &[(String, Vec<u8>)]) -> Option<Timestamp> {
    let text = text(headers::last(from, "ce_time")?).ok()?;
    OffsetDateTime::parse(text, &Rfc3339).ok().map(Timestamp::from)
}

/// Invalid text is dropped here, or else it would be propagated through every region.
fn parent(from: &[(String, Vec<u8>)], header: &str) -> Option<String> {
    let text = std::str::from_utf8(headers::last(from, header)?).ok()?;
    (text.len() <= MAX_TEXT && trace::is_traceparent(text)).then(|| text.to_owned())
}

fn state(from: &[(String, Vec<u8>)], header: &str) -> Option<String> {
    let text = std::str::from_utf8(headers::last(from, header)?).ok()?;
    let plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    (plain && !text.is_empty() && text.len() <= MAX_TRACESTATE && trace::is_tracestate(text)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
