use uuid::Uuid;
use writ_contract::entity_event::EntityEventKind::{Created, Deleted};
use writ_contract::identity_event::{Change, IdentityEvent, Watermark};
use writ_contract::organization::OrganizationEntry;
use writ_contract::policy_change::{ChainState, Operation};
use writ_contract::row::{EntityKey, OrganizationState};
use writ_contract::{Hash, PLATFORM_ORGANIZATION, Revision, Timestamp, UserId};
use writ_policy::Halt;

use super::*;
use crate::testing::*;

const USER: UserId = UserId::from_uuid(Uuid::from_u128(7));

fn created() -> Vec<Change> {
    vec![Change::OrganizationCreated { owner: USER }, Change::UserInvited { user: USER }]
}

fn activated() -> Vec<Change> {
    vec![Change::UserActivated { user: USER }]
}

fn deactivated() -> Vec<Change> {
    vec![Change::UserStateChanged { user: USER, active: false }]
}

fn announce(id: &str, entity_id: &str, parent: Option<&str>) -> ConsumedRecord {
    record(ENTITY_EVENTS, organization(1), id, &entity(organization(1), Created, entity_id, parent))
}

fn state(index: &SharedIndex, chain: &ChainId) -> (i64, Option<Halt>) {
    index.read(|index| {
        let standing = index.chain(chain).unwrap().standing();
        (standing.head.revision.number, standing.halt)
    })
}

fn parked(id: i64, record: &ConsumedRecord) -> Parked {
    Parked { id, organization: organization(1), reason: String::new(), record: record.clone() }
}

fn numbers(outgoing: &[Outgoing]) -> Vec<i64> {
    change_sets(outgoing).into_iter().map(|(set, _)| set.revision.number).collect()
}

#[test]
fn one_event_is_one_change_set_with_its_actor_cause_and_time() {
    let (mut policies, _) = policies();
    let mut identity = IdentityEvents::default();
    let only_fields = vec![Change::UserChanged { user: USER, fields: vec!["full_name".parse().unwrap()] }];
    let effects =
        policies.plan(&[identity.record(organization(1), created()), identity.record(organization(1), only_fields)]);
    let sets = change_sets(&effects.own.outgoing);
    let seen: Vec<_> = sets.iter().map(|(set, ops)| (set.revision, ops.ops.len())).collect();
    assert_eq!(seen, vec![(Revision::first_epoch(1), 2), (Revision::first_epoch(2), 0)]);
    let (first, second) = (&sets[0].0, &sets[1].0);
    assert_eq!(first.previous_digest, Hash::ZERO);
    assert_eq!(second.previous_digest, first.digest);
    assert_eq!(first.committed_at.0, 1_000_001);
    assert_eq!(first.request_id, Some("request".parse().unwrap()));
    assert_eq!(effects.deltas.len(), 2);
    assert!(effects.parked.is_empty());
}

#[test]
fn the_same_place_of_a_chain_has_the_same_record_id_in_every_run() {
    let run = || {
        let (mut policies, _) = policies();
        let mut identity = IdentityEvents::default();
        let events = [created(), activated()].map(|changes| identity.record(organization(1), changes));
        let effects = policies.plan(&events);
        effects.own.outgoing.iter().map(|record| record.id().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let ids = run();
    assert_eq!(run(), ids);
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn an_organization_has_as_many_entities_as_it_may_have() {
    let (policies, _) = policies();
    let mut policies = policies.allowing_entities(2);
    let events = ["a", "b", "c"].map(|id| announce(id, id, None));
    let effects = policies.plan(&events);
    assert_eq!(numbers(&effects.own.outgoing), vec![1, 2]);
    assert_eq!(dead_letters(&effects.own.outgoing), vec!["too_many_entities"]);
    let known = record(ENTITY_EVENTS, organization(1), "d", &entity(organization(1), Deleted, "a", None));
    assert_eq!(numbers(&policies.plan(&[known]).own.outgoing), vec![3]);
}

#[test]
fn an_event_again_changes_nothing() {
    let (mut policies, index) = policies();
    let event = IdentityEvents::default().record(organization(1), created());
    policies.plan(std::slice::from_ref(&event));
    let again = policies.plan(&[event]);
    assert!(again.own.outgoing.is_empty() && again.deltas.is_empty() && again.parked.is_empty());
    assert_eq!(state(&index, &chain(1, Stream::Identity)), (1, None));
}

#[test]
fn a_gap_stops_its_chain_alone_and_is_healed_by_what_was_missing() {
    let (mut policies, index) = policies();
    let mut identity = IdentityEvents::default();
    let [first, late, third] =
        [created(), activated(), deactivated()].map(|changes| identity.record(organization(1), changes));
    let gap = policies.plan(&[first, third, identity.record(organization(2), created())]);
    assert_eq!(change_sets(&gap.own.outgoing).len(), 2);
    assert_eq!(gap.parked.len(), 1);
    assert_eq!(state(&index, &chain(1, Stream::Identity)), (1, Some(Halt::Gap)));
    assert_eq!(state(&index, &chain(2, Stream::Identity)), (1, None));

    assert_eq!(numbers(&policies.plan(&[late]).own.outgoing), vec![2]);
    let healed = policies.retry_all(vec![parked(4, &gap.parked[0].0)]);
    assert_eq!((numbers(&healed.own.outgoing), healed.resumed), (vec![3], vec![4]));
    assert_eq!(state(&index, &chain(1, Stream::Identity)), (3, None));
}

/// Two histories of one organization that part after its first event.
fn fork() -> (ConsumedRecord, IdentityEvent, IdentityEvent, IdentityEvents) {
    let mut identity = IdentityEvents::default();
    let first = identity.record(organization(1), created());
    let mut lost = identity.clone();
    let second = identity.next(organization(1), activated());
    (first, second, lost.next(organization(1), deactivated()), lost)
}

#[test]
fn an_older_revision_with_another_digest_is_a_fork_and_not_a_repetition() {
    let (mut policies, index) = policies();
    let (first, second, other, mut lost) = fork();
    policies.plan(&[first.clone(), written(&second)]);
    let effects = policies.plan(&[first, written(&second), written(&other)]);
    assert!(effects.own.outgoing.is_empty());
    assert_eq!(effects.parked.len(), 1, "the other event is kept, the repetitions are skipped");
    assert_eq!(state(&index, &chain(1, Stream::Identity)), (2, Some(Halt::Fork)));

    let later = lost.record(organization(1), activated());
    let effects = policies.plan(&[later, lost.record(organization(2), created())]);
    assert_eq!((effects.parked.len(), change_sets(&effects.own.outgoing).len()), (1, 1), "others flow");
    assert_eq!(effects.deltas.len(), 1, "the halt is reported once");
    let still = policies.retry_all(vec![parked(1, &written(&other))]);
    assert!(still.resumed.is_empty() && still.own.outgoing.is_empty(), "a new build does not heal a fork");
}

#[test]
fn the_next_revision_must_name_the_digest_before_it() {
    let (mut policies, index) = policies();
    let (first, second, _, mut lost) = fork();
    policies.plan(&[first, written(&second)]);
    let effects = policies.plan(&[lost.record(organization(1), activated())]);
    assert!(effects.own.outgoing.is_empty() && effects.parked.len() == 1);
    assert_eq!(state(&index, &chain(1, Stream::Identity)), (2, Some(Halt::Fork)));
}

#[test]
fn a_digest_that_is_not_that_of_the_payload_halts() {
    let (first, second, other, _) = fork();
    for (bad, revision) in [
        (IdentityEvent { digest: Hash::ZERO, ..second.clone() }, 1),
        (IdentityEvent { payload: other.payload.clone(), ..second.clone() }, 1),
        (IdentityEvent { payload: other.payload, ..second.clone() }, 2),
    ] {
        let (mut policies, index) = policies();
        policies.plan(&[first.clone(), written(&second)][..revision]);
        let effects = policies.plan(&[written(&bad)]);
        assert!(effects.own.outgoing.is_empty() && effects.parked.len() == 1);
        let expected = (i64::try_from(revision).unwrap(), Some(Halt::DigestMismatch));
        assert_eq!(state(&index, &chain(1, Stream::Identity)), expected);
    }
}

#[test]
fn identity_events_of_another_home_are_not_applied() {
    let (mut policies, index) = policies();
    let foreign = OrganizationId::from_parts("us".parse().unwrap(), 1, 1);
    let without_home = OrganizationId::from_uuid(Uuid::now_v7());
    let mut identity = IdentityEvents::default();
    let events = [foreign, without_home, PLATFORM_ORGANIZATION].map(|id| identity.record(id, created()));
    let effects = policies.plan(&events);
    let sets = change_sets(&effects.own.outgoing);
    assert_eq!(sets.iter().map(|(set, _)| set.organization).collect::<Vec<_>>(), vec![PLATFORM_ORGANIZATION]);
    assert!(effects.parked.is_empty());
    index.read(|index| assert_eq!(index.heads().count(), 1, "no chain is made"));
}

#[test]
fn what_this_build_does_not_understand_parks_its_organization_alone() {
    let (first, second, ..) = fork();
    let event = |tamper: fn(&mut IdentityEvent)| {
        let mut event = second.clone();
        tamper(&mut event);
        event.digest = writ_policy::digest::history_digest(&event.previous_digest, &event.payload);
        written(&event)
    };
    let mut of_another = written(&IdentityEvent { organization: organization(2), ..second.clone() });
    of_another.key = Some(organization(1).to_string().into_bytes());
    let tampered = [
        event(|event| event.features = 1 << 40),
        event(|event| event.payload.truncate(11)),
        of_another,
        announce("an entity event on the wrong topic", "cp", None),
    ];
    for (number, mut bad) in tampered.into_iter().enumerate() {
        bad.topic = topics::IDENTITY_EVENTS.to_owned();
        let (mut policies, index) = policies();
        let mut identity = IdentityEvents::default();
        let _ = (identity.next(organization(1), created()), identity.next(organization(1), activated()));
        let third = identity.record(organization(1), deactivated());
        let other = identity.record(organization(2), created());
        let effects = policies.plan(&[first.clone(), bad.clone(), third, other]);
        assert_eq!(change_sets(&effects.own.outgoing).len(), 2, "case {number}");
        assert_eq!(effects.parked.len(), 2, "case {number}: the record and the one behind it wait");
        let (record, park) = &effects.parked[0];
        assert_eq!((park.organization, record), (organization(1), &bad), "case {number}");
        let (revision, halt) = state(&index, &chain(1, Stream::Identity));
        assert_eq!(revision, 1, "case {number}");
        assert!(halt.is_some_and(|halt| halt.state() == ChainState::Parked), "case {number}");
    }
}

#[test]
fn a_parked_organization_is_tried_again_at_start() {
    let (mut policies, index) = policies();
    let (first, second, ..) = fork();
    let unknown = written(&IdentityEvent { features: 1, ..second.clone() });
    let effects = policies.plan(&[first, unknown]);
    let still = policies.retry_all(vec![parked(1, &effects.parked[0].0)]);
    assert!(still.resumed.is_empty() && still.parked.is_empty(), "it stays where it is");
    assert_eq!(state(&index, &chain(1, Stream::Identity)), (1, Some(Halt::UnknownFeature)));

    let mut identity = IdentityEvents::default();
    let _ = (identity.next(organization(1), created()), identity.next(organization(1), activated()));
    let third = identity.record(organization(1), deactivated());
    let resumed = policies.retry_all(vec![parked(1, &written(&second)), parked(2, &third)]);
    assert_eq!(resumed.resumed, vec![1, 2]);
    assert_eq!(state(&index, &chain(1, Stream::Identity)), (3, None));
}

#[test]
fn watermarks_and_events_of_nobody_hold_up_nothing() {
    let (mut policies, _) = policies();
    let watermark = Watermark { partition: 0, seq: 1, closed_at: Timestamp(1) };
    let watermark = record(topics::IDENTITY_EVENTS, organization(1), "w", &watermark);
    let event = IdentityEvents::default().record(organization(1), created());
    let mut nobody = event.clone();
    nobody.key = None;
    let mut no_producer = announce("e1", "cp-1", None);
    no_producer.topic = "entity-events-UPPER".to_owned();
    let effects = policies.plan(&[watermark, nobody, no_producer, event]);
    assert_eq!(effects.own.outgoing.len(), 1);
    assert!(effects.parked.is_empty());
}

#[test]
fn entity_events_are_counted_by_authorization_and_name_their_producer() {
    let (mut policies, _) = policies();
    let effects = policies.plan(&[announce("e1", "cp-1", None), announce("e2", "cp-1-child", Some("cp-1"))]);
    let sets = change_sets(&effects.own.outgoing);
    assert_eq!(sets.len(), 2);
    for ((set, ops), (number, id)) in sets.iter().zip([(1, "e1"), (2, "e2")]) {
        assert_eq!((set.stream, set.revision), (Stream::Entities, Revision::first_epoch(number)));
        let cause = set.cause.as_ref().unwrap();
        assert_eq!((cause.source.as_str(), cause.id.as_str()), (PRODUCER, id));
        assert_eq!((set.actor.kind.as_str(), set.actor.id.as_str()), ("platform_producer", PRODUCER));
        assert_eq!(ops.ops.len(), 1);
    }
    assert!(sets[1].0.committed_at > sets[0].0.committed_at, "strictly increasing on one clock tick");
    assert_eq!(effects.own.answered.iter().map(|answered| answered.revision.number).collect::<Vec<_>>(), vec![1, 2]);
}

#[test]
fn a_retry_of_an_accepted_event_gets_no_second_revision() {
    let (mut policies, index) = policies();
    policies.plan(&[announce("e1", "cp-1", None)]);
    let again = policies.plan(&[announce("e1", "cp-1", None)]);
    assert!(again.own.outgoing.is_empty() && again.own.answered.is_empty());
    assert_eq!(state(&index, &chain(1, Stream::Entities)), (1, None));

    let other_event = policies.plan(&[announce("e2", "cp-1", None)]);
    let sets = change_sets(&other_event.own.outgoing);
    assert_eq!((sets[0].0.revision.number, sets[0].0.rejected.clone(), sets[0].1.ops.len()), (2, None, 0), "unchanged");
}

#[test]
fn a_retry_of_a_refused_event_is_judged_again() {
    let (mut policies, _) = policies();
    let child = || announce("e1", "child", Some("cp-1"));
    let effects = policies.plan(&[child(), child(), announce("e2", "cp-1", None), child(), child()]);
    assert_eq!(numbers(&effects.own.outgoing), vec![1, 2], "the last one repeats an accepted event");
    assert_eq!(dead_letters(&effects.own.outgoing), vec!["unknown_parent"; 2]);
}

#[test]
fn another_event_with_the_same_id_is_refused_by_name() {
    let (mut policies, _) = policies();
    let effects = policies.plan(&[
        announce("e1", "cp-1", None),
        announce("e1", "cp-2", None),
        announce("e1", "cp-1", None),
        announce("e2", "orphan", Some("nobody")),
        announce("e2", "corrected", None),
    ]);
    assert_eq!(numbers(&effects.own.outgoing), vec![1, 2]);
    assert_eq!(dead_letters(&effects.own.outgoing), vec!["ce_id_reused", "unknown_parent"]);
    let answered: Vec<_> = effects.own.answered.iter().map(|answered| answered.id.as_str()).collect();
    assert_eq!(answered, vec!["e1", "e2"], "a refused event is not remembered: it can be sent corrected");

    let of_another = organization(2);
    let event = entity(of_another, Created, "cp-2", None);
    let effects = policies.plan(&[record(ENTITY_EVENTS, of_another, "e1", &event)]);
    assert!(dead_letters(&effects.own.outgoing).is_empty(), "another organization's event");
}

#[test]
fn a_refused_event_is_a_dead_letter_and_nothing_else() {
    let (mut policies, index) = policies();
    let effects = policies.plan(&[announce("e1", "orphan", Some("nobody"))]);
    assert_eq!(dead_letters(&effects.own.outgoing), vec!["unknown_parent"]);
    assert_eq!(effects.own.outgoing.len(), 1);
    assert!(effects.deltas.is_empty() && effects.own.answered.is_empty() && policies.answered.is_empty());
    index.read(|index| assert_eq!(index.heads().count(), 0));
    assert_eq!(numbers(&policies.plan(&[announce("e2", "cp-1", None)]).own.outgoing), vec![1]);
}

#[test]
fn an_organization_nobody_has_heard_of_makes_no_chain() {
    let (mut policies, index) = policies();
    let ghost = organization(9);
    let announce = || record(ENTITY_EVENTS, ghost, "e1", &entity(ghost, Created, "cp-1", None));
    let refused = policies.plan(&[announce()]);
    assert!(dead_letters(&refused.own.outgoing)[0].starts_with("unknown_organization"));
    index.read(|index| assert_eq!(index.heads().count(), 0));

    let entry = |origin: &str, revision, state| {
        let topic = if origin == REGION { topics::ORGANIZATIONS.to_owned() } else { format!("{origin}.organizations") };
        let entry = OrganizationEntry {
            organization: ghost,
            home_region: REGION.parse().unwrap(),
            state,
            revision: Revision::first_epoch(revision),
            updated_at: Timestamp(1),
        };
        record(&topic, ghost, "o", &entry)
    };
    policies.plan(&[entry("us", 1, OrganizationState::Active)]);
    assert!(!policies.directory.has(ghost), "only its home speaks for it");
    let listed = policies.plan(&[entry(REGION, 1, OrganizationState::Active), announce()]);
    assert_eq!((listed.own.listed.len(), numbers(&listed.own.outgoing)), (1, vec![1]));
    policies.plan(&[entry(REGION, 2, OrganizationState::Deleted)]);
    let deleted = policies.plan(&[record(ENTITY_EVENTS, ghost, "e2", &entity(ghost, Created, "cp-2", None))]);
    assert!(dead_letters(&deleted.own.outgoing)[0].starts_with("unknown_organization"));
    policies.take_back(listed);
    assert!(!policies.directory.has(ghost));
}

#[test]
fn each_kind_of_event_has_a_part_of_its_own() {
    let (policies, index) = policies();
    let (mut identity, mut entities) = policies.split();
    let flood: Vec<_> = (0..1_000).map(|n| announce(&format!("e{n}"), &format!("cp-{n}"), None)).collect();
    let planned = entities.plan(&flood);
    // While the flood waits for its transaction, an identity event is planned and written.
    let event = IdentityEvents::default().record(organization(1), created());
    assert_eq!(numbers(&identity.plan(&[event]).own.outgoing), vec![1]);
    entities.take_back(planned);
    assert_eq!(state(&index, &chain(1, Stream::Identity)), (1, None), "what is taken back is the flood alone");
    index.read(|index| {
        assert!(index.chain(&chain(1, Stream::Entities)).is_none_or(|chain| chain.revision().number == 0))
    });
}

#[test]
fn events_that_cannot_come_again_are_forgotten() {
    let (mut policies, _) = policies();
    let at = |record: ConsumedRecord, day: i64| ConsumedRecord { timestamp: Timestamp(day * 86_400_000_000), ..record };
    for (number, day) in [(1, 1), (2, 30), (3, 41)] {
        let effects = policies.plan(&[at(announce(&format!("e{number}"), &format!("cp-{number}"), None), day)]);
        policies.committed(effects);
    }
    assert_eq!(policies.answered.len(), 2);
}

#[test]
fn what_is_not_an_event_is_only_dead_lettered() {
    let (mut policies, _) = policies();
    let mut bad = announce("e1", "cp-1", None);
    bad.value = Some(b"hello".to_vec());
    let effects = policies.plan(&[bad, announce("e2", "cp-2", None)]);
    assert_eq!(dead_letters(&effects.own.outgoing).len(), 1);
    assert_eq!(numbers(&effects.own.outgoing), vec![1]);
}

#[test]
fn a_producer_that_may_not_speak_for_the_organization_makes_no_chain() {
    let (mut policies, index) = policies();
    let (sender, receiver) = watch::channel(ProducerScopes::default());
    policies.scopes = receiver;
    let event = || announce("e1", "cp-1", None);
    let refused = policies.plan(&[event()]);
    assert!(dead_letters(&refused.own.outgoing)[0].starts_with("producer_not_configured"));
    sender.send_replace(scopes(&format!("[\"{}\"]", organization(2)), "\"all\""));
    let also = policies.plan(&[event()]);
    assert!(dead_letters(&also.own.outgoing)[0].starts_with("organization_not_allowed"));
    for effects in [refused, also] {
        assert!(change_sets(&effects.own.outgoing).is_empty() && effects.own.answered.is_empty());
    }
    index.read(|index| assert_eq!(index.heads().count(), 0));

    sender.send_replace(scopes("\"all\"", "[\"routes\"]"));
    let of_another_type = policies.plan(&[event()]);
    assert_eq!(dead_letters(&of_another_type.own.outgoing), vec!["entity_type_not_allowed"]);
    assert!(numbers(&of_another_type.own.outgoing).is_empty());
    sender.send_replace(scopes("\"all\"", "\"all\""));
    assert_eq!(numbers(&policies.plan(&[event()]).own.outgoing), vec![1], "judged again once it is allowed");
}

#[test]
fn deletion_takes_the_descendants_and_is_final() {
    let (mut policies, index) = policies();
    let gone = entity(organization(1), Deleted, "cp-1", None);
    let effects = policies.plan(&[
        announce("e1", "cp-1", None),
        announce("e2", "child", Some("cp-1")),
        record(ENTITY_EVENTS, organization(1), "e3", &gone),
        announce("e4", "cp-1", None),
        announce("e5", "child", None),
    ]);
    let sets = change_sets(&effects.own.outgoing);
    let key = EntityKey { entity_type: "control_planes".parse().unwrap(), entity_id: "cp-1".parse().unwrap() };
    assert_eq!(sets[2].1.ops, vec![Operation::DropEntity(key)]);
    assert_eq!(dead_letters(&effects.own.outgoing), vec!["entity_deleted"; 2]);
    assert_eq!(state(&index, &chain(1, Stream::Entities)), (3, None));
}
