//! Parameters in the query string: `page[…]` and `filter[…][…]`.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use deserr::{Deserr, IntoValue, ValuePointerRef};
use serde_json::{Map, Value};

use super::Faults;
use crate::problem::{InvalidParameter, Problem};

/// The query string as `T`, whose fields are named as the parameters are: `filter[name][eq]`. A
/// parameter `filter[labels][env][eq]` is the member `eq` of `env` of the field `filter[labels]`.
/// Parameters other than `page…` and `filter…` are ignored.
#[derive(Debug, Clone, Copy, Default)]
pub struct ListQuery<T>(pub T);

impl<S: Send + Sync, T: Deserr<Faults>> FromRequestParts<S> for ListQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Ok(axum::extract::Query(pairs)) = axum::extract::Query::from_request_parts(parts, state).await else {
            return Err(Problem::invalid([InvalidParameter::query("query", "invalid", "request format is invalid")]));
        };
        let value = Value::Object(nested(pairs)).into_value();
        T::deserialize_from_value(value, ValuePointerRef::Origin).map(Self).map_err(Faults::in_query)
    }
}

fn nested(pairs: Vec<(String, String)>) -> Map<String, Value> {
    let mut fields = Map::new();
    for (name, value) in pairs.into_iter().filter(|(name, _)| name.starts_with("page") || name.starts_with("filter")) {
        match map_entry(&name) {
            Some((field, key, operator)) => {
                let map = fields.entry(field).or_insert_with(|| Map::new().into());
                match map.as_object_mut().map(|map| map.entry(key).or_insert_with(|| Map::new().into())) {
                    Some(Value::Object(operators)) => put(operators, operator, value),
                    // The field itself was given as well.
                    _ => *map = Value::Array(Vec::new()),
                }
            }
            None => put(&mut fields, &name, value),
        }
    }
    fields
}

/// A parameter given twice is a list, which no field takes.
fn put(fields: &mut Map<String, Value>, name: &str, value: String) {
    let value = if fields.contains_key(name) { Value::Array(Vec::new()) } else { Value::String(value) };
    fields.insert(name.to_owned(), value);
}

/// `filter[labels][env][eq]` → `filter[labels]`, `env`, `eq`.
fn map_entry(name: &str) -> Option<(&str, &str, &str)> {
    let (field, rest) = name.split_at(name.find("][")? + 1);
    let (key, operator) = rest.strip_prefix('[')?.strip_suffix(']')?.split_once("][")?;
    let plain = |part: &str| !part.is_empty() && !part.contains(['[', ']', '\0']);
    (plain(key) && plain(operator)).then_some((field, key, operator))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn nested_of(pairs: &[(&str, &str)]) -> Value {
        nested(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()).into()
    }

    #[test]
    fn names_of_three_parts_are_entries_of_a_map() {
        let pairs = [
            ("page[size]", "5"),
            ("filter[name][eq]", "a"),
            ("filter[labels][env][eq]", "test"),
            ("filter[labels][tier][exists]", "true"),
            ("unrelated", "x"),
        ];
        let labels = json!({"env": {"eq": "test"}, "tier": {"exists": "true"}});
        let expected = json!({"page[size]": "5", "filter[name][eq]": "a", "filter[labels]": labels});
        assert_eq!(nested_of(&pairs), expected);
    }

    #[test]
    fn what_is_given_twice_is_no_text() {
        assert_eq!(nested_of(&[("filter[a][eq]", "x"), ("filter[a][eq]", "y")]), json!({"filter[a][eq]": []}));
        assert_eq!(nested_of(&[("filter[a]", "x"), ("filter[a][b][eq]", "y")]), json!({"filter[a]": []}));
        let twice = [("filter[a][b][eq]", "x"), ("filter[a][b][eq]", "y")];
        assert_eq!(nested_of(&twice), json!({"filter[a]": {"b": {"eq": []}}}));
    }

    #[test]
    fn names_of_another_form_stay_as_they_are() {
        for name in ["filter", "filter[", "filter[a", "filter[][][]", "filter[a][b][c][d]", "filter[a][][eq]"] {
            assert_eq!(nested_of(&[(name, "x")]), json!({name: "x"}), "{name}");
        }
    }
}
