//! The description of the management API.

use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder};
use writ_contract::Region;
use writ_service::ProblemBody;
use writ_service::openapi::{Refusals, add_schema, add_type, require_bearer};

use super::role_names::{ALL, ENTITY_REGION};

const REFUSALS: Refusals = Refusals {
    content_type: "application/problem+json",
    any: &[
        ("307", "The organization's home is another region, whose address is in `Location`"),
        ("401", "A valid token is required"),
        ("403", "The caller may not do this"),
        ("500", "An internal error"),
        ("503", "The service cannot answer now"),
    ],
    with_parameters: &[("400", "Parameters are wrong; each is named")],
    with_body: &[
        ("400", "Parameters are wrong; each is named"),
        ("413", "The body is too large"),
        ("415", "The body is not JSON"),
    ],
};

/// The description without operations.
pub(super) fn empty() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Writ Identity")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("The management API, compatible with Konnect Identity v3."));
    OpenApiBuilder::new().info(info).build()
}

/// Adds what all operations have in common.
pub(super) fn complete(api: &mut OpenApi, regions: &[Region]) {
    let codes = regions.iter().map(Region::as_str).chain([ALL]);
    let region = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes));
    add_schema(api, ENTITY_REGION, region.build().into());
    require_bearer(api);
    let problem = add_type::<ProblemBody<'_>>(api);
    REFUSALS.describe(api, &problem);
}
