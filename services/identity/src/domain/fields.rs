//! Reading the members of a JSON object, collecting what is wrong with each.

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::text::{Fault, Rule};
use super::{Invalid, InvalidParameter, Source};

/// A JSON object that is being read.
pub struct Fields<'a> {
    object: &'a Map<String, Value>,
    prefix: &'static str,
    wrong: Vec<InvalidParameter>,
}

/// A member of a PATCH: left alone, removed, or set.
pub type Patched<T> = Option<Option<T>>;

impl<'a> Fields<'a> {
    /// Starts to read a request's body.
    ///
    /// # Errors
    /// When it is not an object.
    pub fn of(body: &'a Value) -> Result<Self, Invalid> {
        let object = body.as_object().ok_or_else(Invalid::body)?;
        Ok(Self { object, prefix: "", wrong: Vec::new() })
    }

    /// Reads the object in the member `name` with `read`; none if the member is absent. Its own
    /// members are named `<prefix><member>` where they are refused.
    pub fn object<T>(
        &mut self,
        name: &str,
        prefix: &'static str,
        read: impl FnOnce(&mut Fields<'a>) -> T,
    ) -> Option<T> {
        let value = self.present(name)?;
        let Some(object) = value.as_object() else {
            self.refuse(name, ("must be an object".into(), "is_object"));
            return None;
        };
        let mut inner = Fields { object, prefix, wrong: Vec::new() };
        let read = read(&mut inner);
        self.wrong.append(&mut inner.wrong);
        Some(read)
    }

    /// A text, if the member is there and not null.
    pub fn text(&mut self, name: &str, rule: Rule) -> Option<String> {
        let value = self.present(name)?;
        self.checked_text(name, value, rule)
    }

    /// A text that must be there. Empty if it is not; [`Fields::finish`] then fails.
    pub fn required_text(&mut self, name: &str, rule: Rule) -> String {
        self.require(name);
        self.text(name, rule).unwrap_or_default()
    }

    /// A text that may be set but not removed.
    pub fn changed_text(&mut self, name: &str, rule: Rule) -> Option<String> {
        let value = self.object.get(name)?;
        self.checked_text(name, value, rule)
    }

    /// A text that may be set or, by null, removed.
    pub fn patched_text(&mut self, name: &str, rule: Rule) -> Patched<String> {
        match self.object.get(name)? {
            Value::Null => Some(None),
            value => self.checked_text(name, value, rule).map(Some),
        }
    }

    /// A uuid that must be there. Nil if it is not; [`Fields::finish`] then fails.
    pub fn required_uuid(&mut self, name: &str) -> Uuid {
        self.require(name);
        let Some(value) = self.present(name) else { return Uuid::nil() };
        let uuid = value.as_str().and_then(|text| Uuid::try_parse(text).ok());
        self.or_refuse(name, uuid, "must be a valid UUID", "is_uuid").unwrap_or_default()
    }

    /// An integer within `range`, if the member is there.
    pub fn integer(&mut self, name: &str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let value = self.present(name)?;
        let Some(number) = value.as_i64() else {
            self.refuse(name, ("must be an integer".into(), "is_integer"));
            return None;
        };
        if !range.contains(&number) {
            let reason = format!("must be between {} and {}", range.start(), range.end());
            self.refuse(name, (reason.into(), if number < *range.start() { "min" } else { "max" }));
            return None;
        }
        Some(number)
    }

    /// A time (RFC 3339), if the member is there.
    pub fn time(&mut self, name: &str) -> Option<OffsetDateTime> {
        let value = self.present(name)?;
        let time = value.as_str().and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
        self.or_refuse(name, time, "must be a date and time", "is_date_time")
    }

    /// The member as it is, also when null; none if it is absent.
    pub fn raw(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name)
    }

    /// Refuses every member that is not one of `known`.
    pub fn only(&mut self, known: &[&str]) {
        let unknown = self.object.keys().any(|key| !known.contains(&key.as_str()));
        if unknown {
            let reason = format!("only {} are allowed", known.join(", "));
            self.refuse("body", (reason.into(), "unknown_property"));
        }
    }

    /// Refuses a member.
    pub fn refuse(&mut self, name: &str, (reason, rule): Fault) {
        let field = format!("{}{name}", self.prefix).into();
        self.wrong.push(InvalidParameter { field, reason, rule, source: Source::Body });
    }

    /// Refuses an absent or null member.
    pub fn require(&mut self, name: &str) {
        if self.present(name).is_none() {
            self.refuse(name, ("is a required field".into(), "required"));
        }
    }

    /// `read`, unless something was refused.
    ///
    /// # Errors
    /// With everything that was refused.
    pub fn finish<T>(self, read: T) -> Result<T, Invalid> {
        if self.wrong.is_empty() { Ok(read) } else { Err(Invalid(self.wrong)) }
    }

    fn present(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    fn checked_text(&mut self, name: &str, value: &Value, rule: Rule) -> Option<String> {
        let Some(text) = value.as_str() else {
            self.refuse(name, ("must be a string".into(), "is_string"));
            return None;
        };
        match rule(text) {
            Ok(()) => Some(text.to_owned()),
            Err(fault) => {
                self.refuse(name, fault);
                None
            }
        }
    }

    fn or_refuse<T>(&mut self, name: &str, found: Option<T>, reason: &'static str, rule: &'static str) -> Option<T> {
        if found.is_none() {
            self.refuse(name, (reason.into(), rule));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::text;
    use super::*;

    fn refused(invalid: Result<(), Invalid>) -> Vec<(String, &'static str)> {
        invalid.unwrap_err().0.into_iter().map(|one| (one.field.into_owned(), one.rule)).collect()
    }

    #[test]
    fn everything_wrong_is_collected() {
        let body = json!({"name": 7, "id": "x", "size": 5, "at": "noon"});
        let mut fields = Fields::of(&body).unwrap();
        fields.required_text("name", text::name);
        fields.required_text("title", text::name);
        fields.required_uuid("id");
        fields.integer("size", 6..=9);
        fields.time("at");
        let expected =
            [("name", "is_string"), ("title", "required"), ("id", "is_uuid"), ("size", "min"), ("at", "is_date_time")];
        assert_eq!(refused(fields.finish(())), expected.map(|(field, rule)| (field.to_owned(), rule)));
    }

    #[test]
    fn null_and_absent_differ_in_a_patch() {
        let body = json!({"gone": null, "set": "x"});
        let mut fields = Fields::of(&body).unwrap();
        assert_eq!(fields.patched_text("gone", text::name), Some(None));
        assert_eq!(fields.patched_text("set", text::name), Some(Some("x".to_owned())));
        assert_eq!(fields.patched_text("absent", text::name), None);
        assert_eq!(fields.changed_text("gone", text::name), None);
        assert_eq!(refused(fields.finish(())), [("gone".to_owned(), "is_string")]);
    }

    #[test]
    fn inner_members_carry_the_prefix() {
        let body = json!({"owner": {"email": "nobody"}});
        let mut fields = Fields::of(&body).unwrap();
        fields.object("owner", "owner.", |owner| owner.required_text("email", text::email));
        assert_eq!(refused(fields.finish(())), [("owner.email".to_owned(), "matches_regex")]);
    }

    #[test]
    fn only_an_object_is_read() {
        for body in [json!([]), json!("text"), json!(null), json!(3)] {
            assert_eq!(Fields::of(&body).err(), Some(Invalid::body()));
        }
    }
}
