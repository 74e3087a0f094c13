//! The process from outside: what it says of bad settings, what it shows while it waits, and how
//! it ends.

use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// A port that was free a moment ago.
fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The service with settings under which neither database nor Kafka can be reached.
fn audit(port: u16) -> anyhow::Result<Command> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_writ-audit"));
    command
        .env_clear()
        .env("WRIT_REGION", "us")
        .env("WRIT_REGIONS", "us,eu")
        .env("WRIT_KAFKA_BROKERS", format!("127.0.0.1:{}", free_port()?))
        .env("WRIT_DATABASE_URL", format!("postgres://audit:hidden@127.0.0.1:{}/audit", free_port()?))
        .env("WRIT_OPERATIONS_LISTEN", format!("127.0.0.1:{port}"))
        .stderr(Stdio::piped());
    Ok(command)
}

/// Ends with the test, however that ends.
struct AuditProcess(Child);

impl Drop for AuditProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

impl AuditProcess {
    /// Sends a signal and waits for the end.
    fn end(mut self, signal: Signal) -> anyhow::Result<Output> {
        kill(Pid::from_raw(self.0.id().try_into()?), signal)?;
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.0.try_wait()?.is_none() {
            ensure!(Instant::now() < deadline, "still running");
            std::thread::yield_now();
        }
        let mut stderr = Vec::new();
        std::io::Read::read_to_end(&mut self.0.stderr.take().context("stderr")?, &mut stderr)?;
        Ok(Output { status: self.0.wait()?, stdout: Vec::new(), stderr })
    }
}

async fn once_it_listens(url: &str) -> anyhow::Result<reqwest::Response> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match reqwest::get(url).await {
            Ok(answer) => return Ok(answer),
            Err(error) if Instant::now() > deadline => return Err(error.into()),
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

/// The check of this name, once the service shows it.
async fn once_it_shows(url: &str, name: &str) -> anyhow::Result<Value> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let body: Value = reqwest::get(url).await?.json().await?;
        let checks = body["checks"].as_array().context("checks")?;
        if let Some(check) = checks.iter().find(|check| check["name"] == name) {
            return Ok(check.clone());
        }
        ensure!(Instant::now() < deadline, "{body}");
    }
}

#[test]
fn a_bad_setting_ends_it_at_once_and_is_named() -> anyhow::Result<()> {
    let cases = [
        ("WRIT_REGION", "nowhere-at-all"),
        ("WRIT_REGIONS", "eu"),
        ("WRIT_OPERATIONS_LISTEN", "everywhere"),
        ("WRIT_LOG", "a=?"),
        ("WRIT_DATABASE_URL", "mysql://hidden@db"),
        ("WRIT_OTLP_ENDPOINT", "https://collector"),
        ("WRIT_CONFIG", "/nowhere/writ.toml"),
    ];
    for (variable, value) in cases {
        let output = audit(free_port()?)?.env(variable, value).output()?;
        let said = String::from_utf8(output.stderr)?;
        assert_eq!(output.status.code(), Some(78), "{variable}: {said}");
        let named = if variable == "WRIT_REGIONS" { "WRIT_REGION" } else { variable };
        assert!(said.contains(named) && !said.contains("hidden"), "{variable}: {said}");
    }
    Ok(())
}

#[test]
fn a_port_in_use_is_named() -> anyhow::Result<()> {
    let holder = TcpListener::bind("127.0.0.1:0")?;
    let port = holder.local_addr()?.port();
    let output = audit(port)?.output()?;
    let said = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("WRIT_OPERATIONS_LISTEN") && said.contains(&port.to_string()), "{said}");
    Ok(())
}

#[tokio::test]
async fn it_waits_for_what_is_away_says_so_and_stops_when_told() -> anyhow::Result<()> {
    let port = free_port()?;
    let running = AuditProcess(audit(port)?.spawn()?);
    let base = format!("http://127.0.0.1:{port}");
    let live = once_it_listens(&format!("{base}/livez")).await?;
    assert_eq!(live.status(), 200);

    let ready = reqwest::get(format!("{base}/readyz")).await?;
    assert_eq!(ready.status(), 503);
    let waits = once_it_shows(&format!("{base}/readyz"), "database").await?;
    assert_eq!(waits["ready"], false, "{waits}");

    let output = running.end(Signal::SIGTERM)?;
    let said = String::from_utf8(output.stderr)?;
    assert!(output.status.success(), "{said}");
    assert!(said.contains("waiting for PostgreSQL") && !said.contains("hidden"), "{said}");
    Ok(())
}
