//! A schema may only change so that records already on the log, and writers not yet upgraded,
//! can still be read. `schemas/released/` keeps every version that was ever released.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use apache_avro::schema_compatibility::SchemaCompatibility;
use writ_contract::CompiledSchema;

/// Envelopes are read before anything about their payload is known: once released they never change.
const FROZEN: [&str; 4] = ["identity-event", "change-set", "snapshot-part", "organization-snapshot"];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas").join(name)
}

fn schemas(name: &str) -> Vec<(String, CompiledSchema)> {
    // Nothing was released yet: the folder may be missing.
    let files = fs::read_dir(folder(name)).into_iter().flatten().map(|entry| entry.unwrap().path());
    let schemas = files.filter(|path| path.extension().is_some_and(|extension| extension == "avsc"));
    schemas.map(|path| (stem(&path), parse(&path))).collect()
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}

fn parse(path: &Path) -> CompiledSchema {
    CompiledSchema::parse(&fs::read_to_string(path).unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn what_was_released_can_still_be_read() {
    let current = schemas(".");
    for (file, released) in schemas("released") {
        let (name, _version) = file.rsplit_once('.').unwrap();
        let (_, now) = current.iter().find(|(current, _)| current == name).unwrap_or_else(|| panic!("{name} is gone"));
        let verdict = SchemaCompatibility::can_read(&released.schema, &now.schema);
        assert!(verdict.is_ok(), "{file} cannot be read any more: {verdict:?}");
    }
}

#[test]
fn released_envelopes_are_frozen() {
    let current = schemas(".");
    for (file, first) in schemas("released") {
        let Some((name, "1")) = file.rsplit_once('.') else { continue };
        if FROZEN.contains(&name) {
            let (_, now) = current.iter().find(|(current, _)| current == name).unwrap();
            assert_eq!(now.fingerprint, first.fingerprint, "{name} is an envelope and must not change");
        }
    }
}

/// A type has one shape, in whatever record it is used.
#[test]
fn types_have_the_same_fields_everywhere() {
    let mut fields = HashMap::new();
    for (file, _) in schemas(".") {
        for (name, found) in records(&file) {
            assert_eq!(*fields.entry(name.clone()).or_insert_with(|| found.clone()), found, "{file}: {name}");
        }
    }
    assert!(fields["Grant"].contains("entity_type"), "{fields:?}");
}

/// The records of a schema file: names, and their fields as text.
fn records(file: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(folder(&format!("{file}.avsc"))).unwrap();
    let mut found = Vec::new();
    let mut rest = vec![serde_json::from_str::<Value>(&text).unwrap()];
    while let Some(value) = rest.pop() {
        match value {
            Value::Array(items) => rest.extend(items),
            Value::Object(members) => {
                if members.get("type") == Some(&"record".into()) {
                    let name = members["name"].as_str().unwrap().to_owned();
                    found.push((name, field_types(&members["fields"])));
                }
                rest.extend(members.into_iter().map(|(_, value)| value));
            }
            _ => {}
        }
    }
    found
}

/// Names and types, types by their names alone: one is written out where it is used first.
fn field_types(fields: &Value) -> String {
    let name = |kind: &Value| match kind {
        Value::Object(named) if named.contains_key("name") => named["name"].clone(),
        other => other.clone(),
    };
    let of = |field: &Value| {
        let kind = match &field["type"] {
            Value::Array(branches) => branches.iter().map(name).collect(),
            kind => name(kind),
        };
        format!("{} {kind}", field["name"])
    };
    fields.as_array().unwrap().iter().map(of).collect::<Vec<_>>().join(", ")
}

/// Proves that the check above can fail.
#[test]
fn a_field_without_a_default_is_incompatible() {
    let old = parse(&folder("entity-event.avsc"));
    let text = old.text.replacen(r#""fields": ["#, r#""fields": [{"name": "weight", "type": "int"},"#, 1);
    let new = CompiledSchema::parse(&text).unwrap();
    assert!(SchemaCompatibility::can_read(&old.schema, &new.schema).is_err());
}
