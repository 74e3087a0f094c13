//! What every API says of itself: bearer tokens, and the answers any request may get.

use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, HeaderBuilder, OpenApi, RefOr, Response, Schema};
use utoipa::{PartialSchema, ToSchema};

const BEARER: &str = "bearer";
const CONSISTENCY_TOKEN: &str = "Writ-Consistency-Token";

/// How an API answers a request it refuses.
#[derive(Debug, Clone, Copy)]
pub struct Refusals {
    /// Content type of the answers.
    pub content_type: &'static str,
    /// Status and description of those that any request may get.
    pub any: &'static [(&'static str, &'static str)],
    /// Of those that a request with parameters may get.
    pub with_parameters: &'static [(&'static str, &'static str)],
    /// Of those that a request with a body may get.
    pub with_body: &'static [(&'static str, &'static str)],
}

impl Refusals {
    /// Adds them to the operations that need a token, and their content to refusals that an operation names itself.
    /// `body` is their schema.
    pub fn describe(&self, api: &mut OpenApi, body: &RefOr<Schema>) {
        let content = Content::new(Some(body.clone()));
        let all_need_a_token = api.security.is_some();
        for operation in operations(api).filter(|operation| all_need_a_token || operation.security.is_some()) {
            let parameters = self.with_parameters.iter().filter(|_| operation.parameters.is_some());
            let with_body = self.with_body.iter().filter(|_| operation.request_body.is_some());
            for (status, description) in self.any.iter().chain(parameters).chain(with_body) {
                let answer = operation.responses.responses.entry((*status).to_owned());
                answer.or_insert_with(|| Response::new(*description).into());
            }
            for (status, answer) in &mut operation.responses.responses {
                let RefOr::T(answer) = answer else { continue };
                match status.starts_with('2') {
                    true => drop(answer.headers.insert(CONSISTENCY_TOKEN.to_owned(), consistency_token())),
                    false => drop(answer.content.insert(self.content_type.to_owned(), content.clone().into())),
                }
                if answer.description.is_empty() {
                    answer.description = description_of(status).to_owned();
                }
            }
        }
    }
}

/// Describes bearer tokens, for operations that say they need one.
pub fn add_bearer(api: &mut OpenApi) {
    let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    api.components.get_or_insert_default().add_security_scheme(BEARER, scheme);
}

/// Describes bearer tokens, which all operations need.
pub fn require_bearer(api: &mut OpenApi) {
    add_bearer(api);
    api.security = Some(vec![SecurityRequirement::new(BEARER, Vec::<String>::new())]);
}

/// Adds a schema by name.
pub fn add_schema(api: &mut OpenApi, name: &str, schema: RefOr<Schema>) {
    api.components.get_or_insert_default().schemas.insert(name.to_owned(), schema);
}

/// Adds the schema of `T`, and those it refers to, by name; returns a reference to it.
pub fn add_type<T: PartialSchema + ToSchema>(api: &mut OpenApi) -> RefOr<Schema> {
    let mut schemas = Vec::new();
    T::schemas(&mut schemas);
    for (name, schema) in schemas {
        add_schema(api, &name, schema);
    }
    add_schema(api, &T::name(), T::schema());
    utoipa::openapi::Ref::from_schema_name(T::name()).into()
}

fn operations(api: &mut OpenApi) -> impl Iterator<Item = &mut Operation> {
    api.paths.paths.values_mut().flat_map(|path| {
        let methods = [&mut path.get, &mut path.post, &mut path.put, &mut path.patch, &mut path.delete];
        methods.into_iter().flatten()
    })
}

fn consistency_token() -> RefOr<utoipa::openapi::Header> {
    let header =
        HeaderBuilder::new().schema(Some(String::schema())).description(Some("The state this answer has seen"));
    header.build().into()
}

fn description_of(status: &str) -> &'static str {
    match status {
        "404" => "It does not exist, or not for the caller",
        "409" => "It contradicts what exists",
        "201" => "Created",
        "204" => "Done",
        _ => "The answer",
    }
}
