//! The management API of one region (`services/identity`).

use std::fmt;

use reqwest::Method;
use serde_json::{Value, json};
use writ_contract::{GrantId, OrganizationId, TeamId, TokenId, UserId};

use crate::caller::CallerSpan;
use crate::response::{ApiResponse, ClientError};

/// The management API as one caller sees it.
#[derive(Debug, Clone)]
pub struct Management {
    http: reqwest::Client,
    base: String,
    bearer: String,
    traceparent: Option<String>,
}

/// An organization, its owner and the owner's first token.
#[derive(Debug, Clone)]
pub struct NewOrganization {
    /// Its id.
    pub id: OrganizationId,
    /// The owner's user id.
    pub owner: UserId,
    /// The owner's bearer token.
    pub token: String,
    /// The state in which all of it exists.
    pub consistency_token: String,
}

/// A user who accepted an invitation.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The user's id.
    pub id: UserId,
    /// The user's bearer token.
    pub token: String,
    /// Id of that token.
    pub token_id: TokenId,
    /// The state in which all of it exists.
    pub consistency_token: String,
}

/// An invitation by which an administrator who has no valid token left gets a new one.
#[derive(Debug, Clone)]
pub struct RecoveryInvitation {
    /// The bearer token for `/v3/recovery-invitations/accept`.
    pub token: String,
    /// Until when it can be accepted, as RFC 3339.
    pub expires_at: String,
}

/// Who is given a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleHolder {
    /// A team, and through it its members.
    Team(TeamId),
    /// A user.
    User(UserId),
}

impl From<TeamId> for RoleHolder {
    fn from(team: TeamId) -> Self {
        Self::Team(team)
    }
}

impl From<UserId> for RoleHolder {
    fn from(user: UserId) -> Self {
        Self::User(user)
    }
}

impl fmt::Display for RoleHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Team(id) => write!(f, "teams/{id}"),
            Self::User(id) => write!(f, "users/{id}"),
        }
    }
}

/// A role for an entity, by the names of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct AssignRole<'a> {
    /// Such as `Viewer`.
    pub role: &'a str,
    /// Such as `Control Planes`.
    pub entity_type: &'a str,
    /// An entity's id or `*`.
    pub entity: &'a str,
    /// A region's code or `*`.
    pub region: &'a str,
}

impl Management {
    /// The API at `base` (such as `http://127.0.0.1:18081`) for the holder of `bearer`.
    pub fn new(http: reqwest::Client, base: &str, bearer: &str) -> Self {
        Self { http, base: base.trim_end_matches('/').to_owned(), bearer: bearer.to_owned(), traceparent: None }
    }

    /// The same API for the holder of another token.
    #[must_use]
    pub fn with_bearer(&self, bearer: &str) -> Self {
        Self { bearer: bearer.to_owned(), ..self.clone() }
    }

    /// The same API, for requests that are part of a caller's trace.
    #[must_use]
    pub fn within(&self, span: &CallerSpan) -> Self {
        Self { traceparent: Some(span.traceparent()), ..self.clone() }
    }

    /// One request, whatever it answers.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<ApiResponse, ClientError> {
        let mut request = self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.bearer);
        if let Some(body) = body {
            request = request.json(body);
        }
        if let Some(traceparent) = &self.traceparent {
            request = request.header("traceparent", traceparent);
        }
        Ok(ApiResponse::of(request.send().await?).await?)
    }

    /// One request that must succeed.
    ///
    /// # Errors
    /// If there is no answer, or its status is not 2xx.
    pub async fn done(&self, method: Method, path: &str, body: Option<&Value>) -> Result<ApiResponse, ClientError> {
        let answer = self.call(method.clone(), path, body).await?;
        succeeded(answer, &method, path)
    }

    /// Creates an organization; the bearer is the platform operator's.
    ///
    /// # Errors
    /// As [`Self::done`].
    pub async fn create_organization(
        &self,
        name: &str,
        email: &str,
        full_name: &str,
    ) -> Result<NewOrganization, ClientError> {
        let body = json!({"name": name, "owner": {"email": email, "full_name": full_name}});
        let answer = self.done(Method::POST, "/v3/organizations", Some(&body)).await?;
        Ok(NewOrganization {
            id: answer.id("/organization/id")?,
            owner: answer.id("/owner/id")?,
            token: answer.text("/token/konnect_token"),
            consistency_token: answer.consistency_token.unwrap_or_default(),
        })
    }

    /// Invites an active administrator of an organization to get a new token; the bearer is the platform operator's.
    ///
    /// # Errors
    /// As [`Self::done`].
    pub async fn recover_administrator(
        &self,
        organization: OrganizationId,
        administrator: UserId,
    ) -> Result<RecoveryInvitation, ClientError> {
        let path = format!("/v3/organizations/{organization}/recovery-invitations");
        let answer = self.done(Method::POST, &path, Some(&json!({"user_id": administrator}))).await?;
        Ok(RecoveryInvitation { token: answer.text("/invite_token"), expires_at: answer.text("/expires_at") })
    }

    /// Invites a user and accepts in the user's name, as the user's own software would.
    ///
    /// # Errors
    /// As [`Self::done`].
    pub async fn add_user(&self, email: &str, full_name: &str) -> Result<NewUser, ClientError> {
        let invite = self.invite(email).await?;
        let body = json!({"full_name": full_name, "token": {"name": "first", "ttl_seconds": 86_400}});
        let invited = self.with_bearer(&invite);
        let answer = invited.done(Method::POST, "/v3/invites/accept", Some(&body)).await?;
        Ok(NewUser {
            id: answer.id("/user/id")?,
            token: answer.text("/token/konnect_token"),
            token_id: answer.id("/token/id")?,
            consistency_token: answer.consistency_token.unwrap_or_default(),
        })
    }

    /// Invites a user and returns the invite token.
    async fn invite(&self, email: &str) -> Result<String, ClientError> {
        let request = self.http.post(format!("{}/v3/invites", self.base)).bearer_auth(&self.bearer);
        let request = request.header("prefer", "return=representation").json(&json!({"email": email}));
        let answer = ApiResponse::of(request.send().await?).await?;
        Ok(succeeded(answer, &Method::POST, "/v3/invites")?.text("/invite_token"))
    }

    /// Creates a team and returns its id.
    ///
    /// # Errors
    /// As [`Self::done`].
    pub async fn create_team(&self, name: &str, description: &str) -> Result<TeamId, ClientError> {
        let body = json!({"name": name, "description": description});
        self.done(Method::POST, "/v3/teams", Some(&body)).await?.id("/id")
    }

    /// Puts a user into a team.
    ///
    /// # Errors
    /// As [`Self::done`].
    pub async fn add_member(&self, team: TeamId, user: UserId) -> Result<ApiResponse, ClientError> {
        self.done(Method::POST, &format!("/v3/teams/{team}/users"), Some(&json!({"id": user}))).await
    }

    /// Takes a user out of a team.
    ///
    /// # Errors
    /// As [`Self::done`].
    pub async fn remove_member(&self, team: TeamId, user: UserId) -> Result<ApiResponse, ClientError> {
        self.done(Method::DELETE, &format!("/v3/teams/{team}/users/{user}"), None).await
    }

    /// Assigns a role. The grant's id is `/id` of the answer.
    ///
    /// # Errors
    /// As [`Self::done`].
    pub async fn assign_role(
        &self,
        holder: impl Into<RoleHolder>,
        role: AssignRole<'_>,
    ) -> Result<ApiResponse, ClientError> {
        let body = json!({
            "role_name": role.role,
            "entity_type_name": role.entity_type,
            "entity_id": role.entity,
            "entity_region": role.region,
        });
        self.done(Method::POST, &format!("/v3/{}/assigned-roles", holder.into()), Some(&body)).await
    }

    /// Ends a grant.
    ///
    /// # Errors
    /// As [`Self::done`].
    pub async fn unassign_role(
        &self,
        holder: impl Into<RoleHolder>,
        grant: GrantId,
    ) -> Result<ApiResponse, ClientError> {
        self.done(Method::DELETE, &format!("/v3/{}/assigned-roles/{grant}", holder.into()), None).await
    }

    /// Revokes a user's token.
    ///
    /// # Errors
    /// As [`Self::done`].
    pub async fn revoke_token(&self, user: UserId, token: TokenId) -> Result<ApiResponse, ClientError> {
        self.done(Method::PATCH, &format!("/v3/users/{user}/access-tokens/{token}/revoke"), None).await
    }
}

fn succeeded(answer: ApiResponse, method: &Method, path: &str) -> Result<ApiResponse, ClientError> {
    if (200..300).contains(&answer.status) {
        return Ok(answer);
    }
    let (method, path) = (method.to_string(), path.to_owned());
    Err(ClientError::Refused { method, path, status: answer.status, body: answer.body.to_string() })
}
