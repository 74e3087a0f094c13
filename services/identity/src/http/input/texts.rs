//! Checked texts as fields of bodies and queries.

use std::ops::ControlFlow;

use deserr::{Deserr, IntoValue, MergeWithError, Value, ValuePointerRef};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use writ_service::Faults;

use crate::domain::Violation;
use crate::domain::labels::{self, LabelChanges, Labels};
use crate::domain::text::{Email, EntityScope, Name, Term, Text, TokenName};

/// `true` or `false` in a query string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct Flag(pub(in crate::http) bool);

impl Deserr<Faults> for Flag {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: ValuePointerRef<'_>) -> Result<Self, Faults> {
        let text = String::deserialize_from_value(value, place)?;
        text.parse().map(Self).map_err(|_| Faults::at(place, "is_boolean", "must be true or false"))
    }
}

impl MergeWithError<Violation> for Faults {
    fn merge(earlier: Option<Self>, violation: Violation, place: ValuePointerRef<'_>) -> ControlFlow<Self, Self> {
        Self::merge(earlier, Self::at(place, violation.rule, violation.reason), place)
    }
}

/// A text of one of these types is read by its own rule and described by its length and pattern.
macro_rules! fields {
    ($($text:ty),*) => {$(
        impl Deserr<Faults> for $text {
            fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: ValuePointerRef<'_>) -> Result<Self, Faults> {
                let text = String::deserialize_from_value(value, place)?;
                Self::try_from(text).map_err(|violation| Faults::at(place, violation.rule, violation.reason))
            }
        }

        impl PartialSchema for $text {
            fn schema() -> RefOr<Schema> {
                text(Self::LENGTH, Self::PATTERN).into()
            }
        }

        impl ToSchema for $text {}
    )*};
}

fields!(Name, Text, Term, Email, TokenName, EntityScope);

fn text((least, most): (usize, usize), pattern: &str) -> Object {
    let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).max_length(Some(most));
    if least > 0 { text.min_length(Some(least)).build() } else { text.build() }
}

impl Deserr<Faults> for Labels {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: ValuePointerRef<'_>) -> Result<Self, Faults> {
        let labels = entries::<String, V>(value, place)?;
        Self::new(labels).map_err(|violation| Faults::at(place, violation.rule, violation.reason))
    }
}

impl Deserr<Faults> for LabelChanges {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: ValuePointerRef<'_>) -> Result<Self, Faults> {
        let changes = entries::<Option<String>, V>(value, place)?;
        Self::new(changes).map_err(|violation| Faults::at(place, violation.rule, violation.reason))
    }
}

/// The members of an object. Its faults are those of the field, since what keys it has is the client's affair.
fn entries<T: Deserr<Faults>, V: IntoValue>(
    value: Value<V>,
    place: ValuePointerRef<'_>,
) -> Result<std::collections::BTreeMap<String, T>, Faults> {
    use deserr::Map as _;
    let Value::Map(map) = value else { return Err(Faults::at(place, "is_object", "must be an object")) };
    let read = |(key, value): (String, V)| Ok((key, T::deserialize_from_value(value.into_value(), place)?));
    let not_a_text = |_| Faults::at(place, "is_string", "values must be strings");
    map.into_iter().map(read).collect::<Result<_, Faults>>().map_err(not_a_text)
}

impl PartialSchema for Labels {
    fn schema() -> RefOr<Schema> {
        labels_of(text((1, labels::LONGEST), labels::VALUE_PATTERN))
    }
}

impl ToSchema for Labels {}

impl PartialSchema for LabelChanges {
    fn schema() -> RefOr<Schema> {
        let mut value = text((1, labels::LONGEST), labels::VALUE_PATTERN);
        value.schema_type = [Type::String, Type::Null].into_iter().collect();
        labels_of(value)
    }
}

impl ToSchema for LabelChanges {}

fn labels_of(value: Object) -> RefOr<Schema> {
    let key = text((1, labels::LONGEST), labels::KEY_PATTERN);
    let labels = ObjectBuilder::new().schema_type(Type::Object).max_properties(Some(labels::MOST));
    labels.property_names(Some(key)).additional_properties(Some(Schema::Object(value))).build().into()
}
