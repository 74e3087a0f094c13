use proptest::prelude::*;
use writ_contract::actor::ActorKind;
use writ_contract::policy_change::{ChainState, Head};
use writ_contract::{ChainId, Hash, Revision, Stream, encode};
use writ_policy::Reason;

use super::*;
use crate::testing::{LOCAL, USER, organization, region};

fn asked(resource_id: &str) -> AccessEvaluation<'_> {
    AccessEvaluation {
        subject_type: "user".into(),
        subject_id: "alice@example.com".into(),
        action: "view".into(),
        resource_type: "control_planes".into(),
        resource_id: resource_id.into(),
    }
}

fn decided(resource_id: &str) -> DecisionRecord {
    let requester = Actor { kind: ActorKind::User, id: StoredText::lossy(&USER.to_string()) };
    let decision = Decision { decision: false, reason: Reason::NoGrant, matches: Vec::new(), heads: Vec::new() };
    record_of(organization(1), requester, USER.into(), &asked(resource_id), decision)
}

#[test]
fn a_decision_is_recorded_with_its_question_and_without_anything_personal() {
    let record = decided("cp-1");
    assert_eq!(
        (record.action.as_str(), record.resource_id.as_str(), record.reason.as_str()),
        ("view", "cp-1", "no_grant")
    );
    assert_eq!((record.organization, record.decision, record.age_ms), (organization(1), false, -1));
    let longest = "x".repeat(128);
    for (resource_id, recorded) in
        [("bob@example.com", "?"), ("Bob Smith", "?"), ("*", "*"), (longest.as_str(), longest.as_str())]
    {
        assert_eq!(decided(resource_id).resource_id, recorded);
    }
    assert_eq!(decided(&"x".repeat(129)).resource_id, "?");
    assert!(!format!("{record:?}").contains("alice"));
}

fn decided_for(number: u32) -> DecisionRecord {
    DecisionRecord { organization: organization(number), ..decided("cp-1") }
}

#[tokio::test]
async fn what_the_log_does_not_take_in_time_is_dropped_and_never_waited_for() {
    let (recorder, mut sender) = recorder(region(LOCAL));
    let running = CancellationToken::new();
    for _ in 0..QUEUE {
        recorder.record(organization(1), || decided_for(1));
    }
    let mut collected = 0;
    while collected < QUEUE / 2 {
        collected += sender.collect(&running).await.len();
    }
    assert_eq!((collected, sender.queue.len()), (QUEUE / 2, 0), "half of the queue is kept for others");
    recorder.record(organization(1), || decided_for(1));
    assert_eq!(sender.collect(&running).await.len(), 1, "there is room again");
    assert!(sender.queued.lock().is_empty());
}

#[tokio::test]
async fn a_flood_of_one_organization_drops_only_its_own_decisions() {
    let (recorder, mut sender) = recorder(region(LOCAL));
    for _ in 0..2 * QUEUE {
        recorder.record(organization(1), || decided_for(1));
    }
    for _ in 0..2 * QUEUE {
        recorder.record(organization(2), || decided_for(2));
    }
    for _ in 0..100 {
        recorder.record(organization(3), || decided_for(3));
    }
    let mut queued = Vec::new();
    sender.queue.recv_many(&mut queued, QUEUE).await;
    let of = |number| queued.iter().filter(|decision| decision.organization == organization(number)).count();
    assert_eq!((of(1), of(2), of(3)), (QUEUE / 2, QUEUE / 4, 100));
}

#[tokio::test]
async fn a_batch_is_full_or_closed_soon_after_its_first_decision() {
    let (recorder, mut sender) = recorder(region(LOCAL));
    let running = CancellationToken::new();
    for number in 0..1_200 {
        recorder.record(organization(1), || decided(&number.to_string()));
    }
    let full = sender.collect(&running).await;
    assert_eq!((full.len(), full[0].resource_id.as_str(), full[999].resource_id.as_str()), (1_000, "0", "999"));
    assert_eq!(sender.collect(&running).await.len(), 200, "although no more arrive");
}

#[tokio::test]
async fn nothing_is_waited_for_once_it_is_told_to_stop() {
    let (_recorder, mut sender) = recorder(region(LOCAL));
    let stopping = CancellationToken::new();
    stopping.cancel();
    assert!(sender.collect(&stopping).await.is_empty());
}

fn any_decision() -> impl Strategy<Value = DecisionRecord> {
    let text = || "\\PC{0,300}".prop_map(|text| StoredText::lossy(&text));
    let numbers = (any::<i64>(), any::<i64>(), any::<i64>());
    (text(), text(), text(), prop::option::of(text()), 0usize..600, numbers).prop_map(
        |(id, action, resource_id, trace_id, heads, (at, age_ms, number))| {
            let chain = ChainId { organization: organization(2), origin: region("z9999999"), stream: Stream::Entities };
            let revision = Revision { epoch: number, number: at };
            let (digest, state_digest, state) = (Hash([7; 32]), Hash([8; 32]), ChainState::Closed);
            DecisionRecord {
                at: Timestamp(at),
                requester: Actor { kind: ActorKind::System, id },
                action,
                resource_id,
                heads: vec![Head { chain, revision, digest, state_digest, state }; heads],
                age_ms,
                trace_id,
                ..decided("cp-1")
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever was decided, no batch is too large, and all decisions are in the batches, in order.
    #[test]
    fn no_batch_is_too_large(decisions in prop::collection::vec(any_decision(), 1..40)) {
        let batches = batches(region("z9999999"), decisions.clone());
        for batch in &batches {
            let size = encode(batch).unwrap().len();
            prop_assert!(size <= BATCH_OVERHEAD + batch.decisions.iter().map(max_size).sum::<usize>());
            prop_assert!(size <= MAX_BYTES);
            prop_assert_eq!(batch.first_at, batch.decisions[0].at);
        }
        let batched: Vec<_> = batches.into_iter().flat_map(|batch| batch.decisions).collect();
        prop_assert_eq!(batched, decisions);
    }
}
