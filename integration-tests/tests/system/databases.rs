//! PostgreSQL: no service is more than it needs to be.

use std::collections::BTreeSet;
use std::str::FromStr;

use anyhow::Result;
use integration_tests::{REGIONS, SERVICES, System, until};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use writ_local::Service;

/// SQLSTATE: not allowed.
const REFUSED: &str = "42501";
/// Who may be there beside the services: these tests, `writ`, and what they call.
const ADMINISTRATION: [&str; 3] = ["test", "writ", "pg_dump"];

async fn connect(system: &System, region: &str, service: Service) -> Result<PgConnection> {
    Ok(PgConnection::connect(&system.database_url(region, service)).await?)
}

fn code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned())
}

async fn is_refused(connection: &mut PgConnection, who: &str, statement: &str) {
    let outcome = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(connection).await;
    let Err(error) = outcome else { panic!("{who}: {statement}: was not refused") };
    assert_eq!(code(&error).as_deref(), Some(REFUSED), "{who}: {statement}: {error}");
}

/// Roles are plain, belong to no other, and prove themselves with a password of which only a salted hash is kept.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_administrator_is_a_superuser() -> Result<()> {
    let mut expected: Vec<String> = SERVICES.map(|service| service.role().to_owned()).to_vec();
    expected.extend(SERVICES.map(Service::owner));
    expected.sort();
    for region in REGIONS {
        let pool = System::running().await?.database(region, "postgres").await?;
        let plain = sqlx::query_scalar(
            "SELECT rolname::text FROM pg_authid a WHERE rolcanlogin AND rolpassword LIKE 'SCRAM-SHA-256$%' \
             AND NOT (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls) \
             AND NOT EXISTS (SELECT FROM pg_auth_members WHERE member = a.oid) ORDER BY rolname COLLATE \"C\"",
        );
        let plain: Vec<String> = plain.fetch_all(&pool).await?;
        assert_eq!(plain, expected, "{region}");
        let others: Vec<String> =
            sqlx::query_scalar("SELECT rolname::text FROM pg_roles WHERE rolcanlogin AND rolname <> ALL($1)")
                .bind(&expected)
                .fetch_all(&pool)
                .await?;
        assert_eq!(others, ["postgres"], "{region}");
    }
    Ok(())
}

/// A running service is connected as its own role to its own database, and nobody is connected as an owner.
#[tokio::test(flavor = "multi_thread")]
async fn services_are_connected_as_themselves_only() -> Result<()> {
    let pool = System::running().await?.database("us", "postgres").await?;
    let expected = BTreeSet::from(SERVICES.map(|it| (it.role().to_owned(), it.database().to_owned())));
    until("every service is connected as itself, and nobody else is", async || {
        let found: Vec<(String, String)> = sqlx::query_as(
            "SELECT DISTINCT usename::text, datname::text FROM pg_stat_activity \
             WHERE backend_type = 'client backend' AND application_name <> ALL($1)",
        )
        .bind(ADMINISTRATION.as_slice())
        .fetch_all(&pool)
        .await?;
        Ok((BTreeSet::from_iter(found) == expected).then_some(()))
    })
    .await
}

/// A service reads and writes rows. Tables, the list of migrations, the server and other roles are not its business.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_cannot_change_tables_nor_become_another() -> Result<()> {
    let system = System::running().await?;
    for service in SERVICES {
        let (mut connection, who) = (connect(system, "us", service).await?, service.name());
        let leases: i64 = sqlx::query_scalar("SELECT count(*) FROM lease").fetch_one(&mut connection).await?;
        assert!(leases > 0, "{who} reads its rows");
        let become_owner = format!("SET ROLE {}", service.owner());
        for statement in [
            "CREATE TABLE mine ()",
            "CREATE SCHEMA mine",
            "CREATE TEMPORARY TABLE mine ()",
            "ALTER TABLE lease ADD COLUMN mine int",
            "DROP TABLE lease",
            "TRUNCATE lease",
            "UPDATE _sqlx_migrations SET success = true",
            "DELETE FROM _sqlx_migrations",
            "CREATE ROLE mine",
            "CREATE DATABASE mine",
            "SET ROLE postgres",
            "SET session_replication_role = replica",
            "COPY lease TO PROGRAM 'true'",
            "SELECT pg_read_file('PG_VERSION')",
            &become_owner,
        ] {
            is_refused(&mut connection, who, statement).await;
        }
        let owned = "SELECT count(*) FROM pg_shdepend WHERE deptype = 'o' AND refobjid = current_user::regrole";
        let owned: i64 = sqlx::query_scalar(owned).fetch_one(&mut connection).await?;
        assert_eq!(owned, 0, "{who} owns nothing");
    }
    Ok(())
}

/// The record is append-only for the service that keeps it: not by its trigger alone, which it cannot take away either.
#[tokio::test(flavor = "multi_thread")]
async fn audit_cannot_change_what_it_has_recorded() -> Result<()> {
    let system = System::running().await?;
    let mut connection = connect(system, "us", Service::Audit).await?;
    let rights: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) \
         AS name WHERE has_table_privilege('entry', name)",
    )
    .fetch_all(&mut connection)
    .await?;
    assert_eq!(rights, ["SELECT", "INSERT"]);
    for statement in [
        "UPDATE entry SET origin = origin",
        "DELETE FROM entry",
        "TRUNCATE entry",
        "DROP TRIGGER append_only ON entry",
        "ALTER TABLE entry DISABLE TRIGGER append_only",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "DROP TABLE entry",
    ] {
        is_refused(&mut connection, "audit", statement).await;
    }
    Ok(())
}

/// One service's password opens one database.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_cannot_open_the_database_of_another() -> Result<()> {
    let system = System::running().await?;
    for service in SERVICES {
        let own = PgConnectOptions::from_str(&system.database_url("us", service))?;
        for database in SERVICES.map(Service::database) {
            let opened = PgConnection::connect_with(&own.clone().database(database)).await;
            let refusal = opened.err().and_then(|error| code(&error));
            let expected = (database != service.database()).then_some(REFUSED);
            assert_eq!(refusal.as_deref(), expected, "{} opens {database}", service.name());
        }
        let wrong = PgConnection::connect_with(&own.password("wrong")).await.err();
        assert_eq!(
            wrong.and_then(|error| code(&error)).as_deref(),
            Some("28P01"),
            "{} without its password",
            service.name()
        );
    }
    Ok(())
}
