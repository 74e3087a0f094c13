use std::collections::HashSet;

use super::*;
use crate::telemetry::recorder;

#[test]
fn every_metric_is_declared_once_and_named_after_its_unit() {
    let mut names = HashSet::new();
    for metric in all() {
        assert!(names.insert(metric.name), "{} is declared twice", metric.name);
        assert_eq!(metric.name.ends_with("_total"), metric.kind == Kind::Counter, "{}", metric.name);
        let seconds = metric.name.trim_end_matches("_total").ends_with("_seconds");
        assert_eq!(seconds, metric.unit == Unit::Seconds, "{}", metric.name);
        assert!(metric.services.iter().all(|service| SERVICES.contains(service)), "{}", metric.name);
    }
}

#[test]
fn a_service_begins_with_what_it_exports_at_zero_and_with_help() {
    let recorder = recorder();
    metrics::with_local_recorder(&recorder, || describe(PROJECTOR));
    let text = recorder.handle().render();
    for line in [
        "# HELP writ_decision_duration_seconds Time one decision takes",
        "# TYPE writ_decision_duration_seconds histogram",
        "writ_decision_duration_seconds_count 0",
        "writ_decisions_dropped_total 0",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    assert!(!text.contains("writ_duplicate_entity_events_total"), "another service's:\n{text}");
}
