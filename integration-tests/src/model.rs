//! What an organization's policies must be, derived from the system of record alone: no log, no
//! change set, no read model.

use anyhow::Result;
use sqlx::postgres::PgRow;
use sqlx::types::time::OffsetDateTime;
use sqlx::{PgPool, Row as _};
use writ_contract::row::{Grant, Membership, Principal, Token, Validity};
use writ_contract::{Hash, OrganizationId, Timestamp};
use writ_policy::Row;
use writ_policy::digest::StateDigest;

/// The state digest of the rows that follow from identity's tables.
///
/// # Errors
/// When the database does not answer, or holds what cannot be.
pub async fn expected_digest(identity: &PgPool, organization: OrganizationId) -> Result<Hash> {
    let mut rows = Vec::new();
    for (statement, row_of) in STATEMENTS {
        let found = sqlx::query(statement).bind(organization).fetch_all(identity).await?;
        for row in &found {
            rows.push(row_of(row)?);
        }
    }
    Ok(StateDigest::of(rows.iter().map(Row::hash)).into())
}

type RowOf = fn(&PgRow) -> Result<Row>;

const STATEMENTS: [(&str, RowOf); 5] = [
    ("SELECT state FROM organization WHERE id = $1", organization),
    ("SELECT id, kind, active FROM principal WHERE organization = $1", principal),
    ("SELECT team, member, valid_from, valid_until FROM membership WHERE organization = $1", membership),
    ("SELECT * FROM role_assignment WHERE organization = $1", grant),
    ("SELECT id, hash, principal, kind, expires_at FROM token WHERE organization = $1 AND revoked_at IS NULL", token),
];

fn organization(row: &PgRow) -> Result<Row> {
    Ok(Row::Organization(row.try_get("state")?))
}

fn principal(row: &PgRow) -> Result<Row> {
    let (id, kind, active) = (row.try_get("id")?, row.try_get("kind")?, row.try_get("active")?);
    Ok(Row::Principal(Principal { id, kind, active }))
}

fn membership(row: &PgRow) -> Result<Row> {
    let (team, member) = (row.try_get("team")?, row.try_get("member")?);
    Ok(Row::Membership(Membership { team, member, validity: validity(row)? }))
}

fn grant(row: &PgRow) -> Result<Row> {
    Ok(Row::Grant(Grant {
        id: row.try_get("id")?,
        principal: row.try_get("principal")?,
        role: row.try_get("role")?,
        entity_type: row.try_get("entity_type")?,
        entity_id: row.try_get("entity_id")?,
        region: row.try_get("region")?,
        validity: validity(row)?,
        condition: row.try_get("condition")?,
    }))
}

fn token(row: &PgRow) -> Result<Row> {
    Ok(Row::Token(Token {
        id: row.try_get("id")?,
        hash: row.try_get("hash")?,
        principal: row.try_get("principal")?,
        kind: row.try_get("kind")?,
        expires_at: row.try_get::<OffsetDateTime, _>("expires_at")?.into(),
    }))
}

fn validity(row: &PgRow) -> Result<Validity> {
    let time = |column| row.try_get::<Option<OffsetDateTime>, _>(column).map(|time| time.map(Timestamp::from));
    Ok(Validity { from: time("valid_from")?, until: time("valid_until")? })
}
