//! People of an organization.

use serde::Serialize;
use serde_json::Value;
use sqlx::FromRow;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::fields::{Fields, Patched};
use super::filter::TextFilter;
use super::query::Query;
use super::{Invalid, text};

/// A person of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow, ToSchema)]
pub struct User {
    /// Never used again once the user is erased.
    pub id: Uuid,
    /// Unique in the organization, in any case of letters.
    pub email: String,
    /// None until the invitation is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_name: Option<String>,
    /// How the person wants to be called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_name: Option<String>,
    /// Whether the invitation has been accepted.
    pub active: bool,
    /// Where the person seems to live, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inferred_region: Option<String>,
    /// When the user was created.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When the user last changed.
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

/// What a user is called and reached by.
#[derive(Debug, Clone, PartialEq, Eq, ToSchema)]
pub struct Person {
    /// E-mail address.
    pub email: String,
    /// The whole name.
    pub full_name: String,
    /// How the person wants to be called.
    pub preferred_name: Option<String>,
}

impl Person {
    /// Reads a person from the members of an object.
    pub fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            email: fields.required_text("email", text::email),
            full_name: fields.required_text("full_name", text::name),
            preferred_name: fields.text("preferred_name", text::optional_name),
        }
    }
}

/// A change of a user's names.
#[derive(Debug, Clone, PartialEq, Eq, ToSchema)]
pub struct UpdateUser {
    /// The whole name.
    pub full_name: Option<String>,
    /// How the person wants to be called; null removes it.
    #[schema(value_type = Option<String>)]
    pub preferred_name: Patched<String>,
}

impl UpdateUser {
    /// Reads a request's body.
    ///
    /// # Errors
    /// With all that is wrong with it.
    pub fn read(body: &Value) -> Result<Self, Invalid> {
        let mut fields = Fields::of(body)?;
        let update = Self {
            full_name: fields.changed_text("full_name", text::name),
            preferred_name: fields.patched_text("preferred_name", text::optional_name),
        };
        fields.finish(update)
    }

    /// Applies the change and names the fields that are now different.
    pub fn apply(self, user: &mut User) -> Vec<String> {
        let mut changed = Vec::new();
        if let Some(name) = self.full_name
            && user.full_name.as_ref() != Some(&name)
        {
            user.full_name = Some(name);
            changed.push("full_name".to_owned());
        }
        if let Some(name) = self.preferred_name
            && user.preferred_name != name
        {
            user.preferred_name = name;
            changed.push("preferred_name".to_owned());
        }
        changed
    }
}

/// Conditions on a list of users.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// This user only.
    pub id: Option<Uuid>,
    /// On the address, in any case of letters.
    pub email: TextFilter,
    /// On the whole name.
    pub full_name: TextFilter,
    /// Whether the user is active.
    pub active: Option<bool>,
}

impl UserFilter {
    /// Reads the filters of a query string.
    pub fn read(query: &mut Query) -> Self {
        Self {
            id: query.uuid("id"),
            email: query.text("email"),
            full_name: query.text("full_name"),
            active: query.boolean("active"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ada() -> User {
        User {
            id: Uuid::nil(),
            email: "ada@acme.example".into(),
            full_name: Some("Ada".into()),
            preferred_name: Some("A".into()),
            active: true,
            inferred_region: None,
            created_at: OffsetDateTime::UNIX_EPOCH,
            updated_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn only_what_differs_is_a_change() {
        let changed = |body| UpdateUser::read(&body).unwrap().apply(&mut ada());
        assert!(changed(json!({})).is_empty());
        assert!(changed(json!({"full_name": "Ada", "preferred_name": "A"})).is_empty());
        assert_eq!(changed(json!({"full_name": "Ada L", "preferred_name": null})), ["full_name", "preferred_name"]);
        assert!(UpdateUser::read(&json!({"full_name": null})).is_err());
    }
}
