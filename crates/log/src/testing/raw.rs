//! Writes records byte by byte, to a broker without TLS.

use std::net::TcpStream;

use crate::hostile::{self, RawRecord};

/// Appends a record to partition 0 of `topic`.
pub(crate) fn produce(broker: &str, topic: &str, key: &[u8], headers: &[(&[u8], &[u8])], value: &[u8]) {
    let mut socket = TcpStream::connect(broker).unwrap();
    let record = RawRecord { key: Some(key), headers, value: Some(value) };
    assert_eq!(hostile::produce(&mut socket, topic, 0, &record).unwrap().code, 0, "refused");
}
