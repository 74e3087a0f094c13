//! State of the mirror, by source region.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use writ_contract::{Region, Timestamp};
use writ_kafka::topics::{self, HEARTBEATS};

use crate::beat::emitted_at;
use crate::task::{self, State, Task};

/// Lag above which a source is reported as not ready.
const LATE: Duration = Duration::from_secs(15);

/// The two kinds of topics that are read of each source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tasks,
    Beats,
}

/// All sources of a region's mirror.
#[derive(Debug, Clone)]
pub struct Sources {
    all: BTreeMap<Region, Source>,
    /// Start of this process, which counts as the first heartbeat.
    begun: Timestamp,
}

#[derive(Debug, Clone, Default)]
struct Source {
    tasks: BTreeMap<String, Task>,
    newest_beat: Option<Timestamp>,
    /// Time of the last failure of a task.
    failed_at: Option<Instant>,
}

impl Sources {
    /// The sources of the mirror that writes to `local`: all other regions.
    pub fn new(local: &Region, regions: &[Region], begun: Timestamp) -> Self {
        let others = regions.iter().filter(|region| *region != local);
        Self { all: others.map(|region| (*region, Source::default())).collect(), begun }
    }

    /// Topics with task states, one per source, to be read from the beginning.
    pub fn task_topics(&self) -> Vec<String> {
        self.all.keys().map(|source| topic(source, Kind::Tasks)).collect()
    }

    /// Topics with heartbeats, one per source. Only the newest heartbeat matters.
    pub fn beat_topics(&self) -> Vec<String> {
        self.all.keys().map(|source| topic(source, Kind::Beats)).collect()
    }

    /// Applies a record of one of the topics.
    pub fn take(&mut self, topic_name: &str, key: Option<&[u8]>, value: Option<&[u8]>) {
        for (region, source) in &mut self.all {
            if topic_name == topic(region, Kind::Beats) {
                source.newest_beat = source.newest_beat.max(value.and_then(emitted_at));
            } else if topic_name == topic(region, Kind::Tasks) {
                source.take_task(region, key.unwrap_or_default(), value);
            }
        }
    }

    /// Time of the newest failure that has not been resolved.
    pub fn failed_at(&self) -> Option<Instant> {
        let failed = self.all.values().filter(|source| source.failures().next().is_some());
        failed.filter_map(|source| source.failed_at).max()
    }

    /// The source with the greatest lag, and that lag.
    pub fn most_silent(&self, now: Timestamp) -> Option<(&Region, Duration)> {
        self.all.iter().map(|(region, source)| (region, self.lag(source, now))).max_by_key(|(_, lag)| *lag)
    }

    /// What is wrong with the mirror, if anything.
    pub fn trouble(&self, now: Timestamp) -> Option<String> {
        let mut text = String::new();
        for (region, source) in &self.all {
            for (name, task) in source.failures() {
                let reason = task.reason.as_deref().unwrap_or("no reason given");
                let _ = write!(text, "{region}: {name} has failed: {reason}; ");
            }
            let lag = self.lag(source, now);
            if source.newest_beat.is_none() {
                let _ = write!(text, "{region}: nothing has arrived yet; ");
            } else if lag > LATE {
                let _ = write!(text, "{region}: nothing has arrived for {} s; ", lag.as_secs());
            }
        }
        let text = text.trim_end_matches("; ");
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The `sources` of `/status`.
    pub fn to_json(&self, now: Timestamp) -> Value {
        let shown =
            |source: &Source| json!({"lag_seconds": self.lag(source, now).as_secs_f64(), "tasks": source.tasks});
        self.all.iter().map(|(region, source)| (region.to_string(), shown(source))).collect()
    }

    /// Sets the gauges.
    pub fn measure(&self, now: Timestamp) {
        for (region, source) in &self.all {
            let lag = self.lag(source, now).as_secs_f64();
            metrics::gauge!("writ_mirror_lag_seconds", "source" => region.to_string()).set(lag);
            for state in State::FOUND {
                let count = source.tasks.values().filter(|task| task.state == state).count();
                let labels = [("source", region.to_string()), ("state", state.as_str().to_owned())];
                metrics::gauge!("writ_mirror_tasks", &labels).set(count as f64);
            }
        }
    }

    /// Age of the newest heartbeat, or of this process if none has arrived.
    fn lag(&self, source: &Source, now: Timestamp) -> Duration {
        now.since(source.newest_beat.unwrap_or(self.begun))
    }
}

impl Source {
    fn take_task(&mut self, region: &Region, key: &[u8], value: Option<&[u8]>) {
        match task::read(key, value) {
            Some((name, Some(task))) => {
                let (state, reason) = (task.state.as_str(), task.reason.as_deref());
                tracing::info!(source = %region, name, state, reason, "task of the mirror");
                if task.state == State::Failed {
                    self.failed_at = Some(Instant::now());
                }
                self.tasks.insert(name, task);
            }
            Some((name, None)) => drop(self.tasks.remove(&name)),
            None => {}
        }
    }

    fn failures(&self) -> impl Iterator<Item = (&String, &Task)> {
        self.tasks.iter().filter(|(_, task)| task.state == State::Failed)
    }
}

fn topic(source: &Region, kind: Kind) -> String {
    match kind {
        Kind::Tasks => format!("mm2-status.{source}.internal"),
        Kind::Beats => topics::mirrored(HEARTBEATS, source.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGUN: Timestamp = Timestamp(1_000_000_000);
    const TASK: &[u8] = b"status-task-MirrorSourceConnector-0";

    fn sources() -> Sources {
        let regions: Vec<Region> = ["us", "eu", "au"].iter().map(|code| code.parse().unwrap()).collect();
        Sources::new(&regions[1], &regions, BEGUN)
    }

    fn beat(sources: &mut Sources, source: &str, at: Timestamp) {
        let value = [&[0, 0][..], &(at.0 / 1_000).to_be_bytes()].concat();
        sources.take(&format!("{source}.heartbeats"), None, Some(&value));
    }

    fn in_state(sources: &mut Sources, state: &str) {
        let value = format!(r#"{{"state":"{state}","trace":"java.lang.Oops: broken\n\tat A","worker_id":"w"}}"#);
        sources.take("mm2-status.us.internal", Some(TASK), Some(value.as_bytes()));
    }

    fn after(seconds: i64) -> Timestamp {
        BEGUN.plus_seconds(seconds)
    }

    #[test]
    fn every_other_region_is_a_source() {
        assert_eq!(sources().task_topics(), ["mm2-status.au.internal", "mm2-status.us.internal"]);
        assert_eq!(sources().beat_topics(), ["au.heartbeats", "us.heartbeats"]);
    }

    #[test]
    fn the_most_silent_source_is_found_by_its_newest_heartbeat() {
        let mut sources = sources();
        assert_eq!(sources.most_silent(after(7)).unwrap().1, Duration::from_secs(7), "since the start");
        beat(&mut sources, "us", after(30));
        beat(&mut sources, "au", after(20));
        beat(&mut sources, "us", after(10));
        let (region, lag) = sources.most_silent(after(31)).unwrap();
        assert_eq!((region.as_str(), lag), ("au", Duration::from_secs(11)));
    }

    #[test]
    fn a_failed_task_is_trouble_until_it_runs_again() {
        let mut sources = sources();
        beat(&mut sources, "us", after(1));
        beat(&mut sources, "au", after(1));
        in_state(&mut sources, "FAILED");
        assert!(sources.failed_at().is_some());
        let trouble = sources.trouble(after(2)).unwrap();
        assert_eq!(trouble, "us: MirrorSourceConnector-0 has failed: java.lang.Oops: broken");
        in_state(&mut sources, "RUNNING");
        assert_eq!((sources.failed_at(), sources.trouble(after(2))), (None, None));
    }

    #[test]
    fn a_silent_source_is_trouble() {
        let mut sources = sources();
        let both = "au: nothing has arrived yet; us: nothing has arrived yet";
        assert_eq!(sources.trouble(after(0)).as_deref(), Some(both));
        beat(&mut sources, "us", after(0));
        beat(&mut sources, "au", after(10));
        assert_eq!(sources.trouble(after(15)), None);
        assert_eq!(sources.trouble(after(16)).as_deref(), Some("us: nothing has arrived for 16 s"));
    }

    #[test]
    fn a_task_that_was_taken_away_is_not_shown() {
        let mut sources = sources();
        in_state(&mut sources, "RUNNING");
        let shown = sources.to_json(after(3));
        assert_eq!(shown["us"]["tasks"]["MirrorSourceConnector-0"]["state"], "running");
        assert_eq!(shown["us"]["lag_seconds"], 3.0);
        sources.take("mm2-status.us.internal", Some(TASK), None);
        assert_eq!(sources.to_json(after(3))["us"]["tasks"], json!({}));
    }
}
