//! What all Kafka clients of a service share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;
use rdkafka::{ClientContext, Statistics};
use writ_kafka::Connection;

/// The settings every client has.
pub(crate) fn client_config(kafka: &Connection, client_id: &str) -> ClientConfig {
    let mut config = kafka.client_config(client_id);
    config
        // A restarted broker is found again within a second, not ten.
        .set("reconnect.backoff.max.ms", "1000")
        .set("retry.backoff.max.ms", "1000")
        .set("log.connection.close", "false")
        .set_log_level(RDKafkaLogLevel::Warning);
    config
}

/// Keeps why a client waits, to show it.
///
/// What librdkafka reports by itself is only a hint: it also reports connections that were closed
/// for idleness. Whether a client waits is known to whoever asks something of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reporter(Arc<Mutex<Reasons>>);

#[derive(Debug, Default)]
struct Reasons {
    waiting: Option<String>,
    hint: Option<String>,
}

impl Reporter {
    /// Why the client waits, if it does.
    pub(crate) fn reason(&self) -> Option<String> {
        self.lock().waiting.clone()
    }

    /// What librdkafka last complained of.
    pub(crate) fn hint(&self) -> Option<String> {
        self.lock().hint.clone()
    }

    /// The client works again.
    pub(crate) fn clear(&self) {
        *self.lock() = Reasons::default();
    }

    /// The client waits for `reason`. Logged when it changes.
    pub(crate) fn report(&self, reason: &str) {
        let mut reasons = self.lock();
        if reasons.waiting.as_deref() != Some(reason) {
            tracing::warn!(reason, "waiting for Kafka");
            reasons.waiting = Some(reason.to_owned());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Reasons> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Reporter {
    /// librdkafka repeats at each attempt to connect what it also says to [`Reporter::error`].
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(target: "librdkafka", ?level, facility, message);
    }

    fn stats(&self, _: Statistics) {}

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "librdkafka", %error, reason);
        self.lock().hint = Some(format!("{error}: {reason}"));
    }
}

impl ConsumerContext for Reporter {}
