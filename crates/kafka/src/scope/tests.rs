use super::*;

const TEXT: &str = r#"
[producer.control-planes]
organizations = "all"
types = ["control_planes", "runtime_groups"]

[producer.gateways]
organizations = ["0197a3c2-6f0e-8d19-8c55-0a3f5e0d7b11"]
types = []
"#;

#[test]
fn a_producer_speaks_for_what_the_file_says() {
    let scopes = ProducerScopes::parse(TEXT).unwrap();
    let scope = |name: &str| &scopes.producer[&name.parse::<ProducerName>().unwrap()];
    let (one, other): (OrganizationId, OrganizationId) =
        ("0197a3c2-6f0e-8d19-8c55-0a3f5e0d7b11".parse().unwrap(), OrganizationId::default());
    let control_planes = "control_planes".parse().unwrap();
    assert!(scope("control-planes").organizations.allows(&other));
    assert!(scope("control-planes").types.allows(&control_planes));
    assert!(!scope("control-planes").types.allows(&"services".parse().unwrap()));
    assert!(scope("gateways").organizations.allows(&one) && !scope("gateways").organizations.allows(&other));
    assert!(!scope("gateways").types.allows(&control_planes));
}

#[test]
fn what_is_written_is_read_back() {
    let scopes = ProducerScopes::parse(TEXT).unwrap();
    assert_eq!(ProducerScopes::parse(&scopes.to_text().unwrap()), Ok(scopes));
    assert_eq!(ProducerScopes::parse(""), Ok(ProducerScopes::default()));
}

#[test]
fn other_files_are_refused() {
    for bad in [
        "[producer.UPPER]\norganizations = \"all\"\ntypes = \"all\"",
        "[producer.a]\norganizations = \"all\"",
        "[producer.a]\norganizations = \"some\"\ntypes = \"all\"",
        "[producer.a]\norganizations = [\"acme\"]\ntypes = \"all\"",
        "[producer.a]\norganizations = \"all\"\ntypes = [\"Control Planes\"]",
        "[producers.a]\norganizations = \"all\"\ntypes = \"all\"",
        "producer = 1",
        "[",
    ] {
        assert!(ProducerScopes::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_list_is_read_from_an_argument() {
    let types = |text: &str| text.parse::<Allowed<EntityType>>();
    assert_eq!(types("all"), Ok(Allowed::All));
    let list = types("runtime_groups, control_planes").unwrap();
    assert_eq!(list.to_string(), "control_planes,runtime_groups");
    assert!(types("").is_err() && types("control_planes,").is_err());
}
