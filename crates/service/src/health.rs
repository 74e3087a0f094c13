//! Whether the process could do its work now, as named checks that say why not.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

type Probe = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// The checks of a process. Clones share them.
#[derive(Clone, Default)]
pub struct Health(Arc<Mutex<BTreeMap<&'static str, State>>>);

#[derive(Clone)]
enum State {
    Told(Result<(), String>),
    Asked(Probe),
}

/// What `/readyz` shows of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was checked, such as `database`.
    pub name: &'static str,
    /// Whether it is in order.
    pub ready: bool,
    /// Why not; never holds a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Health {
    /// Adds a check that its holder answers. Not ready until [`Check::pass`].
    pub fn check(&self, name: &'static str) -> Check {
        let check = Check { health: self.clone(), name };
        check.fail("starting");
        check
    }

    /// Adds a check that is asked each time; it must answer at once.
    pub fn watch(&self, name: &'static str, probe: impl Fn() -> Result<(), String> + Send + Sync + 'static) {
        self.set(name, State::Asked(Arc::new(probe)));
    }

    /// All checks, by name.
    pub fn findings(&self) -> Vec<Finding> {
        // Cloned, so that a probe may itself use this object.
        let states = self.lock().clone();
        states.into_iter().map(|(name, state)| finding(name, state)).collect()
    }

    /// Whether every check is in order.
    pub fn ready(&self) -> bool {
        self.findings().iter().all(|finding| finding.ready)
    }

    fn set(&self, name: &'static str, state: State) {
        self.lock().insert(name, state);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, State>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn finding(name: &'static str, state: State) -> Finding {
    let answer = match state {
        State::Told(answer) => answer,
        State::Asked(probe) => probe(),
    };
    Finding { name, ready: answer.is_ok(), reason: answer.err() }
}

/// One check, in the hands of the part that knows the answer.
#[derive(Clone)]
pub struct Check {
    health: Health,
    name: &'static str,
}

impl Check {
    /// It is in order.
    pub fn pass(&self) {
        self.health.set(self.name, State::Told(Ok(())));
    }

    /// It is not in order; the reason is public.
    pub fn fail(&self, reason: impl Into<String>) {
        self.health.set(self.name, State::Told(Err(reason.into())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn a_process_without_checks_is_ready() {
        assert!(Health::default().ready());
    }

    #[test]
    fn a_new_check_is_not_ready_and_says_why() {
        let health = Health::default();
        let check = health.check("database");
        assert_eq!(health.findings()[0].reason.as_deref(), Some("starting"));
        check.pass();
        assert!(health.ready());
        check.fail("connection refused");
        assert_eq!(health.findings()[0].reason.as_deref(), Some("connection refused"));
    }

    #[test]
    fn a_watched_check_is_asked_each_time() {
        let health = Health::default();
        let caught_up = Arc::new(AtomicBool::new(false));
        let seen = caught_up.clone();
        health.watch("caught up", move || {
            seen.load(Ordering::Relaxed).then_some(()).ok_or_else(|| "3 records behind".to_owned())
        });
        assert!(!health.ready());
        caught_up.store(true, Ordering::Relaxed);
        assert!(health.ready());
    }
}
