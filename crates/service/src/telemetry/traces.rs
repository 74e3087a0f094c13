//! Spans of this process, exported over OTLP if there is a collector.

pub(super) mod export;
mod sampling;

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::global;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;
use uuid::Uuid;

use super::Program;
use crate::config::{BaseUrl, Common, ConfigError};
use sampling::KeepErrors;

/// Name of the instrumentation scope. All crates use the same, so that their spans form one group in a batch.
pub(crate) const TRACER: &str = "writ";
const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);

/// Without a collector spans still have ids, which are propagated and named in problems, but nothing is recorded.
pub(super) fn provider(program: Program, common: &Common) -> anyhow::Result<SdkTracerProvider> {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let builder = SdkTracerProvider::builder().with_resource(resource(program, common));
    let Some(endpoint) = common.otlp_endpoint.as_ref().filter(|_| common.telemetry) else {
        return Ok(builder.with_sampler(Sampler::AlwaysOff).build());
    };
    let sampler = KeepErrors::new(common.trace_ratio, common.trace_read_ratio, program.high_volume_routes)
        .per_second(common.traces_per_second)
        .callers_per_second(common.trace_callers_per_second);
    Ok(builder.with_sampler(sampler).with_span_processor(export::Processor::new(exporter(endpoint)?)).build())
}

pub(super) fn layer<S>(provider: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(TRACER))
        .with_threads(false)
        .with_location(false)
        .with_target(false)
        .with_tracked_inactivity(false)
}

fn exporter(endpoint: &BaseUrl) -> Result<SpanExporter, ConfigError> {
    if !endpoint.as_str().starts_with("http://") {
        return Err(ConfigError::invalid("otlp_endpoint", "expected http://: a collector runs close to the service"));
    }
    SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{endpoint}/v1/traces"))
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        .map_err(|error| ConfigError::invalid("otlp_endpoint", error.to_string()))
}

fn resource(program: Program, common: &Common) -> Resource {
    let region = common.region.to_string();
    Resource::builder()
        .with_service_name(program.name)
        .with_attributes([
            KeyValue::new("service.namespace", "writ"),
            KeyValue::new("service.version", program.version),
            KeyValue::new("service.instance.id", Uuid::now_v7().to_string()),
            KeyValue::new("cloud.region", region.clone()),
            KeyValue::new("writ.region", region),
            // Jaeger takes spans with the same ip to share a clock, and then does not warn about clock skew.
            KeyValue::new("ip", common.operations_listen.ip().to_string()),
        ])
        .build()
}

#[cfg(test)]
mod tests;
