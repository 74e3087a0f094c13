//! AuthZEN's public scenario in Writ's terms: alice reads, bob is an admin; record-1 is active,
//! record-2 archived (deleted); properties of a request never decide on their own.

use writ_contract::row::{Condition, Effect, Entity, Grant, Role};
use writ_contract::{ConditionId, UserId};

use super::*;

const ALICE: UserId = USER;
const BOB: UserId = OWNER;

async fn scenario() -> TestRegion {
    let mut region = TestRegion::new().await;
    let record = |id: &str| Operation::PutEntity(Entity { key: entity_key("record", id), parent: None });
    let archived = Operation::DropEntity(entity_key("record", "record-2"));
    let entities = chain(region.organization, LOCAL, Stream::Entities);
    let set = region.world.seal(&entities, vec![record("record-1"), record("record-2"), archived]);
    region.apply(LOCAL, &[set]);
    let role = |key: &str, actions: &[&str]| {
        Operation::PutRole(Role {
            key: key.parse().unwrap(),
            entity_type: "record".parse().unwrap(),
            actions: actions.iter().map(|action| action.parse().unwrap()).collect(),
            covers_children: Default::default(),
        })
    };
    region.change(vec![
        role("reader", &["read"]),
        role("administrator", &["read", "write", "delete"]),
        grant(30, ALICE, "reader", "record", None, None),
        grant(31, BOB, "administrator", "record", None, None),
    ]);
    region
}

fn question(subject: UserId, action: &str, record: &str) -> Value {
    json!({
        "subject": {"type": "user", "id": subject.to_string()},
        "action": {"name": action},
        "resource": {"type": "record", "id": record},
    })
}

#[tokio::test]
async fn who_may_do_what() {
    let region = scenario().await;
    let table = [
        (ALICE, "read", "record-1", true),
        (ALICE, "write", "record-1", false),
        (ALICE, "delete", "record-1", false),
        (BOB, "read", "record-1", true),
        (BOB, "write", "record-1", true),
        (BOB, "delete", "record-1", true),
        (ALICE, "read", "record-2", false),
        (BOB, "write", "record-2", false),
        (BOB, "read", "record-3", false),
    ];
    for (subject, action, record, expected) in table {
        let asked = region.ask(region.as_platform("/access/v1/evaluation"), &question(subject, action, record)).await;
        assert_eq!(asked.decision(), expected, "{subject} {action} {record}");
    }
}

/// A condition that needs properties of the request denies when they are missing; this build
/// evaluates no conditions, so it denies also when they are there.
#[tokio::test]
async fn a_conditional_grant_is_a_denial_without_its_properties() {
    let mut region = scenario().await;
    let when = ConditionId::from_uuid(Uuid::from_u128(40));
    let Operation::PutGrant(unconditional) = grant(30, ALICE, "reader", "record", None, None) else { unreachable!() };
    region.change(vec![
        Operation::PutCondition(Condition { id: when, effect: Effect::When, cedar_json: "{}".parse().unwrap() }),
        Operation::PutGrant(Grant { condition: Some(when), ..unconditional }),
    ]);
    let mut asked = question(ALICE, "read", "record-1");
    assert!(!region.ask(region.as_platform("/access/v1/evaluation"), &asked).await.decision());
    asked["resource"]["properties"] = json!({"status": "active", "owner": ALICE.to_string()});
    assert!(!region.ask(region.as_platform("/access/v1/evaluation"), &asked).await.decision());
}

#[tokio::test]
async fn properties_of_a_request_grant_nothing() {
    let region = scenario().await;
    let mut asked = question(ALICE, "delete", "record-1");
    asked["subject"]["properties"] = json!({"role": "admin"});
    asked["context"] = json!({"decision": true});
    assert!(!region.ask(region.as_platform("/access/v1/evaluation"), &asked).await.decision());
}
