use deserr::deserialize;
use serde_json::json;

use super::*;

fn team() -> Team {
    Team {
        id: TeamId::default(),
        name: "Operators".to_owned().try_into().unwrap(),
        description: None,
        system_team: false,
        labels: Labels::new([("env".to_owned(), "test".to_owned())].into()).unwrap(),
        created_at: OffsetDateTime::UNIX_EPOCH,
        updated_at: OffsetDateTime::UNIX_EPOCH,
    }
}

fn refused<T: Deserr<Faults> + std::fmt::Debug>(body: serde_json::Value) -> Vec<(String, &'static str)> {
    let faults = deserialize::<T, _, Faults>(body).unwrap_err();
    faults.iter().map(|(field, rule, _)| (field, rule)).collect()
}

#[test]
fn only_what_differs_is_a_change() {
    let changed =
        |body: serde_json::Value| deserialize::<UpdateTeam, _, Faults>(body).unwrap().apply(&mut team()).unwrap();
    assert!(changed(json!({})).is_empty());
    assert!(
        changed(json!({"name": "Operators", "description": null, "labels": {"env": "test", "x": null}})).is_empty()
    );
    assert_eq!(
        changed(json!({"name": "Ops", "description": "d", "labels": {"env": null}})),
        ["labels", "name", "description"]
    );
    assert_eq!(changed(json!({"labels": null})), ["labels"]);
}

#[test]
fn a_new_team_needs_a_name() {
    for (body, rule) in [
        (json!({}), "required"),
        (json!({"name": ""}), "required"),
        (json!({"name": null}), "required"),
        (json!({"name": 5}), "is_string"),
    ] {
        assert_eq!(refused::<CreateTeam>(body), [("name".to_owned(), rule)]);
    }
    assert_eq!(refused::<CreateTeam>(json!({"name": "a", "description": "\0"}))[0].0, "description");
}

#[test]
fn labels_are_an_object_of_texts() {
    for (labels, rule) in [
        (json!({"a": null}), "is_string"),
        (json!({"a": 5}), "is_string"),
        (json!({"kong": "a"}), "is_label"),
        (json!(["env"]), "is_object"),
        (json!("env"), "is_object"),
    ] {
        assert_eq!(refused::<CreateTeam>(json!({"name": "a", "labels": labels})), [("labels".to_owned(), rule)]);
    }
    assert_eq!(refused::<UpdateTeam>(json!({"labels": {"a": 5}})), [("labels".to_owned(), "is_string")]);
}
