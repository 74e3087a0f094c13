//! The table of routes, and their description.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{evaluation, metadata};
use crate::app::ReadApp;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Writ read API",
        description = "OpenID AuthZEN Authorization API 1.0, answered from this region's own read model.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    modifiers(&BearerScheme),
    tags((name = "decisions", description = "Who may do what"), (name = "metadata", description = "The endpoints"))
)]
struct ReadApiDocument;

/// Callers authenticate with the token of a principal or of a platform service.
struct BearerScheme;

impl Modify for BearerScheme {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        description.components.get_or_insert_default().add_security_scheme("bearer", scheme);
    }
}

/// All routes of the read API, and `/openapi.json`.
pub fn router(app: ReadApp) -> Router {
    let (routes, description) = OpenApiRouter::with_openapi(ReadApiDocument::openapi())
        .routes(routes!(evaluation::evaluate))
        .routes(routes!(evaluation::evaluate_several))
        .routes(routes!(metadata::metadata))
        .split_for_parts();
    routes.route("/openapi.json", get(|| async { axum::Json(description) })).with_state(Arc::new(app))
}
