use sqlx::PgPool;

use super::*;
use crate::entry::tests::{batch_of, identity_event, organization, written};
use crate::store::{MIGRATOR, counts};

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_batch_tried_again_and_read_again_is_kept_once(pool: PgPool) {
    let organization = organization(7);
    let record = written("us.policy-changes", Some(organization), &identity_event(organization));
    let mut broken = record.clone();
    broken.topic = "entity-events-gateways".to_owned();
    broken.value = Some(vec![0]);
    let decisions = written("decisions", None, &batch_of(3));
    let batch = [record.clone(), broken, record, decisions];

    let mut recorder = EntryRecorder::new("eu".parse().unwrap(), SchemaRegistry::default());
    for _ in 0..2 {
        let new = recorder.plan(&batch);
        assert_eq!(EntryRecorder::spans(&new).len(), 4, "each record is seen in a trace");
        for commits in [false, true] {
            let mut tx = pool.begin().await.unwrap();
            recorder.persist(&mut tx, &new).await.unwrap();
            if commits {
                tx.commit().await.unwrap();
            }
        }
        recorder.committed(new);
    }
    let kept = counts(&pool).await.unwrap();
    let kept: Vec<_> = kept.iter().map(|c| (c.origin.as_str(), c.topic.as_str(), c.entries)).collect();
    assert_eq!(kept, [("eu", "decisions", 3), ("eu", "entity-events-gateways", 1), ("us", "policy-changes", 1)]);
}
