use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sqlx::PgPool;
use sqlx::postgres::PgConnection;
use tracing::Span;
use writ_contract::Timestamp;
use writ_kafka::Connection;

use super::*;
use crate::Lease;
use crate::testing::config;

/// What becomes of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Good,
    /// Planning it panics, half-way.
    Panics,
    /// PostgreSQL refuses its effects.
    Refused,
    /// Its effects cannot be encoded.
    Unencodable,
}

fn record(kind: Kind, partition: i32, offset: i64) -> ConsumedRecord {
    ConsumedRecord {
        topic: "t".to_owned(),
        partition,
        offset,
        timestamp: Timestamp(0),
        key: None,
        headers: Vec::new(),
        value: Some(format!("{kind:?} {partition}/{offset}").into_bytes()),
    }
}

fn name(record: &ConsumedRecord) -> String {
    String::from_utf8(record.value.clone().unwrap()).unwrap()
}

/// Keeps what it has planned in memory, and stores it.
#[derive(Default)]
struct Names {
    memory: Vec<String>,
    committed: Vec<String>,
}

#[derive(Default)]
struct NameEffects {
    names: Vec<String>,
    aside: Vec<(String, String)>,
}

impl Projection for Names {
    type Effects = NameEffects;

    fn plan_one(&mut self, record: &ConsumedRecord, effects: &mut NameEffects) {
        let name = name(record);
        self.memory.push(name.clone());
        effects.names.push(name.clone());
        assert!(!name.starts_with("Panics"), "on purpose");
    }

    fn take_back(&mut self, effects: NameEffects) {
        for name in effects.names.iter().rev() {
            assert_eq!(self.memory.pop().as_ref(), Some(name));
        }
    }

    fn set_aside(&mut self, record: &ConsumedRecord, reason: &str, effects: &mut NameEffects) {
        effects.aside.push((name(record), reason.to_owned()));
    }

    async fn persist(&mut self, tx: &mut PgConnection, effects: &NameEffects) -> Result<(), sqlx::Error> {
        for name in &effects.names {
            let name = if name.starts_with("Refused") { "\0" } else { name };
            if name.starts_with("Unencodable") {
                return Err(sqlx::Error::Encode("on purpose".into()));
            }
            sqlx::query("INSERT INTO name (name) VALUES ($1)").bind(name).execute(&mut *tx).await?;
        }
        for (name, reason) in &effects.aside {
            sqlx::query("INSERT INTO aside VALUES ($1, $2)").bind(name).bind(reason).execute(&mut *tx).await?;
        }
        Ok(())
    }

    fn spans(_: &NameEffects) -> &[Span] {
        &[]
    }

    fn committed(&mut self, effects: NameEffects) {
        self.committed.extend(effects.names);
    }
}

async fn consumer(pool: &PgPool) -> Consumer {
    sqlx::query("CREATE TABLE name (place bigint GENERATED ALWAYS AS IDENTITY, name text UNIQUE)")
        .execute(pool)
        .await
        .unwrap();
    sqlx::query("CREATE TABLE aside (name text UNIQUE, reason text)").execute(pool).await.unwrap();
    Consumer::new(config(Connection::plaintext("")), pool.clone(), Lease::acquire(pool, "test").await)
}

async fn texts(pool: &PgPool, query: &'static str) -> Vec<String> {
    sqlx::query_scalar(query).fetch_all(pool).await.unwrap()
}

/// Records of two partitions, a few of them bad.
fn batch() -> impl Strategy<Value = Vec<(Kind, bool)>> {
    let kind = prop_oneof![
        8 => Just(Kind::Good),
        1 => Just(Kind::Panics),
        1 => Just(Kind::Refused),
        1 => Just(Kind::Unencodable),
    ];
    prop::collection::vec((kind, any::<bool>()), 1..30)
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn only_what_cannot_be_processed_is_set_aside_and_nothing_is_lost_or_done_twice(pool: PgPool) {
    let consumer = consumer(&pool).await;
    let mut runner = TestRunner::deterministic();
    for round in 0..24 {
        sqlx::query("TRUNCATE name, aside, position").execute(&pool).await.unwrap();
        let kinds = batch().new_tree(&mut runner).unwrap().current();
        let numbered = kinds.iter().zip(1_000 * round..);
        let records: Vec<_> =
            numbered.map(|((kind, other), offset)| record(*kind, i32::from(*other), offset)).collect();
        let mut projection = Names::default();
        process(&consumer, &mut projection, &records).await.unwrap();

        let (good, bad): (Vec<_>, Vec<_>) = records.iter().map(name).partition(|name| name.starts_with("Good"));
        assert_eq!(texts(&pool, "SELECT name FROM name ORDER BY place").await, good);
        assert_eq!((projection.memory, projection.committed), (good.clone(), good));
        let mut aside = texts(&pool, "SELECT name FROM aside").await;
        aside.sort_by_key(|name| records.iter().position(|record| self::name(record) == *name));
        assert_eq!(aside, bad);
        let mut reached = position::load(&pool, "test").await.unwrap();
        reached.sort_by_key(|position| position.partition);
        assert_eq!(reached, position::after(&records));
    }
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn the_reason_names_the_error_and_nothing_of_the_record(pool: PgPool) {
    let consumer = consumer(&pool).await;
    let kinds = [Kind::Panics, Kind::Refused, Kind::Unencodable];
    let records: Vec<_> = kinds.into_iter().zip(0..).map(|(kind, offset)| record(kind, 0, offset)).collect();
    process(&consumer, &mut Names::default(), &records).await.unwrap();
    assert_eq!(
        texts(&pool, "SELECT reason FROM aside ORDER BY name").await,
        [
            "processing it panics",
            "PostgreSQL refuses its effects (SQLSTATE 22021)",
            "its effects cannot be encoded for PostgreSQL"
        ]
    );
}
