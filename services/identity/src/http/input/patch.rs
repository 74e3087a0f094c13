//! Fields of a PATCH that can be removed.

use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use writ_service::Faults;

/// An optional field of a PATCH: absent keeps it, null removes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::http) enum Patch<T> {
    #[default]
    Keep,
    Remove,
    Set(T),
}

impl<T> Patch<T> {
    /// The field's new value, unless it is kept.
    pub(in crate::http) fn change(self) -> Option<Option<T>> {
        match self {
            Self::Keep => None,
            Self::Remove => Some(None),
            Self::Set(value) => Some(Some(value)),
        }
    }
}

impl<T: Deserr<Faults>> Deserr<Faults> for Patch<T> {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: ValuePointerRef<'_>) -> Result<Self, Faults> {
        match value {
            Value::Null => Ok(Self::Remove),
            value => T::deserialize_from_value(value, place).map(Self::Set),
        }
    }
}
