//! The documentation of operations, the alerts and the dashboard say what the code does.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use integration_tests::{Declared, PROGRAMS, declared, metrics_of};
use serde_json::Value;
use writ_metrics::{Metric, MetricKind, Unit};

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text(path: &str) -> String {
    fs::read_to_string(project().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Files below a folder whose names end so.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let below = |path: PathBuf| if path.is_dir() { files(&path, ending) } else { vec![path] };
    entries.flat_map(below).filter(|path| path.to_string_lossy().ends_with(ending)).collect()
}

fn names(paths: &[PathBuf]) -> BTreeSet<String> {
    paths.iter().map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

/// What follows `mark` on the lines that begin with it.
fn after(text: &str, mark: &str) -> Vec<String> {
    text.lines().filter_map(|line| line.trim().strip_prefix(mark)).map(str::to_owned).collect()
}

fn alerts() -> BTreeSet<String> {
    after(&text("infra/prometheus/rules/alerts.yml"), "- alert: ").into_iter().collect()
}

/// The names in a text that are made of letters, digits, `_` and `:`.
fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')).collect()
}

#[test]
fn the_table_of_metrics_is_that_of_the_declarations() {
    let documentation = text("docs/operations.md");
    let is_metric = |line: &&str| ["| `writ_", "| `http_", "| `process_"].iter().any(|mark| line.starts_with(mark));
    let told: Vec<String> = documentation.lines().filter(is_metric).map(without_last_cell).collect();
    let declared: Vec<String> = declared().iter().map(row).collect();
    assert_eq!(told, declared);
}

/// What is normal is for people to say.
fn without_last_cell(line: &str) -> String {
    line.trim_end_matches(" |").rsplit_once(" | ").unwrap().0.to_owned()
}

fn row(declared: &Declared) -> String {
    let Declared { metric, services } = declared;
    let labels: Vec<_> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
    let labels = if labels.is_empty() { "–".to_owned() } else { labels.join(", ") };
    let services = if services.len() == PROGRAMS.len() { "all".to_owned() } else { services.join(", ") };
    format!("| `{}` | {} | {labels} | {services} | {}", metric.name, metric.kind.as_str(), metric.help)
}

#[test]
fn every_metric_in_the_code_is_declared_and_every_declared_one_is_in_the_code() {
    let sources = ["crates", "services"].map(|folder| files(&project().join(folder), ".rs")).concat();
    let is_product =
        |path: &&PathBuf| !path.ends_with("tests.rs") && !path.components().any(|c| c.as_os_str() == "tests");
    let code: String = sources.iter().filter(is_product).map(|path| fs::read_to_string(path).unwrap()).collect();
    let declared: BTreeSet<_> = declared().iter().map(|declared| declared.metric.name).collect();
    for call in ["counter!(", "gauge!(", "histogram!("] {
        let calls =
            code.match_indices(call).filter_map(|(at, _)| code[at + call.len()..].trim_start().strip_prefix('"'));
        for name in calls.filter_map(|rest| rest.split('"').next()) {
            assert!(declared.contains(name), "{name} is not declared");
        }
    }
    for name in declared {
        let mentions = code.matches(&format!("\"{name}\"")).count();
        assert!(mentions > 1, "{name} is declared and never measured");
        assert_eq!(code.matches(&format!("name: \"{name}\"")).count(), 1, "{name} is declared twice");
    }
}

#[test]
fn every_metric_is_declared_once_and_named_after_its_unit() {
    let mut names = HashSet::new();
    for Declared { metric, .. } in declared() {
        assert!(names.insert(metric.name), "{} is declared in two ways", metric.name);
        let is_counter = matches!(metric.kind, MetricKind::Counter);
        assert_eq!(metric.name.ends_with("_total"), is_counter, "{}", metric.name);
        let seconds = metric.name.trim_end_matches("_total").ends_with("_seconds");
        assert_eq!(seconds, metric.unit == Unit::Seconds, "{}", metric.name);
    }
}

#[test]
fn no_service_lists_a_metric_twice() {
    for program in &PROGRAMS {
        let mut names = HashSet::new();
        for metric in metrics_of(program) {
            assert!(names.insert(metric.name), "{}: {} twice", program.name, metric.name);
        }
    }
}

#[test]
fn rules_and_dashboard_ask_only_for_what_there_is() {
    let rules = text("infra/prometheus/rules/recording.yml") + &text("infra/prometheus/rules/alerts.yml");
    let recorded: BTreeSet<String> = after(&rules, "- record: ").into_iter().collect();
    let dashboard: Value = serde_json::from_str(&text("infra/grafana/dashboards/writ.json")).unwrap();
    let asked = expressions(&dashboard).join("\n") + &rules;
    for word in words(&asked) {
        let is_metric = ["writ_", "http_server_", "process_"].iter().any(|prefix| word.starts_with(prefix));
        assert!(!is_metric || is_exported(word), "{word} is exported by nobody");
        assert!(!word.contains(":writ_") || recorded.contains(word), "{word} is not recorded");
    }
}

fn is_exported(series: &str) -> bool {
    let of = |metric: &Metric| match metric.kind {
        MetricKind::Histogram(_) => {
            ["_bucket", "_count", "_sum"].iter().any(|end| series == format!("{}{end}", metric.name))
        }
        MetricKind::Counter | MetricKind::Gauge => series == metric.name,
    };
    declared().iter().any(|declared| of(declared.metric))
}

fn expressions(dashboard: &Value) -> Vec<String> {
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_alert_has_a_runbook_and_every_runbook_its_alert() {
    let mut pages = names(&files(&project().join("docs/runbooks"), ".md"));
    assert!(pages.remove("README"));
    assert_eq!(pages, alerts());
    for alert in alerts() {
        let page = text(&format!("docs/runbooks/{alert}.md"));
        for heading in ["# ", "## Meaning", "## Impact", "## Look", "## Do", "## Escalate"] {
            assert!(page.lines().any(|line| line.starts_with(heading)), "{alert} says nothing under {heading:?}");
        }
    }
}

#[test]
fn every_alert_names_its_runbook_and_severity_and_is_documented_and_tested() {
    let rules = text("infra/prometheus/rules/alerts.yml");
    let tests: String = files(&project().join("infra/prometheus/tests"), ".yml")
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let documentation = text("docs/operations.md");
    for rule in rules.split("- alert: ").skip(1) {
        let alert = rule.lines().next().unwrap();
        assert!(rule.contains(&format!("/docs/runbooks/{alert}.md\n")), "{alert} names another runbook");
        let severity = after(rule, "labels: { severity: ").remove(0).replace(" }", "");
        assert!(["page", "ticket"].contains(&severity.as_str()), "{alert}: {severity}");
        let told = format!("| [{alert}](runbooks/{alert}.md) | {severity} |");
        assert!(documentation.contains(&told), "docs/operations.md has no {told}");
        let fires = format!("ALERTS{{alertname=\"{alert}\", alertstate=\"firing\"}})");
        assert!(tests.contains(&fires), "no test shows {alert} firing");
    }
}

#[test]
fn every_panel_says_what_it_shows() {
    let dashboard: Value = serde_json::from_str(&text("infra/grafana/dashboards/writ.json")).unwrap();
    for panel in dashboard["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row") {
        let description = panel["description"].as_str().unwrap_or_default();
        assert!(description.ends_with('.'), "{}", panel["title"]);
        for named in description
            .split("Alert: ")
            .skip(1)
            .chain(description.split("Alerts: ").skip(1))
            .flat_map(words)
            .filter(|word| word.len() > 6)
        {
            assert!(alerts().contains(named), "{}: there is no alert {named}", panel["title"]);
        }
    }
}

/// A path of this project in a text, between backticks or as the target of a link.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    let folders = ["crates/", "services/", "schemas/", "infra/", "integration-tests/", "docs/"];
    let is_path = |word: &&str| !word.contains(['*', '<', '{', '…', ' ', '$', ':']);
    text.split('`').skip(1).step_by(2).filter(is_path).filter(move |word| folders.iter().any(|f| word.starts_with(f)))
}

/// Files and folders that a page links to, relative to it.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#', ' ']).next());
    targets.filter(|target| !target.is_empty() && !target.contains(':'))
}

#[test]
fn every_file_that_the_documentation_names_is_there() {
    let pages: Vec<_> = ["docs", "schemas"].iter().flat_map(|folder| files(&project().join(folder), ".md")).collect();
    let mut missing = Vec::new();
    for page in pages.iter().chain([&project().join("README.md")]) {
        let text = fs::read_to_string(page).unwrap();
        let folder = page.parent().unwrap();
        let wanted = paths(&text).map(|path| project().join(path)).chain(links(&text).map(|link| folder.join(link)));
        missing
            .extend(wanted.filter(|path| !path.exists()).map(|path| format!("{}: {}", page.display(), path.display())));
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
