use std::net::TcpListener;
use std::sync::LazyLock;

use super::*;
use crate::health::Health;

static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| merged(&[&LATER, &EARLIER]));
static EARLIER: LazyLock<Migrator> = LazyLock::new(|| one(1, "CREATE TABLE earlier (id int)"));
static LATER: LazyLock<Migrator> = LazyLock::new(|| one(1000, "CREATE TABLE later AS SELECT * FROM earlier"));

fn one(version: i64, sql: &'static str) -> Migrator {
    let sql = sqlx::SqlStr::from_static(sql);
    let kind = sqlx::migrate::MigrationType::Simple;
    let migration = sqlx::migrate::Migration::new(version, "test".into(), kind, sql, false);
    Migrator::with_migrations(vec![migration])
}

#[sqlx::test(migrations = false)]
async fn migrations_of_several_crates_run_in_order(pool: PgPool) -> anyhow::Result<()> {
    let health = Health::default();
    let check = health.check("database");
    let options = (*pool.connect_options()).clone();
    let opened = open(options, &MIGRATOR, &check).await?;
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM later").fetch_one(&opened).await?;
    assert_eq!(rows, 0);
    assert!(health.ready());
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_not_there_is_waited_for_with_the_reason() -> anyhow::Result<()> {
    let nobody = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let health = Health::default();
    let check = health.check("database");
    let url = DatabaseUrl::try_from(format!("postgres://nobody@{nobody}/none"))?;
    let waiting = tokio::time::timeout(Duration::from_millis(300), open(url.options(), &MIGRATOR, &check));
    assert!(waiting.await.is_err(), "still waiting");
    let reason = health.findings()[0].reason.clone().unwrap_or_default();
    assert!(reason.starts_with("Connection refused"), "{reason}");
    Ok(())
}

#[test]
fn an_address_of_another_kind_is_refused() {
    for url in ["mysql://a@b/c", "postgres", "postgres://:::::", ""] {
        assert_eq!(DatabaseUrl::try_from(url.to_owned()).unwrap_err(), InvalidDatabaseUrl, "{url}");
    }
}
