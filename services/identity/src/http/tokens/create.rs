//! New personal tokens.

use deserr::{Deserr, IntoValue, Map, Value, ValuePointerRef};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};
use writ_contract::UserId;
use writ_contract::identity_event::Change;
use writ_contract::row::TokenKind;
use writ_service::Faults;

use super::{IssuedToken, Result, TokenResponse};
use crate::app::App;
use crate::domain::text::TokenName;
use crate::domain::token::{LONGEST_TTL, Lifetime, SHORTEST_TTL};
use crate::error::IdentityError;
use crate::store::PendingRevision;
use crate::store::callers::{Right, TokenHolder};
use crate::store::tokens::{self, NewToken};

/// Name of the schema of `expires_at`, which depends on the day it is read.
pub(in crate::http) const TOKEN_EXPIRY: &str = "TokenExpiry";
const FIELDS: [&str; 4] = ["name", "ttl_seconds", "expires_at", "may_outlive_issuer"];

/// A new token: its name and either how long it lives or when it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) struct CreateToken {
    name: TokenName,
    lifetime: Lifetime,
    may_outlive_issuer: bool,
}

impl CreateToken {
    /// An organization's first token, unless the operator says otherwise.
    pub(in crate::http) fn first() -> Self {
        Self { name: TokenName::of_ours("First token"), lifetime: Lifetime::FIRST, may_outlive_issuer: false }
    }

    /// When the token ends at the latest that is issued with the token of `holder`.
    ///
    /// # Errors
    /// [`IdentityError::Forbidden`] when it is to outlive that token, and the holder is no administrator.
    pub(super) fn limit(&self, holder: &TokenHolder) -> Result<Option<OffsetDateTime>> {
        match self.may_outlive_issuer {
            true => Right::Administer.require(holder).map(|()| None),
            false => Ok(Some(holder.expires_at)),
        }
    }
}

/// The body without the lifetime.
#[derive(Deserr)]
#[deserr(error = Faults, deny_unknown_fields = unknown_field)]
struct Named {
    name: TokenName,
    #[deserr(default)]
    may_outlive_issuer: bool,
}

fn unknown_field(key: &str, _: &[&str], place: ValuePointerRef<'_>) -> Faults {
    Faults::unknown(place.push_key(key), &FIELDS)
}

/// By hand, because exactly one of two fields is required.
impl Deserr<Faults> for CreateToken {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: ValuePointerRef<'_>) -> Result<Self, Faults> {
        let Value::Map(mut fields) = value else { return Err(Faults::at(place, "is_object", "must be an object")) };
        let mut take = |name| fields.remove(name).map(V::into_value).filter(|value| !matches!(value, Value::Null));
        let (ttl, until) = (take("ttl_seconds"), take("expires_at"));
        let (ttl_at, until_at) = (place.push_key("ttl_seconds"), place.push_key("expires_at"));
        let lifetime = match (ttl, until) {
            (Some(ttl), None) => read_ttl(ttl, ttl_at),
            (None, Some(until)) => read_time(until, until_at),
            (Some(_), Some(_)) => Err(Faults::at(until_at, "invalid", "cannot be given with ttl_seconds")),
            (None, None) => Err(Faults::at(ttl_at, "required", "is a required field")),
        };
        let named = Named::deserialize_from_value(Value::<V>::Map(fields), place);
        let (Named { name, may_outlive_issuer }, lifetime) = Faults::both(named, lifetime)?;
        Ok(Self { name, lifetime, may_outlive_issuer })
    }
}

fn read_ttl<V: IntoValue>(value: Value<V>, place: ValuePointerRef<'_>) -> Result<Lifetime, Faults> {
    let seconds = match value {
        // An integer to JSON Schema: 86400.0.
        Value::Float(seconds) if seconds.fract() == 0.0 => seconds as i64,
        value => i64::deserialize_from_value(value, place)?,
    };
    let reason = || format!("must be between {SHORTEST_TTL} and {LONGEST_TTL}");
    match seconds {
        ..SHORTEST_TTL => Err(Faults::at(place, "min", reason())),
        SHORTEST_TTL..=LONGEST_TTL => Ok(Lifetime::Ttl(Duration::seconds(seconds))),
        _ => Err(Faults::at(place, "max", reason())),
    }
}

fn read_time<V: IntoValue>(value: Value<V>, place: ValuePointerRef<'_>) -> Result<Lifetime, Faults> {
    let time = String::deserialize_from_value(value, place)?;
    let time = OffsetDateTime::parse(&time, &Rfc3339);
    time.map(Lifetime::Until).map_err(|_| Faults::at(place, "is_date_time", "must be a date and time"))
}

impl PartialSchema for CreateToken {
    fn schema() -> RefOr<Schema> {
        let ttl = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .description(Some("How many seconds the token can be used."))
            .minimum(Some(SHORTEST_TTL))
            .maximum(Some(LONGEST_TTL));
        let outlive = ObjectBuilder::new()
            .schema_type(Type::Boolean)
            .default(Some(false.into()))
            .description(Some(
                "Whether the token may expire later than the token that issues it; for administrators only. Otherwise it \
                 expires with that token, if not before. Without meaning for a first token.",
            ))
            .build();
        let until: RefOr<Schema> = Ref::from_schema_name(TOKEN_EXPIRY).into();
        let either = [("ttl_seconds", ttl.into()), ("expires_at", until)].into_iter().map(|(name, lifetime)| {
            ObjectBuilder::new()
                .schema_type(Type::Object)
                .property("name", TokenName::schema())
                .property(name, lifetime)
                .property("may_outlive_issuer", outlive.clone())
                .required("name")
                .required(name)
                .additional_properties(Some(utoipa::openapi::schema::AdditionalProperties::<Schema>::FreeForm(false)))
        });
        either.fold(OneOfBuilder::new(), OneOfBuilder::item).into()
    }
}

impl ToSchema for CreateToken {}

/// Stores a new personal token, which ends at `limit` at the latest; also returns it with its secret for the one answer
/// that shows it. `field` names where the request says when the token expires.
pub(in crate::http) async fn issue(
    app: &App,
    revision: &mut PendingRevision,
    user: UserId,
    new: CreateToken,
    field: &'static str,
    limit: Option<OffsetDateTime>,
) -> Result<(IssuedToken, Change)> {
    let secret = app.new_token(TokenKind::Personal, revision.organization());
    let expires_at =
        new.lifetime.expires_at(revision.now(), limit).map_err(|violation| IdentityError::invalid(field, violation))?;
    let new = NewToken { user, kind: TokenKind::Personal, name: new.name, hash: secret.hash(), expires_at };
    let (token, issued) = tokens::insert(revision, new).await?;
    let token = TokenResponse::at(token, revision.now());
    Ok((IssuedToken { token, konnect_token: secret.expose().to_owned() }, issued))
}

#[cfg(test)]
mod tests {
    use deserr::deserialize;
    use serde_json::json;

    use super::*;

    fn refused(body: serde_json::Value) -> Vec<(String, &'static str)> {
        let faults = deserialize::<CreateToken, _, Faults>(body).unwrap_err();
        faults.iter().map(|(field, rule, _)| (field, rule)).collect()
    }

    #[test]
    fn exactly_one_lifetime_is_given() {
        for (body, field, rule) in [
            (json!({"name": "ci"}), "ttl_seconds", "required"),
            (json!({"name": "ci", "ttl_seconds": null}), "ttl_seconds", "required"),
            (json!({"name": "ci", "ttl_seconds": SHORTEST_TTL - 1}), "ttl_seconds", "min"),
            (json!({"name": "ci", "ttl_seconds": LONGEST_TTL + 1}), "ttl_seconds", "max"),
            (json!({"name": "ci", "ttl_seconds": 86400.5}), "ttl_seconds", "is_integer"),
            (json!({"name": "ci", "expires_at": "noon"}), "expires_at", "is_date_time"),
            (
                json!({"name": "ci", "ttl_seconds": 86400, "expires_at": "1970-02-01T00:00:00Z"}),
                "expires_at",
                "invalid",
            ),
            (json!({"name": "ci", "ttl_seconds": 86400, "admin": true}), "admin", "unknown_property"),
            (json!({"name": "ci", "ttl_seconds": 86400, "may_outlive_issuer": 1}), "may_outlive_issuer", "is_boolean"),
        ] {
            assert_eq!(refused(body), [(field.to_owned(), rule)]);
        }
        let ttl = json!({"name": "ci", "ttl_seconds": SHORTEST_TTL, "expires_at": null});
        let expected = Lifetime::Ttl(Duration::seconds(SHORTEST_TTL));
        let float = json!({"name": "ci", "ttl_seconds": 86400.0});
        assert_eq!(deserialize::<CreateToken, _, Faults>(float).unwrap().lifetime, expected);
        assert_eq!(deserialize::<CreateToken, _, Faults>(ttl).unwrap().lifetime, expected);
    }

    #[test]
    fn all_faults_are_told() {
        let expected = [("name", "matches_regex"), ("ttl_seconds", "required")];
        assert_eq!(refused(json!({"name": "-"})), expected.map(|(field, rule)| (field.to_owned(), rule)));
    }
}
