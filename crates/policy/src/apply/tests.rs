//! Each way in which a change set can fail to apply, and how a chain goes on afterwards.

use proptest::prelude::*;
use writ_contract::policy_change::{ChainState, Operation};
use writ_contract::row::OrganizationState;
use writ_contract::{ChainId, PLATFORM_ORGANIZATION, Stream};

use super::*;
use crate::history::REMEMBERED;
use crate::row::Row;
use crate::testing::{chain, organization, region};
use crate::{Header, Index, SealError, Unauthenticated};

fn id() -> ChainId {
    chain(organization(1), "us", Stream::Identity)
}

/// Writes change sets as authorization does.
#[derive(Default)]
struct Origin(Index);

impl Origin {
    fn write(&mut self, ops: Vec<Operation>) -> (ChangeSet, PolicyOps) {
        let next = self.0.chain(&id()).map_or(Revision::START.next(), Chain::next);
        let (set, _) = self.0.seal(&id(), header(next), ops.clone()).unwrap();
        (set, PolicyOps { ops })
    }

    fn state(&mut self, state: OrganizationState) -> (ChangeSet, PolicyOps) {
        self.write(vec![Operation::PutOrganization { state }])
    }
}

fn header(revision: Revision) -> Header {
    crate::testing::header(revision, Timestamp(revision.number))
}

fn halt_of(verdict: &Verdict) -> Option<(Halt, bool, ChainState)> {
    match verdict {
        Verdict::Halted { halt, newer, delta } => Some((*halt, *newer, delta.head().state)),
        _ => None,
    }
}

#[test]
fn what_continues_the_chain_applies_and_what_was_applied_is_skipped() {
    let (mut origin, mut index) = (Origin::default(), Index::new());
    let (set, ops) = origin.state(OrganizationState::Active);
    let verdict = index.apply(region("us"), &set, &ops);
    let delta = verdict.delta().unwrap();
    assert_eq!(delta.put, [Row::Organization(OrganizationState::Active)]);
    assert_eq!((delta.head().revision, delta.head().digest), (Revision::first_epoch(1), set.digest));
    assert_eq!(index.head(&id()), origin.0.head(&id()));
    assert_eq!(index.apply(region("us"), &set, &ops), Verdict::Duplicate);
    let (empty, none) = origin.write(Vec::new());
    assert!(matches!(index.apply(region("us"), &empty, &none), Verdict::Applied(delta) if delta.put.is_empty()));
}

#[test]
fn a_gap_stops_the_chain_until_what_was_missing_has_arrived() {
    let (mut origin, mut index) = (Origin::default(), Index::new());
    let sets: Vec<_> = (0..4).map(|_| origin.state(OrganizationState::Active)).collect();
    let apply = |index: &mut Index, at: usize| index.apply(region("us"), &sets[at].0, &sets[at].1);
    assert_eq!(halt_of(&apply(&mut index, 2)), Some((Halt::Gap, true, ChainState::Stopped)));
    assert_eq!(index.head(&id()).unwrap().revision, Revision::START);
    for at in [0, 1] {
        let verdict = apply(&mut index, at);
        assert!(matches!(verdict, Verdict::Applied(delta) if delta.head().state == ChainState::Stopped));
    }
    assert!(matches!(apply(&mut index, 2), Verdict::Applied(delta) if delta.head().state == ChainState::Live));
    assert!(matches!(apply(&mut index, 3), Verdict::Applied(_)));
    assert_eq!(index.head(&id()), origin.0.head(&id()));
}

#[test]
fn another_history_stops_the_chain_for_good() {
    let mut index = Index::new();
    let (mut origin, mut restored) = (Origin::default(), Origin::default());
    let first = origin.state(OrganizationState::Active);
    let second = origin.state(OrganizationState::Suspended);
    index.apply(region("us"), &first.0, &first.1);
    index.apply(region("us"), &second.0, &second.1);
    restored.state(OrganizationState::Active);
    let other = restored.write(Vec::new());
    assert_eq!(halt_of(&index.apply(region("us"), &other.0, &other.1)), Some((Halt::Fork, false, ChainState::Stopped)));
    let third = origin.state(OrganizationState::Active);
    assert_eq!(halt_of(&index.apply(region("us"), &third.0, &third.1)), Some((Halt::Fork, true, ChainState::Stopped)));
    assert_eq!(index.head(&id()).unwrap().digest, second.0.digest);
    assert_eq!(index.resume(&id()), None);
}

#[test]
fn a_successor_of_another_history_is_a_fork() {
    let mut index = Index::new();
    let (mut origin, mut restored) = (Origin::default(), Origin::default());
    let first = origin.state(OrganizationState::Active);
    index.apply(region("us"), &first.0, &first.1);
    restored.state(OrganizationState::Suspended);
    let other = restored.state(OrganizationState::Active);
    assert_eq!(halt_of(&index.apply(region("us"), &other.0, &other.1)), Some((Halt::Fork, true, ChainState::Stopped)));
}

#[test]
fn damage_is_noticed_before_anything_is_visible() {
    type Damage = fn(&mut ChangeSet);
    let damages: [(Damage, Halt); 4] = [
        (|set| set.payload.push(0), Halt::DigestMismatch),
        (|set| set.state_digest.0[31] ^= 1, Halt::StateMismatch),
        (|set| set.features = 1 << 62, Halt::UnknownFeature),
        (|set| set.parts = 2, Halt::SeveralParts),
    ];
    for (damage, halt) in damages {
        let (mut origin, mut index) = (Origin::default(), Index::new());
        let first = origin.state(OrganizationState::Active);
        index.apply(region("us"), &first.0, &first.1);
        let (mut set, ops) = origin.state(OrganizationState::Suspended);
        damage(&mut set);
        assert_eq!(halt_of(&index.apply(region("us"), &set, &ops)), Some((halt, true, halt.state())));
        let chain = index.chain(&id()).unwrap();
        assert_eq!(chain.rows().organization(), Some(OrganizationState::Active), "{halt}");
        assert_eq!((chain.head().revision, chain.head().digest), (Revision::first_epoch(1), first.0.digest));
        assert_eq!(index.apply(region("us"), &first.0, &first.1), Verdict::Duplicate);
    }
}

proptest! {
    /// Wherever the operations do not matter, the verdict is the same without them; where they do, the chain parks.
    #[test]
    fn a_change_set_that_cannot_be_decoded_is_judged_by_its_envelope(
        applied in 0usize..4,
        at in 0usize..6,
        halt in prop::option::of(prop::sample::select(&Halt::ALL[..])),
        damage in 0..6,
    ) {
        let (mut origin, mut index) = (Origin::default(), Index::new());
        let sets: Vec<_> = (0..6).map(|_| origin.state(OrganizationState::Active)).collect();
        for (set, ops) in &sets[..applied] {
            index.apply(region("us"), set, ops);
        }
        halt.into_iter().for_each(|halt| drop(index.halt(&id(), halt, None)));
        let (mut set, ops) = sets[at].clone();
        match damage {
            0 => set.digest.0[0] ^= 1,
            1 => set.previous_digest.0[0] ^= 1,
            2 => set.features = 1 << 40,
            3 => set.parts = 2,
            4 => set.revision.epoch = 0,
            _ => {}
        }
        let new = Chain::new(id());
        let chain = index.chain(&id()).unwrap_or(&new);
        let verdict = judge_undecodable(chain, &set);
        match judge(chain, &set, &ops) {
            Verdict::Applied(_) => {
                prop_assert_eq!(halt_of(&verdict), Some((Halt::Unreadable, true, ChainState::Parked)));
            }
            same => prop_assert_eq!(&verdict, &same),
        }
        prop_assert_eq!(index.apply_undecodable(region("us"), &set), verdict);
        prop_assert_eq!(index.apply_undecodable(region("eu"), &set), Verdict::ForeignOrigin);
    }
}

#[test]
fn a_parked_chain_moves_on_once_it_is_resumed() {
    let (mut origin, mut index) = (Origin::default(), Index::new());
    let first = origin.state(OrganizationState::Active);
    index.apply(region("us"), &first.0, &first.1);
    let parked = index.park(id().organization, region("us"), Halt::Unreadable);
    assert_eq!(parked.iter().map(|delta| delta.head().state).collect::<Vec<_>>(), [ChainState::Parked; 2]);
    let second = origin.state(OrganizationState::Active);
    assert_eq!(
        halt_of(&index.apply(region("us"), &second.0, &second.1)),
        Some((Halt::Unreadable, true, ChainState::Parked))
    );
    // What came while it was parked is still to be applied: until then the view is incomplete.
    assert_eq!(index.resume(&id()).unwrap().head().state, ChainState::Stopped);
    let verdict = index.apply(region("us"), &second.0, &second.1);
    assert!(matches!(verdict, Verdict::Applied(delta) if delta.head().state == ChainState::Live));
    assert_eq!(index.resume(&id()), None);
}

#[test]
fn an_unreadable_record_of_another_region_leaves_the_chain_of_the_home_alone() {
    let mut index = Index::new();
    index.park(id().organization, region("eu"), Halt::Unreadable);
    let (set, ops) = Origin::default().state(OrganizationState::Active);
    assert!(matches!(index.apply(region("us"), &set, &ops), Verdict::Applied(_)));
}

#[test]
fn an_organization_has_one_home_whatever_comes_first_and_the_platform_many() {
    let mut index = Index::new();
    let (set, ops) = Origin::default().state(OrganizationState::Active);
    assert_eq!(index.apply(region("eu"), &set, &ops), Verdict::ForeignOrigin);
    let eu = ChainId { origin: region("eu"), ..id() };
    assert_eq!(index.head(&eu), None);
    assert!(matches!(index.apply(region("us"), &set, &ops), Verdict::Applied(_)));
    let sealed = index.seal(&eu, header(Revision::START.next()), Vec::new());
    assert!(matches!(sealed, Err(SealError::ForeignOrigin)));
    let platform = ChangeSet { organization: PLATFORM_ORGANIZATION, ..set };
    assert!(matches!(index.apply(region("us"), &platform, &ops), Verdict::Applied(_)));
    assert!(matches!(index.apply(region("eu"), &platform, &ops), Verdict::Applied(_)));
}

#[test]
fn deletion_closes_the_chain_and_is_final() {
    let (mut origin, mut index) = (Origin::default(), Index::new());
    for state in [OrganizationState::Active, OrganizationState::Deleted, OrganizationState::Active] {
        let (set, ops) = origin.state(state);
        index.apply(region("us"), &set, &ops);
    }
    let chain = index.chain(&id()).unwrap();
    assert_eq!(chain.rows().organization(), Some(OrganizationState::Deleted));
    assert_eq!((chain.head().revision, chain.head().state), (Revision::first_epoch(3), ChainState::Closed));
}

#[test]
fn what_is_older_than_memory_is_taken_for_a_duplicate() {
    let (mut origin, mut index) = (Origin::default(), Index::new());
    let sets: Vec<_> = (0..=REMEMBERED).map(|_| origin.write(Vec::new())).collect();
    sets.iter().for_each(|(set, ops)| drop(index.apply(region("us"), set, ops)));
    let other = |at: usize| ChangeSet { digest: Hash::ZERO, ..sets[at].0.clone() };
    assert_eq!(index.apply(region("us"), &other(0), &sets[0].1), Verdict::Duplicate);
    assert_eq!(halt_of(&index.apply(region("us"), &other(1), &sets[1].1)).unwrap().0, Halt::Fork);
}

#[test]
fn only_the_next_change_set_can_be_sealed() {
    let mut index = Index::new();
    let ahead = Revision::first_epoch(2);
    let sealed = index.seal(&id(), header(ahead), Vec::new());
    assert!(matches!(sealed, Err(SealError::NotNext { have: Revision::START, wanted }) if wanted == ahead));
    let delta = index.halt(&id(), Halt::Gap, Some(ahead));
    assert_eq!((delta.head().state, delta.standing.seen), (ChainState::Stopped, ahead));
    assert!(index.seal(&id(), header(Revision::START.next()), Vec::new()).is_ok(), "what was missing arrived");
    index.halt(&id(), Halt::Fork, None);
    assert!(matches!(index.seal(&id(), header(ahead), Vec::new()), Err(SealError::Halted(Halt::Fork))));
}

#[test]
fn rows_that_are_not_those_of_the_head_stop_the_chain() {
    let mut origin = Origin::default();
    origin.state(OrganizationState::Active);
    let chain = origin.0.chain(&id()).unwrap();
    let mut index = Index::new();
    let mismatch = index.load(chain.standing().clone(), Vec::new()).unwrap_err();
    assert_eq!(mismatch.delta.head().state, ChainState::Stopped);
    assert_eq!(index.chain(&id()).unwrap().standing().halt, Some(Halt::StateMismatch));
    assert_eq!(index.authenticate(organization(1), &Hash::ZERO, Timestamp(0)), Err(Unauthenticated::UnknownToken));
}

#[test]
fn commit_times_grow_whatever_the_clock_says() {
    let mut origin = Origin::default();
    (0..3).for_each(|_| drop(origin.write(Vec::new())));
    let chain = origin.0.chain(&id()).unwrap();
    assert_eq!(chain.next_committed_at(Timestamp(1)), Timestamp(4));
    assert_eq!(chain.next_committed_at(Timestamp(9)), Timestamp(9));
}

#[test]
fn every_halt_is_read_back_from_its_name() {
    for halt in [Halt::Gap, Halt::Fork, Halt::DigestMismatch, Halt::StateMismatch, Halt::UnknownFeature] {
        assert_eq!(halt.as_str().parse(), Ok(halt));
    }
    assert!("".parse::<Halt>().is_err());
}
