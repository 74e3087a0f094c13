//! Parameters in the path and the query.

use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::{InvalidParameter, Problem};

/// Parameters of the path; one that is not of its type is a 400 that names it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(rejection) => Err(path_problem(&rejection, &names(parts, state).await)),
        }
    }
}

/// Parameters of the query; one that is not of its type is a 400 that names it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Query::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|rejection| query_problem(&rejection.body_text()))
    }
}

async fn names<S: Send + Sync>(parts: &mut Parts, state: &S) -> Vec<String> {
    match RawPathParams::from_request_parts(parts, state).await {
        Ok(params) => params.iter().map(|(name, _)| name.to_owned()).collect(),
        Err(_) => Vec::new(),
    }
}

fn path_problem(rejection: &PathRejection, names: &[String]) -> Problem {
    let PathRejection::FailedToDeserializePathParams(error) = rejection else {
        return Problem::internal(anyhow::anyhow!("a route without the parameters its handler reads"));
    };
    let field = match error.kind() {
        ErrorKind::ParseErrorAtKey { key, .. }
        | ErrorKind::InvalidUtf8InPathParam { key }
        | ErrorKind::DeserializeError { key, .. } => key.clone(),
        ErrorKind::ParseErrorAtIndex { index, .. } => names.get(*index).cloned().unwrap_or_default(),
        ErrorKind::WrongNumberOfParameters { .. } | ErrorKind::UnsupportedType { .. } => {
            return Problem::internal(anyhow::anyhow!("a handler that reads other parameters than its route has"));
        }
        // Axum does not say which; with one parameter it is that one.
        _ => names.first().filter(|_| names.len() == 1).cloned().unwrap_or_default(),
    };
    Problem::invalid([InvalidParameter::path(field, "type", "is not of the expected form")])
}

/// Axum gives the field in its text only: `Failed to deserialize query string: size: …`.
fn query_problem(text: &str) -> Problem {
    let text = text.split_once(": ").map_or(text, |(_, rest)| rest);
    if let Some(name) = text.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        return Problem::invalid([InvalidParameter::query(name, "required", "is required")]);
    }
    let (field, reason) = text.split_once(": ").unwrap_or(("", text));
    Problem::invalid([InvalidParameter::query(field, "type", reason)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::extract::Request;
    use axum::routing::get;
    use serde::Deserialize;
    use tower::ServiceExt;
    use uuid::Uuid;

    #[derive(Deserialize)]
    struct Page {
        size: u32,
    }

    #[derive(Deserialize)]
    struct Member {
        #[serde(rename = "teamId")]
        team: Uuid,
        #[serde(rename = "userId")]
        user: Uuid,
    }

    async fn field(uri: &str) -> serde_json::Value {
        let app = Router::new()
            .route("/teams/{teamId}", get(|Path(id): Path<Uuid>| async move { id.to_string() }))
            .route(
                "/teams/{teamId}/users/{userId}",
                get(|Path(Member { team, user }): Path<Member>| async move { format!("{team}{user}") }),
            )
            .route("/pairs/{a}/{b}", get(|Path((a, b)): Path<(Uuid, u8)>| async move { format!("{a}{b}") }))
            .route("/teams", get(|Query(page): Query<Page>| async move { page.size.to_string() }));
        let answer = app.oneshot(Request::get(uri).body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 400, "{uri}");
        let bytes = to_bytes(answer.into_body(), 10_000).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        body["invalid_parameters"][0]["field"].clone()
    }

    #[tokio::test]
    async fn the_parameter_is_named() {
        let id = Uuid::nil();
        assert_eq!(field("/teams/everyone").await, "teamId");
        assert_eq!(field(&format!("/teams/{id}/users/me")).await, "userId");
        assert_eq!(field(&format!("/pairs/{id}/x")).await, "b");
        assert_eq!(field("/teams/%ff").await, "teamId");
        assert_eq!(field("/teams?size=many").await, "size");
        assert_eq!(field("/teams").await, "size");
    }
}
