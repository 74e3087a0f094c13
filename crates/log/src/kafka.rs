//! What all Kafka clients of a service share.

use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;
use rdkafka::{ClientContext, Statistics};

/// The settings every client has.
pub(crate) fn client_config(brokers: &str, client_id: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("client.id", client_id)
        .set("allow.auto.create.topics", "false")
        // A restarted broker is found again within a second, not ten.
        .set("reconnect.backoff.max.ms", "1000")
        .set("retry.backoff.max.ms", "1000")
        .set("log.connection.close", "false")
        .set_log_level(RDKafkaLogLevel::Warning);
    config
}

/// Keeps the last error that a client reported, to show why it waits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reporter(Arc<Mutex<Option<String>>>);

impl Reporter {
    /// Why the client waits, if it does.
    pub(crate) fn reason(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The client works again.
    pub(crate) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The client waits for `reason`. Logged when it changes.
    pub(crate) fn report(&self, reason: &str) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_deref() != Some(reason) {
            tracing::warn!(reason, "waiting for Kafka");
            *last = Some(reason.to_owned());
        }
    }
}

impl ClientContext for Reporter {
    /// librdkafka repeats at each attempt to connect what [`Reporter::error`] says once.
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(target: "librdkafka", ?level, facility, message);
    }

    fn stats(&self, _: Statistics) {}

    fn error(&self, error: KafkaError, _: &str) {
        self.report(&error.to_string());
    }
}

impl ConsumerContext for Reporter {}
