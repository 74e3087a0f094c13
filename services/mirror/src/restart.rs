//! When to ask for a restart of the mirror.

use std::time::{Duration, Instant};

/// A failure counts when it has stood so long: the states are read from their beginning, where one of long ago stands
/// right before what became of it.
const STANDS: Duration = Duration::from_millis(500);
/// So long nothing has arrived when a mirror counts as stalled.
const STALLED: Duration = Duration::from_secs(60);
/// A mirror that was started again may take so long to show it, on a machine that is busy.
const SLOW_START: Duration = Duration::from_secs(120);
/// How long after a restart a new failure is met with another; doubled each time.
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
    /// None before the first restart, and again when the mirror has recovered.
    pause: Option<Duration>,
    well_since: Option<Instant>,
}

impl Restarts {
    /// Begins to watch.
    pub fn new(now: Instant) -> Self {
        Self { since: now, pause: None, well_since: None }
    }

    /// One look: when the newest failure that still stands was seen, and for how long nothing has arrived from the most
    /// silent source.
    pub fn look(&mut self, now: Instant, failed_at: Option<Instant>, silence: Duration) -> Option<Reason> {
        self.recover(now, failed_at.is_some() || silence > STALLED);
        let reason = self.reason(now, failed_at, silence)?;
        self.since = now;
        self.pause = Some(self.pause.map_or(FIRST_PAUSE, |pause| (pause * 2).min(LONGEST_PAUSE)));
        Some(reason)
    }

    fn reason(&self, now: Instant, failed_at: Option<Instant>, silence: Duration) -> Option<Reason> {
        let waited = now.duration_since(self.since);
        // What was seen before the last restart may only not have been taken back yet.
        let slow = self.pause.map_or(Duration::ZERO, |pause| pause.max(SLOW_START));
        let failed = failed_at.is_some_and(|at| match at >= self.since {
            true => now.duration_since(at) >= STANDS && waited >= self.pause.unwrap_or_default(),
            false => waited >= slow,
        });
        let stalled = silence > STALLED && waited >= slow.max(STALLED);
        failed.then_some(Reason::TaskFailed).or_else(|| stalled.then_some(Reason::Stalled))
    }

    fn recover(&mut self, now: Instant, ill: bool) {
        self.well_since = (!ill).then(|| self.well_since.unwrap_or(now));
        if self.well_since.is_some_and(|since| now.duration_since(since) >= RECOVERED) {
            self.pause = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// What is seen in a second: how long ago the newest failure was seen, and seconds of silence.
    type Look = (Option<u32>, u64);

    const WELL: Look = (None, 1);

    /// Looks once a second for so long; the seconds at which a restart was asked for.
    fn run(restarts: &mut Restarts, from: Instant, seconds: u32, look: impl Fn(u32) -> Look) -> Vec<u32> {
        let asks = |at: &u32| {
            let (failed_ago, silence) = look(*at);
            let now = from + SECOND * *at;
            let failed_at = failed_ago.and_then(|ago| now.checked_sub(SECOND * ago));
            restarts.look(now, failed_at, Duration::from_secs(silence)).is_some()
        };
        (0..seconds).filter(asks).collect()
    }

    fn fresh(seconds: u32, look: impl Fn(u32) -> Look) -> Vec<u32> {
        let begun = Instant::now();
        run(&mut Restarts::new(begun), begun, seconds, look)
    }

    #[test]
    fn a_mirror_that_moves_is_left_alone() {
        assert!(fresh(1_000, |_| WELL).is_empty());
    }

    #[test]
    fn a_failed_task_is_restarted_at_the_next_look() {
        let begun = Instant::now();
        let mut restarts = Restarts::new(begun);
        assert_eq!(restarts.look(begun, Some(begun), SECOND), None);
        assert_eq!(restarts.look(begun + SECOND, Some(begun), SECOND), Some(Reason::TaskFailed));
    }

    #[test]
    fn a_failure_of_long_ago_that_was_mended_is_none() {
        assert!(fresh(100, |at| if at == 0 { (Some(0), 1) } else { WELL }).is_empty());
    }

    #[test]
    fn a_restart_is_given_time_to_take_the_failure_back() {
        assert_eq!(fresh(500, |at| (Some(at), 1)), [1, 121, 241, 361]);
    }

    #[test]
    fn a_task_that_fails_again_and_again_is_tried_ever_more_rarely() {
        assert_eq!(fresh(2_600, |_| (Some(1), 1)), [0, 30, 90, 210, 450, 930, 1_530, 2_130]);
    }

    #[test]
    fn silence_counts_after_a_minute_of_this_watch_and_two_of_a_restart() {
        let begun = Instant::now();
        let mut restarts = Restarts::new(begun);
        let asked = run(&mut restarts, begun, 700, |at| (None, 1_000 + u64::from(at)));
        assert_eq!(asked, [60, 180, 300, 420, 660]);
        assert_eq!(restarts.look(begun + SECOND * 1_200, None, STALLED + SECOND), Some(Reason::Stalled));
    }

    #[test]
    fn after_five_good_minutes_a_failure_is_a_new_one() {
        let begun = Instant::now();
        let mut restarts = Restarts::new(begun);
        let flapping = |at: u32| if at % 20 < 2 { (Some(at % 20), 1) } else { WELL };
        assert_eq!(run(&mut restarts, begun, 200, flapping), [1, 41, 101]);
        let later = begun + SECOND * 200;
        let asked = run(&mut restarts, later, 400, |at| if at >= 301 { (Some(1), 1) } else { WELL });
        assert_eq!(asked, [301, 331, 391]);
    }
}
