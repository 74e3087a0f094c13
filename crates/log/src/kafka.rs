//! What all Kafka clients of a service share: settings, and telling why they wait.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{ClientContext, Statistics};
use writ_kafka::Connection;

/// The settings every client has.
pub fn client_config(kafka: &Connection, client_id: &str) -> ClientConfig {
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
pub struct Reporter(Arc<Mutex<Reasons>>);

#[derive(Debug, Default)]
struct Reasons {
    waiting: Option<String>,
    /// The cause, without what librdkafka adds when every broker has it.
    hint: Option<String>,
}

impl Reporter {
    /// Why the client waits, if it does.
    pub fn reason(&self) -> Option<String> {
        self.lock().waiting.clone()
    }

    /// The client works again.
    pub fn clear(&self) {
        *self.lock() = Reasons::default();
    }

    /// The client waits for `reason`, and for what librdkafka last complained of. Logged when it changes.
    pub fn report(&self, reason: &str) {
        let mut reasons = self.lock();
        let reason = match &reasons.hint {
            Some(hint) => format!("{reason}; {hint}"),
            None => reason.to_owned(),
        };
        if reasons.waiting.as_ref() != Some(&reason) {
            tracing::warn!(reason, "waiting for Kafka");
            reasons.waiting = Some(reason);
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
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            self.lock().hint = Some(hint(reason));
        }
    }
}

/// Without the milliseconds that make each attempt look like news.
fn hint(reason: &str) -> String {
    reason.split_once(" (after ").map_or(reason, |(cause, _)| cause).to_owned()
}

impl ConsumerContext for Reporter {}
