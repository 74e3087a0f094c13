//! `/teams`

use std::collections::BTreeMap;

use axum::extract::State;
use deserr::{Deserr, IntoValue, Map as _, Value, ValuePointerRef};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use writ_contract::identity_event::Change;
use writ_contract::{StoredText, TeamId};
use writ_service::{Faults, Json, ListQuery, Path};

use super::input::{Creation, Flag, PageNumber, PageSize, Patch, page};
use super::{Administrator, EmptyReply, Paginated, Reply, Result};
use crate::app::App;
use crate::domain::filter::{LabelFilter, LabelTest, TeamFilter, TextFilter};
use crate::domain::labels::{LabelChanges, Labels};
use crate::domain::page::Page;
use crate::domain::team::Team;
use crate::domain::text::{Name, Term, Text};
use crate::error::IdentityError;
use crate::store::callers::Right;
use crate::store::{administrators, teams};

/// A team in the path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[serde(rename_all = "camelCase")]
pub(super) struct TeamPath {
    /// The team.
    pub(super) team_id: TeamId,
}

/// Which teams to list. Labels are filtered by `filter[labels][<key>][eq]`, `…[contains]` and `…[exists]`.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TeamQuery {
    /// Teams a page.
    #[deserr(rename = "page[size]", default)]
    #[param(rename = "page[size]", value_type = Option<PageSize>, inline, nullable = false)]
    size: PageSize,
    /// Which page, from 1.
    #[deserr(rename = "page[number]", default)]
    #[param(rename = "page[number]", value_type = Option<PageNumber>, inline, nullable = false)]
    number: PageNumber,
    /// Teams of this name.
    #[deserr(rename = "filter[name][eq]", default)]
    #[param(rename = "filter[name][eq]", nullable = false)]
    name: Option<Term>,
    /// Teams whose name contains this, ignoring case.
    #[deserr(rename = "filter[name][contains]", default)]
    #[param(rename = "filter[name][contains]", nullable = false)]
    name_contains: Option<Term>,
    /// OpenAPI cannot describe parameters whose names hold any key; the operation's description does.
    #[deserr(rename = "filter[labels]", default)]
    #[param(ignore)]
    labels: LabelFilters,
}

/// Conditions on labels by key.
#[derive(Debug, Default)]
struct LabelFilters(Vec<LabelFilter>);

/// Conditions on one label.
#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
struct LabelTests {
    #[deserr(default)]
    eq: Option<Term>,
    #[deserr(default)]
    contains: Option<Term>,
    #[deserr(default)]
    exists: Option<Flag>,
}

impl Deserr<Faults> for LabelFilters {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: ValuePointerRef<'_>) -> Result<Self, Faults> {
        let Value::Map(map) = value else {
            return Err(Faults::at(place, "invalid", "is not a supported filter operation"));
        };
        let mut filters = Vec::new();
        for (key, tests) in map.into_iter() {
            let tests = LabelTests::deserialize_from_value(tests.into_value(), place.push_key(&key))?;
            let key = Term::try_from(key).map_err(|violation| Faults::at(place, violation.rule, violation.reason))?;
            filters.extend(tests.into_tests().map(|test| LabelFilter { key: key.clone(), test }));
        }
        Ok(Self(filters))
    }
}

impl LabelTests {
    fn into_tests(self) -> impl Iterator<Item = LabelTest> {
        let exists = self.exists.map(|Flag(exists)| LabelTest::Exists(exists));
        [self.eq.map(LabelTest::Eq), self.contains.map(LabelTest::Contains), exists].into_iter().flatten()
    }
}

impl TeamQuery {
    /// What to list.
    pub(super) fn split(self) -> (TeamFilter, Page) {
        let name = TextFilter { eq: self.name, contains: self.name_contains };
        (TeamFilter { name, labels: self.labels.0 }, page(self.size, self.number))
    }
}

/// A group of users and system accounts that hold roles together.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Team)]
pub(super) struct TeamResponse {
    /// Never reused once the team is deleted.
    id: TeamId,
    /// Not unique.
    name: String,
    /// What the team is for.
    description: Option<String>,
    /// Whether Writ made the team; it cannot be changed.
    system_team: bool,
    /// What clients file the team under.
    labels: BTreeMap<String, String>,
    /// When the team was created.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// When the team last changed.
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

impl From<Team> for TeamResponse {
    fn from(team: Team) -> Self {
        Self {
            id: team.id,
            name: team.name.into(),
            description: team.description.map(String::from),
            system_team: team.system_team,
            labels: team.labels.into_map(),
            created_at: team.created_at,
            updated_at: team.updated_at,
        }
    }
}

/// A new team.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
pub(super) struct CreateTeam {
    /// Not unique.
    name: Name,
    /// What the team is for.
    #[deserr(default)]
    description: Option<Text>,
    /// What clients file the team under.
    #[deserr(default)]
    labels: Option<Labels>,
}

impl CreateTeam {
    fn into_team(self, at: OffsetDateTime) -> Team {
        Team {
            id: TeamId::generate(),
            name: self.name,
            description: self.description,
            system_team: false,
            labels: self.labels.unwrap_or_default(),
            created_at: at,
            updated_at: at,
        }
    }
}

/// A change of a team.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
pub(super) struct UpdateTeam {
    /// Not unique.
    #[deserr(default, from(Name) = Some)]
    #[schema(nullable = false)]
    name: Option<Name>,
    /// What the team is for; null removes it.
    #[deserr(default)]
    #[schema(value_type = Option<Text>)]
    description: Patch<Text>,
    /// Labels to set or, by null, to remove; null instead of an object removes all.
    #[deserr(default)]
    #[schema(value_type = Option<LabelChanges>)]
    labels: Patch<LabelChanges>,
}

impl UpdateTeam {
    /// Applies the change and names the fields that are now different.
    fn apply(self, team: &mut Team) -> Result<Vec<StoredText>> {
        let mut changed = Vec::new();
        let labels = match self.labels {
            Patch::Keep => None,
            Patch::Remove => Some(Labels::default()),
            Patch::Set(changes) => {
                Some(team.labels.merge(&changes).map_err(|violation| IdentityError::invalid("labels", violation))?)
            }
        };
        replace(&mut team.labels, labels, "labels", &mut changed);
        replace(&mut team.name, self.name, "name", &mut changed);
        replace(&mut team.description, self.description.change(), "description", &mut changed);
        Ok(changed)
    }
}

fn replace<T: PartialEq>(old: &mut T, new: Option<T>, name: &str, changed: &mut Vec<StoredText>) {
    if let Some(new) = new
        && *old != new
    {
        *old = new;
        changed.push(StoredText::lossy(name));
    }
}

/// Lists the teams.
///
/// Labels are filtered by `filter[labels][<key>][eq]`, `filter[labels][<key>][contains]` and
/// `filter[labels][<key>][exists]`.
#[utoipa::path(get, path = "/teams", operation_id = "list_teams", tag = "Teams", params(TeamQuery),
    responses((status = 200, body = Paginated<TeamResponse>)))]
pub(super) async fn list(
    State(app): State<App>,
    Administrator(admin): Administrator,
    ListQuery(query): ListQuery<TeamQuery>,
) -> Result<Reply<Paginated<TeamResponse>>> {
    let (filter, page) = query.split();
    let teams = app.store.teams(admin.organization, None, &filter, page).await?;
    app.show(admin.organization, teams.into()).await
}

/// Creates a team.
#[utoipa::path(post, path = "/teams", operation_id = "create_team", tag = "Teams", request_body = CreateTeam,
    responses((status = 201, body = TeamResponse)))]
pub(super) async fn create(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Creation { body: new, key }: Creation<CreateTeam>,
) -> Result<Reply<TeamResponse>> {
    let mut revision = app.store.revision(&admin.creating(&app, key), Right::Administer).await?;
    let team = new.into_team(revision.at());
    teams::insert(&mut revision, &team).await?;
    let created = Change::TeamCreated { team: team.id, system: false };
    app.create(revision, admin.user, vec![created], team.into()).await
}

/// Shows a team.
#[utoipa::path(get, path = "/teams/{teamId}", operation_id = "get_team", tag = "Teams", params(TeamPath),
    responses((status = 200, body = TeamResponse), (status = 404)))]
pub(super) async fn get(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(path): Path<TeamPath>,
) -> Result<Reply<TeamResponse>> {
    let team = app.store.team(admin.organization, path.team_id).await?;
    app.show(admin.organization, team.into()).await
}

/// Changes a team.
#[utoipa::path(patch, path = "/teams/{teamId}", operation_id = "update_team", tag = "Teams", params(TeamPath),
    request_body = UpdateTeam, responses((status = 200, body = TeamResponse), (status = 404)))]
pub(super) async fn update(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(path): Path<TeamPath>,
    Json(update): Json<UpdateTeam>,
) -> Result<Reply<TeamResponse>> {
    let mut revision = app.store.revision(&admin.bearer, Right::Administer).await?;
    let mut team = teams::get_changeable(&mut revision, path.team_id).await?;
    let fields = update.apply(&mut team)?;
    if fields.is_empty() {
        return Ok(app.ok(revision.unchanged().await?, team.into()));
    }
    team.updated_at = revision.at();
    teams::update(&mut revision, &team).await?;
    let seen = revision.commit(vec![Change::TeamChanged { team: team.id, fields }]).await?;
    Ok(app.ok(seen, team.into()))
}

/// Deletes a team with its memberships and roles.
#[utoipa::path(delete, path = "/teams/{teamId}", operation_id = "delete_team", tag = "Teams", params(TeamPath),
    responses((status = 204), (status = 404), (status = 409)))]
pub(super) async fn delete(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(path): Path<TeamPath>,
) -> Result<EmptyReply> {
    let mut revision = app.store.revision(&admin.bearer, Right::Administer).await?;
    teams::get_changeable(&mut revision, path.team_id).await?;
    teams::delete(&mut revision, path.team_id).await?;
    administrators::must_remain(&mut revision).await?;
    let seen = revision.commit(vec![Change::TeamDeleted { team: path.team_id }]).await?;
    Ok(app.no_content(seen))
}

#[cfg(test)]
mod tests;
