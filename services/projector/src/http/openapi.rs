//! The description of the read API.

use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{Content, OpenApi, Required};
use utoipa::{IntoParams, PartialSchema};
use writ_service::openapi::{Refusals, add_bearer};

use super::caller::ORGANIZATION;
use super::freshness::{AT_LEAST_AS_FRESH, PREFER};

/// AuthZEN has errors as plain text.
const REFUSALS: Refusals = Refusals {
    content_type: "text/plain",
    any: &[
        ("401", "No bearer token in force"),
        ("403", "The caller may only ask about itself"),
        ("429", "Too many requests wait for a newer state"),
        ("500", "An internal error"),
        ("503", "The state asked for is not here yet, or the service cannot answer now"),
    ],
    with_parameters: &[],
    with_body: &[("400", "Malformed request or consistency token"), ("413", "The body is too large")],
};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Writ read API",
        description = "OpenID AuthZEN Authorization API 1.0, answered from this region's own read model.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    tags((name = "decisions", description = "Who may do what"), (name = "metadata", description = "The endpoints"))
)]
pub(super) struct ReadApiDocument;

/// Adds what all operations have in common.
pub(super) fn complete(api: &mut OpenApi) {
    add_bearer(api);
    REFUSALS.describe(api, &String::schema());
}

/// The headers of a read.
pub(super) struct ReadHeaders;

impl IntoParams for ReadHeaders {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let fresh = opaque(header("Writ-At-Least-As-Fresh", AT_LEAST_AS_FRESH).description(Some(
            "`Writ-Consistency-Token`s of earlier answers, as received, and `event;<region>;<producer>;<ce_id>`, joined by \
             commas: the answer is at least as fresh as all of them",
        )));
        let organization = opaque(header("Writ-Organization", ORGANIZATION).description(Some(
            "The organization asked about. Required of platform services; otherwise it must be that of the bearer token",
        )));
        let prefer = header("Prefer", PREFER).schema(Some(String::schema()));
        let prefer = prefer.description(Some("`wait=<seconds>`: how long to wait for the state asked for"));
        vec![fresh, prefer.build(), organization]
    }
}

fn header(shown: &str, name: &str) -> ParameterBuilder {
    debug_assert!(shown.eq_ignore_ascii_case(name));
    ParameterBuilder::new().name(shown).parameter_in(ParameterIn::Header).required(Required::False)
}

/// A value that clients pass on and cannot make up, and so one without a schema.
fn opaque(header: ParameterBuilder) -> Parameter {
    header.content("text/plain", Content::default()).build()
}
