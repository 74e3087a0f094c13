//! Whatever bytes a record has, it is processed or refused without a panic, nothing is left of it when it is taken back,
//! and PostgreSQL takes what follows from it.

use std::collections::HashMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sqlx::PgPool;
use writ_contract::entity_event::EntityEventKind::{Created, Deleted};
use writ_contract::identity_event::Change;
use writ_contract::organization::OrganizationEntry;
use writ_contract::row::OrganizationState;
use writ_contract::{OrganizationId, Revision, Timestamp, UserId};
use writ_kafka::topics;
use writ_log::ConsumedRecord;
use writ_log::consumer::Projection;
use writ_log::hostile::disturbed;
use writ_policy::Index;
use writ_policy::overview::ChainStatus;

use crate::directory::Listed;
use crate::identity_history::IdentityHistory;
use crate::policies::Policies;
use crate::store::MIGRATOR;
use crate::store::answered::{EventKey, Remembered};
use crate::testing::*;

/// Records as they should be.
fn intact() -> Vec<ConsumedRecord> {
    let (user, mut identity) = (UserId::default(), IdentityEvents::default());
    let changes = [
        Change::OrganizationCreated { owner: user },
        Change::UserInvited { user },
        Change::UserActivated { user },
        Change::UserStateChanged { user, active: false },
    ];
    let events = changes.map(|change| identity.record(organization(1), vec![change]));
    let announce = |id, kind, entity_id, parent| {
        record(ENTITY_EVENTS, organization(1), id, &entity(organization(1), kind, entity_id, parent))
    };
    let announced = [
        announce("e1", Created, "a", None),
        announce("e2", Created, "b", Some("a")),
        announce("e3", Deleted, "a", None),
        announce("e3", Deleted, "b", None),
    ];
    let entry = OrganizationEntry {
        organization: organization(1),
        home_region: REGION.parse().unwrap(),
        state: OrganizationState::Deleted,
        revision: Revision::first_epoch(5),
        updated_at: Timestamp(1),
    };
    let listed = record(topics::ORGANIZATIONS, organization(1), "o", &entry);
    events.into_iter().chain(announced).chain([listed]).collect()
}

/// Records in any order; half of them are disturbed.
fn records() -> impl Strategy<Value = Vec<ConsumedRecord>> {
    let script = prop_oneof![Just(Vec::new()), prop::collection::vec(any::<u8>(), 1..40)];
    let record = (prop::sample::select(intact()), script).prop_map(|(record, script)| disturbed(record, &script));
    prop::collection::vec(record, 0..8)
}

type Memory = (
    Vec<ChainStatus>,
    HashMap<EventKey, Remembered>,
    HashMap<OrganizationId, Listed>,
    HashMap<OrganizationId, IdentityHistory>,
);

/// All that is kept in memory.
fn memory(policies: &Policies) -> Memory {
    let mut histories = policies.histories.clone();
    histories.retain(|_, history| *history != IdentityHistory::default());
    (policies.index.read(Index::chain_statuses), policies.answered.clone(), policies.directory.all(), histories)
}

proptest! {
    #[test]
    fn nothing_is_left_of_what_is_taken_back(kept in records(), refused in records()) {
        let (mut policies, _) = policies();
        policies.plan(&kept);
        let before = memory(&policies);
        let effects = policies.plan(&refused);
        policies.take_back(effects);
        prop_assert_eq!(memory(&policies), before);
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn postgresql_takes_what_follows_from_any_record(pool: PgPool) {
    let (mut policies, index) = policies();
    let mut runner = TestRunner::deterministic();
    for _ in 0..64 {
        let batch = records().new_tree(&mut runner).unwrap().current();
        let mut effects = policies.plan(&batch);
        batch.iter().for_each(|record| policies.set_aside(record, "processing it panics", &mut effects));
        let mut tx = pool.begin().await.unwrap();
        policies.persist(&mut tx, &effects).await.unwrap();
        tx.commit().await.unwrap();
    }
    let stored = writ_chains::load(&pool).await.unwrap();
    assert_eq!(stored.chain_statuses(), index.read(Index::chain_statuses));
}

#[test]
fn what_cannot_be_processed_is_dead_lettered_or_parks_its_organization() {
    let (mut policies, index) = policies();
    let records = intact();
    let (event, announced) = (&records[0], &records[4]);
    let mut effects = Default::default();
    policies.set_aside(event, "processing it panics", &mut effects);
    policies.set_aside(announced, "processing it panics", &mut effects);
    assert_eq!(effects.parked.iter().map(|(record, _)| record).collect::<Vec<_>>(), [event]);
    assert_eq!(dead_letters(&effects.own.outgoing), ["unprocessable: processing it panics"]);
    let halted = index.read(Index::chain_statuses);
    assert_eq!(halted.len(), 1);
    // Nothing of the organization goes on past it.
    let later = policies.plan(&records[1..2]);
    assert_eq!(later.parked.len(), 1);
}
