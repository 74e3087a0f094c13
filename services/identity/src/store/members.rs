//! Memberships of users in teams.

use writ_contract::identity_event::Change;
use writ_contract::row::{Membership, Validity};
use writ_contract::{TeamId, UserId};

use super::PendingRevision;
use super::quotas::{counted, within};
use crate::domain::quota::Quota;
use crate::error::{IdentityError, Result};

/// Adds a user to a team; also returns the change for the event.
///
/// # Errors
/// [`IdentityError::NotFound`] when the organization has no such team or user; [`IdentityError::Exists`] when
/// the user is in the team already; [`IdentityError::QuotaReached`].
pub async fn add_user(revision: &mut PendingRevision, team: TeamId, user: UserId) -> Result<Change> {
    let organization = revision.organization();
    let (team_exists, user_exists, used, maximum): (bool, bool, Option<i64>, Option<i64>) = sqlx::query_as(concat!(
        "WITH t AS (SELECT id FROM principal WHERE organization = $1 AND id = $2 AND kind = 'team'),
              u AS (SELECT id FROM principal WHERE organization = $1 AND id = $3 AND kind = 'user'),
              inserted AS (INSERT INTO membership (organization, team, member) SELECT $1, t.id, u.id FROM t, u
                           ON CONFLICT DO NOTHING RETURNING organization),",
        counted!("memberships"),
        "SELECT EXISTS (SELECT FROM t), EXISTS (SELECT FROM u), (SELECT used FROM counted), (SELECT maximum FROM counted)"
    ))
    .bind(organization)
    .bind(team)
    .bind(user)
    .fetch_one(revision.connection())
    .await?;
    match (team_exists, user_exists, used) {
        (false, ..) => Err(IdentityError::NotFound("team")),
        (_, false, _) => Err(IdentityError::NotFound("user")),
        (.., None) => Err(IdentityError::Exists { what: "User is already a member of the team", id: user.as_uuid() }),
        (.., Some(used)) => within(Quota::Memberships, used, maximum).map(|()| joined(team, user)),
    }
}

fn joined(team: TeamId, user: UserId) -> Change {
    Change::MemberAdded(Membership { team, member: user.into(), validity: Validity::default() })
}

/// Removes a user from a team.
///
/// # Errors
/// [`IdentityError::NotFound`] when the organization has no such team, or the user is not in it.
pub async fn remove_user(revision: &mut PendingRevision, team: TeamId, user: UserId) -> Result<()> {
    let organization = revision.organization();
    let removed = sqlx::query(
        "DELETE FROM membership m USING principal p
          WHERE m.organization = $1 AND m.team = $2 AND m.member = $3
            AND p.organization = m.organization AND p.id = m.member AND p.kind = 'user'",
    )
    .bind(organization)
    .bind(team)
    .bind(user)
    .execute(revision.connection())
    .await?;
    if removed.rows_affected() == 0 { Err(IdentityError::NotFound("team member")) } else { Ok(()) }
}
