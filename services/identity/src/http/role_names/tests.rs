use deserr::deserialize;
use serde_json::Value;

use super::*;

fn assign(role: &str, kind: &str, id: &str, region: &str) -> AssignRole {
    let body = json!({"role_name": role, "entity_type_name": kind, "entity_id": id, "entity_region": region});
    deserialize::<AssignRole, Value, Faults>(body).unwrap()
}

fn resolve(asked: &AssignRole) -> Result<Grant> {
    asked.grant(PrincipalId::default(), &["us", "eu"].map(|code| code.parse().unwrap()))
}

#[test]
fn names_become_keys_and_names_again() {
    let grant = resolve(&assign("Gateway Service Admin", "Control Planes", "*", "eu")).unwrap();
    assert_eq!(
        (grant.role.as_str(), grant.entity_type.as_str()),
        ("control_planes.gateway_service_admin", "control_planes")
    );
    assert_eq!((&grant.entity_id, grant.region), (&None, Some("eu".parse().unwrap())));
    let shown = serde_json::to_value(AssignedRole::from(&grant)).unwrap();
    let expected = json!({
        "id": grant.id, "role_name": "Gateway Service Admin", "entity_type_name": "Control Planes",
        "entity_id": "*", "entity_region": "eu",
    });
    assert_eq!(shown, expected);
}

#[test]
fn every_role_of_the_catalogue_can_be_assigned() {
    for kind in &Catalogue::compiled_in().entity_types {
        for role in &kind.roles {
            let grant = resolve(&assign(&role.name, &kind.name, "*", "*")).unwrap();
            let shown = AssignedRole::from(&grant);
            assert_eq!((&shown.role_name, &shown.entity_type_name), (&role.name, &kind.name));
        }
    }
}

#[test]
fn the_wrong_field_is_named() {
    for (asked, expected) in [
        (assign("Viewer", "Submarines", "*", "*"), "entity_type_name"),
        (assign("Viewer", "Routes", "*", "*"), "entity_type_name"),
        (assign("Captain", "Control Planes", "*", "*"), "role_name"),
        (assign("Viewer", "Control Planes", "*", "mars"), "entity_region"),
        (assign("Admin", "Identity", "*", "eu"), "entity_region"),
        (assign("Admin", "Identity", "x", "*"), "entity_id"),
    ] {
        assert!(matches!(resolve(&asked), Err(IdentityError::Invalid { field, .. }) if field == expected), "{asked:?}");
    }
}

#[test]
fn all_faults_of_a_body_are_told() {
    let body = json!({"entity_id": "a b", "entity_region": 1});
    let faults = deserialize::<AssignRole, Value, Faults>(body).unwrap_err();
    let fields: Vec<String> = faults.iter().map(|(field, ..)| field).collect();
    assert_eq!(fields, ["entity_id", "entity_region", "role_name", "entity_type_name"]);
}
