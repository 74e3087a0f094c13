//! The PostgreSQL of a region.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd;
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use tokio::process::Command;

use crate::error::{Error, Result};
use crate::process::command::{as_user, run};
use crate::process::launch::{Launch, UnixUser};
use crate::process::supervisor::Ending;

const SETTINGS: &str = include_str!("../../../../infra/postgres/postgresql.conf");
/// User of PostgreSQL if we are root, because it refuses to run as root.
const SYSTEM_USER: &str = "postgres";
/// Role of the administrator, which services never use.
pub(crate) const ADMINISTRATOR: &str = "postgres";

/// Fast shutdown: sessions are closed, data is flushed.
pub(crate) const ENDING: Ending = Ending { signal: Signal::SIGINT, grace: Duration::from_secs(20) };

/// The programs of a PostgreSQL installation, and the user who runs them.
#[derive(Debug, Clone)]
pub(crate) struct Postgres {
    bin: PathBuf,
    user: Option<UnixUser>,
}

/// Address and password of the administrator of a server.
#[derive(Debug, Clone)]
pub(crate) struct Administration<'a> {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) password: &'a str,
}

impl Postgres {
    /// The installation whose programs are in `bin`.
    pub(crate) fn new(bin: PathBuf) -> Result<Self> {
        Ok(Self { bin, user: unprivileged()? })
    }

    /// Initializes the data folder on first use and writes the settings.
    pub(crate) async fn prepare(&self, folder: &Path, server: &Administration<'_>) -> Result<Launch> {
        let data = folder.join("postgres");
        if !data.join("PG_VERSION").is_file() {
            self.initialize(folder, &data, server.password).await?;
        }
        let settings = folder.join("postgresql.conf");
        fs::write(&settings, SETTINGS).map_err(Error::at(&settings))?;
        let launch = Launch::new(self.bin.join("postgres")).args(["-D"]).args([&data]).settings(&settings);
        let launch = launch.args([format!("-cconfig_file={}", settings.display())]);
        let (hba, ident) = (data.join("pg_hba.conf"), data.join("pg_ident.conf"));
        let launch =
            launch.args([format!("-chba_file={}", hba.display()), format!("-cident_file={}", ident.display())]);
        // No Unix socket: clients need the loopback address and a password.
        let launch = launch.args(["-clisten_addresses=127.0.0.1", "-cunix_socket_directories="]);
        Ok(launch.args(["-p".to_owned(), server.port.to_string()]).ports([server.port]).user(self.user))
    }

    /// Runs `initdb` in another folder and renames it, so that an incomplete data folder is never used.
    async fn initialize(&self, folder: &Path, data: &Path, password: &str) -> Result<()> {
        let fresh = folder.join("postgres.new");
        if fresh.exists() {
            fs::remove_dir_all(&fresh).map_err(Error::at(&fresh))?;
        }
        fs::create_dir_all(&fresh).map_err(Error::at(&fresh))?;
        self.own(&fresh)?;
        self.reachable(&fresh).await?;
        let secret = folder.join("initial-password");
        writ_provision::write_private(&secret, password)?;
        self.own(&secret)?;
        let made = self.initdb(&fresh, &secret).await;
        fs::remove_file(&secret).map_err(Error::at(&secret))?;
        made?;
        fs::rename(&fresh, data).map_err(Error::at(data))
    }

    async fn initdb(&self, data: &Path, secret: &Path) -> Result<()> {
        let mut initdb = Command::new(self.bin.join("initdb"));
        initdb.args(["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-instructions"]);
        initdb.args(["--username", ADMINISTRATOR, "--pgdata"]).arg(data).arg("--pwfile").arg(secret);
        run(as_user(initdb.current_dir("/"), self.user), "initdb").await.map(drop)
    }

    fn own(&self, path: &Path) -> Result<()> {
        let Some(user) = self.user else { return Ok(()) };
        std::os::unix::fs::chown(path, Some(user.uid), Some(user.gid)).map_err(Error::at(path))
    }

    /// Fails if PostgreSQL's user cannot reach the folder.
    async fn reachable(&self, folder: &Path) -> Result<()> {
        let mut look = Command::new("sh");
        look.args(["-c", "cd \"$0\""]).arg(folder);
        run(as_user(look.current_dir("/"), self.user), "sh").await.map(drop).map_err(|_| {
            Error::Settings(format!(
                "PostgreSQL runs as the user {SYSTEM_USER}, who cannot enter {}: choose a folder that other users can \
                 enter, such as /var/tmp/writ, with --home or WRIT_HOME",
                folder.display()
            ))
        })
    }
}

/// Connects to a database as the administrator.
pub(crate) async fn connect(server: &Administration<'_>, database: &str) -> Result<PgConnection> {
    let options = PgConnectOptions::new_without_pgpass()
        .host(&server.host)
        .port(server.port)
        .username(ADMINISTRATOR)
        .password(server.password)
        .database(database)
        .application_name("writ")
        .ssl_mode(PgSslMode::Disable);
    Ok(options.connect().await?)
}

fn unprivileged() -> Result<Option<UnixUser>> {
    if !unistd::geteuid().is_root() {
        return Ok(None);
    }
    let found = unistd::User::from_name(SYSTEM_USER).ok().flatten();
    let missing = || Error::Missing(format!("PostgreSQL does not run as root, and there is no user {SYSTEM_USER}"));
    let user = found.ok_or_else(missing)?;
    Ok(Some(UnixUser { uid: user.uid.as_raw(), gid: user.gid.as_raw() }))
}
