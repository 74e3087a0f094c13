use writ_contract::actor::ActorKind;
use writ_policy::Reason;

use super::*;
use crate::authzen::Said;

fn asked(resource_id: &str) -> Evaluation {
    Evaluation {
        subject_type: "user".into(),
        subject_id: "alice@example.com".into(),
        action: "view".into(),
        resource_type: "control_planes".into(),
        resource_id: resource_id.into(),
        said: Said::default(),
    }
}

fn decided(resource_id: &str) -> Decided {
    let requester = Actor { kind: ActorKind::User, id: Uuid::nil().to_string() };
    let decision = Decision { decision: false, reason: Reason::NoGrant, matches: Vec::new(), heads: Vec::new() };
    let region = "eu".parse().unwrap();
    Decided::new(&region, Uuid::nil(), requester, Uuid::nil(), &asked(resource_id), decision)
}

#[test]
fn a_decision_is_recorded_with_its_question_and_without_anything_personal() {
    let record = decided("cp-1").record;
    assert_eq!(
        (record.action.as_str(), record.resource_id.as_str(), record.reason.as_str()),
        ("view", "cp-1", "no_grant")
    );
    assert_eq!((record.region.as_str(), record.decision, record.age_ms), ("eu", false, -1));
    let longest = "x".repeat(128);
    for (resource_id, recorded) in
        [("bob@example.com", "?"), ("Bob Smith", "?"), ("*", "*"), (longest.as_str(), longest.as_str())]
    {
        assert_eq!(decided(resource_id).record.resource_id, recorded);
    }
    assert_eq!(decided(&"x".repeat(129)).record.resource_id, "?");
    assert!(!format!("{record:?}").contains("alice"));
}

#[tokio::test]
async fn what_the_log_does_not_take_in_time_is_dropped_and_never_waited_for() {
    let (recorder, mut sending) = recorder();
    for _ in 0..WAITING + 3 {
        recorder.record(|| decided("cp-1"));
    }
    let mut waiting = Vec::new();
    assert_eq!(sending.0.recv_many(&mut waiting, usize::MAX).await, WAITING);
    recorder.record(|| decided("cp-2"));
    assert_eq!(sending.0.recv().await.unwrap().record.resource_id, "cp-2");
}
