//! The databases of a region's services: each has an owner, who changes tables, and a role, which reads and writes rows.

use futures::future::try_join_all;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};
use tokio::process::Command;

use crate::cluster::{Cluster, LocalRegion};
use crate::command;
use crate::error::Result;
use crate::postgres::{Administration, connect};
use crate::services::{self, Service};

/// What no role of ours is or may.
const PLAIN: &str = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS";

impl Cluster {
    /// Makes the databases of a region, their roles, and their tables as the services' programs want them.
    pub(crate) async fn provision_databases(&self, region: &LocalRegion) -> Result<()> {
        let server = self.administration(region);
        let mut connection = connect(&server, "postgres").await?;
        for service in Service::ALL {
            ensure_role(&mut connection, service.role(), self.secrets.role_password(service)).await?;
            ensure_role(&mut connection, &service.owner(), self.secrets.owner_password(service)).await?;
            ensure_database(&mut connection, service).await?;
            separate(&server, service).await?;
        }
        connection.close().await?;
        try_join_all(Service::ALL.map(|service| self.migrate(region, service))).await.map(drop)
    }

    /// The service's own program changes the tables, as their owner.
    async fn migrate(&self, region: &LocalRegion, service: Service) -> Result<()> {
        let mut program = Command::new(services::program(self, &service.binary())?);
        program.arg("migrate").env("WRIT_DATABASE_URL", self.owner_url(region, service));
        command::run(&mut program, &format!("{} migrate", service.binary())).await.map(drop)
    }
}

async fn ensure_role(connection: &mut PgConnection, role: &str, password: &str) -> Result<()> {
    let exists = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)");
    let verb = if exists.bind(role).fetch_one(&mut *connection).await? { "ALTER" } else { "CREATE" };
    // Names are ours and passwords hexadecimal; `authorization` is a word of SQL, and so in quotes.
    execute(connection, format!("{verb} ROLE \"{role}\" {PLAIN} PASSWORD '{password}'")).await
}

/// The database is its owner's, open to the service's role, and closed to everyone else.
async fn ensure_database(connection: &mut PgConnection, service: Service) -> Result<()> {
    let (database, role, owner) = (service.database(), service.role(), service.owner());
    let exists = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)");
    if !exists.bind(database).fetch_one(&mut *connection).await? {
        execute(connection, format!("CREATE DATABASE \"{database}\"")).await?;
    }
    execute(connection, format!("ALTER DATABASE \"{database}\" OWNER TO \"{owner}\"")).await?;
    execute(connection, format!("REVOKE ALL ON DATABASE \"{database}\" FROM PUBLIC")).await?;
    execute(connection, format!("GRANT CONNECT ON DATABASE \"{database}\" TO \"{role}\"")).await
}

/// What the owner makes, the service's role may read and write, and no more: a migration takes away what is too much.
async fn separate(server: &Administration<'_>, service: Service) -> Result<()> {
    const ROWS: &str = "SELECT, INSERT, UPDATE, DELETE";
    let (role, owner) = (service.role(), service.owner());
    let mut connection = connect(server, service.database()).await?;
    // A database of the time when the service's role owned everything.
    let owns = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_class WHERE relowner = $1::regrole)");
    if owns.bind(format!("\"{role}\"")).fetch_one(&mut connection).await? {
        execute(&mut connection, format!("REASSIGN OWNED BY \"{role}\" TO \"{owner}\"")).await?;
        execute(&mut connection, format!("GRANT {ROWS} ON ALL TABLES IN SCHEMA public TO \"{role}\"")).await?;
    }
    let default = format!("ALTER DEFAULT PRIVILEGES FOR ROLE \"{owner}\" IN SCHEMA public");
    execute(&mut connection, format!("{default} GRANT {ROWS} ON TABLES TO \"{role}\"")).await?;
    Ok(connection.close().await?)
}

async fn execute(connection: &mut PgConnection, statement: String) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await?;
    Ok(())
}
