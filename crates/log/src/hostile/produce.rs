//! Requests to write records, byte by byte: what librdkafka's types cannot express.

use std::io::{Read, Write};
use std::time::Duration;

use writ_kafka::wire::{WireError, call, string};

const CASTAGNOLI: u32 = 0x82F6_3B78;

/// A record as it is on the wire.
#[derive(Debug, Clone, Copy)]
pub struct RawRecord<'a> {
    /// Key; `None` for none.
    pub key: Option<&'a [u8]>,
    /// Names and values of its headers, any bytes.
    pub headers: &'a [(&'a [u8], &'a [u8])],
    /// Value; `None` for a tombstone.
    pub value: Option<&'a [u8]>,
}

/// What a broker answers to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Produced {
    /// Kafka's error code, 0 for none.
    pub code: i16,
    /// Time that the broker slows this client down, because it is beyond its quota.
    pub throttled: Duration,
}

/// Appends a record to a partition, over a connection that needs no login or has one already.
///
/// # Errors
/// When the connection fails.
pub fn produce(
    connection: &mut (impl Read + Write),
    topic: &str,
    partition: i32,
    record: &RawRecord<'_>,
) -> Result<Produced, WireError> {
    let batch = batch(&encoded(record));
    // No transaction, all replicas, 10 s; one topic, one partition.
    let mut body = [-1_i16, -1].map(i16::to_be_bytes).concat();
    body.extend([10_000_i32, 1].map(i32::to_be_bytes).concat());
    body.extend(string(topic));
    body.extend([1_i32, partition, length(&batch)].map(i32::to_be_bytes).concat());
    body.extend(batch);
    let answer = call(connection, 0, 3, &body)?;
    // One topic with its name, one partition with its number; then the error. The time is the last field.
    let error = 4 + 2 + topic.len() + 4 + 4;
    let code = answer.get(error..).and_then(<[u8]>::first_chunk).ok_or(WireError::Malformed)?;
    let throttled = answer.last_chunk().ok_or(WireError::Malformed)?;
    let throttled = u64::try_from(i32::from_be_bytes(*throttled)).unwrap_or_default();
    Ok(Produced { code: i16::from_be_bytes(*code), throttled: Duration::from_millis(throttled) })
}

fn batch(record: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(0_i16.to_be_bytes());
    body.extend(0_i32.to_be_bytes());
    body.extend([1_760_000_000_000_i64; 2].map(i64::to_be_bytes).concat());
    body.extend((-1_i64).to_be_bytes());
    body.extend((-1_i16).to_be_bytes());
    body.extend([-1_i32, 1].map(i32::to_be_bytes).concat());
    body.extend(record);
    let mut batch = 0_i64.to_be_bytes().to_vec();
    batch.extend([length(&body) + 9, 0].map(i32::to_be_bytes).concat());
    batch.push(2);
    batch.extend(checksum(&body).to_be_bytes());
    batch.extend(body);
    batch
}

fn encoded(record: &RawRecord<'_>) -> Vec<u8> {
    let RawRecord { key, headers, value } = record;
    // No attributes, the time and offset of the batch.
    let mut record = vec![0, 0, 0];
    for bytes in [key, value] {
        match bytes {
            Some(bytes) => prefixed(&mut record, bytes),
            // A length of -1.
            None => record.push(1),
        }
    }
    varint(&mut record, headers.len());
    for (name, value) in *headers {
        [name, value].into_iter().for_each(|bytes| prefixed(&mut record, bytes));
    }
    let mut with_length = Vec::new();
    prefixed(&mut with_length, &record);
    with_length
}

fn prefixed(to: &mut Vec<u8>, bytes: &[u8]) {
    varint(to, bytes.len());
    to.extend(bytes);
}

/// A length, zigzag-encoded.
fn varint(to: &mut Vec<u8>, length: usize) {
    let mut rest = length << 1;
    while rest >= 0x80 {
        to.push((rest & 0x7F) as u8 | 0x80);
        rest >>= 7;
    }
    to.push(rest as u8);
}

fn length(bytes: &[u8]) -> i32 {
    i32::try_from(bytes.len()).unwrap_or(i32::MAX)
}

/// CRC-32C.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ CASTAGNOLI } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}
