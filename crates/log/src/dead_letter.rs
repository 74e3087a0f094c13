//! Refused records of other systems: kept as they came, with the reason.

use tracing::Span;

use crate::headers::{self, Headers};
use crate::{Outgoing, Record, trace};
use writ_kafka::topics;

/// Why the record was refused.
pub const REASON: &str = "dlq_reason";
/// Topic the record came from.
pub const TOPIC: &str = "dlq_topic";
/// Partition the record came from.
pub const PARTITION: &str = "dlq_partition";
/// Offset the record came from.
pub const OFFSET: &str = "dlq_offset";
/// The value's length before it was cut, if it was too large to keep whole.
pub const TRUNCATED: &str = "dlq_truncated";

/// Longest reason kept, in characters.
const MAX_REASON: usize = 1_000;
/// Headers beyond this many bytes are left out.
const MAX_HEADERS: usize = 65_536;
/// A value may be larger than its topic's limit, which counts compressed bytes.
const MAX_VALUE: usize = 1_048_576;

/// The record to append to the outbox, in the transaction that records the position behind
/// `refused`: key, headers and value as they came, `dlq_*` headers added, on the same partition.
pub fn refuse(refused: &Record, reason: &str) -> Outgoing {
    Outgoing {
        topic: topics::dead_letter(refused.base_topic()),
        key: refused.key.as_ref().map(|key| key[..key.len().min(MAX_HEADERS)].to_vec()),
        partition: Some(refused.partition),
        headers: headers(refused, reason),
        value: refused.value.as_ref().map(|value| value[..value.len().min(MAX_VALUE)].to_vec()),
        measured_from: None,
    }
}

fn headers(refused: &Record, reason: &str) -> Headers {
    let mut headers = kept(&refused.headers);
    let added = [
        (REASON, reason.chars().take(MAX_REASON).collect()),
        (TOPIC, refused.topic.clone()),
        (PARTITION, refused.partition.to_string()),
        (OFFSET, refused.offset.to_string()),
    ];
    added.into_iter().for_each(|(name, value): (_, String)| headers::set(&mut headers, name, &value));
    if let Some(length) = refused.value.as_ref().map(Vec::len).filter(|length| *length > MAX_VALUE) {
        headers::set(&mut headers, TRUNCATED, &length.to_string());
    }
    trace::hand_on(&Span::current(), &mut headers);
    headers
}

/// The first headers that fit. A sender's own `dlq_*` headers would pass for ours.
fn kept(from: &[(String, Vec<u8>)]) -> Headers {
    let mut room = MAX_HEADERS;
    let fits = |header: &&(String, Vec<u8>)| {
        let size = header.0.len() + header.1.len() + 8;
        let fits = size <= room;
        room -= if fits { size } else { 0 };
        fits
    };
    from.iter().filter(|(name, _)| !name.starts_with("dlq_")).filter(fits).cloned().collect()
}

#[cfg(test)]
mod tests;
