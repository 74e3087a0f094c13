//! Parameters in the path.

use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::{InvalidParameter, Problem};

/// The ids in the path; 400 that names the one that is not an id.
#[derive(Debug, Clone, Copy, Default)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(rejection) => Err(refused(&rejection, &names(parts, state).await)),
        }
    }
}

async fn names<S: Send + Sync>(parts: &mut Parts, state: &S) -> Vec<String> {
    match RawPathParams::from_request_parts(parts, state).await {
        Ok(params) => params.iter().map(|(name, _)| name.to_owned()).collect(),
        Err(_) => Vec::new(),
    }
}

fn refused(rejection: &PathRejection, names: &[String]) -> Problem {
    let PathRejection::FailedToDeserializePathParams(error) = rejection else {
        return Problem::internal(anyhow::anyhow!("a route without the parameters its handler reads"));
    };
    let name = match error.kind() {
        ErrorKind::InvalidUtf8InPathParam { .. } => {
            return Problem::invalid([InvalidParameter::path("path", "invalid", "must be UTF-8")]);
        }
        ErrorKind::WrongNumberOfParameters { .. } | ErrorKind::UnsupportedType { .. } => {
            return Problem::internal(anyhow::anyhow!("a handler that reads other parameters than its route has"));
        }
        ErrorKind::ParseErrorAtKey { key, .. } | ErrorKind::DeserializeError { key, .. } => key.as_str(),
        // Axum does not say which; with one parameter it is that one.
        _ => names.first().filter(|_| names.len() == 1).map_or("path", String::as_str),
    };
    Problem::invalid([InvalidParameter::path(shown(name), "is_uuid", "invalid ID format")])
}

/// Konnect writes `teamId` in paths and `teamID` in errors.
fn shown(name: &str) -> String {
    match name.strip_suffix("Id") {
        Some(resource) => format!("{resource}ID"),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::extract::Request;
    use axum::routing::get;
    use serde::Deserialize;
    use tower::ServiceExt;
    use uuid::Uuid;

    use super::*;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct MemberPath {
        team_id: Uuid,
        user_id: Uuid,
    }

    async fn field(uri: &str) -> serde_json::Value {
        let app =
            Router::new().route("/teams/{teamId}", get(|Path(id): Path<Uuid>| async move { id.to_string() })).route(
                "/teams/{teamId}/users/{userId}",
                get(|Path(path): Path<MemberPath>| async move { format!("{}{}", path.team_id, path.user_id) }),
            );
        let answer = app.oneshot(Request::get(uri).body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 400, "{uri}");
        let bytes = to_bytes(answer.into_body(), 10_000).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        body["invalid_parameters"][0]["field"].clone()
    }

    #[tokio::test]
    async fn the_parameter_is_named() {
        let id = Uuid::nil();
        assert_eq!(field("/teams/everyone").await, "teamID");
        assert_eq!(field(&format!("/teams/{id}/users/me")).await, "userID");
        assert_eq!(field(&format!("/teams/x/users/{id}")).await, "teamID");
        assert_eq!(field("/teams/%ff").await, "path");
    }
}
