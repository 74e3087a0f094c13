//! One PostgreSQL for each region.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd;
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use tokio::process::Command;

use crate::command::{as_user, run};
use crate::error::{Error, Result};
use crate::launch::{Launch, User};
use crate::supervisor::Ending;

const SETTINGS: &str = include_str!("../../../infra/postgres/postgresql.conf");
/// The user that PostgreSQL runs as where we are root, which it refuses.
const SYSTEM_USER: &str = "postgres";
/// Where PostgreSQL in a container listens.
pub(crate) const PORT: u16 = 5432;
/// PostgreSQL's own administrator; services never use it.
pub(crate) const ADMINISTRATOR: &str = "postgres";

/// PostgreSQL's fast shutdown: open sessions are cut, data is written out.
pub(crate) const ENDING: Ending = Ending { signal: Signal::SIGINT, grace: Duration::from_secs(20) };

/// The programs of a PostgreSQL installation, and who runs them.
#[derive(Debug, Clone)]
pub(crate) struct Postgres {
    bin: PathBuf,
    user: Option<User>,
}

/// How to reach one server as its administrator.
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

    /// Makes the data folder once, writes the settings, and says how to start.
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
        // No socket in a shared folder: the loopback address and a password are the only way in.
        let launch = launch.args(["-clisten_addresses=127.0.0.1", "-cunix_socket_directories="]);
        Ok(launch.args(["-p".to_owned(), server.port.to_string()]).ports([server.port]).user(self.user))
    }

    /// `initdb` into a folder beside the final one, which then takes its name: half a data
    /// folder is never taken for a whole one.
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

    /// PostgreSQL's user must be able to get to its data.
    async fn reachable(&self, folder: &Path) -> Result<()> {
        let mut look = Command::new("sh");
        look.args(["-c", "cd \"$0\""]).arg(folder);
        run(as_user(look.current_dir("/"), self.user), "sh").await.map(drop).map_err(|_| {
            Error::Settings(format!(
                "the user {SYSTEM_USER}, as whom PostgreSQL runs, cannot reach {}: choose a folder whose parents \
                 others may enter, with --home or WRIT_HOME, such as /var/tmp/writ",
                folder.display()
            ))
        })
    }
}

/// A connection to a database of the server as its administrator.
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

fn unprivileged() -> Result<Option<User>> {
    if !unistd::geteuid().is_root() {
        return Ok(None);
    }
    let found = unistd::User::from_name(SYSTEM_USER).ok().flatten();
    let missing = || Error::Missing(format!("PostgreSQL does not run as root, and there is no user {SYSTEM_USER}"));
    let user = found.ok_or_else(missing)?;
    Ok(Some(User { uid: user.uid.as_raw(), gid: user.gid.as_raw() }))
}
