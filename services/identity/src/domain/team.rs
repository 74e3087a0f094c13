//! Teams of an organization.

use serde::Serialize;
use serde_json::Value;
use sqlx::FromRow;
use sqlx::types::Json;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::fields::{Fields, Patched};
use super::filter::{LabelFilter, TextFilter};
use super::labels::{self, LabelChanges, Labels};
use super::query::Query;
use super::{Invalid, InvalidParameter, Source, text};

/// A group of users and system accounts that hold roles together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow, ToSchema)]
pub struct Team {
    /// Never used again once the team is deleted.
    pub id: Uuid,
    /// Not unique.
    pub name: String,
    /// What the team is for.
    pub description: Option<String>,
    /// Whether Writ made the team; it cannot be changed.
    pub system_team: bool,
    /// What clients file the team under.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub labels: Json<Labels>,
    /// When the team was created.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When the team last changed.
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

/// A team that is to be.
#[derive(Debug, Clone, PartialEq, Eq, ToSchema)]
pub struct CreateTeam {
    /// 1 to 250 characters.
    pub name: String,
    /// What the team is for.
    pub description: Option<String>,
    /// What clients file the team under.
    pub labels: Labels,
}

impl CreateTeam {
    /// Reads a request's body.
    ///
    /// # Errors
    /// With all that is wrong with it.
    pub fn read(body: &Value) -> Result<Self, Invalid> {
        let mut fields = Fields::of(body)?;
        let team = Self {
            name: fields.required_text("name", text::name),
            description: fields.text("description", text::whatever),
            labels: labels::read(&mut fields, "labels"),
        };
        fields.finish(team)
    }

    /// The team of an organization's administrators.
    pub fn administrators() -> Self {
        Self {
            name: "Organization Admin".to_owned(),
            description: Some("Manages the organization's users, teams, tokens and role assignments.".to_owned()),
            labels: Labels::new(),
        }
    }
}

/// A change of a team.
#[derive(Debug, Clone, PartialEq, Eq, ToSchema)]
pub struct UpdateTeam {
    /// 1 to 250 characters.
    pub name: Option<String>,
    /// What the team is for; null removes it.
    #[schema(value_type = Option<String>)]
    pub description: Patched<String>,
    /// Labels to set, or by null to remove; null for all removes all.
    #[schema(value_type = Option<std::collections::BTreeMap<String, Option<String>>>)]
    pub labels: Patched<LabelChanges>,
}

impl UpdateTeam {
    /// Reads a request's body.
    ///
    /// # Errors
    /// With all that is wrong with it.
    pub fn read(body: &Value) -> Result<Self, Invalid> {
        let mut fields = Fields::of(body)?;
        let update = Self {
            name: fields.changed_text("name", text::name),
            description: fields.patched_text("description", text::whatever),
            labels: labels::read_changes(&mut fields, "labels"),
        };
        fields.finish(update)
    }

    /// Applies the change and names the fields that are now different.
    ///
    /// # Errors
    /// When the team would have too many labels.
    pub fn apply(self, team: &mut Team) -> Result<Vec<String>, Invalid> {
        let mut changed = Vec::new();
        if let Some(changes) = self.labels {
            let merged = labels::merge(&team.labels, changes.as_ref()).map_err(refused_labels)?;
            replace(&mut team.labels.0, merged, "labels", &mut changed);
        }
        if let Some(name) = self.name {
            replace(&mut team.name, name, "name", &mut changed);
        }
        if let Some(description) = self.description {
            replace(&mut team.description, description, "description", &mut changed);
        }
        Ok(changed)
    }
}

fn replace<T: PartialEq>(old: &mut T, new: T, name: &str, changed: &mut Vec<String>) {
    if *old != new {
        *old = new;
        changed.push(name.to_owned());
    }
}

fn refused_labels((reason, rule): text::Fault) -> Invalid {
    Invalid(vec![InvalidParameter { field: "labels".into(), reason, rule, source: Source::Body }])
}

/// Conditions on a list of teams.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TeamFilter {
    /// On the name.
    pub name: TextFilter,
    /// On labels; all must hold.
    pub labels: Vec<LabelFilter>,
}

impl TeamFilter {
    /// Reads the filters of a query string.
    pub fn read(query: &mut Query) -> Self {
        Self { name: query.text("name"), labels: query.labels() }
    }
}

/// Who is to be in a team.
#[derive(Debug, Clone, PartialEq, Eq, ToSchema)]
pub struct AddMember {
    /// The user.
    pub id: Uuid,
}

impl AddMember {
    /// Reads a request's body.
    ///
    /// # Errors
    /// With all that is wrong with it.
    pub fn read(body: &Value) -> Result<Self, Invalid> {
        let mut fields = Fields::of(body)?;
        let id = fields.required_uuid("id");
        fields.finish(Self { id })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn team() -> Team {
        Team {
            id: Uuid::nil(),
            name: "Operators".into(),
            description: None,
            system_team: false,
            labels: Json([("env".to_owned(), "test".to_owned())].into()),
            created_at: OffsetDateTime::UNIX_EPOCH,
            updated_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn only_what_differs_is_a_change() {
        let changed = |body| UpdateTeam::read(&body).unwrap().apply(&mut team()).unwrap();
        assert!(changed(json!({})).is_empty());
        assert!(
            changed(json!({"name": "Operators", "description": null, "labels": {"env": "test", "x": null}})).is_empty()
        );
        assert_eq!(
            changed(json!({"name": "Ops", "description": "d", "labels": {"env": null}})),
            ["labels", "name", "description"]
        );
        assert_eq!(changed(json!({"labels": null})), ["labels"]);
    }

    #[test]
    fn a_new_team_needs_a_name() {
        for body in [json!({}), json!({"name": ""}), json!({"name": null}), json!({"name": 5})] {
            assert_eq!(CreateTeam::read(&body).unwrap_err().0[0].field, "name");
        }
        assert_eq!(CreateTeam::read(&json!({"name": "a", "description": "\0"})).unwrap_err().0[0].field, "description");
        assert_eq!(CreateTeam::read(&json!({"name": "a", "labels": {"a": null}})).unwrap_err().0[0].field, "labels");
    }
}
