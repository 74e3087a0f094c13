//! Background loops in `/readyz` and `/status`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use writ_log::loops;

use crate::health::Health;
use crate::http::Operations;

/// Age of a loop's last turn above which the process is not ready. Loops turn every few seconds.
const STUCK: Duration = Duration::from_secs(60);

/// Shows the age of every loop's last turn in `/status`, and fails the check `loops` of `/readyz` if one is too old.
pub(crate) fn show(health: &Health, operations: &Operations) {
    health.watch("loops", || readiness(&loops::ages()));
    operations.section("loops", || {
        let ages = loops::ages();
        let seconds: BTreeMap<_, _> = ages.iter().map(|(name, age)| (name.as_ref(), age.as_secs_f64())).collect();
        std::future::ready(json!(seconds))
    });
}

fn readiness(ages: &BTreeMap<Arc<str>, Duration>) -> Result<(), String> {
    match ages.iter().max_by_key(|(_, age)| **age) {
        Some((name, age)) if *age > STUCK => Err(format!("{name} has not turned for {} s", age.as_secs())),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_loop_decides() {
        let ages = |consumer| {
            let seconds = [("consumer/writ-audit", consumer), ("lease/audit", 1)];
            seconds.map(|(name, seconds)| (name.into(), Duration::from_secs(seconds))).into()
        };
        assert_eq!(readiness(&ages(60)), Ok(()));
        assert_eq!(readiness(&ages(61)), Err("consumer/writ-audit has not turned for 61 s".to_owned()));
        assert_eq!(readiness(&BTreeMap::new()), Ok(()));
    }
}
