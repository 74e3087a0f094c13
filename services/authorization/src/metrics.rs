//! Metrics of chains, outbox and refused records.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use writ_kafka::topics;
use writ_log::park;
use writ_metrics::{Metric, MetricKind, Unit};
use writ_policy::{Halt, Index, Refusal};

use crate::inbound::Unreadable;
use crate::policies::SharedIndex;

/// What this service exports besides the metrics of every process.
pub const METRICS: &[&[Metric]] = &[
    writ_service::metrics::DATABASE,
    writ_log::metrics::OUTBOX,
    writ_log::metrics::CONSUMER,
    writ_policy_store::metrics::CHAINS,
    OWN,
];

const OWN: &[Metric] = &[
    Metric {
        name: "writ_dead_letters_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &["topic", "reason"],
        help: "Records of other systems that were rejected to the dead-letter topic, by reason.",
    },
    Metric {
        name: "writ_duplicate_entity_events_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &[],
        help: "Events that a producer sent again and that were skipped.",
    },
];

const EVERY: Duration = Duration::from_secs(5);

/// Lets all counters exist, at zero: a rate cannot be taken of the first value of a series.
pub fn begin(region: &str) {
    for reason in Unreadable::CODES.into_iter().chain(Refusal::ALL.map(Refusal::as_str)) {
        let labels = [("topic", topics::ENTITY_EVENTS), ("reason", reason)];
        metrics::counter!("writ_dead_letters_total", &labels).increment(0);
    }
    for halt in Halt::ALL {
        let labels = [("halt", halt.as_str().to_owned()), ("origin", region.to_owned())];
        metrics::counter!("writ_chain_halts_total", &labels).increment(0);
    }
    for topic in [topics::IDENTITY_EVENTS, topics::ENTITY_EVENTS] {
        metrics::counter!("writ_records_kept_total", "topic" => topic).increment(0);
    }
    metrics::counter!("writ_unattributable_records_total", "topic" => topics::IDENTITY_EVENTS).increment(0);
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
async fn measure(index: &RwLock<Index>, pool: &PgPool) {
    // A panic while it was held has ended the process.
    let overview = index.read().unwrap_or_else(PoisonError::into_inner).overview();
    for (state, count) in overview.states {
        metrics::gauge!("writ_chains", "state" => state).set(count as f64);
    }
    for (halt, count) in overview.halts {
        metrics::gauge!("writ_chains_halted", "halt" => halt).set(count as f64);
    }
    if let Ok(parked) = park::count(pool).await {
        metrics::gauge!("writ_parked_records").set(parked as f64);
    }
}
