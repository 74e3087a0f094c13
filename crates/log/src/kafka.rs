//! Settings of all Kafka clients of a service, and why a client waits.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{ClientContext, Statistics};
use writ_kafka::Connection;

/// The settings that all clients share.
pub fn client_config(kafka: &Connection, client_id: &str) -> ClientConfig {
    let mut config = kafka.client_config(client_id);
    config
        // Reconnect to a restarted broker within a second instead of ten.
        .set("reconnect.backoff.max.ms", "1000")
        .set("retry.backoff.max.ms", "1000")
        .set("log.connection.close", "false")
        // A broker that is gone without closing its connections is noticed by requests that are not answered and, between
        // requests, by the kernel.
        .set("socket.keepalive.enable", "true")
        .set("socket.timeout.ms", "20000")
        .set("socket.connection.setup.timeout.ms", "5000")
        .set_log_level(RDKafkaLogLevel::Warning);
    config
}

/// Why a client waits, for display.
///
/// The errors that librdkafka reports are only a hint, because it also reports idle connections that were closed.
/// Whether a client waits is known only to the caller that waits for it.
#[derive(Debug, Clone, Default)]
pub struct Reporter(Arc<Mutex<Reasons>>);

#[derive(Debug, Default)]
struct Reasons {
    waiting: Option<String>,
    /// The last error that librdkafka reported.
    hint: Option<String>,
}

impl Reporter {
    /// Why the client waits, if it does.
    pub fn reason(&self) -> Option<String> {
        self.lock().waiting.clone()
    }

    /// The client no longer waits.
    pub fn clear(&self) {
        *self.lock() = Reasons::default();
    }

    /// The client waits because of `reason`, and of the last error that librdkafka reported. Logged when it changes.
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
    /// Only for debugging: librdkafka repeats errors here at each attempt to connect. [`Reporter::error`] gets them,
    /// too.
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

/// Cuts off the elapsed milliseconds, which differ at each attempt.
fn hint(reason: &str) -> String {
    reason.split_once(" (after ").map_or(reason, |(cause, _)| cause).to_owned()
}

impl ConsumerContext for Reporter {}
