use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sqlx::PgPool;
use writ_log::hostile::disturbed;

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

/// Records of several topics in any order; half of them are disturbed.
fn any_records() -> impl Strategy<Value = Vec<ConsumedRecord>> {
    let intact = vec![
        written("us.policy-changes", Some(organization(7)), &identity_event(organization(7))),
        written("identity-events", Some(organization(7)), &identity_event(organization(7))),
        written("entity-events-gateways", Some(organization(7)), &identity_event(organization(7))),
        written("decisions", None, &batch_of(3)),
    ];
    let script = prop_oneof![Just(Vec::new()), prop::collection::vec(any::<u8>(), 1..40)];
    let record = (prop::sample::select(intact), script).prop_map(|(record, script)| disturbed(record, &script));
    prop::collection::vec(record, 0..8)
}

proptest! {
    #[test]
    fn any_record_is_an_entry_or_nothing(records in any_records()) {
        let mut recorder = EntryRecorder::new("eu".parse().unwrap(), SchemaRegistry::default());
        let effects = recorder.plan(&records);
        recorder.take_back(effects);
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn postgresql_takes_the_entries_of_any_record(pool: PgPool) {
    let mut recorder = EntryRecorder::new("eu".parse().unwrap(), SchemaRegistry::default());
    let mut runner = TestRunner::deterministic();
    for _ in 0..64 {
        let batch = any_records().new_tree(&mut runner).unwrap().current();
        let mut new = recorder.plan(&batch);
        batch.iter().for_each(|record| recorder.set_aside(record, "processing it panics", &mut new));
        recorder.persist(&mut pool.acquire().await.unwrap(), &new).await.unwrap();
        recorder.committed(new);
    }
}
