//! `X-Request-ID`: the client's own is echoed in the answer, and goes no further.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Identifies a request, also in the events it causes, which travel to every region. Always made here: a client's id may
/// hold anything, such as the name of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// The id as text, a UUID.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Adds the id to the request's extensions, and to the answer unless the client sent one of its own.
pub(super) async fn echo(mut request: Request, next: Next) -> Response {
    let id = RequestId(Uuid::now_v7().to_string());
    let sent = request.headers().get(&X_REQUEST_ID).cloned();
    let answered = sent.or_else(|| HeaderValue::from_str(id.as_str()).ok());
    request.extensions_mut().insert(id);
    let mut response = next.run(request).await;
    if let Some(value) = answered {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    response
}
