//! Metrics of services that keep policy chains.

use std::fmt::Display;
use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use writ_contract::Region;
use writ_log::loops::LoopTurns;
use writ_log::park;
use writ_metrics::{Metric, MetricKind, Unit};
use writ_policy::{Delta, Halt, Index};

use crate::SharedIndex;

/// Chains, and the records that belong to them.
pub const CHAINS: &[Metric] = &[
    Metric {
        name: "writ_chains",
        kind: MetricKind::Gauge,
        unit: Unit::Count,
        labels: &["state"],
        help: "Chains that are live, stopped, parked or closed.",
    },
    Metric {
        name: "writ_chains_halted",
        kind: MetricKind::Gauge,
        unit: Unit::Count,
        labels: &["halt"],
        help: "Chains that are halted now, by reason.",
    },
    Metric {
        name: "writ_chain_halts_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &["halt", "origin"],
        help: "Records that halted their chain, or found it halted, by reason.",
    },
    Metric {
        name: "writ_parked_records",
        kind: MetricKind::Gauge,
        unit: Unit::Count,
        labels: &[],
        help: "Records parked for a build that understands them.",
    },
    Metric {
        name: "writ_records_kept_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &["topic"],
        help: "Records parked on arrival.",
    },
    Metric {
        name: "writ_records_lost_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &["topic"],
        help: "Records that should have been parked, of organizations of which as much is parked as may be.",
    },
    Metric {
        name: "writ_unattributable_records_total",
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: &["topic"],
        help: "Records of an internal topic without an organization, which none of our services writes.",
    },
];

const INTERVAL: Duration = Duration::from_secs(5);

/// Lets the counters of an origin and of topics exist, at zero: a rate cannot be taken of the first value of a series.
pub fn begin(origin: Region, topics: &[&str]) {
    for halt in Halt::ALL {
        let labels = [("halt", halt.as_str().to_owned()), ("origin", origin.to_string())];
        metrics::counter!("writ_chain_halts_total", &labels).increment(0);
    }
    for topic in topics {
        for name in ["writ_records_kept_total", "writ_records_lost_total", "writ_unattributable_records_total"] {
            metrics::counter!(name, "topic" => (*topic).to_owned()).increment(0);
        }
    }
}

/// Logs and counts that a chain is halted.
pub fn report_halt(delta: &Delta, halt: Halt, reason: &dyn Display) {
    let (chain, standing) = (delta.chain(), &delta.standing);
    let (applied, seen) = (standing.head.revision, standing.seen);
    // Each record of the chain finds it halted; once is enough.
    match delta.halted_before() == Some(halt) {
        true => tracing::debug!(%chain, %halt, %reason, %applied, %seen, "a chain is still halted"),
        false => tracing::error!(%chain, %halt, %reason, %applied, %seen, "a chain is halted"),
    }
    let labels = [("halt", halt.as_str().to_owned()), ("origin", chain.origin.to_string())];
    metrics::counter!("writ_chain_halts_total", &labels).increment(1);
}

/// Measures until `stop`.
pub async fn run(index: SharedIndex, pool: PgPool, stop: CancellationToken) {
    let turns = LoopTurns::new("metrics");
    loop {
        turns.note();
        measure(&index, &pool).await;
        if tokio::time::timeout(INTERVAL, stop.cancelled()).await.is_ok() {
            return;
        }
    }
}

/// What cannot be read now keeps the value it had.
async fn measure(index: &SharedIndex, pool: &PgPool) {
    let overview = index.read(Index::overview);
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
