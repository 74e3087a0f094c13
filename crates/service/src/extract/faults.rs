//! Everything that is wrong with a body or query, in the words of Konnect's contract.

use std::borrow::Cow;
use std::ops::ControlFlow;

use deserr::{DeserializeError, ErrorKind, IntoValue, MergeWithError, ValueKind, ValuePointerRef};

use crate::problem::{InvalidParameter, Problem};

const REQUIRED: (&str, &str) = ("required", "is a required field");

/// Everything that is wrong with a body or query. Names fields and rules, never values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Fault {
    path: Vec<String>,
    rule: &'static str,
    reason: Cow<'static, str>,
    /// Whether the field at `path` should not be there at all.
    unknown: bool,
}

impl Faults {
    /// The value at `place` breaks `rule`.
    pub fn at(place: ValuePointerRef<'_>, rule: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self(vec![Fault { path: path_of(&place), rule, reason: reason.into(), unknown: false }])
    }

    /// The field breaks `rule`.
    pub fn of(field: &str, rule: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::at(ValuePointerRef::Origin.push_key(field), rule, reason)
    }

    /// The field is required and absent.
    pub fn missing(field: &str) -> Self {
        Self::of(field, REQUIRED.0, REQUIRED.1)
    }

    /// The field at `place` is none of `accepted`.
    pub fn unknown(place: ValuePointerRef<'_>, accepted: &[&str]) -> Self {
        let reason = format!("only {} are allowed", accepted.join(", ")).into();
        Self(vec![Fault { path: path_of(&place), rule: "unknown_property", reason, unknown: true }])
    }

    fn and(mut self, mut other: Self) -> Self {
        self.0.append(&mut other.0);
        self
    }

    /// Both values, or the faults of both.
    ///
    /// # Errors
    /// When one of them has faults.
    pub fn both<A, B>(one: Result<A, Self>, other: Result<B, Self>) -> Result<(A, B), Self> {
        match (one, other) {
            (Ok(one), Ok(other)) => Ok((one, other)),
            (Err(faults), Ok(_)) | (Ok(_), Err(faults)) => Err(faults),
            (Err(faults), Err(others)) => Err(faults.and(others)),
        }
    }

    /// Each fault as `(field, rule, reason)`, the field as a path such as `owner.email`; empty for the whole.
    pub fn iter(&self) -> impl Iterator<Item = (String, &'static str, &str)> {
        self.0.iter().map(|fault| (fault.path.join("."), fault.rule, fault.reason.as_ref()))
    }

    /// 400 for a body.
    pub fn in_body(self) -> Problem {
        let mut parameters: Vec<_> = self.0.into_iter().map(body_parameter).collect();
        // Several unknown fields of one object are one fault.
        parameters.dedup();
        Problem::invalid(parameters)
    }

    /// 400 for a query string.
    pub fn in_query(self) -> Problem {
        Problem::invalid(self.0.into_iter().map(query_parameter))
    }
}

fn path_of(place: &ValuePointerRef<'_>) -> Vec<String> {
    match place {
        ValuePointerRef::Origin => Vec::new(),
        ValuePointerRef::Key { key, prev } => {
            let mut path = path_of(prev);
            path.push((*key).to_owned());
            path
        }
        ValuePointerRef::Index { index, prev } => {
            let mut path = path_of(prev);
            path.push(index.to_string());
            path
        }
    }
}

/// An unknown field is a fault of the object that holds it, which Konnect calls `body`.
fn body_parameter(mut fault: Fault) -> InvalidParameter {
    if fault.unknown {
        fault.path.pop();
    }
    if fault.unknown || fault.path.is_empty() {
        fault.path.push("body".to_owned());
    }
    InvalidParameter::body(fault.path.join("."), fault.rule, fault.reason)
}

fn query_parameter(fault: Fault) -> InvalidParameter {
    let mut parts = fault.path.into_iter();
    let name = parts.next().unwrap_or_default();
    let name = parts.fold(name, |name, part| format!("{name}[{part}]"));
    match fault.unknown {
        true => InvalidParameter::query(shown(name), "invalid", "is not a supported filter operation"),
        false => InvalidParameter::query(shown(name), fault.rule, fault.reason),
    }
}

/// The name as sent, while it looks like one.
fn shown(name: String) -> String {
    let plain = name.len() <= 100 && name.bytes().all(|byte| byte.is_ascii_graphic());
    if plain { name } else { "filter".to_owned() }
}

impl MergeWithError<Self> for Faults {
    fn merge(earlier: Option<Self>, other: Self, _: ValuePointerRef<'_>) -> ControlFlow<Self, Self> {
        ControlFlow::Continue(match earlier {
            Some(earlier) => earlier.and(other),
            None => other,
        })
    }
}

impl DeserializeError for Faults {
    fn error<V: IntoValue>(
        earlier: Option<Self>,
        error: ErrorKind<'_, V>,
        place: ValuePointerRef<'_>,
    ) -> ControlFlow<Self, Self> {
        let fault = match error {
            ErrorKind::MissingField { field } => Self::at(place.push_key(field), REQUIRED.0, REQUIRED.1),
            ErrorKind::UnknownKey { key, accepted } => Self::unknown(place.push_key(key), accepted),
            ErrorKind::UnknownValue { accepted, .. } => {
                Self::at(place, "enum", format!("must be {}", accepted.join(" or ")))
            }
            ErrorKind::IncorrectValueKind { actual, accepted } => {
                let (rule, reason) = mistyped(actual.kind(), accepted, place.is_origin());
                Self::at(place, rule, reason)
            }
            ErrorKind::BadSequenceLen { .. } | ErrorKind::Unexpected { .. } => {
                Self::at(place, "invalid", "is not a valid value")
            }
        };
        Self::merge(earlier, fault, place)
    }
}

fn mistyped(actual: ValueKind, accepted: &[ValueKind], whole: bool) -> (&'static str, &'static str) {
    match accepted.first() {
        _ if whole => ("is_object", "request format is invalid"),
        _ if actual == ValueKind::Null => REQUIRED,
        Some(ValueKind::String) => ("is_string", "must be a string"),
        Some(ValueKind::Integer | ValueKind::NegativeInteger) => ("is_integer", "must be an integer"),
        Some(ValueKind::Boolean) => ("is_boolean", "must be true or false"),
        Some(ValueKind::Sequence) => ("is_array", "must be an array"),
        Some(ValueKind::Map) => ("is_object", "must be an object"),
        Some(ValueKind::Float | ValueKind::Null) | None => ("invalid", "is not a valid value"),
    }
}
