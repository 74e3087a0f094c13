//! How checked types are described in OpenAPI documents.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};

/// A UUID as text.
pub(crate) fn uuid() -> RefOr<Schema> {
    let format = SchemaFormat::KnownFormat(KnownFormat::Uuid);
    ObjectBuilder::new().schema_type(Type::String).format(Some(format)).into()
}

/// A text of at most `most` bytes, of the form that a regular expression gives.
pub(crate) fn text(pattern: &str, most: usize) -> RefOr<Schema> {
    let pattern = format!("^{pattern}$");
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).max_length(Some(most)).into()
}
