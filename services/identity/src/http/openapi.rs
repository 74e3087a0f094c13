//! The description of the management API.

use time::{Date, Duration};
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder, Required, Response};
use writ_contract::Region;
use writ_service::ProblemBody;
use writ_service::openapi::{Refusals, add_schema, add_type, require_bearer};

use super::input::{KEY_PATTERN, LONGEST_KEY};
use super::role_names::{ALL, ENTITY_REGION};
use super::tokens::TOKEN_EXPIRY;
use crate::domain::text::Term;

const REFUSALS: Refusals = Refusals {
    content_type: "application/problem+json",
    any: &[
        ("307", "The organization's home is another region, whose address is in `Location`"),
        ("401", "A valid token is required"),
        ("403", "The caller may not do this"),
        ("429", "Too many requests or changes of the organization are in flight, or in this second"),
        ("500", "An internal error"),
        ("503", "The service is overloaded or cannot answer now"),
    ],
    with_parameters: &[("400", "Parameters are wrong; each is named")],
    with_body: &[
        ("400", "Parameters are wrong; each is named"),
        ("408", "The body did not arrive in time"),
        ("413", "The body is too large"),
        ("415", "The body is not JSON"),
    ],
};

/// The description without operations.
pub(super) fn empty() -> OpenApi {
    let info = InfoBuilder::new().title("Writ Identity").version(env!("CARGO_PKG_VERSION")).description(Some(
        "The management API, compatible with Konnect Identity v3. Answers to an administrator have the header \
             `Writ-Warning` for a week before the last valid token of the organization's administrators expires.",
    ));
    OpenApiBuilder::new().info(info).build()
}

/// Adds what all operations have in common.
pub(super) fn complete(api: &mut OpenApi, regions: &[Region]) {
    let codes = regions.iter().map(Region::as_str).chain([ALL]);
    let region = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes));
    add_schema(api, ENTITY_REGION, region.build().into());
    // Occurs in parameters only, whose schemas are not gathered.
    add_type::<Term>(api);
    require_bearer(api);
    describe_keys(api);
    let problem = add_type::<ProblemBody<'_>>(api);
    REFUSALS.describe(api, &problem);
}

/// Every request with a body that is a POST creates something, and may be repeated with an `Idempotency-Key`.
fn describe_keys(api: &mut OpenApi) {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(KEY_PATTERN))
        .min_length(Some(1))
        .max_length(Some(LONGEST_KEY));
    let key = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "Any text of the client's. A request that succeeded is not made again when it is sent again, by the same \
             caller within 24 hours, with the same key, path and body: it gets the same answer. With another path or body \
             it is refused with 409.",
        ))
        .schema(Some(schema))
        .build();
    for operation in api.paths.paths.values_mut().filter_map(|path| path.post.as_mut()) {
        if operation.request_body.is_some() {
            operation.parameters.get_or_insert_default().push(key.clone().into());
            let conflict = operation.responses.responses.entry("409".to_owned());
            conflict
                .or_insert_with(|| Response::new("The `Idempotency-Key` was sent with another request before").into());
        }
    }
}

/// The description for one day.
pub(super) fn as_of(api: &OpenApi, today: Date) -> OpenApi {
    let mut api = api.clone();
    let expiry = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(within_a_year(today)))
        .description(Some("RFC 3339, in the future, within a year; the pattern has the whole months of that year"));
    add_schema(&mut api, TOKEN_EXPIRY, expiry.into());
    api
}

/// JSON Schema has no bounds for times, so this pattern has the first 28 days of each month that lies within the year.
fn within_a_year(today: Date) -> String {
    let middle = today.replace_day(15).unwrap_or(today);
    let months = (1..=11).map(|months| middle.saturating_add(Duration::days(months * 730 / 24)));
    let months: Vec<_> = months.map(|day| format!("{}-{:02}", day.year(), u8::from(day.month()))).collect();
    format!("^({})-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$", months.join("|"))
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn the_pattern_has_the_eleven_months_to_come() {
        for (today, first, last) in [
            (date!(2026 - 11 - 25), "^(2026-12|2027-01|2027-02|", "|2027-09|2027-10)-"),
            (date!(2027 - 01 - 31), "^(2027-02|2027-03|", "|2027-11|2027-12)-"),
            (date!(2028 - 02 - 01), "^(2028-03|2028-04|", "|2028-12|2029-01)-"),
        ] {
            let pattern = within_a_year(today);
            assert!(pattern.starts_with(first) && pattern.contains(last), "{today}: {pattern}");
            assert_eq!(pattern.split(')').next().unwrap().matches('|').count(), 10, "{pattern}");
        }
    }
}
