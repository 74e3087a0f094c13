//! Reads fields out of JSON: unknown ones are ignored, missing and mistyped ones are named.

use serde_json::{Map, Value};

/// The fields of a JSON object.
pub(super) type JsonObject = Map<String, Value>;

/// Why a request, or one item of it, cannot be answered. Names the field, never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEvaluation {
    /// The body is not JSON at all.
    #[error("the body is not valid JSON")]
    NotJson,
    /// A required field is missing.
    #[error("{0} is missing")]
    Missing(String),
    /// A field has the wrong type.
    #[error("{field} must be {expected}")]
    WrongType {
        /// Path of the field, such as `subject.id`.
        field: String,
        /// The expected type, with its article.
        expected: &'static str,
    },
    /// More items than one request may have.
    #[error("evaluations holds more than {0} items")]
    TooMany(usize),
}

/// The object a whole body or item must be.
pub(super) fn fields_of<'a>(value: &'a Value, name: &str) -> Result<&'a JsonObject, InvalidEvaluation> {
    value.as_object().ok_or_else(|| wrong_type(name, "an object"))
}

/// An object, if it is there. JSON's null counts as absent.
pub(super) fn optional_object<'a>(
    fields: &'a JsonObject,
    name: &str,
) -> Result<Option<&'a JsonObject>, InvalidEvaluation> {
    present(fields, name).map(|value| fields_of(value, name)).transpose()
}

/// An array, if it is there.
pub(super) fn optional_array<'a>(fields: &'a JsonObject, name: &str) -> Result<Option<&'a [Value]>, InvalidEvaluation> {
    let array = |value: &'a Value| value.as_array().map(Vec::as_slice);
    present(fields, name).map(|value| array(value).ok_or_else(|| wrong_type(name, "an array"))).transpose()
}

/// A text that must be there.
pub(super) fn text(fields: &JsonObject, entity: &str, name: &str) -> Result<String, InvalidEvaluation> {
    let path = || format!("{entity}.{name}");
    match present(fields, name) {
        None => Err(InvalidEvaluation::Missing(path())),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(wrong_type(&path(), "a string")),
    }
}

/// The `properties` of an entity are an object, if they are there. Nothing reads them.
pub(super) fn check_properties(fields: &JsonObject, entity: &str) -> Result<(), InvalidEvaluation> {
    match present(fields, "properties") {
        None => Ok(()),
        Some(value) => fields_of(value, &format!("{entity}.properties")).map(drop),
    }
}

pub(super) fn wrong_type(field: &str, expected: &'static str) -> InvalidEvaluation {
    InvalidEvaluation::WrongType { field: field.to_owned(), expected }
}

fn present<'a>(fields: &'a JsonObject, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| !value.is_null())
}
