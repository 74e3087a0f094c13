//! States of MirrorMaker's tasks and connectors, as Connect writes them to a topic.

use serde::{Deserialize, Serialize};

/// Maximum length of a reason.
const MAX_REASON: usize = 200;
/// Prefix of the causes in a stack trace, the root cause last.
const CAUSE: &str = "Caused by: ";

/// State of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "UPPERCASE", serialize = "lowercase"))]
pub(crate) enum State {
    Running,
    Failed,
    Paused,
    Stopped,
    Unassigned,
    Restarting,
    Destroyed,
    /// A state unknown to this build.
    #[serde(other)]
    Unknown,
}

impl State {
    /// States of existing tasks: a destroyed one no longer exists.
    pub(crate) const FOUND: [Self; 7] =
        [Self::Running, Self::Failed, Self::Paused, Self::Stopped, Self::Unassigned, Self::Restarting, Self::Unknown];

    /// Value of the label in metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Failed => "failed",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Unassigned => "unassigned",
            Self::Restarting => "restarting",
            Self::Destroyed => "destroyed",
            Self::Unknown => "unknown",
        }
    }
}

/// A task or connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Task {
    pub(crate) state: State,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

/// The value of a status record.
#[derive(Deserialize)]
struct Status {
    state: State,
    #[serde(default)]
    trace: Option<String>,
}

/// Reads a status record: the name of a task or connector, and its state, or `None` if it was removed. `None` for other
/// records.
pub(crate) fn read(key: &[u8], value: Option<&[u8]>) -> Option<(String, Option<Task>)> {
    let key = std::str::from_utf8(key).ok()?;
    let name = key.strip_prefix("status-task-").or_else(|| key.strip_prefix("status-connector-"))?;
    let task = value.filter(|value| !value.is_empty()).map(task).filter(|task| task.state != State::Destroyed);
    Some((name.to_owned(), task))
}

fn task(value: &[u8]) -> Task {
    match serde_json::from_slice::<Status>(value) {
        Ok(status) => Task { state: status.state, reason: status.trace.as_deref().map(root_cause) },
        Err(_) => Task { state: State::Unknown, reason: None },
    }
}

/// The root cause in a stack trace.
fn root_cause(trace: &str) -> String {
    let mut causes = trace.lines().rev().filter_map(|line| line.strip_prefix(CAUSE));
    let line = causes.next().or_else(|| trace.lines().next()).unwrap_or_default();
    line.chars().take(MAX_REASON).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: &str = r#"{"state":"FAILED","trace":"org.apache.kafka.connect.errors.ConnectException: Unrecoverable\n\tat org.A\nCaused by: org.apache.kafka.common.errors.RecordTooLargeException: larger than\n","worker_id":"us->eu","generation":3}"#;

    fn state_of(value: &str) -> State {
        read(b"status-task-MirrorSourceConnector-0", Some(value.as_bytes())).unwrap().1.unwrap().state
    }

    #[test]
    fn a_failed_task_says_why() {
        let (name, task) = read(b"status-task-MirrorSourceConnector-0", Some(FAILED.as_bytes())).unwrap();
        assert_eq!(name, "MirrorSourceConnector-0");
        let reason = Some("org.apache.kafka.common.errors.RecordTooLargeException: larger than".to_owned());
        assert_eq!(task, Some(Task { state: State::Failed, reason }));
    }

    #[test]
    fn every_state_of_connect_is_known_and_others_are_not_mistaken() {
        for state in State::FOUND.into_iter().filter(|state| *state != State::Unknown) {
            let value = format!(r#"{{"state":"{}","worker_id":"w","generation":1}}"#, state.as_str().to_uppercase());
            assert_eq!(state_of(&value), state);
        }
        assert_eq!(state_of(r#"{"state":"RESTING"}"#), State::Unknown);
        assert_eq!(state_of("{"), State::Unknown);
    }

    #[test]
    fn what_was_taken_away_is_gone() {
        let gone = Some(("MirrorSourceConnector".to_owned(), None));
        assert_eq!(read(b"status-connector-MirrorSourceConnector", None), gone);
        let destroyed = r#"{"state":"DESTROYED","worker_id":"w","generation":1}"#;
        assert_eq!(read(b"status-connector-MirrorSourceConnector", Some(destroyed.as_bytes())), gone);
    }

    #[test]
    fn other_records_are_not_of_a_task() {
        assert_eq!(read(b"status-topic-policy-changes:connector-MirrorSourceConnector", Some(b"{}")), None);
        assert_eq!(read(b"\xff", None), None);
    }
}
