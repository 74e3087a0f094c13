//! When to ask for a restart of the mirror.

use std::time::{Duration, Instant};

/// A task counts as failed when it still is at the next look: the states are read from their beginning, where a failure
/// of long ago stands right before what became of it.
const STANDS: Duration = Duration::from_millis(500);
/// So long nothing has arrived when a mirror counts as stalled; a restart takes less.
const STALLED: Duration = Duration::from_secs(60);
/// How long a restart is given before the next; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// A mirror that ran so long has recovered: the next trouble is a new one.
const RECOVERED: Duration = Duration::from_secs(300);

/// Why the mirror is to be started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A task has failed: it stays so until the mirror is started again.
    TaskFailed,
    /// From one source nothing has arrived for a minute.
    Stalled,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::TaskFailed, Self::Stalled];

    /// Its name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TaskFailed => "task_failed",
            Self::Stalled => "stalled",
        }
    }
}

/// Decides from what each look shows. A restart that does not help is tried again ever more rarely.
#[derive(Debug)]
pub struct Restarts {
    /// When this watch began, or the last restart.
    since: Instant,
    pause: Duration,
    failed_since: Option<Instant>,
    well_since: Option<Instant>,
}

impl Restarts {
    /// Begins to watch; a failed task is given no pause.
    pub fn new(now: Instant) -> Self {
        Self { since: now, pause: Duration::ZERO, failed_since: None, well_since: None }
    }

    /// One look: whether a task has failed, and for how long nothing has arrived from the most silent source.
    pub fn look(&mut self, now: Instant, failed: bool, silence: Duration) -> Option<Reason> {
        self.failed_since = failed.then(|| self.failed_since.unwrap_or(now));
        self.recover(now, failed || silence > STALLED);
        let waited = now.duration_since(self.since);
        let stands = self.failed_since.is_some_and(|since| now.duration_since(since) >= STANDS);
        let reason = match (stands, silence > STALLED) {
            (true, _) if waited >= self.pause => Reason::TaskFailed,
            (false, true) if waited >= self.pause.max(STALLED) => Reason::Stalled,
            _ => return None,
        };
        self.since = now;
        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        Some(reason)
    }

    fn recover(&mut self, now: Instant, ill: bool) {
        self.well_since = (!ill).then(|| self.well_since.unwrap_or(now));
        if self.well_since.is_some_and(|since| now.duration_since(since) >= RECOVERED) {
            self.pause = Duration::ZERO;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Looks once a second for so long; the seconds at which a restart was asked for.
    fn run(restarts: &mut Restarts, from: Instant, seconds: u32, look: impl Fn(u32) -> (bool, u64)) -> Vec<u32> {
        let asks = |at: &u32| {
            let (failed, silence) = look(*at);
            restarts.look(from + SECOND * *at, failed, Duration::from_secs(silence)).is_some()
        };
        (0..seconds).filter(asks).collect()
    }

    #[test]
    fn a_mirror_that_moves_is_left_alone() {
        let begun = Instant::now();
        assert!(run(&mut Restarts::new(begun), begun, 1_000, |_| (false, 1)).is_empty());
    }

    #[test]
    fn a_failed_task_is_restarted_at_the_next_look() {
        let begun = Instant::now();
        let mut restarts = Restarts::new(begun);
        assert_eq!(restarts.look(begun, true, SECOND), None);
        assert_eq!(restarts.look(begun + SECOND, true, SECOND), Some(Reason::TaskFailed));
    }

    #[test]
    fn a_failure_of_long_ago_that_was_mended_is_none() {
        let begun = Instant::now();
        assert!(run(&mut Restarts::new(begun), begun, 100, |at| (at == 0, 1)).is_empty());
    }

    #[test]
    fn a_task_that_fails_again_and_again_is_tried_ever_more_rarely() {
        let begun = Instant::now();
        let asked = run(&mut Restarts::new(begun), begun, 2_600, |_| (true, 1));
        assert_eq!(asked, [1, 31, 91, 211, 451, 931, 1_531, 2_131]);
    }

    #[test]
    fn silence_counts_after_a_minute_of_this_watch_and_of_a_restart() {
        let begun = Instant::now();
        let mut restarts = Restarts::new(begun);
        let asked = run(&mut restarts, begun, 400, |at| (false, 1_000 + u64::from(at)));
        assert_eq!(asked, [60, 120, 180, 300]);
        assert_eq!(restarts.look(begun + SECOND * 600, false, STALLED + SECOND), Some(Reason::Stalled));
    }

    #[test]
    fn after_five_good_minutes_a_failure_is_a_new_one() {
        let begun = Instant::now();
        let mut restarts = Restarts::new(begun);
        let flapping = run(&mut restarts, begun, 200, |at| (at % 20 < 2, 1));
        assert_eq!(flapping, [1, 41, 101]);
        let later = begun + SECOND * 200;
        let asked = run(&mut restarts, later, 400, |at| (at >= 301, 1));
        assert_eq!(asked, [302, 332, 392]);
    }
}
