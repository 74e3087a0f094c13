mod hostile;

use futures::FutureExt;
use opentelemetry::trace::SpanContext;
use proptest::prelude::*;
use sqlx::PgPool;
use writ_contract::policy_change::{ChainState, ChangeSet, Heartbeat, Operation};
use writ_contract::{ChainId, Hash, OrganizationId, PLATFORM_ORGANIZATION, Record, Revision, Stream};
use writ_log::ConsumedRecord;
use writ_log::consumer::Projection;
use writ_log::park::Parked;
use writ_policy::Halt;

use super::*;
use crate::freshness::{EventName, Goal};
use crate::testing::*;

fn home(number: u32) -> ChainId {
    chain(organization(number), HOME, Stream::Identity)
}

/// A chain of `length` change sets of one organization.
fn history(world: &mut AllAuthorizations, number: u32, length: u128) -> Vec<ChangeSet> {
    let step =
        |world: &mut AllAuthorizations, id| world.seal(&home(number), vec![grant(id, USER, "r", "t", None, None)]);
    (0..length).map(|id| step(world, id)).collect()
}

fn records(sets: &[ChangeSet]) -> Vec<ConsumedRecord> {
    sets.iter().map(|set| record(HOME, set)).collect()
}

fn standing(model: &ReadModel, chain: &ChainId) -> (i64, Option<Halt>) {
    model.index.read(|index| {
        let standing = index.chain(chain).unwrap().standing();
        (standing.head.revision.number, standing.halt)
    })
}

#[test]
fn sets_of_all_regions_apply_in_order_and_once() {
    let (mut world, mut model) = (AllAuthorizations::default(), read_model());
    let mut batch = records(&history(&mut world, 1, 3));
    batch.push(record(LOCAL, &world.announce(organization(1), LOCAL, "cp-1")));
    let effects = model.plan(&batch);
    assert_eq!((effects.deltas.len(), effects.parked.len(), effects.own.staged.len()), (4, 0, 0));
    assert_eq!(standing(&model, &home(1)), (3, None));
    assert_eq!(standing(&model, &chain(organization(1), LOCAL, Stream::Entities)), (1, None));
    let again = model.plan(&batch);
    assert!(again.deltas.is_empty() && again.own.applied.is_empty());
}

#[test]
fn a_gap_stops_the_chain_and_the_missing_set_heals_it() {
    let (mut world, mut model) = (AllAuthorizations::default(), read_model());
    let sets = records(&history(&mut world, 1, 4));
    let effects = model.plan(&[sets[0].clone(), sets[2].clone(), sets[3].clone()]);
    assert_eq!(effects.own.staged.len(), 2);
    assert_eq!(standing(&model, &home(1)), (1, Some(Halt::Gap)));
    let healed = model.plan(&sets[1..2]);
    assert_eq!(standing(&model, &home(1)), (4, None));
    let through = healed.own.unstaged.last().map(|(chain, revision)| (*chain, revision.number));
    assert_eq!(through, Some((home(1), 4)));
}

#[test]
fn a_restart_continues_a_gap_from_what_was_staged() {
    let (mut world, mut model) = (AllAuthorizations::default(), read_model());
    let sets = history(&mut world, 1, 3);
    let effects = model.plan(&records(&[sets[0].clone(), sets[2].clone()]));
    let mut restarted = ReadModel::new(
        region(LOCAL),
        model.schemas.clone(),
        model.index.clone(),
        model.freshness.clone(),
        effects.own.staged,
    );
    restarted.plan(&records(&sets[1..2]));
    assert_eq!(standing(&restarted, &home(1)), (3, None));
}

/// A gap that heals onto something this build does not understand: the record that healed it is
/// in force, and what is staged waits for the next build.
#[test]
fn what_is_staged_is_never_lost() {
    let (mut world, mut model) = (AllAuthorizations::default(), read_model());
    let mut sets = history(&mut world, 1, 3);
    sets[2].features = 1 << 40;
    let effects = model.plan(&records(&[sets[0].clone(), sets[2].clone()]));
    assert_eq!(effects.own.staged.len(), 1);
    let healed = model.plan(&records(&sets[1..2]));
    assert_eq!(standing(&model, &home(1)), (2, Some(Halt::UnknownFeature)));
    assert!(healed.own.unstaged.is_empty() && healed.parked.is_empty());
    sets[2].features = 0;
    let mut next_build = ReadModel::new(
        region(LOCAL),
        model.schemas.clone(),
        model.index.clone(),
        model.freshness.clone(),
        vec![(region(HOME), sets[2].clone())],
    );
    let mut resumed = ReadModelEffects::default();
    next_build.retry(organization(1), Vec::new(), &mut resumed);
    assert_eq!(resumed.own.unstaged.len(), 1);
    assert_eq!(standing(&next_build, &home(1)), (3, None));
}

#[test]
fn a_fork_stops_the_chain_for_good_and_no_other() {
    let (mut model, mut world) = (read_model(), AllAuthorizations::default());
    let sets = history(&mut world, 1, 1);
    let mut other_world = AllAuthorizations::default();
    let other = other_world.seal(&home(1), vec![Operation::DropAll {}]);
    let next = history(&mut world, 1, 1);
    let effects = model.plan(&[record(HOME, &sets[0]), record(HOME, &other), record(HOME, &next[0])]);
    assert_eq!(standing(&model, &home(1)), (1, Some(Halt::Fork)));
    assert!(effects.own.staged.is_empty(), "a snapshot has what follows");
    let unaffected = history(&mut AllAuthorizations::default(), 2, 1);
    model.plan(&records(&unaffected));
    assert_eq!(standing(&model, &home(2)), (1, None));
}

#[test]
fn a_set_that_leads_elsewhere_is_never_visible() {
    let (mut world, mut model) = (AllAuthorizations::default(), read_model());
    let mut sets = history(&mut world, 1, 2);
    sets[1].state_digest = Hash::ZERO;
    model.plan(&records(&sets));
    assert_eq!(standing(&model, &home(1)), (1, Some(Halt::StateMismatch)));
    let granted = model.index.read(|index| index.chain(&home(1)).unwrap().rows().grant(grant_id(1)).is_some());
    assert!(!granted);
}

/// Records this build does not understand: each parks its organization alone.
#[test]
fn what_is_not_understood_parks_its_organization_alone() {
    let tamper: [fn(&mut ChangeSet); 3] = [
        |set| set.features = 1 << 40,
        |set| set.parts = 2,
        |set| {
            set.payload[3] ^= 0xff;
            set.digest = Hash::of(&[&set.previous_digest.0, &set.payload]);
        },
    ];
    for (case, tamper) in tamper.into_iter().enumerate() {
        let (mut world, mut model) = (AllAuthorizations::default(), read_model());
        let mut sets = history(&mut world, 1, 3);
        tamper(&mut sets[1]);
        let mut batch = records(&sets);
        batch.extend(records(&history(&mut world, 2, 1)));
        let effects = model.plan(&batch);
        assert_eq!(effects.parked.len(), 2, "case {case}: the record and the one behind it");
        let (revision, halt) = standing(&model, &home(1));
        assert_eq!((revision, halt.map(Halt::state)), (1, Some(ChainState::Parked)), "case {case}");
        assert_eq!(standing(&model, &home(2)), (1, None), "case {case}: others flow");
    }
}

#[test]
fn a_record_that_is_no_change_set_parks_its_organization() {
    let (mut world, mut model) = (AllAuthorizations::default(), read_model());
    let sets = history(&mut world, 1, 2);
    model.plan(&records(&sets[..1]));
    let mut broken = record(HOME, &sets[1]);
    broken.value = Some(b"?".to_vec());
    let effects = model.plan(&[broken.clone()]);
    assert_eq!((effects.parked.len(), effects.parked[0].0.clone()), (1, broken));
    assert_eq!(standing(&model, &home(1)), (1, Some(Halt::Unreadable)));

    let parked = Parked { id: 7, organization: organization(1), reason: String::new(), record: record(HOME, &sets[1]) };
    let mut resumed = ReadModelEffects::default();
    model.retry(parked.organization, vec![parked], &mut resumed);
    assert_eq!(resumed.resumed, vec![7], "a build that understands it goes on");
    assert_eq!(standing(&model, &home(1)), (2, None));
}

#[test]
fn a_region_cannot_speak_for_another_ones_organization_whatever_comes_first() {
    let (mut world, mut model) = (AllAuthorizations::default(), read_model());
    let sets = history(&mut world, 1, 2);
    let mut undecodable = sets[1].clone();
    undecodable.payload[3] ^= 0xff;
    let usurped = |model: &mut ReadModel, set: &ChangeSet| {
        let effects = model.plan(&[record("au", set)]);
        assert!(effects.deltas.is_empty() && effects.parked.is_empty() && effects.own.staged.is_empty());
    };
    usurped(&mut model, &sets[0]);
    model.plan(&records(&sets[..1]));
    usurped(&mut model, &sets[1]);
    usurped(&mut model, &undecodable);
    assert_eq!(standing(&model, &home(1)), (1, None));
}

#[test]
fn heartbeats_and_records_of_nobody_hold_up_nothing() {
    let (mut world, mut model) = (AllAuthorizations::default(), read_model());
    let set = history(&mut world, 1, 1).remove(0);
    let mut heartbeat = record(HOME, &set);
    heartbeat.headers.retain(|(header, _)| header != "ce_type");
    heartbeat.headers.push(("ce_type".to_owned(), Heartbeat::TYPE.into()));
    let mut nobody = record(HOME, &set);
    nobody.key = None;
    let effects = model.plan(&[heartbeat, nobody, record(HOME, &set)]);
    assert_eq!((effects.deltas.len(), effects.parked.len()), (1, 0));
}

#[tokio::test]
async fn waiters_wake_with_the_apply_and_event_waiters_with_the_commit() {
    let (mut world, mut model) = (AllAuthorizations::default(), read_model());
    let set = world.announce(organization(1), LOCAL, "cp-1");
    let entities = chain(organization(1), LOCAL, Stream::Entities);
    let event = event(organization(1), LOCAL, "announce-cp-1");
    let mut state = model.freshness.register(Goal::Reached(entities, Revision::first_epoch(1))).unwrap();
    let mut outcome = model.freshness.register(Goal::Decided(event)).unwrap();
    let effects = model.plan(&[record(LOCAL, &set)]);
    assert_eq!(state.woken().now_or_never(), Some(SpanContext::NONE));
    assert_eq!(outcome.woken().now_or_never(), None, "its outcome cannot be looked up yet");
    model.committed(effects);
    assert_eq!(outcome.woken().now_or_never(), Some(SpanContext::NONE));
}

fn event(organization: OrganizationId, origin: &str, ce_id: &str) -> EventName {
    let (origin, producer, ce_id) = (region(origin), PRODUCER.parse().unwrap(), ce_id.parse().unwrap());
    EventName { organization, origin, producer, ce_id }
}

async fn write(pool: &PgPool, model: &mut ReadModel, batch: &[ConsumedRecord]) {
    let effects = model.plan(batch);
    let mut tx = pool.begin().await.unwrap();
    model.persist(&mut tx, &effects).await.unwrap();
    tx.commit().await.unwrap();
    model.committed(effects);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn what_is_written_is_what_memory_has(pool: PgPool) {
    let (mut world, mut model) = (AllAuthorizations::default(), read_model());
    let tokens = TestTokens::of(organization(1));
    let mut sets = world.found(organization(1), &tokens);
    sets.extend(history(&mut world, 1, 3));
    let gap = sets.pop().unwrap();
    let after_gap = history(&mut world, 1, 1).remove(0);
    let mut batch = records(&sets);
    batch.extend([record(LOCAL, &world.announce(organization(1), LOCAL, "cp-1")), record(HOME, &after_gap)]);
    write(&pool, &mut model, &batch).await;

    let stored = writ_chains::load(&pool).await.unwrap();
    assert_eq!(stored.chain_statuses(), model.index.read(|index| index.chain_statuses()));
    for status in stored.chain_statuses() {
        let recomputed = writ_chains::recompute_digest(&pool, &status.chain).await.unwrap();
        assert_eq!(recomputed, status.state_digest, "{}", status.chain);
    }
    assert_eq!(writ_chains::staged(&pool).await.unwrap().len(), 1);

    write(&pool, &mut model, &records(&[gap])).await;
    assert_eq!(standing(&model, &home(1)), (5, None));
    assert!(writ_chains::staged(&pool).await.unwrap().is_empty());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn outcomes_of_events_are_found_by_producer_and_id(pool: PgPool) {
    let (mut world, mut model) = (AllAuthorizations::default(), read_model());
    let set = world.announce(organization(1), LOCAL, "cp-1");
    let refused = world.seal_as(
        &chain(organization(1), LOCAL, Stream::Entities),
        Vec::new(),
        Some(cause("refused")),
        Some("unknown_parent".parse().unwrap()),
    );
    write(&pool, &mut model, &[record(LOCAL, &set), record(LOCAL, &refused)]).await;
    let is_applied = async |event| applied_events::is_applied(&pool, &event).await.unwrap();
    assert!(is_applied(event(organization(1), LOCAL, "announce-cp-1")).await);
    assert!(is_applied(event(organization(1), LOCAL, "refused")).await);
    assert!(!is_applied(event(organization(2), LOCAL, "announce-cp-1")).await, "another organization's");
    assert!(!is_applied(event(organization(1), HOME, "announce-cp-1")).await, "another region's");
    assert!(!is_applied(event(organization(1), LOCAL, "other")).await);
}

/// What a reader may be asked to do with a chain of change sets.
fn deliveries() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0usize..6, 0..25)
}

proptest! {
    /// However sets are repeated and reordered, memory holds a prefix of the history, and all of
    /// it once every set has come.
    #[test]
    fn any_delivery_leaves_a_prefix_and_in_the_end_everything(order in deliveries()) {
        let (mut world, mut model) = (AllAuthorizations::default(), read_model());
        let sets = history(&mut world, 1, 6);
        let all = records(&sets);
        let mut seen = std::collections::BTreeSet::new();
        for at in order {
            model.plan(&all[at..=at]);
            seen.insert(at);
            let prefix = (0..6).take_while(|at| seen.contains(at)).count();
            let (revision, halt) = standing(&model, &home(1));
            prop_assert_eq!(revision, prefix as i64);
            prop_assert_eq!(halt.is_some(), seen.len() > prefix, "it is halted only while something is missing");
            prop_assert_ne!(halt, Some(Halt::Fork));
        }
        model.plan(&all);
        prop_assert_eq!(standing(&model, &home(1)), (6, None));
        let digest = model.index.read(|index| index.head(&home(1)).unwrap().digest);
        prop_assert_eq!(digest, sets[5].digest);
    }
}

#[test]
fn the_catalogue_is_a_chain_of_each_region() {
    let (mut world, mut model) = (AllAuthorizations::default(), read_model());
    for origin in [HOME, "au"] {
        let set = world.seal(&chain(PLATFORM_ORGANIZATION, origin, Stream::Identity), Vec::new());
        model.plan(&[record(origin, &set)]);
        assert_eq!(standing(&model, &chain(PLATFORM_ORGANIZATION, origin, Stream::Identity)), (1, None));
    }
}

#[sqlx::test(migrator = "crate::read_model::MIGRATOR")]
async fn old_events_are_forgotten(pool: PgPool) {
    sqlx::query(
        "INSERT INTO applied_event (organization, origin, producer, id, epoch, revision, applied_at)
         SELECT gen_random_uuid(), 'us', 'p', 'e', 1, 1, now() - make_interval(days => days)
           FROM generate_series(1, 80) AS days",
    )
    .execute(&pool)
    .await
    .unwrap();
    assert!(!applied_events::forget_old(pool.clone()).await.unwrap());
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM applied_event").fetch_one(&pool).await.unwrap();
    assert_eq!(left, 39);
}
