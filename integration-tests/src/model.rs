//! What an organization's policies must be, worked out from the system of record alone: no log, no
//! change set, no read model.

use anyhow::Result;
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::types::time::OffsetDateTime;
use sqlx::{PgPool, Row as _};
use uuid::Uuid;
use writ_contract::{Hash, Timestamp};
use writ_policy::digest::StateDigest;
use writ_policy::{Binding, Grant, Principal, Row, Token, Validity};

/// The state digest of the rows that follow from identity's tables.
///
/// # Errors
/// When the database does not answer, or holds what cannot be.
pub async fn expected_digest(identity: &PgPool, organization: Uuid) -> Result<Hash> {
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
    ("SELECT team, member, valid_from, valid_until FROM membership WHERE organization = $1", binding),
    ("SELECT * FROM role_assignment WHERE organization = $1", grant),
    ("SELECT id, hash, principal, kind, expires_at FROM token WHERE organization = $1 AND revoked_at IS NULL", token),
];

fn organization(row: &PgRow) -> Result<Row> {
    Ok(Row::Organization(serde_json::from_value(text(row, "state")?)?))
}

fn principal(row: &PgRow) -> Result<Row> {
    let kind = serde_json::from_value(text(row, "kind")?)?;
    Ok(Row::Principal(Principal { id: row.try_get("id")?, kind, active: row.try_get("active")? }))
}

fn binding(row: &PgRow) -> Result<Row> {
    Ok(Row::Binding(Binding { team: row.try_get("team")?, member: row.try_get("member")?, validity: validity(row)? }))
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
    let hash: [u8; 32] = row.try_get("hash")?;
    Ok(Row::Token(Token {
        id: row.try_get("id")?,
        hash: Hash(hash),
        principal: row.try_get("principal")?,
        kind: serde_json::from_value(text(row, "kind")?)?,
        expires_at: row.try_get::<OffsetDateTime, _>("expires_at")?.into(),
    }))
}

fn validity(row: &PgRow) -> Result<Validity> {
    let time = |column| row.try_get::<Option<OffsetDateTime>, _>(column).map(|time| time.map(Timestamp::from));
    Ok(Validity { from: time("valid_from")?, until: time("valid_until")? })
}

fn text(row: &PgRow, column: &str) -> Result<Value> {
    Ok(Value::String(row.try_get(column)?))
}
