//! Personal access tokens.

use serde::Serialize;
use serde_json::Value;
use sqlx::FromRow;
use time::{Duration, OffsetDateTime};
use utoipa::ToSchema;
use uuid::Uuid;

use super::fields::Fields;
use super::page::PageMeta;
use super::{Invalid, text};

const DAY: i64 = 86_400;
const YEAR: i64 = 365 * DAY;
/// How long an organization's first token lives unless the operator says otherwise.
const FIRST_TOKEN_TTL: i64 = 30 * DAY;

/// Whether a token can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum TokenState {
    /// It can.
    Active,
    /// Someone has revoked it.
    Revoked,
    /// Its time is over.
    Expired,
}

/// A personal token as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct TokenRow {
    /// Id of the token.
    pub id: Uuid,
    /// Whose it is.
    pub principal: Uuid,
    /// What its user calls it.
    pub name: String,
    /// Who revoked it.
    pub revoked_by: Option<Uuid>,
    /// When it was issued.
    pub created_at: OffsetDateTime,
    /// When it last changed.
    pub updated_at: OffsetDateTime,
    /// When it was last used, to the hour.
    pub last_used_at: Option<OffsetDateTime>,
    /// When its time is over.
    pub expires_at: OffsetDateTime,
    /// When it was revoked.
    pub revoked_at: Option<OffsetDateTime>,
}

/// A personal access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PersonalToken {
    /// Id of the token; not a secret.
    pub id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// What its user calls it.
    pub name: String,
    /// Whether it can be used.
    pub state: TokenState,
    /// Who revoked it.
    pub revoked_by: Option<Uuid>,
    /// When it was issued.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it last changed.
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
    /// When it was last used, to the hour.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_used_at: Option<OffsetDateTime>,
    /// When its time is over.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// When it was revoked.
    #[serde(with = "time::serde::rfc3339::option")]
    pub revoked_at: Option<OffsetDateTime>,
}

impl PersonalToken {
    /// The token as it is at `now`.
    pub fn at(row: TokenRow, now: OffsetDateTime) -> Self {
        let state = match row.revoked_at {
            Some(_) => TokenState::Revoked,
            None if row.expires_at <= now => TokenState::Expired,
            None => TokenState::Active,
        };
        Self {
            id: row.id,
            user_id: row.principal,
            name: row.name,
            state,
            revoked_by: row.revoked_by,
            created_at: row.created_at,
            updated_at: row.updated_at,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
        }
    }
}

/// A new token with its text, which is shown this once.
#[derive(Serialize, ToSchema)]
pub struct IssuedToken {
    /// About the token.
    #[serde(flatten)]
    pub token: PersonalToken,
    /// The secret itself.
    pub konnect_token: String,
}

/// The tokens of a user.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenList {
    /// About the list.
    pub meta: PageMeta,
    /// All of them, oldest first.
    pub data: Vec<PersonalToken>,
}

/// How long a token can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// For so long.
    Ttl(Duration),
    /// Until then.
    Until(OffsetDateTime),
}

/// A token that is to be: `name` and either `ttl_seconds` (a day to a year) or `expires_at`
/// (within a year).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateToken {
    /// What its user calls it.
    pub name: String,
    /// How long it can be used.
    pub lifetime: Lifetime,
}

/// The body that [`CreateToken`] is read from.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body in the OpenAPI document")]
pub struct CreateTokenBody {
    name: String,
    /// 86400 to 31536000; or give `expires_at`.
    ttl_seconds: Option<i64>,
    /// Within a year; or give `ttl_seconds`.
    expires_at: Option<OffsetDateTime>,
}

impl CreateToken {
    /// Reads a request's body.
    ///
    /// # Errors
    /// With all that is wrong with it.
    pub fn read(body: &Value, now: OffsetDateTime) -> Result<Self, Invalid> {
        let mut fields = Fields::of(body)?;
        let token = Self::read_fields(&mut fields, now);
        fields.finish(token)
    }

    /// Reads a token from the members of an object.
    pub fn read_fields(fields: &mut Fields<'_>, now: OffsetDateTime) -> Self {
        fields.only(&["name", "ttl_seconds", "expires_at"]);
        let name = fields.required_text("name", text::token_name);
        let ttl = fields.integer("ttl_seconds", DAY..=YEAR).map(|seconds| Lifetime::Ttl(Duration::seconds(seconds)));
        let until = fields.time("expires_at");
        if until.is_some_and(|until| until <= now || until > now + Duration::seconds(YEAR)) {
            fields.refuse("expires_at", ("must be in the future, within a year".into(), "invalid"));
        }
        match (fields.raw("ttl_seconds"), fields.raw("expires_at")) {
            (Some(_), Some(_)) => fields.refuse("expires_at", ("cannot be given with ttl_seconds".into(), "invalid")),
            (None, None) => fields.refuse("ttl_seconds", ("is a required field".into(), "required")),
            _ => {}
        }
        let lifetime = ttl.or(until.map(Lifetime::Until)).unwrap_or(Lifetime::Ttl(Duration::ZERO));
        Self { name, lifetime }
    }

    /// An organization's first token, unless the operator says otherwise.
    pub fn first() -> Self {
        Self { name: "First token".to_owned(), lifetime: Lifetime::Ttl(Duration::seconds(FIRST_TOKEN_TTL)) }
    }

    /// When the token's time is over, if it is issued at `issued_at`.
    pub fn expires_at(&self, issued_at: OffsetDateTime) -> OffsetDateTime {
        match self.lifetime {
            Lifetime::Ttl(ttl) => issued_at + ttl,
            Lifetime::Until(until) => until,
        }
    }
}

/// A change of a token.
#[derive(Debug, Clone, PartialEq, Eq, ToSchema)]
pub struct UpdateToken {
    /// What its user calls it.
    pub name: String,
}

impl UpdateToken {
    /// Reads a request's body.
    ///
    /// # Errors
    /// With all that is wrong with it.
    pub fn read(body: &Value) -> Result<Self, Invalid> {
        let mut fields = Fields::of(body)?;
        let name = fields.required_text("name", text::token_name);
        fields.finish(Self { name })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn refused(body: Value) -> Vec<String> {
        CreateToken::read(&body, NOW).unwrap_err().0.into_iter().map(|one| one.field.into_owned()).collect()
    }

    #[test]
    fn a_token_lives_a_day_to_a_year() {
        let read = |seconds: i64| CreateToken::read(&json!({"name": "ci", "ttl_seconds": seconds}), NOW);
        assert_eq!(read(DAY).unwrap().expires_at(NOW), NOW + Duration::days(1));
        assert!(read(YEAR).is_ok());
        assert!(read(DAY - 1).is_err() && read(YEAR + 1).is_err());
    }

    #[test]
    fn exactly_one_lifetime_is_given() {
        assert_eq!(refused(json!({"name": "ci"})), ["ttl_seconds"]);
        assert_eq!(
            refused(json!({"name": "ci", "ttl_seconds": DAY, "expires_at": "1970-02-01T00:00:00Z"})),
            ["expires_at"]
        );
        for past in ["1970-01-01T00:00:00Z", "1971-01-02T00:00:00Z"] {
            assert_eq!(refused(json!({"name": "ci", "expires_at": past})), ["expires_at"]);
        }
        assert_eq!(refused(json!({"name": "ci", "ttl_seconds": DAY, "admin": true})), ["body"]);
    }

    #[test]
    fn a_revoked_token_stays_revoked_when_it_expires() {
        let row = |revoked_at| TokenRow {
            id: Uuid::nil(),
            principal: Uuid::nil(),
            name: "ci".into(),
            revoked_by: None,
            created_at: NOW,
            updated_at: NOW,
            last_used_at: None,
            expires_at: NOW,
            revoked_at,
        };
        let state = |revoked, at| PersonalToken::at(row(revoked), at).state;
        assert_eq!(state(None, NOW - Duration::SECOND), TokenState::Active);
        assert_eq!(state(None, NOW), TokenState::Expired);
        assert_eq!(state(Some(NOW), NOW), TokenState::Revoked);
    }
}
