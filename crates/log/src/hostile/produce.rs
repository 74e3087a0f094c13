//! Requests to write records, byte by byte: what librdkafka's types cannot express.

use std::io::{self, Read, Write};

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

/// Appends a record to a partition, over a connection that needs no login or has one already. Answers with Kafka's error
/// code, 0 for none.
///
/// # Errors
/// When the connection fails.
pub fn produce(
    connection: &mut (impl Read + Write),
    topic: &str,
    partition: i32,
    record: &RawRecord<'_>,
) -> io::Result<i16> {
    let batch = batch(&encoded(record));
    // No transaction, all replicas, 10 s; one topic, one partition.
    let mut body = [-1_i16, -1].map(i16::to_be_bytes).concat();
    body.extend([10_000_i32, 1].map(i32::to_be_bytes).concat());
    body.extend(i16::try_from(topic.len()).unwrap_or(i16::MAX).to_be_bytes());
    body.extend(topic.as_bytes());
    body.extend([1_i32, partition, length(&batch)].map(i32::to_be_bytes).concat());
    body.extend(batch);
    let answer = call(connection, 0, 3, &body)?;
    // One topic with its name, one partition with its number; then the error.
    let error = 4 + 2 + topic.len() + 4 + 4;
    let code = answer.get(error..error + 2).and_then(|code| code.try_into().ok());
    code.map(i16::from_be_bytes).ok_or_else(|| io::Error::other("a short answer"))
}

/// Sends a request without a client id (header version 1) and reads the answer, without its correlation id.
///
/// # Errors
/// When the connection fails.
pub fn call(connection: &mut (impl Read + Write), api: i16, version: i16, body: &[u8]) -> io::Result<Vec<u8>> {
    let mut request = [api, version].map(i16::to_be_bytes).concat();
    request.extend(7_i32.to_be_bytes());
    request.extend((-1_i16).to_be_bytes());
    request.extend(body);
    connection.write_all(&[length(&request).to_be_bytes().as_slice(), &request].concat())?;
    connection.flush()?;
    let mut size = [0; 4];
    connection.read_exact(&mut size)?;
    let size = usize::try_from(u32::from_be_bytes(size)).unwrap_or(usize::MAX).min(1 << 20);
    let mut answer = vec![0; size];
    connection.read_exact(&mut answer)?;
    Ok(answer.split_off(4.min(size)))
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
