//! A temporary PostgreSQL for tests.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::parts::postgres::{self, ADMINISTRATOR, Administration, Postgres};
use crate::parts::prerequisites;
use crate::parts::readiness::Ready;
use crate::process::identity::ProcessId;
use crate::process::supervisor::{POLL, end};
use crate::region::LOOPBACK;

const TIMEOUT: Duration = Duration::from_secs(60);

/// A running PostgreSQL on a free port, in a folder of its own.
#[derive(Debug)]
pub struct TemporaryPostgres {
    folder: PathBuf,
    process: ProcessId,
    url: String,
}

impl TemporaryPostgres {
    /// Starts one and waits until it answers.
    ///
    /// # Errors
    /// If PostgreSQL is missing or does not start.
    pub async fn start() -> Result<Self> {
        let programs = Postgres::new(prerequisites::postgres_programs()?)?;
        let password = Uuid::new_v4().simple().to_string();
        let server = Administration { host: LOOPBACK.to_owned(), port: free_port()?, password: &password };
        let folder = std::env::temp_dir().join(format!("writ-postgres-{}", Uuid::new_v4().simple()));
        std::fs::create_dir(&folder).map_err(Error::at(&folder))?;
        // PostgreSQL may run as another user.
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&folder, open).map_err(Error::at(&folder))?;
        let launch = programs.prepare(&folder, &server).await?;
        // Temporary data need not survive a power cut.
        let launch = launch.args(["-cfsync=off", "-cmax_connections=300"]);
        let process = launch.spawn("temporary-postgres", &folder.join("log"))?;
        let url = format!("postgres://{ADMINISTRATOR}:{password}@127.0.0.1:{}/postgres?sslmode=disable", server.port);
        let started = Self { folder, process, url };
        started.ready(server).await?;
        Ok(started)
    }

    /// Address for the administrator, in the format of `DATABASE_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops it and removes its data.
    pub async fn stop(self) {
        end(&self.process, postgres::ENDING).await;
        // A folder that cannot be removed is left to the cleanup of the system.
        let _ = std::fs::remove_dir_all(&self.folder);
    }

    async fn ready(&self, server: Administration<'_>) -> Result<()> {
        let began = Instant::now();
        let ready = Ready::Postgres(server);
        while let Err(last) = ready.check().await {
            if began.elapsed() > TIMEOUT || !self.process.is_alive() {
                let name = "the temporary PostgreSQL".to_owned();
                return Err(Error::Deadline { name, waited: began.elapsed(), last });
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }
}

/// A port that is free now.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Error::io("a free port"))?;
    listener.local_addr().map(|address| address.port()).map_err(Error::io("a free port"))
}
