//! The table of routes, and their description.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::openapi::ReadApiDocument;
use super::{evaluation, metadata, openapi};
use crate::app::ReadApp;

/// All routes of the read API, and `/openapi.json`.
pub fn router(app: ReadApp) -> Router {
    let (routes, mut description) = OpenApiRouter::with_openapi(ReadApiDocument::openapi())
        .routes(routes!(evaluation::evaluate))
        .routes(routes!(evaluation::evaluate_several))
        .routes(routes!(metadata::metadata))
        .split_for_parts();
    openapi::complete(&mut description);
    routes.route("/openapi.json", get(|| async { axum::Json(description) })).with_state(Arc::new(app))
}
