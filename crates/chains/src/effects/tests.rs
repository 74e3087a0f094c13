use std::sync::LazyLock;

use sqlx::PgPool;
use sqlx::migrate::Migrator;
use writ_contract::{ChainId, Region, Stream, Timestamp};
use writ_policy::Halt;

use super::*;
use crate::{load, parked};

static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let all = writ_log::MIGRATIONS.iter().chain(crate::MIGRATIONS.iter());
    Migrator::with_migrations(all.cloned().collect())
});

type Effects = ChainEffects<Vec<i64>>;

fn home() -> Region {
    "us".parse().unwrap()
}

fn organization(number: u32) -> OrganizationId {
    OrganizationId::from_parts(home(), 1, number)
}

fn record(organization: OrganizationId, offset: i64) -> ConsumedRecord {
    ConsumedRecord {
        topic: "policy-changes".to_owned(),
        partition: 0,
        offset,
        timestamp: Timestamp(1),
        key: Some(organization.to_string().into_bytes()),
        headers: Vec::new(),
        value: None,
    }
}

/// Takes even offsets.
fn take_even(record: &ConsumedRecord, effects: &mut Effects) -> Result<(), Park> {
    if record.offset % 2 == 0 {
        effects.own.push(record.offset);
        return Ok(());
    }
    Err(Park { organization: organization_of(record).unwrap(), reason: "odd".to_owned() })
}

/// The effects of all records.
fn plan(batch: &[ConsumedRecord]) -> Effects {
    let mut effects = Effects::default();
    batch.iter().for_each(|record| effects.add(record, take_even));
    effects
}

fn park_chain(index: &SharedIndex, organization: OrganizationId) -> (ChainId, Delta) {
    let chain = ChainId { organization, origin: home(), stream: Stream::Identity };
    (chain, index.write(|index| index.halt(&chain, Halt::Unreadable, None)))
}

#[test]
fn a_record_that_cannot_be_processed_is_parked_and_holds_up_no_other() {
    let batch: Vec<_> = (1..4).map(|offset| record(organization(1), offset)).collect();
    let effects = plan(&batch);
    assert_eq!(effects.own, [2]);
    let park = Park { organization: organization(1), reason: "odd".to_owned() };
    assert_eq!(effects.parked, [(batch[0].clone(), park.clone()), (batch[2].clone(), park)]);
    assert_eq!(effects.spans.len(), 3);
}

#[test]
fn a_record_without_an_organization_belongs_to_nobody() {
    let stranger = |key: Option<&[u8]>| ConsumedRecord { key: key.map(<[u8]>::to_vec), ..record(organization(1), 1) };
    assert_eq!(organization_of(&record(organization(1), 1)), Some(organization(1)));
    assert_eq!(organization_of(&stranger(None)), None);
    assert_eq!(organization_of(&stranger(Some(b"?"))), None);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn what_is_parked_is_tried_again_after_a_restart(pool: PgPool) {
    let index = SharedIndex::default();
    let batch = [record(organization(1), 1), record(organization(2), 3), record(organization(1), 5)];
    let mut effects = plan(&batch);
    let (chain, halted) = park_chain(&index, organization(1));
    effects.deltas.push(halted);
    let mut conn = pool.acquire().await.unwrap();
    effects.write(&mut conn).await.unwrap();

    let index = SharedIndex::new(load(&pool).await.unwrap());
    let waiting = parked(&pool).await.unwrap();
    assert_eq!(waiting.iter().map(|parked| parked.record.offset).collect::<Vec<_>>(), [1, 5, 3]);
    let take_some = |record: &ConsumedRecord, effects: &mut Effects| match record.offset {
        5 => take_even(record, effects),
        _ => Ok(()),
    };
    let mut retried = Effects::default();
    retried.retry(&index, organization(1), waiting, take_some);
    assert_eq!(retried.deltas.iter().map(Delta::chain).collect::<Vec<_>>(), [chain]);
    assert_eq!(index.read(|index| index.chain(&chain).unwrap().standing().halt), None);
    retried.write(&mut conn).await.unwrap();

    assert_eq!(load(&pool).await.unwrap().chain(&chain).unwrap().standing().halt, None);
    let waiting = parked(&pool).await.unwrap();
    assert_eq!(waiting.iter().map(|parked| parked.record.offset).collect::<Vec<_>>(), [5], "still odd");
}
