//! A Kafka client of a few lines, for records that librdkafka cannot write.

use anyhow::Result;
use writ_kafka::Connection;
use writ_kafka::wire::WireConnection;
use writ_log::hostile::{Produced, RawRecord, produce};

/// A connection to the broker of a region, logged in as one of its principals.
pub struct RawProducer(WireConnection);

impl RawProducer {
    /// Connects and logs in.
    ///
    /// # Errors
    /// When the broker cannot be reached or refuses.
    pub fn connect(kafka: &Connection) -> Result<Self> {
        Ok(Self(WireConnection::open(kafka)?))
    }

    /// Appends a record.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn send(&mut self, topic: &str, partition: i32, record: &RawRecord<'_>) -> Result<Produced> {
        Ok(produce(self.0.stream(), topic, partition, record)?)
    }
}
