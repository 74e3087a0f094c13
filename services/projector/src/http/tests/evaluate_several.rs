//! Several decisions at once.

use super::*;

const PATH: &str = "/access/v1/evaluations";

fn asking(items: Value) -> Value {
    let mut body = may(USER, "view", "cp-1");
    body["evaluations"] = items;
    body
}

fn resource(id: &str) -> Value {
    json!({"resource": {"type": "control_planes", "id": id}})
}

fn decisions(answer: &TestAnswer) -> Vec<bool> {
    let body = answer.json();
    assert_eq!(body.get("decision"), None, "no decision at the top");
    body["evaluations"].as_array().unwrap().iter().map(|item| item["decision"].as_bool().unwrap()).collect()
}

#[tokio::test]
async fn items_are_answered_in_order_with_defaults_and_overrides() {
    let region = TestRegion::new().await;
    let items = json!([{}, resource("cp-us"), {"action": {"name": "edit"}}, resource("cp-1")]);
    let answer = region.ask(region.as_owner(PATH), &asking(items)).await;
    assert_eq!(decisions(&answer), [true, false, false, true]);
    assert!(answer.header("writ-consistency-token").starts_with("v1."));
}

#[tokio::test]
async fn without_items_it_answers_as_the_single_api() {
    let region = TestRegion::new().await;
    for body in [may(USER, "view", "cp-1"), asking(json!([]))] {
        assert_eq!(region.ask(region.as_owner(PATH), &body).await.body, r#"{"decision":true}"#);
    }
    let user = TestRegion::post(PATH).header("authorization", bearer(&region.tokens.user));
    region.ask(user, &may(OWNER, "view", "cp-1")).await.refused(403);
}

#[tokio::test]
async fn short_circuits_end_the_list_at_the_item_that_triggered() {
    let region = TestRegion::new().await;
    let items = json!([resource("cp-1"), resource("cp-us"), resource("cp-1")]);
    let ask = async |semantic: &str| {
        let mut body = asking(items.clone());
        body["options"] = json!({"evaluations_semantic": semantic});
        decisions(&region.ask(region.as_owner(PATH), &body).await)
    };
    assert_eq!(ask("execute_all").await, [true, false, true]);
    assert_eq!(ask("deny_on_first_deny").await, [true, false]);
    assert_eq!(ask("permit_on_first_permit").await, [true]);
}

#[tokio::test]
async fn a_bad_item_is_a_denial_with_its_error() {
    let region = TestRegion::new().await;
    let items = json!([7, {"resource": {"id": "cp-1"}}, {}]);
    let answer = region.ask(region.as_owner(PATH), &asking(items)).await;
    assert_eq!(decisions(&answer), [false, false, true]);
    let error = |message: &str| json!({"error": {"status": 400, "message": message}});
    let body = answer.json();
    assert_eq!(body["evaluations"][0]["context"], error("an item of evaluations must be an object"));
    assert_eq!(body["evaluations"][1]["context"], error("resource.type is missing"));
    assert_eq!(body["evaluations"][2].get("context"), None);
}

#[tokio::test]
async fn an_item_about_somebody_else_is_a_denial_with_its_error() {
    let region = TestRegion::new().await;
    let other = json!({"subject": {"type": "user", "id": OWNER.to_string()}});
    let request = TestRegion::post(PATH).header("authorization", bearer(&region.tokens.user));
    let answer = region.ask(request, &asking(json!([other, {}]))).await;
    assert_eq!(decisions(&answer), [false, true]);
    assert_eq!(answer.json()["evaluations"][0]["context"]["error"]["status"], 403);
}

/// A subject gains and loses a role all the time. Whatever it may at a moment, it may for all items of a request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_items_are_decided_from_one_state() {
    let mut region = TestRegion::new().await;
    let asked = asking(json!(vec![json!({}); 1_000])).to_string();
    let (app, owner) = (region.app.clone(), bearer(&region.tokens.owner));
    let answers = tokio::spawn(async move {
        let (mut all, mut none) = (0, 0);
        while all < 10 || none < 10 {
            let request = TestRegion::post(PATH).header("authorization", &owner).body(Body::from(asked.clone()));
            let answer = TestAnswer::of(app.clone().oneshot(request.unwrap()).await.unwrap()).await;
            let decisions = decisions(&answer);
            let allowed = decisions.iter().filter(|decision| **decision).count();
            assert!(allowed == 0 || allowed == 1_000, "{allowed} of {}", decisions.len());
            if allowed > 0 { all += 1 } else { none += 1 }
        }
    });
    // Of different lengths, so that requests meet each of the two.
    for turn in 0_u64.. {
        if answers.is_finished() {
            break;
        }
        region.change(vec![Operation::DropMembership { team: TEAM, member: USER.into() }]);
        tokio::time::sleep(Duration::from_millis(turn % 4)).await;
        region.change(vec![membership()]);
        tokio::time::sleep(Duration::from_millis(turn % 3)).await;
    }
    answers.await.unwrap();
}

#[tokio::test]
async fn what_nobody_reads_is_refused_if_it_is_large() {
    let region = TestRegion::new().await;
    let mut body = asking(json!(vec![json!({}); 1_000]));
    body["context"] = json!({"a": vec![0; 100_000]});
    let answer = region.ask(region.as_owner(PATH), &body).await;
    assert_eq!(answer.refused(400), "context must have at most 16384 bytes");
    let twice = r#"{"subject": {"type": "user", "type": "user"}, "evaluations": [{}]}"#;
    let answer = region.send(region.as_owner(PATH).body(Body::from(twice)).unwrap()).await;
    assert_eq!(answer.refused(400), "subject.type occurs more than once");
}

#[tokio::test]
async fn what_is_wrong_with_the_whole_request_refuses_it() {
    let region = TestRegion::new().await;
    let mut unknown = asking(json!([{}]));
    unknown["options"] = json!({"evaluations_semantic": "any"});
    for body in [unknown, asking(json!({})), asking(json!(vec![json!({}); 1_001]))] {
        region.ask(region.as_owner(PATH), &body).await.refused(400);
    }
}
