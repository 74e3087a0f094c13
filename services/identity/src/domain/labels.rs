//! Labels of a team: keys and values that clients file it under.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::Fields;
use super::text::Fault;

/// Labels by key.
pub type Labels = BTreeMap<String, String>;

/// Changes to labels; `None` removes one.
pub type LabelChanges = BTreeMap<String, Option<String>>;

const MOST: usize = 50;
const LONGEST: usize = 63;
const RESERVED: [&str; 5] = ["kong", "konnect", "mesh", "kic", "_"];

/// The labels of a new team; none given, none set.
pub fn read(fields: &mut Fields<'_>, name: &str) -> Labels {
    let Some(changes) = read_map(fields, name) else { return Labels::new() };
    if changes.values().any(Option::is_none) {
        fields.refuse(name, ("values must be strings".into(), "is_string"));
    }
    changes.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

/// The changes of a PATCH: absent leaves the labels alone, null removes all of them.
pub fn read_changes(fields: &mut Fields<'_>, name: &str) -> Option<Option<LabelChanges>> {
    match fields.raw(name)? {
        Value::Null => Some(None),
        _ => read_map(fields, name).map(Some),
    }
}

/// The labels after a PATCH.
///
/// # Errors
/// When there would be more than fifty.
pub fn merge(labels: &Labels, changes: Option<&LabelChanges>) -> Result<Labels, Fault> {
    let Some(changes) = changes else { return Ok(Labels::new()) };
    let mut merged = labels.clone();
    for (key, value) in changes {
        match value {
            Some(value) => merged.insert(key.clone(), value.clone()),
            None => merged.remove(key),
        };
    }
    if merged.len() > MOST { Err(too_many()) } else { Ok(merged) }
}

fn read_map(fields: &mut Fields<'_>, name: &str) -> Option<LabelChanges> {
    let value = fields.raw(name).filter(|value| !value.is_null())?;
    match changes_of(value) {
        Ok(changes) => Some(changes),
        Err(fault) => {
            fields.refuse(name, fault);
            None
        }
    }
}

fn changes_of(value: &Value) -> Result<LabelChanges, Fault> {
    let map = value.as_object().ok_or(("must be an object".into(), "is_object"))?;
    if map.len() > MOST {
        return Err(too_many());
    }
    map.iter().map(|(key, value)| Ok((checked_key(key)?, checked_value(value)?))).collect()
}

fn checked_key(key: &str) -> Result<String, Fault> {
    if RESERVED.iter().any(|reserved| key.starts_with(reserved)) {
        return Err(("keys must not start with kong, konnect, mesh, kic or _".into(), "is_label"));
    }
    if key.is_empty() || key.chars().count() > LONGEST || key.contains('\0') {
        return Err(("keys must have 1 to 63 characters".into(), "is_label"));
    }
    Ok(key.to_owned())
}

fn checked_value(value: &Value) -> Result<Option<String>, Fault> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if is_value(text) => Ok(Some(text.clone())),
        Value::String(_) => Err((
            "values must have 1 to 63 letters, digits, hyphens, dots and underscores, with a letter or digit at both ends".into(),
            "is_label",
        )),
        _ => Err(("values must be strings".into(), "is_string")),
    }
}

fn is_value(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_alphanumeric();
    let inside = |c: char| alphanumeric(c) || matches!(c, '-' | '.' | '_');
    (1..=LONGEST).contains(&text.len())
        && text.starts_with(alphanumeric)
        && text.ends_with(alphanumeric)
        && text.chars().all(inside)
}

fn too_many() -> Fault {
    ("at most 50 labels are allowed".into(), "max_items")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn rule_of(labels: Value) -> Option<&'static str> {
        changes_of(&labels).err().map(|(_, rule)| rule)
    }

    #[test]
    fn what_labels_may_be() {
        assert_eq!(rule_of(json!({"env": "test", "owner.team": "a-b_c.D1"})), None);
        for key in ["kong", "konnect-x", "mesh1", "kic", "_a", ""] {
            assert_eq!(rule_of(json!({key: "a"})), Some("is_label"), "{key}");
        }
        for value in ["", "-a", "a.", "a b", "ä"] {
            assert_eq!(rule_of(json!({"env": value})), Some("is_label"), "{value}");
        }
        assert_eq!(rule_of(json!({"env": 5})), Some("is_string"));
        assert_eq!(rule_of(json!({"e".repeat(64): "a"})), Some("is_label"));
        assert_eq!(rule_of(json!({"env": "a".repeat(64)})), Some("is_label"));
        assert_eq!(rule_of(json!(["env"])), Some("is_object"));
    }

    #[test]
    fn a_team_has_fifty_labels_at_most() {
        let labels =
            |from: usize, to: usize| -> Labels { (from..to).map(|n| (format!("l{n}"), "v".to_owned())).collect() };
        assert_eq!(rule_of(json!(labels(0, 50))), None);
        assert_eq!(rule_of(json!(labels(0, 51))), Some("max_items"));
        let more: LabelChanges = [("more".to_owned(), Some("v".to_owned()))].into();
        assert_eq!(merge(&labels(0, 50), Some(&more)).unwrap_err().1, "max_items");
        assert_eq!(merge(&labels(0, 49), Some(&more)).unwrap().len(), 50);
    }

    proptest! {
        #[test]
        fn after_a_merge_each_changed_label_is_as_asked(
            before in prop::collection::btree_map("[a-e]", "[a-z]{1,3}", 0..5),
            changes in prop::collection::btree_map("[a-e]", prop::option::of("[a-z]{1,3}"), 0..5),
        ) {
            let after = merge(&before, Some(&changes)).unwrap();
            for key in ["a", "b", "c", "d", "e"] {
                let expected = changes.get(key).cloned().unwrap_or_else(|| before.get(key).cloned());
                prop_assert_eq!(after.get(key).cloned(), expected);
            }
            prop_assert!(merge(&before, None).unwrap().is_empty());
        }
    }
}
