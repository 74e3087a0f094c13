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
    assert!(append(&mut tx, &record(1), one, "unknown feature 4").await.unwrap());
    assert!(append(&mut tx, &record(9), other, "nul \0 in it").await.unwrap());
    assert!(append(&mut tx, &record(2), one, "behind a parked record").await.unwrap());
    let parked = load(&mut tx, one).await.unwrap();
    assert_eq!(parked.iter().map(|p| p.record.clone()).collect::<Vec<_>>(), [record(1), record(2)]);

    let mut known = organizations(&mut tx).await.unwrap();
    known.sort_by_key(|(organization, ..)| *organization != one);
    assert_eq!(known, [(one, "unknown feature 4".to_owned(), 2), (other, "nul  in it".to_owned(), 1)]);

    delete(&mut tx, &[parked[0].id]).await.unwrap();
    assert_eq!(load(&mut tx, one).await.unwrap(), parked[1..]);
}

#[sqlx::test(migrator = "crate::MIGRATIONS")]
async fn an_organization_has_so_much_parked_and_no_more(pool: PgPool) {
    let (many, large, other) = (
        OrganizationId::generate("us".parse().unwrap()),
        OrganizationId::generate("us".parse().unwrap()),
        OrganizationId::generate("us".parse().unwrap()),
    );
    for (organization, rows, bytes) in [(many, MAX_RECORDS, 1), (large, 64, 1024 * 1024)] {
        sqlx::query(
            "INSERT INTO parked_record (organization, reason, topic, partition, record_offset, appended_at, headers, value)
             SELECT $1, '', 't', 0, n, 0, '', convert_to(repeat('x', $3), 'UTF8') FROM generate_series(1, $2) AS n",
        )
        .bind(organization)
        .bind(rows)
        .bind(bytes)
        .execute(&pool)
        .await
        .unwrap();
    }
    let mut tx = pool.begin().await.unwrap();
    assert!(!append(&mut tx, &record(1), many, "").await.unwrap());
    assert!(!append(&mut tx, &record(1), large, "").await.unwrap());
    assert!(append(&mut tx, &record(1), other, "").await.unwrap());
}
