//! Logs, traces and metrics of a process.

pub(crate) mod process;
mod program;
mod recorder;
mod traces;

use std::io::IsTerminal;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use opentelemetry::global;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{Targets, dynamic_filter_fn};
use tracing_subscriber::layer::{Filter, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};
use writ_contract::Region;

use crate::config::{Common, ConfigError, LogFormat};

pub use program::Program;
pub use recorder::recorder;
pub(crate) use traces::TRACER;

const UPKEEP: Duration = Duration::from_secs(5);
const FLUSH: Duration = Duration::from_secs(2);
/// Failing exports must not fill the log.
const QUIET: [&str; 3] = ["opentelemetry=off", "opentelemetry_sdk=off", "opentelemetry_otlp=off"];

/// Running telemetry.
pub struct Telemetry {
    metrics: PrometheusHandle,
    traces: SdkTracerProvider,
}

impl Telemetry {
    /// Starts logs, traces and metrics for this process. Must be called once, within a tokio runtime.
    ///
    /// # Errors
    /// If the log filter or the collector's URL is invalid, or telemetry was started before.
    pub fn start(program: Program, common: &Common) -> anyhow::Result<Self> {
        let lines = lines(common.log_format).with_filter(filter(&common.log)?);
        let traces = traces::provider(program, common)?;
        let spans = traces::layer(&traces).with_filter(own_spans(common.telemetry));
        tracing_subscriber::registry().with(lines).with(spans).try_init()?;
        // For spans that are recorded after they ended, which `tracing` cannot express.
        global::set_tracer_provider(traces.clone());
        let metrics = match common.telemetry {
            true => install_recorder(program, &common.region)?,
            false => recorder(&[]).handle(),
        };
        Ok(Self { metrics, traces })
    }

    /// Renders `/metrics`.
    pub fn metrics(&self) -> PrometheusHandle {
        self.metrics.clone()
    }

    /// Exports the remaining spans, for at most two seconds.
    pub async fn stop(self) {
        let flushed = tokio::task::spawn_blocking(move || self.traces.shutdown_with_timeout(FLUSH)).await;
        if !matches!(flushed, Ok(Ok(()))) {
            tracing::debug!("the last spans were not exported");
        }
    }
}

fn filter(text: &str) -> Result<EnvFilter, ConfigError> {
    let invalid = |_| ConfigError::invalid("log", "expected a filter such as info or info,writ_log=debug");
    let mut filter = EnvFilter::try_new(text).map_err(invalid)?;
    for directive in QUIET {
        let directive = directive.parse().map_err(|_| ConfigError::invalid("log", "invalid"))?;
        filter = filter.add_directive(directive);
    }
    Ok(filter)
}

/// Which spans are traced, independently of the log filter.
///
/// The decision must not be cached, as that of [`Targets`] is: `tracing` would reuse the last decision of the thread,
/// and libraries ask whether a level is enabled without recording anything, such as Kafka's client when it is created
/// (<https://github.com/tokio-rs/tracing/issues/2519>).
fn own_spans<S>(wanted: bool) -> impl Filter<S> {
    let level = if wanted { LevelFilter::INFO } else { LevelFilter::OFF };
    let own = Targets::new().with_target("writ", level);
    dynamic_filter_fn(move |span, _| own.would_enable(span.target(), span.level())).with_max_level_hint(level)
}

fn lines<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    }
}

fn install_recorder(program: Program, region: &Region) -> anyhow::Result<PrometheusHandle> {
    let groups = program.all_metrics();
    let recorder = recorder(&groups);
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder)?;
    recorder::describe(&groups);
    traces::export::begin();
    process::started();
    crate::http::begin();
    let labels = [("service", program.service()), ("region", region.as_str()), ("version", program.version)];
    metrics::gauge!("writ_build_info", &labels.map(|(name, value)| (name, value.to_owned()))).set(1.0);
    let upkept = handle.clone();
    // Histogram samples pile up in memory until `/metrics` is read or this drains them.
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            upkept.run_upkeep();
        }
    });
    Ok(handle)
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TraceContextExt;
    use tracing_opentelemetry::OpenTelemetrySpanExt;

    use super::*;

    /// Kafka's client library does this whenever a client is created.
    #[test]
    fn a_question_about_levels_costs_the_next_span_nothing() {
        let traces = SdkTracerProvider::builder().build();
        let lines = lines(LogFormat::Json).with_filter(filter("info").unwrap());
        let spans = traces::layer(&traces).with_filter(own_spans(true));
        let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines).with(spans));
        let recorded = || tracing::info_span!("work").context().span().is_recording();
        assert!(recorded());
        assert!(tracing::enabled!(target: "librdkafka", tracing::Level::INFO));
        assert!(recorded());
    }

    #[test]
    fn a_wrong_filter_names_the_variable() {
        assert_eq!(filter("info,=?=").unwrap_err().variable(), "WRIT_LOG");
        assert!(filter("info,writ_log=debug").is_ok());
    }
}
