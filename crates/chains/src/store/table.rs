//! Tables of rows: a description of the columns, and what all tables have in common.
//!
//! Every table begins with the three columns that name a chain.

use std::collections::HashMap;
use std::sync::OnceLock;

use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgHasArrayType, PgRow};
use sqlx::{Arguments, AssertSqlSafe, Encode, PgConnection, Postgres, Row as _, SqlSafeStr, SqlStr, Type};
use writ_contract::{ChainId, OrganizationId, Region, Stream};
use writ_log::database::next_row;
use writ_policy::{Row, RowKey};

/// Name and SQL type of a column.
pub(super) type Column = (&'static str, &'static str);

const CHAIN: [Column; 3] = [("organization", "uuid"), ("origin", "text"), ("stream", "text")];

/// A table and its columns; made with [`table!`](super::tables).
pub(super) struct Table {
    pub(super) name: &'static str,
    /// What names a row within its chain.
    pub(super) key: &'static [Column],
    pub(super) values: &'static [Column],
    /// Adds the columns of keys, one array each.
    pub(super) keys: fn(&[(ChainId, RowKey)], &mut Arrays) -> Encoded,
    /// Adds the columns of rows, keys first.
    pub(super) rows: fn(&[(ChainId, &Row)], &mut Arrays) -> Encoded,
    pub(super) read: fn(&PgRow) -> Result<Row, sqlx::Error>,
    pub(super) statements: OnceLock<Statements>,
}

/// What is put into and dropped from one table, in the order of the keys; no key twice.
#[derive(Default)]
pub(super) struct Changes<'a> {
    pub(super) put: Vec<(ChainId, &'a Row)>,
    pub(super) dropped: Vec<(ChainId, RowKey)>,
}

/// Whether values could be added to the arguments of a statement.
pub(super) type Encoded = Result<(), BoxDynError>;

/// Rows by chain.
pub(super) type Loaded = HashMap<ChainId, Vec<Row>>;

/// Made of names that are part of this build.
pub(super) struct Statements {
    put: SqlStr,
    drop: SqlStr,
    load: SqlStr,
}

impl Table {
    pub(super) async fn change(&self, conn: &mut PgConnection, changes: &Changes<'_>) -> Result<(), sqlx::Error> {
        let statements = self.statements();
        if !changes.dropped.is_empty() {
            let arrays = Arrays::of(&changes.dropped, self.keys)?;
            sqlx::query_with(statements.drop.clone(), arrays.0).execute(&mut *conn).await?;
        }
        if !changes.put.is_empty() {
            let arrays = Arrays::of(&changes.put, self.rows)?;
            sqlx::query_with(statements.put.clone(), arrays.0).execute(conn).await?;
        }
        Ok(())
    }

    /// Adds the rows of one chain, or of all.
    pub(super) async fn load(
        &self,
        conn: &mut PgConnection,
        only: Option<&ChainId>,
        loaded: &mut Loaded,
    ) -> Result<(), sqlx::Error> {
        let mut rows = sqlx::query(self.statements().load.clone())
            .bind(only.map(|chain| chain.organization))
            .bind(only.map(|chain| chain.origin))
            .bind(only.map(|chain| chain.stream))
            .fetch(conn);
        while let Some(row) = next_row(&mut rows).await? {
            loaded.entry(chain_of(&row)?).or_default().push((self.read)(&row)?);
        }
        Ok(())
    }

    fn statements(&self) -> &Statements {
        self.statements.get_or_init(|| Statements {
            put: AssertSqlSafe(self.put_statement()).into_sql_str(),
            drop: AssertSqlSafe(self.drop_statement()).into_sql_str(),
            load: AssertSqlSafe(self.load_statement()).into_sql_str(),
        })
    }

    fn put_statement(&self) -> String {
        let (name, key) = (self.name, names(&[&CHAIN, self.key]));
        let columns = [&CHAIN, self.key, self.values];
        let (all, arrays) = (names(&columns), arrays(&columns));
        let replaced = joined(self.values, ", ", |column| format!("{column} = excluded.{column}"));
        format!(
            r#"INSERT INTO "{name}" ({all}) SELECT * FROM UNNEST({arrays}) ON CONFLICT ({key}) DO UPDATE SET {replaced}"#
        )
    }

    fn drop_statement(&self) -> String {
        let columns = [&CHAIN, self.key].concat();
        let (name, key, arrays) = (self.name, names(&[&columns]), arrays(&[&columns]));
        let same = joined(&columns, " AND ", |column| format!("held.{column} = dropped.{column}"));
        format!(r#"DELETE FROM "{name}" AS held USING UNNEST({arrays}) AS dropped ({key}) WHERE {same}"#)
    }

    fn load_statement(&self) -> String {
        let (name, all) = (self.name, names(&[&CHAIN, self.key, self.values]));
        format!(r#"SELECT {all} FROM "{name}" WHERE $1::uuid IS NULL OR (organization, origin, stream) = ($1, $2, $3)"#)
    }
}

fn names(columns: &[&[Column]]) -> String {
    joined(&columns.concat(), ", ", str::to_owned)
}

/// One array a column, as parameters.
fn arrays(columns: &[&[Column]]) -> String {
    let parameters = columns.concat().into_iter().zip(1..).map(|((_, sql), number)| format!("${number}::{sql}[]"));
    parameters.collect::<Vec<_>>().join(", ")
}

fn joined(columns: &[Column], separator: &str, text: impl Fn(&str) -> String) -> String {
    columns.iter().map(|(name, _)| text(name)).collect::<Vec<_>>().join(separator)
}

/// The columns that name a chain.
pub(super) fn chain_of(row: &PgRow) -> Result<ChainId, sqlx::Error> {
    let organization: OrganizationId = row.try_get("organization")?;
    let origin: Region = row.try_get("origin")?;
    let stream: Stream = row.try_get("stream")?;
    Ok(ChainId { organization, origin, stream })
}

/// Arguments of a statement that takes one array a column.
#[derive(Default)]
pub(super) struct Arrays(pub(super) PgArguments);

impl Arrays {
    /// The columns that name chains, then those that `add` adds.
    fn of<T>(items: &[(ChainId, T)], add: fn(&[(ChainId, T)], &mut Self) -> Encoded) -> Result<Self, sqlx::Error> {
        let mut arrays = Self::default();
        arrays.chains(items.iter().map(|(chain, _)| *chain)).map_err(sqlx::Error::Encode)?;
        add(items, &mut arrays).map_err(sqlx::Error::Encode)?;
        Ok(arrays)
    }

    pub(super) fn chains(&mut self, chains: impl Iterator<Item = ChainId> + Clone) -> Encoded {
        self.add(chains.clone().map(|chain| chain.organization))?;
        self.add(chains.clone().map(|chain| chain.origin))?;
        self.add(chains.map(|chain| chain.stream))
    }

    /// One column.
    pub(super) fn add<T>(&mut self, values: impl Iterator<Item = T>) -> Encoded
    where
        T: for<'q> Encode<'q, Postgres> + Type<Postgres> + PgHasArrayType,
    {
        self.0.add(values.collect::<Vec<_>>())
    }
}
