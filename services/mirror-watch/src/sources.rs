//! State of the mirror, by source region. What arrives is judged by when it arrived, on the clock of this process: the clock of
//! a source may be wrong.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use writ_contract::{Region, Timestamp};
use writ_kafka::topics::{self, HEARTBEATS};

use crate::beat::emitted_at;
use crate::task::{self, State, Task};

/// Silence after which a source is reported as not ready.
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
    /// Start of this process, which counts as the first arrival.
    begun: Instant,
}

#[derive(Debug, Clone, Default)]
struct Source {
    tasks: BTreeMap<String, Task>,
    /// When a heartbeat last arrived.
    arrived: Option<Instant>,
    /// Time of the newest heartbeat by the clock of the source; only to be shown.
    newest_beat: Option<Timestamp>,
    /// Time of the last failure of a task.
    failed_at: Option<Instant>,
}

impl Sources {
    /// The sources of the mirror that writes to `local`: all other regions.
    pub fn new(local: &Region, regions: &[Region], begun: Instant) -> Self {
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

    /// Applies a record of one of the topics, which arrived at `now`.
    pub fn take(&mut self, topic_name: &str, key: Option<&[u8]>, value: Option<&[u8]>, now: Instant) {
        for (region, source) in &mut self.all {
            if topic_name == topic(region, Kind::Beats) {
                source.arrived = Some(now);
                source.newest_beat = value.and_then(emitted_at).or(source.newest_beat);
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

    /// How long nothing has arrived from any source. `None` if there is none.
    ///
    /// While something arrives from one source, the mirror runs: a source that is silent then is down itself, or cannot be
    /// reached, and a restart would only interrupt the others.
    pub fn silence(&self, now: Instant) -> Option<Duration> {
        self.all.values().map(|source| self.silence_of(source, now)).min()
    }

    /// What is wrong with the mirror, if anything.
    pub fn trouble(&self, now: Instant) -> Option<String> {
        let mut text = String::new();
        for (region, source) in &self.all {
            for (name, task) in source.failures() {
                let reason = task.reason.as_deref().unwrap_or("no reason given");
                let _ = write!(text, "{region}: {name} has failed: {reason}; ");
            }
            let silence = self.silence_of(source, now);
            if source.arrived.is_none() {
                let _ = write!(text, "{region}: nothing has arrived yet; ");
            } else if silence > LATE {
                let _ = write!(text, "{region}: nothing has arrived for {} s; ", silence.as_secs());
            }
        }
        let text = text.trim_end_matches("; ");
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The `sources` of `/status`.
    pub fn to_json(&self, now: Instant, time: Timestamp) -> Value {
        let shown = |source: &Source| {
            json!({
                "silent_seconds": self.silence_of(source, now).as_secs_f64(),
                "lag_seconds": source.newest_beat.map(|beat| time.since(beat).as_secs_f64()),
                "tasks": source.tasks,
            })
        };
        self.all.iter().map(|(region, source)| (region.to_string(), shown(source))).collect()
    }

    /// Sets the gauges.
    pub fn measure(&self, now: Instant, time: Timestamp) {
        for (region, source) in &self.all {
            let silence = self.silence_of(source, now).as_secs_f64();
            metrics::gauge!("writ_mirror_silence_seconds", "source" => region.to_string()).set(silence);
            let lag = source.newest_beat.map_or(silence, |beat| time.since(beat).as_secs_f64());
            metrics::gauge!("writ_mirror_lag_seconds", "source" => region.to_string()).set(lag);
            for state in State::FOUND {
                let count = source.tasks.values().filter(|task| task.state == state).count();
                let labels = [("source", region.to_string()), ("state", state.as_str().to_owned())];
                metrics::gauge!("writ_mirror_tasks", &labels).set(count as f64);
            }
        }
    }

    /// Time since the last heartbeat arrived, or since this process began if none has.
    fn silence_of(&self, source: &Source, now: Instant) -> Duration {
        now.duration_since(source.arrived.unwrap_or(self.begun))
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

    const TASK: &[u8] = b"status-task-MirrorSourceConnector-0";
    /// By the clock here.
    const TIME: Timestamp = Timestamp(10_000_000_000);

    /// The sources of `eu`, and when its process began.
    fn sources() -> (Sources, Instant) {
        let regions: Vec<Region> = ["us", "eu", "au"].iter().map(|code| code.parse().unwrap()).collect();
        let begun = Instant::now();
        (Sources::new(&regions[1], &regions, begun), begun)
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    /// A heartbeat that arrives at `now`, and that the source's clock dates `time`.
    fn beat(sources: &mut Sources, source: &str, now: Instant, time: Timestamp) {
        let value = [&[0, 0][..], &(time.0 / 1_000).to_be_bytes()].concat();
        sources.take(&format!("{source}.heartbeats"), None, Some(&value), now);
    }

    fn in_state(sources: &mut Sources, state: &str) {
        let value = format!(r#"{{"state":"{state}","trace":"java.lang.Oops: broken\n\tat A","worker_id":"w"}}"#);
        sources.take("mm2-status.us.internal", Some(TASK), Some(value.as_bytes()), Instant::now());
    }

    #[test]
    fn every_other_region_is_a_source() {
        let (sources, _) = sources();
        assert_eq!(sources.task_topics(), ["mm2-status.au.internal", "mm2-status.us.internal"]);
        assert_eq!(sources.beat_topics(), ["au.heartbeats", "us.heartbeats"]);
    }

    #[test]
    fn the_mirror_is_silent_when_every_source_is() {
        let (mut sources, begun) = sources();
        assert_eq!(sources.silence(begun + seconds(7)), Some(seconds(7)), "since the start");
        beat(&mut sources, "us", begun + seconds(30), TIME);
        assert_eq!(sources.silence(begun + seconds(90)), Some(seconds(60)), "au has never been heard of");
        beat(&mut sources, "au", begun + seconds(91), TIME);
        assert_eq!(sources.silence(begun + seconds(1_000)), Some(seconds(909)));
        assert_eq!(Sources::new(&"us".parse().unwrap(), &["us".parse().unwrap()], begun).silence(begun), None);
    }

    #[test]
    fn the_clock_of_a_source_plays_no_part() {
        for offset in [-3_600, 0, 3_600] {
            let (mut sources, begun) = sources();
            for second in 0..30 {
                for source in ["us", "au"] {
                    beat(&mut sources, source, begun + seconds(second), TIME.plus_seconds(offset + second as i64));
                }
            }
            assert_eq!(sources.trouble(begun + seconds(30)), None, "{offset}");
            assert_eq!(sources.silence(begun + seconds(100)), Some(seconds(71)), "{offset}");
            let shown = sources.to_json(begun + seconds(30), TIME.plus_seconds(30));
            assert_eq!(shown["us"]["silent_seconds"], 1.0);
        }
    }

    #[test]
    fn a_failed_task_is_trouble_until_it_runs_again() {
        let (mut sources, begun) = sources();
        beat(&mut sources, "us", begun, TIME);
        beat(&mut sources, "au", begun, TIME);
        in_state(&mut sources, "FAILED");
        assert!(sources.failed_at().is_some());
        let trouble = sources.trouble(begun + seconds(2)).unwrap();
        assert_eq!(trouble, "us: MirrorSourceConnector-0 has failed: java.lang.Oops: broken");
        in_state(&mut sources, "RUNNING");
        assert_eq!((sources.failed_at(), sources.trouble(begun + seconds(2))), (None, None));
    }

    #[test]
    fn a_silent_source_is_trouble() {
        let (mut sources, begun) = sources();
        let both = "au: nothing has arrived yet; us: nothing has arrived yet";
        assert_eq!(sources.trouble(begun).as_deref(), Some(both));
        beat(&mut sources, "us", begun, TIME);
        beat(&mut sources, "au", begun + seconds(10), TIME);
        assert_eq!(sources.trouble(begun + seconds(15)), None);
        assert_eq!(sources.trouble(begun + seconds(16)).as_deref(), Some("us: nothing has arrived for 16 s"));
    }

    #[test]
    fn a_task_that_was_taken_away_is_not_shown() {
        let (mut sources, begun) = sources();
        in_state(&mut sources, "RUNNING");
        let shown = sources.to_json(begun + seconds(3), TIME);
        assert_eq!(shown["us"]["tasks"]["MirrorSourceConnector-0"]["state"], "running");
        assert_eq!((&shown["us"]["silent_seconds"], &shown["us"]["lag_seconds"]), (&json!(3.0), &Value::Null));
        sources.take("mm2-status.us.internal", Some(TASK), None, begun);
        assert_eq!(sources.to_json(begun, TIME)["us"]["tasks"], json!({}));
    }
}
