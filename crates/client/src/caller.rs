//! The caller's part of a trace. It is told to a service in the `traceparent` request header, the
//! only part of W3C Trace Context for this that is a standard (`traceresponse` is a draft).

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::response::ClientError;

/// OpenTelemetry's number for a span of a client.
const CLIENT: u8 = 3;

/// A span of the caller's own, in which it makes a request. It begins a trace, always sampled.
#[derive(Debug, Clone)]
pub struct CallerSpan {
    trace: String,
    span: String,
    begun: SystemTime,
}

impl CallerSpan {
    /// A span that begins now, and a trace with it.
    pub fn begin() -> Self {
        let trace = Uuid::new_v4().simple().to_string();
        let span = Uuid::new_v4().simple().to_string()[..16].to_owned();
        Self { trace, span, begun: SystemTime::now() }
    }

    /// Id of the trace, as Jaeger names it.
    pub fn trace_id(&self) -> &str {
        &self.trace
    }

    /// Id of the span.
    pub fn id(&self) -> &str {
        &self.span
    }

    /// What the request header `traceparent` says.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-01", self.trace, self.span)
    }

    /// Ends now, and is sent to the collector at `otlp` as a span of `service`.
    ///
    /// # Errors
    /// When the collector does not take it.
    pub async fn end(self, http: &reqwest::Client, otlp: &str, service: &str, name: &str) -> Result<(), ClientError> {
        let request = http.post(format!("{otlp}/v1/traces")).json(&self.body(service, name));
        request.send().await?.error_for_status()?;
        Ok(())
    }

    /// The span in OTLP's JSON.
    fn body(&self, service: &str, name: &str) -> Value {
        let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
        let span = json!({
            "traceId": self.trace,
            "spanId": self.span,
            "name": name,
            "kind": CLIENT,
            "startTimeUnixNano": nanoseconds(self.begun),
            "endTimeUnixNano": nanoseconds(SystemTime::now()),
        });
        let resource = json!({"attributes": [text("service.name", service), text("service.namespace", "writ")]});
        json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]})
    }
}

fn nanoseconds(time: SystemTime) -> String {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string()
}
