//! The description of the read API.

use utoipa::PartialSchema;
use utoipa::openapi::OpenApi;
use writ_service::openapi::{Refusals, add_bearer};

/// AuthZEN has errors as plain text.
const REFUSALS: Refusals = Refusals {
    content_type: "text/plain",
    any: &[
        ("401", "No bearer token in force"),
        ("403", "The caller may only ask about itself"),
        ("429", "Too many requests of the organization are in flight, or too many wait for a newer state"),
        ("500", "An internal error"),
        ("503", "The state asked for is not here yet, the service is overloaded, or it cannot answer now"),
    ],
    with_parameters: &[],
    with_body: &[
        ("400", "Malformed request or consistency token"),
        ("408", "The body did not arrive in time"),
        ("413", "The body is too large"),
    ],
};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Writ read API",
        description = "OpenID AuthZEN Authorization API 1.0, answered from this region's own read model.\n\n\
            Two headers have values that no schema can state, because clients pass on what they got. \
            `Writ-At-Least-As-Fresh` holds `Writ-Consistency-Token`s of earlier answers, as received, and \
            `event;<region>;<producer>;<ce_id>` tokens, each part percent-encoded, joined by commas: the answer is at least as fresh as all of them, \
            and `Prefer: wait=<seconds>` says how long to wait for that. `Writ-Organization` names the organization asked \
            about: platform services must send it, others may if it is that of their bearer token.",
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
