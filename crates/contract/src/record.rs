//! What makes a Rust type a record of the log.

use apache_avro::Schema;
use apache_avro::rabin::Rabin;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Hash;

/// A type that travels on the log, and its writer schema.
pub trait Record: Serialize + DeserializeOwned {
    /// Full name of the Avro schema; also the record's CloudEvents type.
    const TYPE: &'static str;

    /// The schema this build writes and reads.
    fn schema() -> &'static CompiledSchema;
}

/// A parsed schema and the fingerprints that name it.
#[derive(Debug)]
pub struct CompiledSchema {
    /// The parsed schema.
    pub schema: Schema,
    /// CRC-64-AVRO of the parsing canonical form, little-endian, as in single-object encoding.
    pub fingerprint: [u8; 8],
    /// SHA-256 of the parsing canonical form.
    pub sha256: Hash,
    /// The schema as its writer wrote it.
    pub text: String,
}

impl CompiledSchema {
    /// Parses `text`.
    ///
    /// # Errors
    /// When `text` is not an Avro schema.
    pub fn parse(text: &str) -> Result<Self, apache_avro::Error> {
        let schema = Schema::parse_str(text)?;
        let canonical = parsing_canonical_form(&schema);
        let mut fingerprint = [0; 8];
        fingerprint.copy_from_slice(&Schema::parse_str(&canonical)?.fingerprint::<Rabin>().bytes);
        let sha256 = Hash::of(&[canonical.as_bytes()]);
        Ok(Self { schema, fingerprint, sha256, text: text.to_owned() })
    }
}

/// Names of Avro's primitive types.
const PRIMITIVES: [&str; 8] = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];

/// The parsing canonical form of the Avro specification, by which every other library names a schema.
///
/// apache-avro 0.22 leaves a primitive type that had a logical type as `{"type":"long"}`; the rule
/// [PRIMITIVES] makes it `"long"`.
fn parsing_canonical_form(schema: &Schema) -> String {
    let simple = |form: String, name: &&str| form.replace(&format!(r#"{{"type":"{name}"}}"#), &format!(r#""{name}""#));
    PRIMITIVES.iter().fold(schema.canonical_form(), simple)
}

/// Gives a type the schema of a file under `schemas/`.
macro_rules! record {
    ($type:ty, $name:literal, $file:literal) => {
        impl $crate::Record for $type {
            const TYPE: &'static str = concat!("writ.", $name);

            fn schema() -> &'static $crate::CompiledSchema {
                static SCHEMA: std::sync::LazyLock<$crate::CompiledSchema> = std::sync::LazyLock::new(|| {
                    $crate::record::compiled_in(include_str!(concat!("../../../schemas/", $file)))
                });
                &SCHEMA
            }
        }
    };
}
pub(crate) use record;

/// Parses a schema that is part of this build.
///
/// # Panics
/// When the build holds a broken schema, which the tests of this crate rule out.
#[expect(clippy::expect_used, reason = "every schema file is parsed in a test")]
pub(crate) fn compiled_in(text: &str) -> CompiledSchema {
    CompiledSchema::parse(text).expect("compiled-in schemas are valid")
}
