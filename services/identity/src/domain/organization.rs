//! Organizations.

use serde::Serialize;
use serde_json::Value;
use sqlx::FromRow;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;
use writ_contract::identity_event::OrganizationState;

use super::fields::Fields;
use super::text;
use super::token::{CreateToken, CreateTokenBody};
use super::user::Person;
use super::{Invalid, Source};

/// Days a deleted organization's data is kept: none, erasing is at once.
const RETENTION_PERIOD_DAYS: u32 = 0;

/// An organization as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct OrganizationRow {
    /// Never used again once the organization is deleted.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// The user it was created for, unless erased.
    pub owner_id: Option<Uuid>,
    /// `active`, `suspended` or `deleted`.
    pub state: String,
    /// When it was created.
    pub created_at: OffsetDateTime,
    /// When it last changed.
    pub updated_at: OffsetDateTime,
}

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Organization {
    /// Never used again once the organization is deleted.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// The user it was created for, unless erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<Uuid>,
    /// Blank: there is no single sign-on yet.
    pub login_path: String,
    /// `active` or `inactive`.
    pub state: &'static str,
    /// Days a deleted organization's data is kept.
    pub retention_period_days: u32,
    /// When it was created.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it last changed.
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

impl From<OrganizationRow> for Organization {
    fn from(row: OrganizationRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            owner_id: row.owner_id,
            login_path: String::new(),
            state: if row.state == "active" { "active" } else { "inactive" },
            retention_period_days: RETENTION_PERIOD_DAYS,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// An organization that is to be, with its owner and the owner's first token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateOrganization {
    /// What it is called.
    pub name: String,
    /// Its first user and administrator.
    pub owner: Person,
    /// The owner's first token.
    pub token: CreateToken,
}

/// The body that [`CreateOrganization`] is read from.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body in the OpenAPI document")]
pub struct CreateOrganizationBody {
    name: String,
    owner: Person,
    token: Option<CreateTokenBody>,
}

impl CreateOrganization {
    /// Reads a request's body.
    ///
    /// # Errors
    /// With all that is wrong with it.
    pub fn read(body: &Value, now: OffsetDateTime) -> Result<Self, Invalid> {
        let mut fields = Fields::of(body)?;
        let name = fields.required_text("name", text::name);
        fields.require("owner");
        let owner = fields.object("owner", "owner.", Person::read);
        let token = fields.object("token", "token.", |token| CreateToken::read_fields(token, now));
        // `finish` fails when there is no owner, because it is required.
        let owner = owner.ok_or_else(|| Invalid::one(Source::Body, "owner", "is a required field", "required"));
        fields.finish(())?;
        Ok(Self { name, owner: owner?, token: token.unwrap_or_else(CreateToken::first) })
    }
}

/// A change of an organization's state: `active` or `inactive`.
#[derive(Debug, Clone, PartialEq, Eq, ToSchema)]
pub struct UpdateOrganization {
    /// `active` or `inactive`.
    #[schema(value_type = String)]
    pub state: OrganizationState,
}

impl UpdateOrganization {
    /// Reads a request's body.
    ///
    /// # Errors
    /// With all that is wrong with it.
    pub fn read(body: &Value) -> Result<Self, Invalid> {
        let mut fields = Fields::of(body)?;
        let state = match fields.required_text("state", text::whatever).as_str() {
            "active" => OrganizationState::Active,
            "inactive" => OrganizationState::Suspended,
            "" => return fields.finish(()).and(Err(refused_state())),
            _ => return Err(refused_state()),
        };
        fields.finish(Self { state })
    }
}

fn refused_state() -> Invalid {
    Invalid::one(Source::Body, "state", "must be active or inactive", "enum")
}

/// How a state is stored.
pub fn state_name(state: OrganizationState) -> &'static str {
    match state {
        OrganizationState::Active => "active",
        OrganizationState::Suspended => "suspended",
        OrganizationState::Deleted => "deleted",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(body: Value) -> Vec<String> {
        let invalid = CreateOrganization::read(&body, OffsetDateTime::UNIX_EPOCH).unwrap_err();
        invalid.0.into_iter().map(|one| one.field.into_owned()).collect()
    }

    #[test]
    fn an_organization_needs_a_name_and_an_owner() {
        assert_eq!(refused(json!({})), ["name", "owner"]);
        assert_eq!(refused(json!({"name": "Acme", "owner": 5})), ["owner"]);
        assert_eq!(refused(json!({"name": "Acme", "owner": {}})), ["owner.email", "owner.full_name"]);
        let body = json!({"name": "Acme", "owner": {"email": "ada@acme.example", "full_name": "Ada"}});
        let read = CreateOrganization::read(&body, OffsetDateTime::UNIX_EPOCH).unwrap();
        assert_eq!(read.token, CreateToken::first());
    }

    #[test]
    fn only_two_states_can_be_asked_for() {
        let state = |body| UpdateOrganization::read(&body).map(|update| update.state);
        assert_eq!(state(json!({"state": "inactive"})), Ok(OrganizationState::Suspended));
        for body in [json!({"state": "deleted"}), json!({}), json!({"state": ""}), json!({"state": 1})] {
            assert_eq!(state(body).unwrap_err().0[0].field, "state");
        }
    }
}
