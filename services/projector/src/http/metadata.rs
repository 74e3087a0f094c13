//! `GET /.well-known/authzen-configuration`: the endpoints.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::ReadApp;

/// AuthZEN's metadata of a policy decision point.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DecisionPointMetadata {
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
    responses((status = 200, description = "The endpoints", body = DecisionPointMetadata)),
)]
pub(super) async fn metadata(State(app): State<Arc<ReadApp>>) -> Json<DecisionPointMetadata> {
    let base = &app.public_url;
    Json(DecisionPointMetadata {
        policy_decision_point: base.clone(),
        access_evaluation_endpoint: format!("{base}/access/v1/evaluation"),
        access_evaluations_endpoint: format!("{base}/access/v1/evaluations"),
    })
}
