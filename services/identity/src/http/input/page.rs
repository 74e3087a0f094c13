//! `page[size]` and `page[number]`.

use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use writ_service::Faults;

use crate::domain::page::{DEFAULT_SIZE, LARGEST, Page};

/// Rows of the page asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct PageSize(u32);

/// Number of the page asked for, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct PageNumber(u32);

/// The page asked for.
pub(in crate::http) fn page(size: PageSize, number: PageNumber) -> Page {
    Page { number: number.0, size: size.0 }
}

impl Default for PageSize {
    fn default() -> Self {
        Self(DEFAULT_SIZE)
    }
}

impl Default for PageNumber {
    fn default() -> Self {
        Self(1)
    }
}

impl Deserr<Faults> for PageSize {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: ValuePointerRef<'_>) -> Result<Self, Faults> {
        Ok(read(value, place, LARGEST)?.map_or_else(Self::default, Self))
    }
}

impl Deserr<Faults> for PageNumber {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: ValuePointerRef<'_>) -> Result<Self, Faults> {
        Ok(read(value, place, u32::MAX)?.map_or_else(Self::default, Self))
    }
}

impl PartialSchema for PageSize {
    fn schema() -> RefOr<Schema> {
        number(LARGEST, DEFAULT_SIZE)
    }
}

impl PartialSchema for PageNumber {
    fn schema() -> RefOr<Schema> {
        number(u32::MAX, 1)
    }
}

impl ToSchema for PageSize {}
impl ToSchema for PageNumber {}

fn number(most: u32, default: u32) -> RefOr<Schema> {
    let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(most));
    number.default(Some(default.into())).into()
}

/// A number from 1 to `most`; an empty text stands for the default.
fn read<V: IntoValue>(value: Value<V>, place: ValuePointerRef<'_>, most: u32) -> Result<Option<u32>, Faults> {
    let text = String::deserialize_from_value(value, place)?;
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse() {
        Ok(number) if (1..=most).contains(&number) => Ok(Some(number)),
        _ => Err(Faults::at(place, "is_integer", format!("must be an integer between 1 and {most}"))),
    }
}
