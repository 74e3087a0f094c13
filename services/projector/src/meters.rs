//! What `/metrics` shows of chains, changes and decisions.

use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use writ_contract::Region;
use writ_kafka::topics;
use writ_log::park;
use writ_policy::{Halt, Reason, Unauthenticated};

use crate::http::FOREIGN_ORGANIZATION;
use crate::index::SharedIndex;

const EVERY: Duration = Duration::from_secs(5);

/// Lets all counters and histograms exist, at zero: a rate cannot be taken of the first value of a series.
pub fn begin(local: &Region, regions: &[Region]) {
    regions.iter().for_each(|origin| changes(local, origin));
    decisions();
}

/// What is counted of the changes that come from a region.
fn changes(local: &Region, origin: &Region) {
    let stages = ["mirror", "projector", "total"].into_iter().filter(|stage| *stage != "mirror" || origin != local);
    for stage in stages {
        let labels = [("origin", origin.to_string()), ("stage", stage.to_owned())];
        drop(metrics::histogram!("writ_propagation_seconds", &labels));
    }
    for halt in Halt::ALL {
        let labels = [("halt", halt.as_str().to_owned()), ("origin", origin.to_string())];
        metrics::counter!("writ_chain_halts_total", &labels).increment(0);
    }
    for name in ["writ_duplicate_change_sets_total", "writ_foreign_change_sets_total"] {
        metrics::counter!(name, "origin" => origin.to_string()).increment(0);
    }
    let topic = match origin == local {
        true => topics::POLICY_CHANGES.to_owned(),
        false => topics::mirrored(topics::POLICY_CHANGES, origin.as_str()),
    };
    for name in ["writ_records_kept_total", "writ_unattributable_records_total"] {
        metrics::counter!(name, "topic" => topic.clone()).increment(0);
    }
}

fn decisions() {
    for reason in Reason::ALL {
        let decision = if reason == Reason::Granted { "allow" } else { "deny" };
        metrics::counter!("writ_decisions_total", "decision" => decision, "reason" => reason.as_str()).increment(0);
    }
    for reason in Unauthenticated::ALL.map(Unauthenticated::as_str).into_iter().chain([FOREIGN_ORGANIZATION]) {
        metrics::counter!("writ_unauthenticated_total", "reason" => reason).increment(0);
    }
    for outcome in ["reached", "behind"] {
        drop(metrics::histogram!("writ_freshness_wait_seconds", "outcome" => outcome));
    }
}

/// Measures until `stop`.
pub async fn run(index: SharedIndex, pool: PgPool, stop: CancellationToken) {
    loop {
        measure(&index, &pool).await;
        if tokio::time::timeout(EVERY, stop.cancelled()).await.is_ok() {
            return;
        }
    }
}

/// What cannot be read now keeps the value it had.
async fn measure(index: &SharedIndex, pool: &PgPool) {
    if let Ok(overview) = index.read(|index| index.overview()) {
        for (state, count) in overview.states {
            metrics::gauge!("writ_chains", "state" => state).set(count as f64);
        }
        for (halt, count) in overview.halts {
            metrics::gauge!("writ_chains_halted", "halt" => halt).set(count as f64);
        }
    }
    if let Ok(parked) = park::count(pool).await {
        metrics::gauge!("writ_parked_records").set(parked as f64);
    }
}
