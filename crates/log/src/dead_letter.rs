//! Rejected records of other systems, kept unchanged, with the reason.

use tracing::Span;
use writ_kafka::topics;

use crate::headers::{self, Headers};
use crate::{ConsumedRecord, Outgoing, trace};

/// Why the record was rejected.
pub const REASON: &str = "dlq_reason";
/// Topic of the record.
pub const TOPIC: &str = "dlq_topic";
/// Partition of the record.
pub const PARTITION: &str = "dlq_partition";
/// Offset of the record.
pub const OFFSET: &str = "dlq_offset";
/// Original length of the value, if it was truncated.
pub const TRUNCATED: &str = "dlq_truncated";

/// Maximum length of a reason, in characters.
const MAX_REASON: usize = 1_000;
/// Maximum size of the headers, in bytes. The rest is left out.
const MAX_HEADERS: usize = 65_536;
/// Maximum size of the value. It can exceed the limit of its topic, which applies to compressed bytes.
const MAX_VALUE: usize = 1_048_576;

/// The record to append to the outbox, in the transaction that stores the position after `refused`: the same key,
/// headers, value and partition, with `dlq_*` headers added.
pub fn refuse(refused: &ConsumedRecord, reason: &str) -> Outgoing {
    Outgoing {
        topic: topics::dead_letter(refused.base_topic()),
        key: refused.key.as_ref().map(|key| key[..key.len().min(MAX_HEADERS)].to_vec()),
        partition: Some(refused.partition),
        headers: headers(refused, reason),
        value: refused.value.as_ref().map(|value| value[..value.len().min(MAX_VALUE)].to_vec()),
        measured_from: None,
    }
}

fn headers(refused: &ConsumedRecord, reason: &str) -> Headers {
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

/// The first headers that fit, without `dlq_*` headers of the sender, which would look like ours.
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
