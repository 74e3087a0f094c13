//! Ids in bodies and queries.

use std::str::FromStr;

use crate::domain::Violation;

/// Reads the id in a field.
pub(in crate::http) fn read_id<T: FromStr>(text: String) -> Result<T, Violation> {
    text.parse().map_err(|_| Violation::of("is_uuid", "must be a valid UUID"))
}

/// Reads the id in an optional field.
pub(in crate::http) fn read_optional_id<T: FromStr>(text: String) -> Result<Option<T>, Violation> {
    read_id(text).map(Some)
}
