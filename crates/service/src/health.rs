//! Readiness, as named checks with reasons.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

type CheckFn = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// The checks of a process. Clones share them.
#[derive(Clone, Default)]
pub struct Health(Arc<Mutex<BTreeMap<&'static str, CheckState>>>);

#[derive(Clone)]
enum CheckState {
    Told(Result<(), String>),
    Asked(CheckFn),
}

/// What `/readyz` shows of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Name of the check, such as `database`.
    pub name: &'static str,
    /// Whether the check passes.
    pub ready: bool,
    /// Why it fails. Never contains a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Health {
    /// Adds a check that is set by whoever holds it. It fails until [`ReadinessCheck::pass`].
    pub fn check(&self, name: &'static str) -> ReadinessCheck {
        let check = ReadinessCheck { health: self.clone(), name };
        check.fail("starting");
        check
    }

    /// Adds a check that is evaluated on each request. `probe` must not block.
    pub fn watch(&self, name: &'static str, probe: impl Fn() -> Result<(), String> + Send + Sync + 'static) {
        self.set(name, CheckState::Asked(Arc::new(probe)));
    }

    /// All checks, by name.
    pub fn findings(&self) -> Vec<Finding> {
        // Cloned, because a probe may use this object itself.
        let states = self.lock().clone();
        states.into_iter().map(|(name, state)| finding(name, state)).collect()
    }

    /// Whether all checks pass.
    pub fn ready(&self) -> bool {
        self.findings().iter().all(|finding| finding.ready)
    }

    fn set(&self, name: &'static str, state: CheckState) {
        self.lock().insert(name, state);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, CheckState>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn finding(name: &'static str, state: CheckState) -> Finding {
    let answer = match state {
        CheckState::Told(answer) => answer,
        CheckState::Asked(probe) => probe(),
    };
    Finding { name, ready: answer.is_ok(), reason: answer.err() }
}

/// A check that is set by whoever holds it.
#[derive(Clone)]
pub struct ReadinessCheck {
    health: Health,
    name: &'static str,
}

impl ReadinessCheck {
    /// Sets it to passing.
    pub fn pass(&self) {
        self.health.set(self.name, CheckState::Told(Ok(())));
    }

    /// Sets it to failing. The reason is public.
    pub fn fail(&self, reason: impl Into<String>) {
        self.health.set(self.name, CheckState::Told(Err(reason.into())));
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
