//! When to request a restart of the mirror.

use std::time::{Duration, Instant};

/// How long a failure must last. The states are read from the beginning of the topic, so an old failure shows up briefly
/// before the state that followed it.
const SETTLED: Duration = Duration::from_millis(500);
/// Silence after which a mirror counts as stalled.
const STALLED: Duration = Duration::from_secs(60);
/// Time a restarted mirror may take to show progress, on a busy machine.
const SLOW_START: Duration = Duration::from_secs(120);
/// Minimum time between a restart and the next; doubles each time, up to `LONGEST_PAUSE`.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// Time without trouble after which the pauses start over.
const RECOVERED: Duration = Duration::from_secs(300);

/// Why a restart is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestartReason {
    /// A task has failed, and remains failed until MirrorMaker is restarted.
    TaskFailed,
    /// Nothing has arrived from any source for a minute.
    Stalled,
}

impl RestartReason {
    /// All reasons.
    pub const ALL: [Self; 2] = [Self::TaskFailed, Self::Stalled];

    /// Value of the label in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TaskFailed => "task_failed",
            Self::Stalled => "stalled",
        }
    }
}

/// Decides, once a second, whether to request a restart. Restarts that do not help become less frequent.
#[derive(Debug)]
pub struct Restarts {
    /// Start of this process, or the last restart.
    since: Instant,
    /// `None` before the first restart and after a recovery.
    pause: Option<Duration>,
    well_since: Option<Instant>,
}

impl Restarts {
    /// Starts without a restart behind it.
    pub fn new(now: Instant) -> Self {
        Self { since: now, pause: None, well_since: None }
    }

    /// Decides from the time of the newest unresolved failure, and from how long every source has been silent.
    pub fn look(&mut self, now: Instant, failed_at: Option<Instant>, silence: Duration) -> Option<RestartReason> {
        self.recover(now, failed_at.is_some() || silence > STALLED);
        let reason = self.reason(now, failed_at, silence)?;
        self.since = now;
        self.pause = Some(self.pause.map_or(FIRST_PAUSE, |pause| (pause * 2).min(LONGEST_PAUSE)));
        Some(reason)
    }

    fn reason(&self, now: Instant, failed_at: Option<Instant>, silence: Duration) -> Option<RestartReason> {
        let waited = now.duration_since(self.since);
        // A failure seen before the last restart may be outdated: MirrorMaker may not have reported recovery yet.
        let slow = self.pause.map_or(Duration::ZERO, |pause| pause.max(SLOW_START));
        let failed = failed_at.is_some_and(|at| match at >= self.since {
            true => now.duration_since(at) >= SETTLED && waited >= self.pause.unwrap_or_default(),
            false => waited >= slow,
        });
        let stalled = silence > STALLED && waited >= slow.max(STALLED);
        failed.then_some(RestartReason::TaskFailed).or_else(|| stalled.then_some(RestartReason::Stalled))
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

    /// Seconds since the newest failure, and seconds of silence.
    type Look = (Option<u32>, u64);

    const WELL: Look = (None, 1);

    /// Looks once a second for `seconds`; returns the seconds at which a restart was requested.
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
        assert_eq!(restarts.look(begun + SECOND, Some(begun), SECOND), Some(RestartReason::TaskFailed));
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
    fn silence_counts_a_minute_after_the_start_and_two_after_a_restart() {
        let begun = Instant::now();
        let mut restarts = Restarts::new(begun);
        let asked = run(&mut restarts, begun, 700, |at| (None, 1_000 + u64::from(at)));
        assert_eq!(asked, [60, 180, 300, 420, 660]);
        assert_eq!(restarts.look(begun + SECOND * 1_200, None, STALLED + SECOND), Some(RestartReason::Stalled));
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
