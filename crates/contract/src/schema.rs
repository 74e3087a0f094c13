//! Schemas as records, and the registry of those a process knows.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use crate::record::{CompiledSchema, record};
use crate::{Hash, Record};

/// A writer's schema on the `schemas` topic, so that an older reader can read a newer writer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaEntry {
    /// CRC-64-AVRO of the parsing canonical form, little-endian.
    #[serde(with = "apache_avro::serde::fixed")]
    pub fingerprint: [u8; 8],
    /// SHA-256 of the parsing canonical form.
    pub sha256: Hash,
    /// The schema.
    pub schema: String,
}
record!(SchemaEntry, "SchemaEntry", "schema-entry.avsc");

impl SchemaEntry {
    /// The entry of the schema that this build writes `R` with.
    pub fn of<R: Record>() -> Self {
        let compiled = R::schema();
        Self { fingerprint: compiled.fingerprint, sha256: compiled.sha256, schema: compiled.text.clone() }
    }
}

/// Why an entry of the `schemas` topic was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SchemaEntryError {
    /// The text is no Avro schema.
    #[error("not an Avro schema: {0}")]
    NotASchema(#[from] Box<apache_avro::Error>),
    /// The fingerprints are not those of the text.
    #[error("the fingerprints are not those of the schema")]
    WrongFingerprint,
}

/// The writers' schemas this process has learned, by fingerprint.
///
/// A schema compiled in is never looked up here, so it always wins. Cheap to clone; clones share.
#[derive(Debug, Clone, Default)]
pub struct SchemaRegistry {
    learned: Arc<RwLock<HashMap<[u8; 8], Arc<CompiledSchema>>>>,
}

impl SchemaRegistry {
    /// Takes an entry of the `schemas` topic. The first schema of a fingerprint stays.
    ///
    /// # Errors
    /// When the text is not a schema, or not the one the fingerprints name.
    pub fn learn(&self, entry: &SchemaEntry) -> Result<(), SchemaEntryError> {
        let compiled = CompiledSchema::parse(&entry.schema).map_err(Box::new)?;
        if compiled.fingerprint != entry.fingerprint || compiled.sha256 != entry.sha256 {
            return Err(SchemaEntryError::WrongFingerprint);
        }
        let mut learned = self.learned.write().unwrap_or_else(PoisonError::into_inner);
        learned.entry(entry.fingerprint).or_insert_with(|| Arc::new(compiled));
        Ok(())
    }

    /// The schema a fingerprint names, if it was learned.
    pub fn get(&self, fingerprint: &[u8; 8]) -> Option<Arc<CompiledSchema>> {
        self.learned.read().unwrap_or_else(PoisonError::into_inner).get(fingerprint).cloned()
    }
}
