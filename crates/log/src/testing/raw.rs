//! Writes records byte by byte, which librdkafka's types cannot express.

use std::io::{Read, Write};
use std::net::TcpStream;

const CASTAGNOLI: u32 = 0x82F6_3B78;

/// Appends a record to partition 0 of `topic` at a broker without TLS.
pub(crate) fn produce(broker: &str, topic: &str, key: &[u8], headers: &[(&[u8], &[u8])], value: &[u8]) {
    let batch = batch(&record(key, headers, value));
    let mut request = Vec::new();
    // Produce, version 3, correlation id, no client id; no transaction, all replicas, 10 s; one topic, one partition.
    request.extend([0_i16, 3].map(i16::to_be_bytes).concat());
    request.extend(7_i32.to_be_bytes());
    request.extend([-1_i16, -1, -1].map(i16::to_be_bytes).concat());
    request.extend([10_000_i32, 1].map(i32::to_be_bytes).concat());
    request.extend(i16::try_from(topic.len()).unwrap().to_be_bytes());
    request.extend(topic.as_bytes());
    request.extend([1_i32, 0, length(&batch)].map(i32::to_be_bytes).concat());
    request.extend(batch);

    let mut socket = TcpStream::connect(broker).unwrap();
    socket.write_all(&[length(&request).to_be_bytes().as_slice(), &request].concat()).unwrap();
    let mut size = [0; 4];
    socket.read_exact(&mut size).unwrap();
    let mut answer = vec![0; usize::try_from(u32::from_be_bytes(size)).unwrap()];
    socket.read_exact(&mut answer).unwrap();
    // Correlation id, one topic with its name, one partition with its number; then the error.
    let error = 4 + 4 + 2 + topic.len() + 4 + 4;
    assert_eq!(answer[error..error + 2], [0, 0], "refused: {answer:?}");
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

fn record(key: &[u8], headers: &[(&[u8], &[u8])], value: &[u8]) -> Vec<u8> {
    // No attributes, the time and offset of the batch.
    let mut record = vec![0, 0, 0];
    [key, value].into_iter().for_each(|bytes| prefixed(&mut record, bytes));
    varint(&mut record, headers.len());
    for (name, value) in headers {
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
        to.push(u8::try_from(rest & 0x7F).unwrap() | 0x80);
        rest >>= 7;
    }
    to.push(u8::try_from(rest).unwrap());
}

fn length(bytes: &[u8]) -> i32 {
    i32::try_from(bytes.len()).unwrap()
}

/// CRC-32C.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ CASTAGNOLI } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}
