//! Labels of a team: keys and values that clients file it under.

use std::collections::BTreeMap;

use super::Violation;
use super::text::{hidden, is_invisible};

/// Labels of one team.
pub const MOST: usize = 50;
/// Characters of a key or value.
pub const LONGEST: usize = 63;
/// A value: letters, digits, hyphens, dots and underscores, with a letter or digit at both ends.
pub const VALUE_PATTERN: &str = "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$";
/// A key does not start with a reserved prefix.
pub const KEY_PATTERN: &str =
    concat!("^(?!kong|konnect|mesh|kic|_)[^", hidden!(), r"]*[^\s", hidden!(), "][^", hidden!(), "]*$");
const RESERVED: [&str; 5] = ["kong", "konnect", "mesh", "kic", "_"];

/// Labels by key, checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels(BTreeMap<String, String>);

/// Changes to labels by key, checked; `None` removes one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelChanges(BTreeMap<String, Option<String>>);

impl Labels {
    /// The labels, checked.
    ///
    /// # Errors
    /// When there are too many labels, or a key or value is invalid.
    pub fn new(labels: BTreeMap<String, String>) -> Result<Self, Violation> {
        at_most_fifty(labels.len())?;
        labels.iter().try_for_each(|(key, value)| check_key(key).and_then(|()| check_value(value)))?;
        Ok(Self(labels))
    }

    /// The labels by key.
    pub fn as_map(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// The labels by key.
    pub fn into_map(self) -> BTreeMap<String, String> {
        self.0
    }

    /// The labels after `changes`.
    ///
    /// # Errors
    /// When there would be too many.
    pub fn merge(&self, changes: &LabelChanges) -> Result<Self, Violation> {
        let mut merged = self.clone();
        for (key, value) in &changes.0 {
            match value {
                Some(value) => merged.0.insert(key.clone(), value.clone()),
                None => merged.0.remove(key),
            };
        }
        at_most_fifty(merged.0.len())?;
        Ok(merged)
    }
}

impl LabelChanges {
    /// The changes, checked.
    ///
    /// # Errors
    /// When there are too many labels, or a key or value is invalid.
    pub fn new(changes: BTreeMap<String, Option<String>>) -> Result<Self, Violation> {
        at_most_fifty(changes.len())?;
        changes
            .iter()
            .try_for_each(|(key, value)| check_key(key).and_then(|()| value.as_deref().map_or(Ok(()), check_value)))?;
        Ok(Self(changes))
    }
}

fn at_most_fifty(labels: usize) -> Result<(), Violation> {
    if labels > MOST { Err(Violation::of("max_items", "at most 50 labels are allowed")) } else { Ok(()) }
}

fn check_key(key: &str) -> Result<(), Violation> {
    if RESERVED.iter().any(|reserved| key.starts_with(reserved)) {
        return Err(Violation::of("is_label", "keys must not start with kong, konnect, mesh, kic or _"));
    }
    let hidden = key.contains(|c: char| c.is_control() || is_invisible(c));
    if key.trim().is_empty() || key.chars().count() > LONGEST || hidden {
        return Err(Violation::of("is_label", "keys must have 1 to 63 characters, none of them invisible"));
    }
    Ok(())
}

fn check_value(value: &str) -> Result<(), Violation> {
    let alphanumeric = |c: char| c.is_ascii_alphanumeric();
    let inside = |c: char| alphanumeric(c) || matches!(c, '-' | '.' | '_');
    let is_value = (1..=LONGEST).contains(&value.len())
        && value.starts_with(alphanumeric)
        && value.ends_with(alphanumeric)
        && value.chars().all(inside);
    if is_value {
        return Ok(());
    }
    let reason =
        "values must have 1 to 63 letters, digits, hyphens, dots and underscores, with a letter or digit at both ends";
    Err(Violation::of("is_label", reason))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule_of(key: &str, value: &str) -> Option<&'static str> {
        Labels::new([(key.to_owned(), value.to_owned())].into()).err().map(|violation| violation.rule)
    }

    fn numbered(labels: std::ops::Range<usize>) -> BTreeMap<String, String> {
        labels.map(|n| (format!("l{n}"), "v".to_owned())).collect()
    }

    #[test]
    fn what_labels_may_be() {
        assert_eq!(rule_of("env", "test"), None);
        assert_eq!(rule_of("owner.team", "a-b_c.D1"), None);
        for key in ["kong", "konnect-x", "mesh1", "kic", "_a", "", " ", "a\u{200b}", &"e".repeat(64)] {
            assert_eq!(rule_of(key, "a"), Some("is_label"), "{key}");
        }
        for value in ["", "-a", "a.", "a b", "ä", &"a".repeat(64)] {
            assert_eq!(rule_of("env", value), Some("is_label"), "{value}");
        }
        assert!(LabelChanges::new([("kong".to_owned(), None)].into()).is_err());
    }

    #[test]
    fn a_team_has_fifty_labels_at_most() {
        assert_eq!(Labels::new(numbered(0..51)).unwrap_err().rule, "max_items");
        let more = LabelChanges::new([("more".to_owned(), Some("v".to_owned()))].into()).unwrap();
        let fifty = Labels::new(numbered(0..50)).unwrap();
        assert_eq!(fifty.merge(&more).unwrap_err().rule, "max_items");
        assert_eq!(Labels::new(numbered(0..49)).unwrap().merge(&more).unwrap().as_map().len(), 50);
    }

    proptest! {
        #[test]
        fn after_a_merge_each_changed_label_is_as_asked(
            before in prop::collection::btree_map("[a-e]", "[a-z]{1,3}", 0..5),
            changes in prop::collection::btree_map("[a-e]", prop::option::of("[a-z]{1,3}"), 0..5),
        ) {
            let asked = LabelChanges::new(changes.clone()).unwrap();
            let after = Labels::new(before.clone()).unwrap().merge(&asked).unwrap();
            for key in ["a", "b", "c", "d", "e"] {
                let expected = changes.get(key).cloned().unwrap_or_else(|| before.get(key).cloned());
                prop_assert_eq!(after.as_map().get(key).cloned(), expected);
            }
        }
    }
}
