use std::time::Instant;

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::*;

const SHORT: Duration = Duration::from_millis(200);

/// Forwards to PostgreSQL, and swallows everything in both directions, without closing, while told to.
struct Proxy {
    options: PgConnectOptions,
    silent: watch::Sender<bool>,
}

impl Proxy {
    async fn start(pool: &PgPool) -> Self {
        let (target, listener) = (pool.connect_options(), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let port = listener.local_addr().unwrap().port();
        let options = (*target).clone().host("127.0.0.1").port(port);
        let (silent, told) = watch::channel(false);
        let address = (target.get_host().to_owned(), target.get_port());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(address.clone()).await.unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(forward(from_client, to_server, told.clone()));
                tokio::spawn(forward(from_server, to_client, told.clone()));
            }
        });
        Self { options, silent }
    }
}

async fn forward(mut from: impl AsyncReadExt + Unpin, mut to: impl AsyncWriteExt + Unpin, told: watch::Receiver<bool>) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if !*told.borrow() && to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

async fn one(connection: &mut PgConnection) -> Result<i32, Error> {
    sqlx::query_scalar("SELECT 1").fetch_one(connection).await
}

#[sqlx::test(migrations = false)]
async fn a_silent_server_costs_one_attempt_and_one_connection(pool: PgPool) {
    let proxy = Proxy::start(&pool).await;
    let only = PgPoolOptions::new().max_connections(1).test_before_acquire(false).connect_with(proxy.options).await;
    let only = only.unwrap();
    assert_eq!(bounded(&only, LIMIT, one).await.unwrap(), 1);
    proxy.silent.send_replace(true);
    let begun = Instant::now();
    let error = bounded(&only, SHORT, one).await.unwrap_err();
    assert!(matches!(&error, Error::Io(cause) if cause.kind() == io::ErrorKind::TimedOut), "{error}");
    assert!(!is_about_data(&error) && begun.elapsed() < LIMIT);
    proxy.silent.send_replace(false);
    // The pool may have one connection only: the silent one is gone.
    assert_eq!(bounded(&only, LIMIT, one).await.unwrap(), 1);
}

#[sqlx::test(migrations = false)]
async fn errors_about_the_data_are_told_from_those_about_the_server(pool: PgPool) {
    sqlx::query("CREATE TABLE item (a int PRIMARY KEY CHECK (a > 0), b text)").execute(&pool).await.unwrap();
    sqlx::query("CREATE INDEX ON item (b)").execute(&pool).await.unwrap();
    for about_data in [
        "SELECT 1 / 0",
        "SELECT 'x'::int",
        "SELECT convert_from('\\x00', 'UTF8')",
        "INSERT INTO item (a) VALUES (0)",
        "INSERT INTO item (a) VALUES (NULL)",
        "INSERT INTO item SELECT 1, string_agg(random()::text, '') FROM generate_series(1, 10000)",
    ] {
        let error = sqlx::query(about_data).execute(&pool).await.unwrap_err();
        assert!(is_about_data(&error), "{about_data}: {error}");
    }
    for about_the_server in [
        "SELECT pg_terminate_backend(pg_backend_pid())",
        "SELECT * FROM missing",
        "SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(9)",
        "SET TRANSACTION READ ONLY; CREATE TABLE other ()",
    ] {
        let error = sqlx::raw_sql(about_the_server).execute(&pool).await.unwrap_err();
        assert!(!is_about_data(&error), "{about_the_server}: {error}");
    }
    assert!(!is_about_data(&Error::PoolTimedOut));
    assert!(is_about_data(&Error::Encode("too large".into())));
}
