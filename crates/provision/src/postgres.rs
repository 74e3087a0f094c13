//! Roles, databases and tables of a region's PostgreSQL. Each service has a database with two roles: the owner changes
//! tables, the other role reads and writes rows.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use futures::future::try_join_all;
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tokio::process::Command;

use crate::error::{Error, Result};
use crate::service::Service;

/// Attributes of our roles.
const PLAIN: &str = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS";
/// The same as a condition on `pg_roles`.
const IS_PLAIN: &str =
    "rolcanlogin AND NOT (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)";

/// A region's PostgreSQL and what it should have.
#[derive(Debug, Clone)]
pub struct PostgresPlan {
    /// Connection of the administrator, who may create roles and databases.
    pub administrator: PgConnectOptions,
    /// Passwords to set, by role. Existing roles without one here keep theirs.
    pub passwords: BTreeMap<String, SecretString>,
}

/// All database roles of a region.
pub fn roles() -> Vec<String> {
    Service::ALL.into_iter().flat_map(|service| [service.role().to_owned(), service.owner()]).collect()
}

/// Creates the databases and their roles, and sets passwords and privileges. Tables are created by [`migrate`].
///
/// # Errors
/// If PostgreSQL does not answer or refuses, or a new role has no password.
pub async fn provision_postgres(plan: &PostgresPlan) -> Result<()> {
    let mut connection = plan.administrator.connect().await?;
    for service in Service::ALL {
        for role in [service.role(), &service.owner()] {
            ensure_role(&mut connection, role, plan.passwords.get(role)).await?;
        }
        ensure_database(&mut connection, service).await?;
        grant_rows(plan, service).await?;
    }
    Ok(connection.close().await?)
}

/// Runs the migrations of every service as the owner of its database: `writ-<service> migrate`, with the services'
/// programs from the folder `programs`.
///
/// # Errors
/// If a program is missing or fails, or the plan has no password of an owner.
pub async fn migrate(plan: &PostgresPlan, programs: &Path) -> Result<()> {
    try_join_all(Service::ALL.map(|service| migrate_one(plan, programs, service))).await.map(drop)
}

async fn migrate_one(plan: &PostgresPlan, programs: &Path, service: Service) -> Result<()> {
    let (owner, program) = (service.owner(), programs.join(service.binary()));
    let password = plan.passwords.get(&owner).ok_or_else(|| missing_password(&owner))?;
    let database = plan.administrator.clone().database(service.database());
    let url = database.username(&owner).password(password.expose_secret()).to_url_lossy();
    let mut command = Command::new(&program);
    command.arg("migrate").env("WRIT_DATABASE_URL", url.as_str()).stdin(Stdio::null());
    let output = command.output().await.map_err(Error::at(&program))?;
    if output.status.success() {
        return Ok(());
    }
    let output = [output.stdout, output.stderr].concat();
    let output = String::from_utf8_lossy(&output).trim().to_owned();
    Err(Error::Migration { program: service.binary(), output })
}

async fn ensure_role(connection: &mut PgConnection, role: &str, password: Option<&SecretString>) -> Result<()> {
    let found =
        sqlx::query_scalar::<_, bool>(AssertSqlSafe(format!("SELECT {IS_PLAIN} FROM pg_roles WHERE rolname = $1")));
    match found.bind(role).fetch_optional(&mut *connection).await? {
        Some(true) => {}
        // Only a superuser may repeat these attributes, so they are not repeated without need.
        Some(false) => execute(connection, format!("ALTER ROLE \"{role}\" {PLAIN}")).await?,
        None if password.is_none() => return Err(missing_password(role)),
        None => execute(connection, format!("CREATE ROLE \"{role}\" {PLAIN}")).await?,
    }
    match password {
        Some(password) => set_password(connection, role, password).await,
        None => Ok(()),
    }
}

async fn set_password(connection: &mut PgConnection, role: &str, password: &SecretString) -> Result<()> {
    let quoted = sqlx::query_scalar::<_, String>("SELECT format('ALTER ROLE %I PASSWORD %L', $1, $2)");
    let statement = quoted.bind(role).bind(password.expose_secret()).fetch_one(&mut *connection).await?;
    execute(connection, statement).await
}

/// The database belongs to its owner, is open to the service's role, and closed to everyone else.
async fn ensure_database(connection: &mut PgConnection, service: Service) -> Result<()> {
    let (database, role, owner) = (service.database(), service.role(), service.owner());
    // An administrator who is not a superuser has to be a member of a role to give it something.
    let superuser: bool =
        sqlx::query_scalar("SELECT current_setting('is_superuser')::boolean").fetch_one(&mut *connection).await?;
    if !superuser {
        execute(connection, format!("GRANT \"{owner}\" TO CURRENT_USER")).await?;
    }
    let exists = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)");
    if !exists.bind(database).fetch_one(&mut *connection).await? {
        execute(connection, format!("CREATE DATABASE \"{database}\"")).await?;
    }
    execute(connection, format!("ALTER DATABASE \"{database}\" OWNER TO \"{owner}\"")).await?;
    execute(connection, format!("REVOKE ALL ON DATABASE \"{database}\" FROM PUBLIC")).await?;
    execute(connection, format!("GRANT CONNECT ON DATABASE \"{database}\" TO \"{role}\"")).await
}

/// The service's role may read and write rows of all tables that the owner creates. Migrations revoke what is too much.
async fn grant_rows(plan: &PostgresPlan, service: Service) -> Result<()> {
    let (role, owner) = (service.role(), service.owner());
    let mut connection = plan.administrator.clone().database(service.database()).connect().await?;
    let default = format!("ALTER DEFAULT PRIVILEGES FOR ROLE \"{owner}\" IN SCHEMA public");
    let rows = "SELECT, INSERT, UPDATE, DELETE";
    execute(&mut connection, format!("{default} GRANT {rows} ON TABLES TO \"{role}\"")).await?;
    Ok(connection.close().await?)
}

async fn execute(connection: &mut PgConnection, statement: String) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await?;
    Ok(())
}

fn missing_password(role: &str) -> Error {
    Error::Settings(format!("the password of the database role {role} is missing"))
}
