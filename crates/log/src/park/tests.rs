use sqlx::PgPool;

use super::*;

fn record(offset: i64) -> ConsumedRecord {
    ConsumedRecord {
        topic: "us.policy-changes".to_owned(),
        partition: 3,
        offset,
        timestamp: Timestamp(1_760_000_000_000_123),
        key: Some(vec![0, 159, 146]),
        headers: vec![("a\0b".to_owned(), vec![0, 255]), ("empty".to_owned(), Vec::new())],
        value: (offset != 2).then(|| vec![0xC3, 0x01]),
    }
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn records_come_back_as_they_were_and_in_order(pool: PgPool) {
    let mut tx = pool.begin().await.unwrap();
    let (one, other) = ["us", "eu"].map(|home| OrganizationId::generate(home.parse().unwrap())).into();
    append(&mut tx, &record(1), one, "unknown feature 4").await.unwrap();
    append(&mut tx, &record(9), other, "nul \0 in it").await.unwrap();
    append(&mut tx, &record(2), one, "behind a parked record").await.unwrap();
    let parked = load(&mut tx, one).await.unwrap();
    assert_eq!(parked.iter().map(|p| p.record.clone()).collect::<Vec<_>>(), [record(1), record(2)]);

    let mut known = organizations(&mut tx).await.unwrap();
    known.sort_by_key(|(organization, ..)| *organization != one);
    assert_eq!(known, [(one, "unknown feature 4".to_owned(), 2), (other, "nul  in it".to_owned(), 1)]);

    delete(&mut tx, &[parked[0].id]).await.unwrap();
    assert_eq!(load(&mut tx, one).await.unwrap(), parked[1..]);
}
