use writ_contract::entity_event::EntityEventKind::{Created, Deleted};
use writ_contract::identity_event::{Change, Watermark};
use writ_contract::policy_change::{ChainState, Operation};
use writ_contract::{ChainId, Hash};
use writ_policy::Halt;

use super::*;
use crate::testing::*;

const USER: Uuid = Uuid::from_u128(7);

fn created() -> Vec<Change> {
    vec![Change::OrganizationCreated { owner: USER }, Change::UserInvited { user: USER }]
}

fn activated() -> Vec<Change> {
    vec![Change::UserActivated { user: USER }]
}

fn chain(number: u128, stream: Stream) -> ChainId {
    ChainId { organization: organization(number), origin: REGION.to_owned(), stream }
}

fn announce(id: &str, entity_id: &str, parent: Option<&str>) -> Record {
    record(topics::ENTITY_EVENTS, organization(1), id, &entity(organization(1), Created, entity_id, parent))
}

fn state(index: &SharedIndex, chain: &ChainId) -> (i64, Option<Halt>) {
    let index = index.read().unwrap();
    let standing = index.chain(chain).unwrap().standing();
    (standing.position().revision, standing.halt)
}

#[test]
fn one_event_is_one_change_set_with_its_actor_cause_and_time() {
    let (mut policies, _) = policies();
    let only_fields = vec![Change::UserChanged { user: USER, fields: vec!["full_name".into()] }];
    let effects = policies.plan(&[identity(organization(1), 1, created()), identity(organization(1), 2, only_fields)]);
    let sets = change_sets(&effects.outgoing);
    assert_eq!(sets.iter().map(|(set, ops)| (set.revision, ops.ops.len())).collect::<Vec<_>>(), vec![(1, 2), (2, 0)]);
    let (first, second) = (&sets[0].0, &sets[1].0);
    assert_eq!(first.previous_digest, Hash::ZERO);
    assert_eq!(second.previous_digest, first.digest);
    assert_eq!(first.committed_at.0, 1_000_001);
    assert_eq!(first.request_id.as_deref(), Some("request"));
    assert_eq!(effects.deltas.len(), 2);
    assert!(effects.kept.is_empty());
}

#[test]
fn the_same_place_of_a_chain_has_the_same_record_id_in_every_run() {
    let run = || {
        let (mut policies, _) = policies();
        let effects =
            policies.plan(&[identity(organization(1), 1, created()), identity(organization(1), 2, activated())]);
        effects.outgoing.iter().map(|record| record.id().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let ids = run();
    assert_eq!(run(), ids);
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn an_event_again_changes_nothing() {
    let (mut policies, index) = policies();
    let event = identity(organization(1), 1, created());
    policies.plan(std::slice::from_ref(&event));
    let again = policies.plan(&[event]);
    assert!(again.outgoing.is_empty() && again.deltas.is_empty() && again.kept.is_empty());
    assert_eq!(state(&index, &chain(1, Stream::Identity)), (1, None));
}

#[test]
fn a_gap_stops_its_chain_alone_and_is_healed_by_what_was_missing() {
    let (mut policies, index) = policies();
    let late = identity(organization(1), 2, activated());
    let gap = policies.plan(&[
        identity(organization(1), 1, created()),
        identity(organization(1), 3, activated()),
        identity(organization(2), 1, created()),
    ]);
    assert_eq!(change_sets(&gap.outgoing).len(), 2);
    assert_eq!(gap.kept.len(), 1);
    assert_eq!(state(&index, &chain(1, Stream::Identity)), (1, Some(Halt::Gap)));
    assert_eq!(state(&index, &chain(2, Stream::Identity)), (1, None));

    assert_eq!(change_sets(&policies.plan(&[late]).outgoing).len(), 1);
    let parked =
        Parked { id: 4, organization: organization(1), reason: String::new(), record: gap.kept[0].record.clone() };
    let healed = policies.retry(vec![parked]);
    assert_eq!((change_sets(&healed.outgoing).len(), healed.resumed), (1, vec![4]));
    assert_eq!(state(&index, &chain(1, Stream::Identity)), (3, None));
}

#[test]
fn what_this_build_does_not_understand_parks_its_organization_alone() {
    let tampered = [
        identity_with(organization(1), 2, activated(), |event| event.features = 1 << 40),
        identity_with(organization(1), 2, activated(), |event| event.payload.truncate(11)),
        identity_with(organization(1), 2, activated(), |event| event.organization = organization(2)),
        announce("an entity event on the wrong topic", "cp", None),
    ];
    for (number, mut bad) in tampered.into_iter().enumerate() {
        bad.topic = topics::IDENTITY_EVENTS.to_owned();
        let (mut policies, index) = policies();
        let effects = policies.plan(&[
            identity(organization(1), 1, created()),
            bad.clone(),
            identity(organization(1), 3, activated()),
            identity(organization(2), 1, created()),
        ]);
        assert_eq!(change_sets(&effects.outgoing).len(), 2, "case {number}");
        let kept: Vec<_> = effects.kept.iter().map(|kept| (kept.organization, kept.record.clone())).collect();
        assert_eq!(kept.len(), 2, "case {number}: the record and the one behind it wait");
        assert_eq!(kept[0], (organization(1), bad), "case {number}");
        let (revision, halt) = state(&index, &chain(1, Stream::Identity));
        assert_eq!(revision, 1, "case {number}");
        assert!(halt.is_some_and(|halt| halt.state() == ChainState::Parked), "case {number}");
    }
}

#[test]
fn a_parked_organization_is_tried_again_at_start() {
    let (mut policies, index) = policies();
    let unknown = identity_with(organization(1), 2, activated(), |event| event.features = 1);
    let effects = policies.plan(&[identity(organization(1), 1, created()), unknown]);
    let parked = |record: &Record, id| Parked {
        id,
        organization: organization(1),
        reason: String::new(),
        record: record.clone(),
    };
    let still = policies.retry(vec![parked(&effects.kept[0].record, 1)]);
    assert!(still.resumed.is_empty() && still.kept.is_empty(), "it stays where it is");
    assert_eq!(state(&index, &chain(1, Stream::Identity)), (1, Some(Halt::UnknownFeature)));

    let understood = identity(organization(1), 2, activated());
    let resumed = policies.retry(vec![parked(&understood, 1), parked(&identity(organization(1), 3, activated()), 2)]);
    assert_eq!(resumed.resumed, vec![1, 2]);
    assert_eq!(state(&index, &chain(1, Stream::Identity)), (3, None));
}

#[test]
fn watermarks_and_events_of_nobody_hold_up_nothing() {
    let (mut policies, _) = policies();
    let watermark = Watermark { partition: 0, seq: 1, closed_at: writ_contract::Timestamp(1) };
    let watermark = record(topics::IDENTITY_EVENTS, organization(1), "w", &watermark);
    let mut nobody = identity(organization(1), 1, created());
    nobody.key = None;
    let effects = policies.plan(&[watermark, nobody, identity(organization(1), 1, created())]);
    assert_eq!(change_sets(&effects.outgoing).len(), 1);
    assert!(effects.kept.is_empty());
}

#[test]
fn entity_events_are_counted_by_authorization_and_name_their_producer() {
    let (mut policies, _) = policies();
    let effects = policies.plan(&[announce("e1", "cp-1", None), announce("e2", "cp-1-child", Some("cp-1"))]);
    let sets = change_sets(&effects.outgoing);
    assert_eq!(sets.len(), 2);
    for ((set, ops), (revision, id)) in sets.iter().zip([(1, "e1"), (2, "e2")]) {
        assert_eq!((set.stream, set.epoch, set.revision), (Stream::Entities, 1, revision));
        assert_eq!(set.cause.as_ref().map(|cause| (cause.source.as_str(), cause.id.as_str())), Some(("urn:test", id)));
        assert_eq!((set.actor.id.as_str(), ops.ops.len()), ("urn:test", 1));
    }
    assert!(sets[1].0.committed_at > sets[0].0.committed_at, "strictly increasing on one clock tick");
    assert_eq!(effects.answered.iter().map(|answered| answered.revision).collect::<Vec<_>>(), vec![1, 2]);
}

#[test]
fn a_producers_retry_gets_no_second_revision() {
    let (mut policies, index) = policies();
    policies.plan(&[announce("e1", "cp-1", None)]);
    let again = policies.plan(&[announce("e1", "cp-1", None)]);
    assert!(again.outgoing.is_empty() && again.answered.is_empty());
    assert_eq!(state(&index, &chain(1, Stream::Entities)), (1, None));

    let other_event = policies.plan(&[announce("e2", "cp-1", None)]);
    let sets = change_sets(&other_event.outgoing);
    assert_eq!((sets[0].0.revision, sets[0].0.rejected.clone(), sets[0].1.ops.len()), (2, None, 0), "unchanged");
}

#[test]
fn a_refused_event_is_answered_and_dead_lettered_and_the_next_one_flows() {
    let (mut policies, _) = policies();
    let effects = policies.plan(&[announce("e1", "orphan", Some("nobody")), announce("e2", "cp-1", None)]);
    let sets = change_sets(&effects.outgoing);
    assert_eq!((sets[0].0.rejected.as_deref(), sets[0].1.ops.len()), (Some("unknown_parent"), 0));
    assert_eq!((sets[1].0.rejected.as_deref(), sets[1].1.ops.len()), (None, 1));
    assert_eq!(dead_letters(&effects.outgoing), vec!["unknown_parent"]);
    assert_eq!(effects.answered[0].rejected.as_deref(), Some("unknown_parent"));
    assert!(policies.plan(&[announce("e1", "orphan", Some("nobody"))]).outgoing.is_empty(), "answered once");
}

#[test]
fn what_is_no_event_is_only_dead_lettered() {
    let (mut policies, _) = policies();
    let mut bad = announce("e1", "cp-1", None);
    bad.value = Some(b"hello".to_vec());
    let effects = policies.plan(&[bad, announce("e2", "cp-2", None)]);
    assert_eq!(dead_letters(&effects.outgoing).len(), 1);
    assert_eq!(change_sets(&effects.outgoing).len(), 1);
    assert_eq!(change_sets(&effects.outgoing)[0].0.revision, 1);
}

#[test]
fn deletion_takes_the_descendants_and_is_final() {
    let (mut policies, index) = policies();
    let gone = entity(organization(1), Deleted, "cp-1", None);
    let effects = policies.plan(&[
        announce("e1", "cp-1", None),
        announce("e2", "child", Some("cp-1")),
        record(topics::ENTITY_EVENTS, organization(1), "e3", &gone),
        announce("e4", "cp-1", None),
        announce("e5", "child", None),
    ]);
    let sets = change_sets(&effects.outgoing);
    let drop = Operation::DropEntity { entity_type: "control_planes".into(), id: "cp-1".into() };
    assert_eq!(sets[2].1.ops, vec![drop]);
    for (set, _) in &sets[3..] {
        assert_eq!(set.rejected.as_deref(), Some("entity_deleted"));
    }
    assert_eq!(state(&index, &chain(1, Stream::Entities)), (5, None));
}
