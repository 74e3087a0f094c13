//! Invitations: how a person becomes a user.

use serde_json::Value;
use time::{Duration, OffsetDateTime};
use utoipa::ToSchema;

use super::fields::Fields;
use super::token::{CreateToken, CreateTokenBody};
use super::{Invalid, text};

/// How long an invitation can be accepted.
pub const INVITE_TTL: Duration = Duration::days(7);

/// Who is to be invited.
#[derive(Debug, Clone, PartialEq, Eq, ToSchema)]
pub struct InviteUser {
    /// The person's e-mail address.
    pub email: String,
}

impl InviteUser {
    /// Reads a request's body.
    ///
    /// # Errors
    /// With all that is wrong with it.
    pub fn read(body: &Value) -> Result<Self, Invalid> {
        let mut fields = Fields::of(body)?;
        let email = fields.required_text("email", text::email);
        fields.finish(Self { email })
    }
}

/// What an invited person says to become a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptInvite {
    /// The whole name.
    pub full_name: String,
    /// How the person wants to be called.
    pub preferred_name: Option<String>,
    /// The person's first token.
    pub token: CreateToken,
}

/// The body that [`AcceptInvite`] is read from.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body in the OpenAPI document")]
pub struct AcceptInviteBody {
    full_name: String,
    preferred_name: Option<String>,
    token: CreateTokenBody,
}

impl AcceptInvite {
    /// Reads a request's body.
    ///
    /// # Errors
    /// With all that is wrong with it.
    pub fn read(body: &Value, now: OffsetDateTime) -> Result<Self, Invalid> {
        let mut fields = Fields::of(body)?;
        fields.require("token");
        let accept = Self {
            full_name: fields.required_text("full_name", text::name),
            preferred_name: fields.text("preferred_name", text::optional_name),
            token: fields
                .object("token", "token.", |token| CreateToken::read_fields(token, now))
                .unwrap_or_else(CreateToken::first),
        };
        fields.finish(accept)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    #[test]
    fn an_acceptance_names_what_is_wrong_with_its_token() {
        let wrong = AcceptInvite::read(&json!({"full_name": "Bob", "token": {"name": "x"}}), NOW).unwrap_err();
        assert_eq!(wrong.0[0].field, "token.ttl_seconds");
        let wrong = AcceptInvite::read(&json!({"full_name": "Bob"}), NOW).unwrap_err();
        assert_eq!(wrong.0[0].field, "token");
    }
}
