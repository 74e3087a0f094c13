//! AuthZEN's public scenario in Writ's terms: alice reads, bob is an admin; record-1 is active,
//! record-2 archived (deleted); properties of a request never decide on their own.

use super::*;

const ALICE: Uuid = USER;
const BOB: Uuid = OWNER;

async fn scenario() -> Region {
    let mut region = Region::new().await;
    let record = |id: &str| Operation::PutEntity {
        entity_type: "record".into(),
        id: id.into(),
        parent_type: None,
        parent_id: None,
    };
    let archived = Operation::DropEntity { entity_type: "record".into(), id: "record-2".into() };
    let entities = chain(region.organization, LOCAL, Stream::Entities);
    let set = region.world.seal(&entities, vec![record("record-1"), record("record-2"), archived]);
    region.apply(LOCAL, &[set]);
    let role = |role: &str, actions: &[&str]| Operation::PutRole {
        role: role.into(),
        entity_type: "record".into(),
        actions: actions.iter().map(|action| (*action).to_owned()).collect(),
        covers_children: Vec::new(),
    };
    region.change(vec![
        role("reader", &["read"]),
        role("administrator", &["read", "write", "delete"]),
        grant(30, ALICE, "reader", "record", None, None),
        grant(31, BOB, "administrator", "record", None, None),
    ]);
    region
}

fn question(subject: Uuid, action: &str, record: &str) -> Value {
    json!({
        "subject": {"type": "user", "id": subject},
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
    let when = Uuid::from_u128(40);
    let Operation::PutGrant { id, principal, role, entity_type, .. } = grant(30, ALICE, "reader", "record", None, None)
    else {
        unreachable!()
    };
    region.change(vec![
        Operation::PutCondition {
            id: when,
            effect: writ_contract::identity_event::Effect::When,
            cedar_json: "{}".into(),
        },
        Operation::PutGrant {
            id,
            principal,
            role,
            entity_type,
            entity_id: None,
            region: None,
            valid_from: None,
            valid_until: None,
            condition: Some(when),
        },
    ]);
    let mut asked = question(ALICE, "read", "record-1");
    assert!(!region.ask(region.as_platform("/access/v1/evaluation"), &asked).await.decision());
    asked["resource"]["properties"] = json!({"status": "active", "owner": ALICE});
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
