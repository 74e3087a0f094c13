//! What an API answered.

use std::str::FromStr;

use serde_json::Value;

/// Why a call has no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answered.
    #[error("no answer: {0}")]
    Unreachable(#[from] reqwest::Error),
    /// An answer other than the expected.
    #[error("{method} {path} answered {status}: {body}")]
    Refused {
        /// Of the request.
        method: String,
        /// Of the request.
        path: String,
        /// Of the answer.
        status: u16,
        /// As text.
        body: String,
    },
    /// An answer without the id that belongs into it.
    #[error("no id at {pointer} of the answer")]
    NoId {
        /// Where it should be, as a JSON pointer.
        pointer: String,
    },
    /// Jaeger answered something else than its query API says.
    #[error("not an answer of Jaeger's query API: {0}")]
    NotJaeger(#[source] reqwest::Error),
    /// The broker did not take a record.
    #[error("the record was not taken: {0}")]
    NotProduced(#[from] rdkafka::error::KafkaError),
    /// A record could not be encoded.
    #[error(transparent)]
    Codec(#[from] writ_contract::CodecError),
}

/// An answer of either API.
#[derive(Debug, Clone)]
pub struct ApiResponse {
    /// HTTP status.
    pub status: u16,
    /// `Writ-Consistency-Token`, to be sent back as `Writ-At-Least-As-Fresh`.
    pub consistency_token: Option<String>,
    /// JSON, or the text of a plain answer; null when there is none.
    pub body: Value,
}

impl ApiResponse {
    pub(crate) async fn of(response: reqwest::Response) -> Result<Self, reqwest::Error> {
        let status = response.status().as_u16();
        let token = response.headers().get("writ-consistency-token");
        let consistency_token = token.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let text = response.text().await?;
        let body = match serde_json::from_str(&text) {
            Ok(value) => value,
            Err(_) if text.is_empty() => Value::Null,
            Err(_) => Value::String(text),
        };
        Ok(Self { status, consistency_token, body })
    }

    /// Text at a JSON pointer of the body; empty if there is none.
    pub fn text(&self, pointer: &str) -> String {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// Id at a JSON pointer of the body.
    ///
    /// # Errors
    /// [`ClientError::NoId`].
    pub fn id<T: FromStr>(&self, pointer: &str) -> Result<T, ClientError> {
        self.text(pointer).parse().map_err(|_| ClientError::NoId { pointer: pointer.to_owned() })
    }

    /// Whether the read API allowed it.
    pub fn allowed(&self) -> bool {
        self.status == 200 && self.body["decision"] == Value::Bool(true)
    }
}
