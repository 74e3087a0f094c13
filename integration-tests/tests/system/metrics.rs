//! The services export what is declared, and a real Prometheus that reads them answers every question of the
//! dashboard and of the rules.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use integration_tests::{Organization, PROGRAMS, Prometheus, REGIONS, System, metrics_of, until};
use serde_json::Value;
use writ_client::Question;
use writ_metrics::{Metric, MetricKind};

const DASHBOARD: &str = include_str!("../../../infra/grafana/dashboards/writ.json");

/// Panels that show nothing while all is well.
const MAY_BE_EMPTY: [&str; 1] = ["Alarms"];

/// An organization with a user who asks in every region, and entities, of which one is refused.
struct Traffic {
    organization: Organization,
    user: writ_client::NewUser,
}

impl Traffic {
    async fn begin(system: &'static System) -> Result<Self> {
        let organization = Organization::create(system, "us").await?;
        let user = organization.add_user("someone").await?;
        for region in REGIONS {
            let producer = system.entities(region)?;
            producer.create(organization.id, "control_planes", "cp").await?;
            producer.create(organization.id, "control_planes", "no entity's name").await?;
        }
        Ok(Self { organization, user })
    }

    /// A change, and a question in every region that waits for it.
    async fn go_on(&self) -> Result<()> {
        let fresh = self.organization.add_user("another").await?.consistency_token;
        let question = Question { user: self.user.id, action: "view", resource_type: "control_planes", resource: "cp" };
        for region in REGIONS {
            let answer =
                self.organization.system.read(region).evaluate(&self.user.token, question, Some(&fresh)).await?;
            ensure!(answer.status == 200, "{region}: {}", answer.body);
        }
        Ok(())
    }
}

/// The system's Prometheus; none, and a word about it, where there is none to start.
fn prometheus(system: &System) -> Option<Prometheus> {
    let found = Prometheus::of(system);
    if found.is_none() {
        eprintln!("SKIPPED: no prometheus on the path (package prometheus), or its port is taken");
    }
    found
}

/// Title and expression of everything that the dashboard asks, its variables filled in as Grafana does for "All".
fn questions() -> Result<Vec<(String, String)>> {
    let dashboard: Value = serde_json::from_str(DASHBOARD)?;
    let panels = dashboard["panels"].as_array().context("panels")?;
    let of = |panel: &Value| {
        let title = panel["title"].as_str().unwrap_or_default().to_owned();
        let targets = panel["targets"].as_array().cloned().unwrap_or_default();
        targets.into_iter().map(move |target| (title.clone(), filled(target["expr"].as_str().unwrap_or_default())))
    };
    Ok(panels.iter().flat_map(of).collect())
}

fn filled(expression: &str) -> String {
    ["$region", "$service"]
        .iter()
        .fold(expression.replace("$__rate_interval", "1m"), |text, variable| text.replace(variable, ".*"))
}

/// Whether a series has a value that is a number.
fn is_number(series: &Value) -> bool {
    series["value"][1].as_str().and_then(|value| value.parse::<f64>().ok()).is_some_and(f64::is_finite)
}

/// Each panel shows something once there is traffic, for each of its expressions.
#[tokio::test(flavor = "multi_thread")]
async fn every_panel_of_the_dashboard_has_data() -> Result<()> {
    let system = System::running().await?;
    let Some(prometheus) = prometheus(system) else { return Ok(()) };
    let traffic = Traffic::begin(system).await?;
    let questions = questions()?;
    ensure!(questions.len() > 30, "{} questions", questions.len());
    for (title, expression) in &questions {
        ensure!(!expression.contains('$'), "{title}: {expression}");
        let what = format!("{title}: {expression}");
        if MAY_BE_EMPTY.contains(&title.as_str()) {
            prometheus.ask(expression).await.context(what)?;
            continue;
        }
        until(&what, async || {
            let answered = prometheus.ask(expression).await?.iter().any(is_number);
            if !answered {
                traffic.go_on().await?;
            }
            Ok(answered.then_some(()))
        })
        .await?;
    }
    Ok(())
}

/// Prometheus has evaluated every rule, and none in vain; every service of every region is read.
#[tokio::test(flavor = "multi_thread")]
async fn every_rule_is_evaluated_over_every_service() -> Result<()> {
    let system = System::running().await?;
    let Some(prometheus) = prometheus(system) else { return Ok(()) };
    let rules = until("every rule is evaluated", async || {
        let rules = prometheus.rules().await?;
        let done = rules.iter().all(|rule| rule["health"] != "unknown");
        Ok((done && !rules.is_empty()).then_some(rules))
    })
    .await?;
    for rule in &rules {
        ensure!(rule["health"] == "ok", "{rule}");
        prometheus.ask(rule["query"].as_str().context("an expression")?).await?;
    }
    until("every service is read", async || {
        let up = prometheus.ask(r#"up{job="writ"} == 1"#).await?;
        let all: usize = REGIONS.iter().map(|region| system.measured(region).len()).sum();
        Ok((up.len() == all).then_some(()))
    })
    .await
}

/// What `/metrics` of a service has wrong, compared with the declarations.
fn defects(service: &str, text: &str) -> Vec<String> {
    let program = PROGRAMS.iter().find(|program| program.service() == service);
    let declared: Vec<_> = program.into_iter().flat_map(metrics_of).collect();
    let missing = declared.iter().flat_map(|metric| missing(metric, text));
    let known: BTreeSet<_> = declared.iter().map(|metric| metric.name).collect();
    let families = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let unknown = families.filter(|name| !known.contains(name)).map(|name| format!("{name} is not declared"));
    missing.chain(unknown).collect()
}

fn missing(metric: &Metric, text: &str) -> Vec<String> {
    let kind = metric.kind.as_str();
    let head = [format!("# HELP {} {}\n", metric.name, metric.help), format!("# TYPE {} {kind}\n", metric.name)];
    let sample = if matches!(metric.kind, MetricKind::Histogram(_)) { "_count" } else { "" };
    let lines = text.lines().filter_map(|line| line.strip_prefix(&format!("{}{sample}", metric.name)));
    let own = lines.filter(|rest| rest.starts_with(['{', ' ']));
    let other: Vec<_> = own.map(labels).filter(|labels| *labels != metric.labels).collect();
    let head = head.into_iter().filter(|line| !text.contains(line));
    head.chain((!other.is_empty()).then(|| format!("{} with labels {other:?}", metric.name))).collect()
}

/// Names of the labels of a sample, from the text behind its name.
fn labels(sample: &str) -> Vec<&str> {
    let inside = sample.strip_prefix('{').and_then(|text| text.rsplit_once('}')).map_or("", |(labels, _)| labels);
    inside.split("\",").filter_map(|label| label.split_once("=\"").map(|(name, _)| name)).collect()
}

/// Every service has everything that is declared for it, with help and the labels declared, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn every_service_exports_what_is_declared() -> Result<()> {
    let system = System::running().await?;
    let traffic = Traffic::begin(system).await?;
    traffic.go_on().await?;
    for (service, url) in system.measured("us") {
        let url = format!("{url}/metrics");
        let mut wrong = Vec::new();
        let waited = until("all metrics", async || {
            wrong = defects(service, &system.http().get(&url).send().await?.text().await?);
            Ok(wrong.is_empty().then_some(()))
        })
        .await;
        waited.with_context(|| format!("{service}: {wrong:?}"))?;
    }
    Ok(())
}
