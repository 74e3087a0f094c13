//! `GET /.well-known/authzen-configuration`: the endpoints there are.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::state::Api;

/// AuthZEN's metadata of a policy decision point.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Metadata {
    /// Identifies this decision point: its address.
    policy_decision_point: String,
    /// One decision.
    access_evaluation_endpoint: String,
    /// Several decisions.
    access_evaluations_endpoint: String,
}

/// Names the endpoints of this decision point.
#[utoipa::path(
    get, path = "/.well-known/authzen-configuration", tag = "metadata",
    responses((status = 200, description = "The endpoints", body = Metadata)),
)]
pub(super) async fn metadata(State(api): State<Api>) -> Json<Metadata> {
    let base = &api.public_url;
    Json(Metadata {
        policy_decision_point: base.clone(),
        access_evaluation_endpoint: format!("{base}/access/v1/evaluation"),
        access_evaluations_endpoint: format!("{base}/access/v1/evaluations"),
    })
}
