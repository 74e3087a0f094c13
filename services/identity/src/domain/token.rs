//! Personal access tokens.

use time::{Duration, OffsetDateTime};
use writ_contract::{TokenId, UserId};

use super::Violation;
use super::text::TokenName;

/// Shortest lifetime of a token in seconds: a day.
pub const SHORTEST_TTL: i64 = 86_400;
/// Longest lifetime of a token in seconds: a year.
pub const LONGEST_TTL: i64 = 365 * 86_400;
/// How long an organization's first token lives unless the operator says otherwise.
const FIRST_TOKEN_TTL: Duration = Duration::days(30);
/// How long an invitation can be accepted.
pub const INVITE_TTL: Duration = Duration::days(7);
/// How long a recovery invitation can be accepted.
pub const RECOVERY_TTL: Duration = Duration::days(1);
/// How long an expired token is shown before it is deleted.
pub const EXPIRED_KEPT: Duration = Duration::days(7);

/// Whether a token can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenState {
    /// It can.
    Active,
    /// Someone has revoked it.
    Revoked,
    /// It has expired.
    Expired,
}

/// A personal access token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalToken {
    /// Id of the token.
    pub id: TokenId,
    /// The user it belongs to.
    pub user: UserId,
    /// What its user calls it.
    pub name: TokenName,
    /// Who revoked it.
    pub revoked_by: Option<UserId>,
    /// When it was issued.
    pub created_at: OffsetDateTime,
    /// When it last changed.
    pub updated_at: OffsetDateTime,
    /// When it was last used for the management API, to the hour.
    pub last_used_at: Option<OffsetDateTime>,
    /// When it expires.
    pub expires_at: OffsetDateTime,
    /// When it was revoked.
    pub revoked_at: Option<OffsetDateTime>,
}

impl PersonalToken {
    /// The token's state at `now`.
    pub fn state(&self, now: OffsetDateTime) -> TokenState {
        match self.revoked_at {
            Some(_) => TokenState::Revoked,
            None if self.expires_at <= now => TokenState::Expired,
            None => TokenState::Active,
        }
    }
}

/// How long a token can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// This long after it is issued.
    Ttl(Duration),
    /// Until this time.
    Until(OffsetDateTime),
}

impl Lifetime {
    /// The lifetime of an organization's first token, unless the operator gives another.
    pub const FIRST: Self = Self::Ttl(FIRST_TOKEN_TTL);

    /// When a token expires that is issued at `issued_at` with a token that expires at `issuer`, if with any: not later
    /// than that one.
    ///
    /// # Errors
    /// When the end asked for is in the past or more than a year away.
    pub fn expires_at(
        self,
        issued_at: OffsetDateTime,
        issuer: Option<OffsetDateTime>,
    ) -> Result<OffsetDateTime, Violation> {
        let end = match self {
            Self::Ttl(ttl) => issued_at + ttl,
            Self::Until(until) => until,
        };
        if end <= issued_at || end > issued_at + Duration::seconds(LONGEST_TTL) {
            return Err(Violation::of("invalid", "must be in the future, within a year"));
        }
        Ok(issuer.map_or(end, |issuer| end.min(issuer)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    #[test]
    fn a_token_expires_within_a_year() {
        let year = Duration::seconds(LONGEST_TTL);
        for (lifetime, expected) in [
            (Lifetime::Ttl(Duration::days(1)), Some(NOW + Duration::days(1))),
            (Lifetime::Ttl(year), Some(NOW + year)),
            (Lifetime::Until(NOW + year), Some(NOW + year)),
            (Lifetime::Until(NOW + year + Duration::SECOND), None),
            (Lifetime::Until(NOW), None),
            (Lifetime::Until(NOW - Duration::SECOND), None),
        ] {
            assert_eq!(lifetime.expires_at(NOW, None).ok(), expected, "{lifetime:?}");
        }
    }

    #[test]
    fn a_token_does_not_outlive_its_issuer() {
        let hour = Duration::HOUR;
        for (lifetime, issuer, expected) in [
            (Lifetime::Ttl(hour), NOW + hour * 2, NOW + hour),
            (Lifetime::Ttl(hour * 3), NOW + hour * 2, NOW + hour * 2),
            (Lifetime::Until(NOW + hour * 3), NOW + hour * 2, NOW + hour * 2),
        ] {
            assert_eq!(lifetime.expires_at(NOW, Some(issuer)).ok(), Some(expected), "{lifetime:?}");
        }
    }

    #[test]
    fn a_revoked_token_stays_revoked_when_it_expires() {
        let state = |revoked_at, now| {
            let token = PersonalToken {
                id: TokenId::default(),
                user: UserId::default(),
                name: "ci".to_owned().try_into().unwrap(),
                revoked_by: None,
                created_at: NOW,
                updated_at: NOW,
                last_used_at: None,
                expires_at: NOW,
                revoked_at,
            };
            token.state(now)
        };
        assert_eq!(state(None, NOW - Duration::SECOND), TokenState::Active);
        assert_eq!(state(None, NOW), TokenState::Expired);
        assert_eq!(state(Some(NOW), NOW), TokenState::Revoked);
    }
}
