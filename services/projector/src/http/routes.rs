//! The table of routes, and their description.

use axum::Router;
use axum::routing::get;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::state::Api;
use super::{evaluation, metadata};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Writ read API",
        description = "OpenID AuthZEN Authorization API 1.0, answered from this region's own read model.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    modifiers(&Bearer),
    tags((name = "decisions", description = "Who may do what"), (name = "metadata", description = "What there is"))
)]
struct Description;

/// How callers are known: by a principal's own token, or a platform service's.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        description.components.get_or_insert_default().add_security_scheme("bearer", scheme);
    }
}

/// All routes of the read API, and `/openapi.json`.
pub fn router(api: Api) -> Router {
    let (routes, description) = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(evaluation::evaluate))
        .routes(routes!(evaluation::evaluate_several))
        .routes(routes!(metadata::metadata))
        .split_for_parts();
    routes.route("/openapi.json", get(|| async { axum::Json(description) })).with_state(api)
}
