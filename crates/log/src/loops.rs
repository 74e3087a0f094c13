//! When each background loop last turned. Whoever reads works out the age, because a loop that hangs cannot.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use writ_contract::Timestamp;

/// The loops of this process.
static LOOPS: LazyLock<Loops> = LazyLock::new(|| Loops { begun: Instant::now(), running: Mutex::default() });

struct Loops {
    begun: Instant,
    /// By a number, because two loops may have one name.
    running: Mutex<BTreeMap<u64, Running>>,
}

struct Running {
    name: Arc<str>,
    /// Milliseconds since `begun`.
    turned: Arc<AtomicU64>,
}

/// What a background loop tells of its turns. From when it is made until it is dropped, `/readyz` expects that the loop
/// turns at least once a minute, whether or not there is anything to do.
#[derive(Debug)]
pub struct LoopTurns {
    number: u64,
    turned: Arc<AtomicU64>,
    gauge: metrics::Gauge,
}

impl LoopTurns {
    /// The turns of a loop that begins now. `name` is its kind and, after a slash, what tells it from others of its kind,
    /// such as `consumer/writ-audit`.
    pub fn new(name: &str) -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let (number, turned) = (NUMBERS.fetch_add(1, Ordering::Relaxed), Arc::new(AtomicU64::new(0)));
        let gauge = metrics::gauge!("writ_loop_last_turn_timestamp_seconds", "loop" => name.to_owned());
        let turns = Self { number, turned: turned.clone(), gauge };
        turns.note();
        LOOPS.running().insert(number, Running { name: name.into(), turned });
        turns
    }

    /// The loop turns now.
    pub fn note(&self) {
        self.turned.store(LOOPS.now(), Ordering::Relaxed);
        self.gauge.set(Timestamp::now().since(Timestamp(0)).as_secs_f64());
    }
}

impl Drop for LoopTurns {
    fn drop(&mut self) {
        LOOPS.running().remove(&self.number);
        // Of a loop that has ended there is no age.
        self.gauge.set(f64::NAN);
    }
}

/// How long ago each loop of this process last turned, by name.
pub fn ages() -> BTreeMap<Arc<str>, Duration> {
    let now = LOOPS.now();
    let mut ages = BTreeMap::new();
    for Running { name, turned } in LOOPS.running().values() {
        let age = Duration::from_millis(now.saturating_sub(turned.load(Ordering::Relaxed)));
        let oldest: &mut Duration = ages.entry(name.clone()).or_default();
        *oldest = age.max(*oldest);
    }
    ages
}

impl Loops {
    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<u64, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_ages_until_it_turns_and_is_forgotten_when_it_ends() {
        let (one, other) = (LoopTurns::new("test/one"), LoopTurns::new("test/one"));
        let age = || ages().get("test/one").copied();
        one.turned.store(0, Ordering::Relaxed);
        while LOOPS.now() < 5 {
            std::thread::yield_now();
        }
        assert!(age() >= Some(Duration::from_millis(5)), "the older of the two");
        let before = age();
        one.note();
        assert!(age() < before);
        drop((one, other));
        assert_eq!(age(), None);
    }
}
