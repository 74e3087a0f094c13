//! How long a change takes from its commit at home until it is in force here.

use std::time::Duration;

use writ_contract::Timestamp;
use writ_log::Envelope;

const NAME: &str = "writ_propagation_seconds";

/// A change set of another region has come through the mirror: from its sending to this region's log.
pub(super) fn arrived(local: &str, origin: &str, envelope: &Envelope, taken: Timestamp) {
    if origin != local {
        stage(origin, "mirror", taken.since(envelope.time));
    }
}

/// A change set is in force: every request from now on sees it.
pub(super) fn applied(origin: &str, committed_at: Timestamp) {
    stage(origin, "total", Timestamp::now().since(committed_at));
}

/// This region's own part of the way, from the log to memory.
pub(super) fn projected(origin: &str, taken: Timestamp) {
    stage(origin, "projector", Timestamp::now().since(taken));
}

fn stage(origin: &str, stage: &'static str, time: Duration) {
    metrics::histogram!(NAME, "origin" => origin.to_owned(), "stage" => stage).record(time.as_secs_f64());
}
