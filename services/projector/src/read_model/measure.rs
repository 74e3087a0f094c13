//! How long a change takes from its commit at home until it is in force here.

use std::time::Duration;

use writ_contract::{Region, Timestamp};
use writ_log::Envelope;

const NAME: &str = "writ_propagation_seconds";

/// The stages of a change set that has just been applied: through the mirror into this region's log, which appended it
/// at `appended`, and from there to memory.
pub(super) fn hops(local: Region, origin: Region, envelope: &Envelope, appended: Timestamp) {
    if origin != local {
        stage(origin, "mirror", appended.since(envelope.time));
    }
    stage(origin, "projector", Timestamp::now().since(appended));
}

/// A change set is in force: every request from now on sees it.
pub(super) fn applied(origin: Region, committed_at: Timestamp) {
    let seconds = committed_at.since(Timestamp(0)).as_secs_f64();
    metrics::gauge!("writ_applied_timestamp_seconds", "origin" => origin.to_string()).set(seconds);
    stage(origin, "total", Timestamp::now().since(committed_at));
}

fn stage(origin: Region, stage: &'static str, time: Duration) {
    metrics::histogram!(NAME, "origin" => origin.to_string(), "stage" => stage).record(time.as_secs_f64());
}
