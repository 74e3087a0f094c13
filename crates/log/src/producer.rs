//! Writing to Kafka.

use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::future_producer::{Delivery as KafkaDelivery, DeliveryFuture};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer as _};
use rdkafka::util::Timeout;
use tracing::Instrument as _;
use writ_contract::Timestamp;
use writ_kafka::Connection;

use crate::backoff::Backoff;
use crate::kafka::{Reporter, client_config};
use crate::{Outgoing, headers, trace};

/// Maximum size of a request: the largest limit of all topics (dead letters).
const MAX_MESSAGE_BYTES: usize = 1_310_720;
/// Time-out of one attempt to reach a broker at start.
const ATTEMPT: Duration = Duration::from_secs(5);

/// Where a record was appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// Partition of the topic.
    pub partition: i32,
    /// Offset in the partition.
    pub offset: i64,
}

/// A record was not appended.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Kafka or the client rejected it.
    #[error("not appended to {topic}: {source}")]
    Refused {
        /// The topic.
        topic: String,
        /// The error.
        source: KafkaError,
    },
    /// The client was shut down.
    #[error("the producer was closed")]
    Closed,
}

impl SendError {
    /// Whether the client is unusable and must be recreated.
    pub fn is_fatal(&self) -> bool {
        let code = match self {
            Self::Refused { source, .. } => source.rdkafka_error_code(),
            Self::Closed => return true,
        };
        code == Some(RDKafkaErrorCode::Fatal)
    }

    pub(crate) fn is_queue_full(&self) -> bool {
        matches!(self, Self::Refused { source, .. }
            if source.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull))
    }
}

/// How a producer compresses records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// For small records.
    None,
    /// For records that are batches themselves. Topics that are mirrored are stored uncompressed all the same.
    Zstd,
}

impl Compression {
    fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Zstd => "zstd",
        }
    }
}

/// An idempotent producer. Cheap to clone.
///
/// A record that was accepted is retried without limit, in order: if one were given up and the next one sent, records
/// of a key would lose their order. Callers that do not need the record wait with a time-out.
#[derive(Clone)]
pub struct LogProducer {
    inner: FutureProducer<Reporter>,
    reporter: Reporter,
}

impl LogProducer {
    /// Creates a producer for a cluster, without waiting for the cluster.
    ///
    /// # Errors
    /// If the settings are invalid.
    pub fn connect(kafka: &Connection, client_id: &str, compression: Compression) -> Result<Self, KafkaError> {
        let reporter = Reporter::default();
        let inner = client_config(kafka, client_id)
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("linger.ms", "0")
            .set("delivery.timeout.ms", "0")
            .set("partitioner", writ_kafka::topics::PARTITIONER)
            .set("compression.type", compression.as_str())
            .set("message.max.bytes", MAX_MESSAGE_BYTES.to_string())
            .set("queue.buffering.max.kbytes", "32768")
            .create_with_context(reporter.clone())?;
        Ok(Self { inner, reporter })
    }

    /// Waits until all `topics` exist and opens connections to the leaders of their partitions, so that the first
    /// record is not delayed by that.
    pub async fn warm_up(&self, topics: &[&str]) {
        for topic in topics {
            let mut backoff = Backoff::new();
            while let Err(reason) = self.reach(topic).await {
                self.reporter.report(&reason);
                backoff.wait().await;
            }
        }
        self.reporter.clear();
    }

    /// Whether the leaders of a topic's partitions answer now.
    ///
    /// # Errors
    /// Why not, for people.
    pub async fn reach(&self, topic: &str) -> Result<(), String> {
        let (inner, topic) = (self.inner.clone(), topic.to_owned());
        let reached = tokio::task::spawn_blocking(move || reach_leaders(&inner, &topic));
        reached.await.map_err(|error| error.to_string())?
    }

    /// Appends a record and waits until all in-sync replicas have it.
    ///
    /// # Errors
    /// If the record can never be appended, or the client's queue is full.
    pub async fn send(&self, outgoing: Outgoing) -> Result<Delivery, SendError> {
        self.enqueue(outgoing)?.delivered().await
    }

    /// Queues a record. Records are sent in the order of these calls.
    pub(crate) fn enqueue(&self, mut outgoing: Outgoing) -> Result<Pending, SendError> {
        let send = trace::SendSpan::begin(&outgoing.topic, &outgoing.headers);
        send.hand_on(&mut outgoing.headers);
        if outgoing.measured_from.is_some() {
            // The next stage is measured from now, not from when the record was created.
            headers::set(&mut outgoing.headers, "ce_time", &Timestamp::now().to_string());
        }
        match self.inner.send_result(to_kafka(&outgoing)) {
            Ok(delivery) => Ok(Pending { delivery, send, reporter: self.reporter.clone(), topic: outgoing.topic }),
            Err((source, _)) => {
                send.failed(&outgoing.topic, &source);
                Err(SendError::Refused { topic: outgoing.topic, source })
            }
        }
    }

    /// Reports that records have not been acknowledged for too long.
    pub(crate) fn is_stuck(&self) {
        self.reporter.report("records are not acknowledged");
    }

    /// Why the producer waits, if it does: for topics at start, or for acknowledgements.
    pub fn waiting(&self) -> Option<String> {
        self.reporter.reason()
    }
}

fn reach_leaders(producer: &FutureProducer<Reporter>, topic: &str) -> Result<(), String> {
    let client = producer.client();
    let metadata = client.fetch_metadata(Some(topic), ATTEMPT).map_err(|error| error.to_string())?;
    let partitions = metadata.topics().first().map_or(0, |found| found.partitions().len());
    if partitions == 0 {
        return Err(format!("topic {topic} does not exist"));
    }
    for partition in 0..i32::try_from(partitions).unwrap_or(i32::MAX) {
        client
            .fetch_watermarks(topic, partition, Timeout::After(ATTEMPT))
            .map_err(|error| format!("topic {topic}: {error}"))?;
    }
    Ok(())
}

fn to_kafka(outgoing: &Outgoing) -> FutureRecord<'_, [u8], [u8]> {
    let mut headers = OwnedHeaders::new_with_capacity(outgoing.headers.len());
    for (key, value) in &outgoing.headers {
        headers = headers.insert(Header { key, value: Some(value) });
    }
    let mut record = FutureRecord::to(&outgoing.topic).headers(headers);
    record.partition = outgoing.partition;
    record.key = outgoing.key.as_deref();
    record.payload = outgoing.value.as_deref();
    record
}

/// A record in the client's queue.
pub(crate) struct Pending {
    delivery: DeliveryFuture,
    send: trace::SendSpan,
    reporter: Reporter,
    topic: String,
}

impl Pending {
    /// Waits until all in-sync replicas have the record.
    pub(crate) async fn delivered(self) -> Result<Delivery, SendError> {
        match self.delivery.instrument(self.send.span()).await {
            Ok(Ok(KafkaDelivery { partition, offset, .. })) => {
                self.reporter.clear();
                self.send.delivered(partition, offset);
                Ok(Delivery { partition, offset })
            }
            Ok(Err((source, _))) => {
                self.send.failed(&self.topic, &source);
                Err(SendError::Refused { topic: self.topic, source })
            }
            Err(_) => Err(SendError::Closed),
        }
    }
}
