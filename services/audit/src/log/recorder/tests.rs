use sqlx::PgPool;
use uuid::Uuid;

use super::*;
use crate::record::tests::{identity_event, written};
use crate::store::{MIGRATOR, counts};

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_batch_tried_again_and_read_again_is_kept_once(pool: PgPool) {
    let organization = Uuid::from_u128(7);
    let record = written("us.policy-changes", &organization.to_string(), &identity_event(organization));
    let mut broken = record.clone();
    broken.topic = "entity-events".to_owned();
    broken.value = Some(vec![0]);
    let batch = [record.clone(), broken, record];

    let mut recorder = Recorder::new("eu", SchemaRegistry::default());
    for _ in 0..2 {
        let effects = recorder.plan(&batch);
        assert_eq!(Recorder::spans(&effects).len(), 3, "each entry is seen in a trace");
        for commits in [false, true] {
            let mut tx = pool.begin().await.unwrap();
            recorder.persist(&mut tx, &effects).await.unwrap();
            if commits {
                tx.commit().await.unwrap();
            }
        }
        recorder.committed(effects);
    }
    let kept: Vec<_> = counts(&pool).await.unwrap().into_iter().map(|c| (c.origin, c.topic, c.entries)).collect();
    let (eu, us) = (("eu".into(), "entity-events".into(), 1), ("us".into(), "policy-changes".into(), 1));
    assert_eq!(kept, [eu, us]);
}
