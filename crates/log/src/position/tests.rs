use super::*;

fn at(topic: &str, partition: i32, record_offset: i64) -> LogPosition {
    LogPosition { topic: topic.to_owned(), partition, record_offset, anchor: format!("id-{record_offset}") }
}

async fn advance_once(pool: &PgPool, lease: &Lease, positions: &[LogPosition]) -> Result<(), LeaseError> {
    let mut tx = pool.begin().await?;
    advance(&mut tx, lease, positions).await?;
    Ok(tx.commit().await?)
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn positions_are_kept_by_consumer(pool: PgPool) {
    let one = Lease::acquire(&pool, "one").await;
    let two = Lease::acquire(&pool, "two").await;
    advance_once(&pool, &one, &[at("a", 0, 5), at("a", 1, 6)]).await.unwrap();
    advance_once(&pool, &two, &[at("a", 0, 9)]).await.unwrap();
    advance_once(&pool, &one, &[at("a", 0, 7)]).await.unwrap();
    let mut loaded = load(&pool, "one").await.unwrap();
    loaded.sort_by_key(|position| position.partition);
    assert_eq!(loaded, [at("a", 0, 7), at("a", 1, 6)]);
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn a_superseded_process_moves_nothing(pool: PgPool) {
    let old = Lease::acquire(&pool, "one").await;
    advance_once(&pool, &old, &[at("a", 0, 5)]).await.unwrap();
    sqlx::query("UPDATE lease SET fence = fence + 1").execute(&pool).await.unwrap();
    let refused = advance_once(&pool, &old, &[at("a", 0, 6)]).await;
    assert!(matches!(refused, Err(LeaseError::Lost(_))));
    assert_eq!(load(&pool, "one").await.unwrap(), [at("a", 0, 5)]);
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn one_topic_is_forgotten_by_its_holder_alone(pool: PgPool) {
    let one = Lease::acquire(&pool, "one").await;
    let two = Lease::acquire(&pool, "two").await;
    advance_once(&pool, &one, &[at("a", 0, 5), at("b", 0, 6)]).await.unwrap();
    advance_once(&pool, &two, &[at("a", 0, 9)]).await.unwrap();
    forget(&pool, &one, "a").await.unwrap();
    assert_eq!(load(&pool, "one").await.unwrap(), [at("b", 0, 6)]);
    assert_eq!(load(&pool, "two").await.unwrap(), [at("a", 0, 9)]);
    sqlx::query("UPDATE lease SET fence = fence + 1").execute(&pool).await.unwrap();
    assert!(matches!(forget(&pool, &two, "a").await, Err(LeaseError::Lost(_))));
    assert_eq!(load(&pool, "two").await.unwrap().len(), 1);
}

#[test]
fn the_last_record_of_each_partition_is_the_position() {
    let record = |partition, offset, value: &str| ConsumedRecord {
        topic: "a".to_owned(),
        partition,
        offset,
        timestamp: writ_contract::Timestamp(0),
        key: None,
        headers: Vec::new(),
        value: Some(value.as_bytes().to_vec()),
    };
    let batch = [record(0, 1, "x"), record(1, 8, "y"), record(0, 2, "z")];
    let reached = after(&batch);
    assert_eq!(reached.iter().map(|p| (p.partition, p.record_offset)).collect::<Vec<_>>(), [(0, 2), (1, 8)]);
    assert_eq!(reached[0].anchor, batch[2].anchor());
}
