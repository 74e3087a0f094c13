//! A schema may only change so that records already on the log, and writers not yet upgraded,
//! can still be read. `schemas/released/` keeps every version that was ever released.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
use std::fs;
use std::path::{Path, PathBuf};

use apache_avro::schema_compatibility::SchemaCompatibility;
use writ_contract::CompiledSchema;

/// Envelopes are read before anything about their payload is known: they never change.
const FROZEN: [&str; 4] = ["identity-event", "change-set", "snapshot-part", "organization-snapshot"];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas").join(name)
}

fn schemas(name: &str) -> Vec<(String, CompiledSchema)> {
    let files = fs::read_dir(folder(name)).unwrap().map(|entry| entry.unwrap().path());
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
fn envelopes_are_frozen() {
    let released = schemas("released");
    for (name, now) in schemas(".").iter().filter(|(name, _)| FROZEN.contains(&name.as_str())) {
        let (_, first) = released.iter().find(|(file, _)| *file == format!("{name}.1")).unwrap();
        assert_eq!(now.fingerprint, first.fingerprint, "{name} is an envelope and must not change");
    }
}

#[test]
fn every_current_schema_is_kept_under_released() {
    let released: Vec<_> = schemas("released").into_iter().map(|(_, schema)| schema.fingerprint).collect();
    for (name, now) in schemas(".") {
        assert!(
            released.contains(&now.fingerprint),
            "copy schemas/{name}.avsc to schemas/released/ as its next version"
        );
    }
}

/// Proves that the check above can fail.
#[test]
fn a_field_without_a_default_is_incompatible() {
    let old = parse(&folder("entity-event.avsc"));
    let text = old.text.replacen(r#""fields": ["#, r#""fields": [{"name": "weight", "type": "int"},"#, 1);
    let new = CompiledSchema::parse(&text).unwrap();
    assert!(SchemaCompatibility::can_read(&old.schema, &new.schema).is_err());
}
