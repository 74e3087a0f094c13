//! Every path of the management API.

use axum::middleware::from_fn;
use axum::routing::get;
use axum::{Json, Router};
use time::OffsetDateTime;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{
    invites, me, members, openapi, organizations, quotas, recovery, roles, team_roles, teams, tokens, user_roles,
    users, warning,
};
use crate::app::App;

/// The management API and its description.
pub fn router(app: App) -> Router {
    let (routes, mut api) = OpenApiRouter::with_openapi(openapi::empty()).nest("/v3", routes()).split_for_parts();
    openapi::complete(&mut api, &app.platform.regions);
    let document = get(move || std::future::ready(Json(openapi::as_of(&api, OffsetDateTime::now_utc().date()))));
    routes.layer(from_fn(warning::add)).route("/openapi.json", document).with_state(app)
}

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(organizations::create))
        .routes(routes!(organizations::get, organizations::update, organizations::delete))
        .routes(routes!(quotas::list))
        .routes(routes!(quotas::set))
        .routes(routes!(recovery::recover_administrator))
        .routes(routes!(me::organization))
        .routes(routes!(me::user))
        .routes(routes!(invites::invite))
        .routes(routes!(invites::accept))
        .routes(routes!(recovery::recover_user))
        .routes(routes!(recovery::accept))
        .routes(routes!(users::list))
        .routes(routes!(users::get, users::update, users::erase))
        .routes(routes!(members::teams))
        .routes(routes!(user_roles::list, user_roles::assign))
        .routes(routes!(user_roles::get, user_roles::unassign))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::get, tokens::update, tokens::delete))
        .routes(routes!(tokens::revoke))
        .routes(routes!(teams::list, teams::create))
        .routes(routes!(teams::get, teams::update, teams::delete))
        .routes(routes!(members::list, members::add))
        .routes(routes!(members::remove))
        .routes(routes!(team_roles::list, team_roles::assign))
        .routes(routes!(team_roles::get, team_roles::unassign))
        .routes(routes!(roles::list))
}
