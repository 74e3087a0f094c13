//! Who is in which team.

use uuid::Uuid;
use writ_contract::identity_event::{Change, MemberKind};

use super::Revision;
use crate::error::{Error, Result};

/// Puts a user into a team; also returns the change for the event.
///
/// # Errors
/// [`Error::NotFound`] when the organization has no such team or user; [`Error::Conflict`] when
/// the user is in the team already.
pub async fn add_user(revision: &mut Revision, team: Uuid, user: Uuid) -> Result<Change> {
    let organization = revision.organization();
    let (team_exists, user_exists, added): (bool, bool, bool) = sqlx::query_as(
        "WITH t AS (SELECT id FROM principal WHERE organization = $1 AND id = $2 AND kind = 'team'),
              u AS (SELECT id FROM principal WHERE organization = $1 AND id = $3 AND kind = 'user'),
              added AS (INSERT INTO membership (organization, team, member) SELECT $1, t.id, u.id FROM t, u
                        ON CONFLICT DO NOTHING RETURNING member)
         SELECT EXISTS (SELECT FROM t), EXISTS (SELECT FROM u), EXISTS (SELECT FROM added)",
    )
    .bind(organization)
    .bind(team)
    .bind(user)
    .fetch_one(revision.connection())
    .await?;
    match (team_exists, user_exists, added) {
        (false, _, _) => Err(Error::NotFound("team")),
        (_, false, _) => Err(Error::NotFound("user")),
        (_, _, false) => Err(Error::Conflict("User is already a member of the team")),
        _ => Ok(joined(team, user)),
    }
}

fn joined(team: Uuid, user: Uuid) -> Change {
    Change::MemberAdded { team, member: user, member_kind: MemberKind::User, valid_from: None, valid_until: None }
}

/// Takes a user out of a team.
///
/// # Errors
/// [`Error::NotFound`] when the organization has no such team, or the user is not in it.
pub async fn remove_user(revision: &mut Revision, team: Uuid, user: Uuid) -> Result<()> {
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
    if removed.rows_affected() == 0 { Err(Error::NotFound("team member")) } else { Ok(()) }
}
