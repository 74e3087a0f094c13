//! Any sequence of change sets, with duplicates, replays, gaps, forks and damage, leaves the
//! index in the model's state.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use writ_contract::policy_change::{ChangeSet, Operation, PolicyOps};
use writ_contract::row::PrincipalKind;
use writ_contract::{ChainId, Hash, Revision, Timestamp, encode};

use super::generate::{ACTIONS, ENTITIES, PRINCIPALS, REGIONS, TYPES, beginning, chains, operation, organization};
use super::{Model, rows};
use crate::digest::{StateDigest, history_digest};
use crate::testing::{header, principal_id, region};
use crate::{Chain, Delta, Index, Query, Row, RowKey, Standing, Verdict, seal};

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// The origin writes a change set, and it is delivered.
    Write(usize, Vec<Operation>),
    /// The origin writes a change set that does not arrive.
    Lose(usize, Vec<Operation>),
    /// A record of the log is delivered again, or late.
    Deliver(prop::sample::Index),
    /// The origin, restored without a new epoch, writes something else in a record's place.
    Fork(prop::sample::Index, Vec<Operation>),
    /// A record is delivered damaged.
    Damage(prop::sample::Index, Damage),
}

#[derive(Debug, Clone, Copy)]
enum Damage {
    Payload,
    StateDigest,
    Feature,
    Parts,
}

fn step() -> impl Strategy<Value = Step> {
    let ops = || prop::collection::vec(operation(), 0..6);
    let chain = || prop_oneof![8 => 0..4_usize, 1 => Just(4)];
    let damage = prop::sample::select(&[Damage::Payload, Damage::StateDigest, Damage::Feature, Damage::Parts][..]);
    prop_oneof![
        24 => (chain(), ops()).prop_map(|(chain, ops)| Step::Write(chain, ops)),
        1 => (chain(), ops()).prop_map(|(chain, ops)| Step::Lose(chain, ops)),
        8 => any::<prop::sample::Index>().prop_map(Step::Deliver),
        1 => (any::<prop::sample::Index>(), ops()).prop_map(|(at, ops)| Step::Fork(at, ops)),
        1 => (any::<prop::sample::Index>(), damage).prop_map(|(at, damage)| Step::Damage(at, damage)),
    ]
}

type LogRecord = (ChainId, ChangeSet, PolicyOps);

/// An origin, its log, and three who follow it.
struct World {
    origin: Vec<Chain>,
    log: Vec<LogRecord>,
    model: Model,
    index: Index,
    stored: BTreeMap<ChainId, (Standing, BTreeMap<RowKey, Row>)>,
    /// What the index made.
    made: Vec<Delta>,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            origin: chains().into_iter().map(Chain::new).collect(),
            log: Vec::new(),
            model: Model::default(),
            index: Index::new(),
            stored: BTreeMap::new(),
            made: Vec::new(),
        };
        (0..4).for_each(|chain| world.run(Step::Write(chain, beginning(chain))));
        world
    }

    fn write(&mut self, chain: usize, ops: Vec<Operation>) -> LogRecord {
        let chain = &mut self.origin[chain];
        let header = header(chain.next(), chain.next_committed_at(Timestamp(7)));
        let (set, delta) = seal(chain, header, ops.clone()).unwrap();
        chain.commit(&delta);
        self.log.push((chain.id(), set, PolicyOps { ops }));
        self.log.last().unwrap().clone()
    }

    fn deliver(&mut self, (chain, set, ops): &LogRecord) -> Verdict {
        self.model.apply(chain.origin, set, ops);
        let verdict = self.index.apply(chain.origin, set, ops);
        if let Some(delta) = verdict.delta() {
            store(&mut self.stored, delta);
            self.made.push(delta.clone());
        }
        verdict
    }

    fn run(&mut self, step: Step) {
        let record = match step {
            Step::Write(chain, ops) => self.write(chain, ops),
            Step::Lose(chain, ops) => return drop(self.write(chain, ops)),
            Step::Deliver(at) => at.get(&self.log).clone(),
            Step::Fork(at, ops) => forked(at.get(&self.log), ops),
            Step::Damage(at, damage) => damaged(at.get(&self.log), damage),
        };
        self.deliver(&record);
    }

    fn check(&self) {
        assert_eq!(self.index.heads().count(), self.model.chains.len());
        for chain in &self.model.chains {
            let found = self.index.chain(&chain.id).unwrap();
            let expected: BTreeMap<_, _> = chain.rows().into_iter().map(|row| (row.key(), row)).collect();
            let rows: BTreeMap<_, _> = found.rows().iter().map(|row| (row.key(), row)).collect();
            assert_eq!(rows, expected, "rows of {}", chain.id);
            assert_eq!(found.rows().keys().collect::<BTreeSet<_>>(), rows.keys().cloned().collect());
            assert_eq!(found.head().state_digest, chain.state_digest(), "state digest of {}", chain.id);
            assert_eq!(
                found.head().revision,
                Revision::first_epoch(chain.applied.len() as i64),
                "revision of {}",
                chain.id
            );
            assert_eq!(found.standing().halt, chain.halt, "halt of {}", chain.id);
            assert_eq!(self.stored[&chain.id], (found.standing().clone(), rows), "stored {}", chain.id);
        }
        self.check_answers(&self.index);
        self.check_answers(&self.reloaded());
    }

    /// What a service that starts finds in PostgreSQL.
    fn reloaded(&self) -> Index {
        let mut index = Index::new();
        for (standing, rows) in self.stored.values() {
            index.load(standing.clone(), rows.values().cloned().collect()).unwrap();
        }
        index
    }

    fn check_answers(&self, index: &Index) {
        for now in [1, 3].map(Timestamp) {
            for hash in 0..3_u8 {
                let (hash, organization) = (Hash::of(&[&[hash]]), organization());
                let found = index.authenticate(organization, &hash, now).ok().map(|found| found.principal);
                assert_eq!(found, self.model.authenticate(organization, &hash, now));
            }
            for query in queries() {
                let decision = index.decide(&query, now);
                assert_eq!(decision.reason, self.model.decide(&query, now), "{query:?} at {now:?}");
                assert_eq!(decision.decision, decision.reason == crate::Reason::Granted);
                assert_eq!(decision.decision, !decision.matches.is_empty());
            }
        }
    }
}

fn queries() -> impl Iterator<Item = Query<'static>> {
    let kinds = [PrincipalKind::User, PrincipalKind::SystemAccount];
    let subjects = (0..PRINCIPALS).flat_map(move |subject| kinds.map(|kind| (principal_id(subject), kind)));
    subjects.flat_map(|(subject, subject_kind)| {
        let ids = ENTITIES.into_iter().chain(["*"]);
        let resources = TYPES.into_iter().flat_map(move |kind| ids.clone().map(move |id| (kind, id)));
        resources.flat_map(move |(resource_type, resource_id)| {
            let region = (subject.as_uuid().as_u128().is_multiple_of(2)).then(|| region(REGIONS[1]));
            ACTIONS.map(|action| Query {
                organization: organization(),
                subject,
                subject_kind,
                action,
                resource_type,
                resource_id,
                region,
            })
        })
    })
}

fn store(stored: &mut BTreeMap<ChainId, (Standing, BTreeMap<RowKey, Row>)>, delta: &Delta) {
    let entry = stored.entry(delta.chain()).or_insert_with(|| (delta.standing.clone(), BTreeMap::new()));
    entry.0 = delta.standing.clone();
    delta.dropped.iter().for_each(|key| assert!(entry.1.remove(key).is_some(), "dropped what was not there"));
    for row in &delta.put {
        assert!(!delta.dropped.contains(&row.key()), "put and dropped at once");
        entry.1.insert(row.key(), row.clone());
    }
}

/// Well-formed, with digests that fit, but not what the chain had at this place.
fn forked((chain, set, _): &LogRecord, ops: Vec<Operation>) -> LogRecord {
    let ops = PolicyOps { ops };
    let payload = encode(&ops).unwrap();
    let digest = history_digest(&set.previous_digest, &payload);
    (*chain, ChangeSet { payload, digest, ..set.clone() }, ops)
}

fn damaged((chain, set, ops): &LogRecord, damage: Damage) -> LogRecord {
    let mut set = set.clone();
    match damage {
        Damage::Payload => set.payload.push(0),
        Damage::StateDigest => set.state_digest.0[0] ^= 1,
        Damage::Feature => set.features = 1 << 40,
        Damage::Parts => set.parts = 2,
    }
    (*chain, set, ops.clone())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn any_sequence_leaves_the_index_in_the_models_state(steps in prop::collection::vec(step(), 0..40)) {
        let mut world = World::new();
        steps.into_iter().for_each(|step| world.run(step));
        world.check();
    }

    #[test]
    fn what_arrives_in_any_order_ends_in_the_same_state(
        writes in prop::collection::vec((0..4_usize, prop::collection::vec(operation(), 0..4)), 1..12),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
    ) {
        let mut world = World::new();
        let lost = writes.into_iter().map(|(chain, ops)| Step::Lose(chain, ops));
        let shuffled = order.into_iter().map(Step::Deliver);
        lost.chain(shuffled).for_each(|step| world.run(step));
        world.log.clone().iter().for_each(|record| drop(world.deliver(record)));
        world.check();
        for chain in &world.origin[..4] {
            prop_assert_eq!(world.index.head(&chain.id()), Some(chain.head()));
        }
    }

    #[test]
    fn what_is_taken_back_was_never_there(
        kept in prop::collection::vec(step(), 0..20),
        refused in prop::collection::vec(step(), 0..20),
        empty in any::<bool>(),
    ) {
        let mut world = World::new();
        kept.into_iter().for_each(|step| world.run(step));
        let (model, stored) = match empty {
            true => Default::default(),
            false => {
                world.made.clear();
                (world.model.clone(), world.stored.clone())
            }
        };
        refused.into_iter().for_each(|step| world.run(step));
        world.made.drain(..).rev().for_each(|delta| world.index.take_back(delta));
        (world.model, world.stored) = (model, stored);
        world.check();
    }

    #[test]
    fn the_state_digest_does_not_depend_on_the_order_of_rows(ops in prop::collection::vec(operation(), 0..40)) {
        let mut rows = rows::replay(ops);
        let forwards = Hash::from(StateDigest::of(rows.iter().map(Row::hash)));
        rows.reverse();
        prop_assert_eq!(Hash::from(StateDigest::of(rows.iter().map(Row::hash))), forwards);
        prop_assert_eq!(rows::sum(&rows), forwards);
    }

    #[test]
    fn different_rows_have_different_bytes(ops in prop::collection::vec(operation(), 0..40)) {
        let rows = rows::replay(ops);
        for (place, row) in rows.iter().enumerate() {
            for other in &rows[place + 1..] {
                prop_assert_ne!(row.canonical(), other.canonical());
            }
        }
    }
}
