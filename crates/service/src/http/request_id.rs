//! `X-Request-ID`: echoed if the client sent one, generated otherwise.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST: usize = 128;

/// Identifies a request, also in the events it causes. Never logged, because a client can choose it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// The id as text: at most 128 letters, digits and `.`, `_`, `:`, `-`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The client's own if it only has characters that are safe in records, otherwise a new one.
    fn of(sent: Option<&HeaderValue>) -> Self {
        sent.and_then(|value| value.to_str().ok())
            .filter(|text| is_harmless(text))
            .map_or_else(|| Self(Uuid::now_v7().to_string()), |text| Self(text.to_owned()))
    }
}

fn is_harmless(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(allowed)
}

/// Adds the id to the request's extensions and to the answer.
pub(super) async fn echo(mut request: Request, next: Next) -> Response {
    let sent = request.headers().get(&X_REQUEST_ID).cloned();
    let id = RequestId::of(sent.as_ref());
    let answered = sent.or_else(|| HeaderValue::from_str(id.as_str()).ok());
    request.extensions_mut().insert(id);
    let mut response = next.run(request).await;
    if let Some(value) = answered {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    response
}
