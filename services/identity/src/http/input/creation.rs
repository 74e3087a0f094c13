//! Bodies of requests that create something, which clients may repeat.

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderName};
use deserr::Deserr;
use writ_contract::Hash;
use writ_service::extract::JsonBytes;
use writ_service::{Faults, InvalidParameter, Problem};

use crate::app::App;
use crate::domain::answer::RepeatableRequest;

/// Name of the header with the key.
pub(in crate::http) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Characters of the longest key.
pub(in crate::http) const LONGEST_KEY: usize = 255;
/// What a key looks like.
pub(in crate::http) const KEY_PATTERN: &str = "^[!-~]+$";

/// The JSON body of a request that creates something, and its `Idempotency-Key`.
#[derive(Debug)]
pub(in crate::http) struct Creation<T> {
    /// The body.
    pub(in crate::http) body: T,
    /// The key, if one was sent.
    pub(in crate::http) key: Option<KeyedRequest>,
}

/// A request with an `Idempotency-Key`.
#[derive(Debug)]
pub(in crate::http) struct KeyedRequest {
    key: String,
    digest: Hash,
}

/// Whose key it is: the same key of another caller is another key.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) enum KeyScope {
    /// A user's.
    User([u8; 32]),
    /// The operator's.
    Operator,
    /// That of whoever shows this invitation.
    Invitation(Hash),
}

impl KeyedRequest {
    /// The request as one of this caller.
    pub(in crate::http) fn of(self, app: &App, scope: KeyScope) -> RepeatableRequest {
        let (kind, caller): (&[u8], &[u8]) = match &scope {
            KeyScope::User(user) => (b"user\0", user),
            KeyScope::Operator => (b"operator\0", &[]),
            KeyScope::Invitation(hash) => (b"invitation\0", &hash.0),
        };
        let id = Hash::of(&[b"writ idempotency key v1\0", kind, caller, self.key.as_bytes()]);
        RepeatableRequest { id, digest: self.digest, key: app.platform.consistency.sealing_key(&id.0) }
    }
}

/// The key of a request whose body is not known yet, to see whether an answer is kept.
pub(in crate::http) fn key_alone(headers: &HeaderMap) -> Result<Option<KeyedRequest>, Problem> {
    Ok(key(headers)?.map(|key| KeyedRequest { key, digest: Hash::ZERO }))
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut sent = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(first) = sent.next() else { return Ok(None) };
    let key = first.to_str().unwrap_or_default();
    let is_key = (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_key || sent.next().is_some() {
        let reason = format!("must be given once, as 1 to {LONGEST_KEY} ASCII characters without blanks");
        return Err(Problem::invalid([InvalidParameter::header("Idempotency-Key", "invalid", reason)]));
    }
    Ok(Some(key.to_owned()))
}

impl<T: Deserr<Faults>> FromRequest<App> for Creation<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let key = key(request.headers())?;
        let target = format!("{} {}\0", request.method(), request.uri().path());
        let body = JsonBytes::from_request(request, app).await?;
        let digest = Hash::of(&[target.as_bytes(), body.as_bytes()]);
        Ok(Self { body: body.into_json()?, key: key.map(|key| KeyedRequest { key, digest }) })
    }
}
