//! Whatever bytes a record has, it is applied, parked or skipped without a panic, nothing is left of it when it is taken
//! back, and PostgreSQL takes what follows from it.

use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use writ_log::hostile::disturbed;
use writ_policy::Index;
use writ_policy::overview::ChainStatus;

use super::*;
use crate::read_model::staged::Staged;

/// Records as they should be, of two regions.
fn intact() -> Vec<ConsumedRecord> {
    let mut world = AllAuthorizations::default();
    let mut records = records(&history(&mut world, 1, 4));
    let refused = Some("unknown_parent".parse().unwrap());
    for origin in [LOCAL, HOME] {
        let entities = chain(organization(1), origin, Stream::Entities);
        records.push(record(origin, &world.announce(organization(1), origin, "cp-1")));
        records.push(record(origin, &world.seal_as(&entities, Vec::new(), Some(cause("refused")), refused.clone())));
        records.push(record(origin, &world.seal(&entities, vec![Operation::DropAll {}])));
    }
    records
}

/// Records in any order; half of them are disturbed.
fn any_records() -> impl Strategy<Value = Vec<ConsumedRecord>> {
    let script = prop_oneof![Just(Vec::new()), prop::collection::vec(any::<u8>(), 1..40)];
    let record = (prop::sample::select(intact()), script).prop_map(|(record, script)| disturbed(record, &script));
    prop::collection::vec(record, 0..10)
}

/// All that is kept in memory.
fn memory(model: &ReadModel) -> (Vec<ChainStatus>, Staged) {
    (model.index.read(Index::chain_statuses), model.staged.clone())
}

proptest! {
    #[test]
    fn nothing_is_left_of_what_is_taken_back(kept in any_records(), refused in any_records()) {
        let mut model = read_model();
        model.plan(&kept);
        let before = memory(&model);
        let effects = model.plan(&refused);
        model.take_back(effects);
        prop_assert_eq!(memory(&model), before);
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn postgresql_takes_what_follows_from_any_record(pool: PgPool) {
    let mut model = read_model();
    let mut runner = TestRunner::deterministic();
    for _ in 0..64 {
        let batch = any_records().new_tree(&mut runner).unwrap().current();
        write(&pool, &mut model, &batch).await;
    }
    for record in intact() {
        let mut effects = ReadModelEffects::default();
        model.set_aside(&record, "processing it panics", &mut effects);
        model.persist(&mut pool.acquire().await.unwrap(), &effects).await.unwrap();
    }
    let stored = writ_chains::load(&pool).await.unwrap();
    assert_eq!(stored.chain_statuses(), model.index.read(Index::chain_statuses));
}

#[test]
fn what_cannot_be_processed_parks_its_organization() {
    let (mut model, records) = (read_model(), intact());
    model.plan(&records[..2]);
    let mut effects = ReadModelEffects::default();
    model.set_aside(&records[2], "processing it panics", &mut effects);
    assert_eq!(effects.parked.len(), 1);
    assert_eq!(standing(&model, &home(1)), (2, Some(Halt::Unreadable)));
    assert_eq!(model.plan(&records[3..4]).parked.len(), 1, "nothing goes on past it");
}
