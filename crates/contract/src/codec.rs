//! Avro single-object encoding: `C3 01`, the writer schema's fingerprint, the body.
//!
//! A schema is named by its content, so a record means the same in every region
//! (Avro specification, "Single-object encoding").

use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::writer::datum::GenericDatumWriter;

use crate::{CompiledSchema, Record, SchemaRegistry};

const MARKER: [u8; 2] = [0xC3, 0x01];
const HEADER: usize = 10;

/// Why bytes are not the record they should be.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// No single-object marker.
    #[error("not Avro single-object encoded")]
    NotSingleObject,
    /// A writer schema that is neither compiled in nor learned.
    #[error("unknown schema {fingerprint}")]
    UnknownSchema {
        /// In hexadecimal, as in the record.
        fingerprint: String,
    },
    /// The body does not follow its schema, or the writer's schema does not resolve to ours.
    #[error("not a {record}: {source}")]
    Invalid {
        /// The record that was expected.
        record: &'static str,
        /// What Avro says.
        source: Box<apache_avro::Error>,
    },
    /// Bytes after the end of the record.
    #[error("{0} bytes after the end of the record")]
    TrailingBytes(usize),
}

fn invalid<R: Record>(source: apache_avro::Error) -> CodecError {
    CodecError::Invalid { record: R::TYPE, source: Box::new(source) }
}

/// Encodes a record. The bytes follow from the record alone.
///
/// # Errors
/// When a value does not fit its schema.
pub fn encode<R: Record>(record: &R) -> Result<Vec<u8>, CodecError> {
    let compiled = R::schema();
    let mut bytes = Vec::with_capacity(128);
    bytes.extend_from_slice(&MARKER);
    bytes.extend_from_slice(&compiled.fingerprint);
    let writer = GenericDatumWriter::builder(&compiled.schema).build().map_err(invalid::<R>)?;
    writer.write_ser(&mut bytes, record).map_err(invalid::<R>)?;
    Ok(bytes)
}

/// Decodes a record by its writer's schema, which may be another version of ours.
///
/// Serde does the resolution, not Avro's: apache-avro 0.22 takes the first branch of a union that a value fits into,
/// and a branch without fields, such as `DropAll`, fits every record. Fields are told apart by name (unknown ones are
/// ignored, missing ones take serde's default), branches by their place: new ones may only be added at the end.
///
/// # Errors
/// When the bytes are not a record of this type, or their schema is not known.
pub fn decode<R: Record>(bytes: &[u8], registry: &SchemaRegistry) -> Result<R, CodecError> {
    let (fingerprint, body) = split(bytes)?;
    let compiled = R::schema();
    if fingerprint == compiled.fingerprint {
        return decode_body(compiled, body);
    }
    let Some(writer) = registry.get(&fingerprint) else {
        return Err(CodecError::UnknownSchema { fingerprint: hex(&fingerprint) });
    };
    decode_body(&writer, body)
}

/// The fingerprint that names the writer's schema.
///
/// # Errors
/// [`CodecError::NotSingleObject`].
pub fn fingerprint(bytes: &[u8]) -> Result<[u8; 8], CodecError> {
    split(bytes).map(|(fingerprint, _)| fingerprint)
}

fn split(bytes: &[u8]) -> Result<([u8; 8], &[u8]), CodecError> {
    if bytes.len() < HEADER || bytes[..2] != MARKER {
        return Err(CodecError::NotSingleObject);
    }
    let mut fingerprint = [0; 8];
    fingerprint.copy_from_slice(&bytes[2..HEADER]);
    Ok((fingerprint, &bytes[HEADER..]))
}

fn decode_body<R: Record>(writer: &CompiledSchema, mut body: &[u8]) -> Result<R, CodecError> {
    let reader = GenericDatumReader::builder(&writer.schema).build().map_err(invalid::<R>)?;
    let record = reader.read_deser(&mut body).map_err(invalid::<R>)?;
    all_read(body)?;
    Ok(record)
}

fn all_read(rest: &[u8]) -> Result<(), CodecError> {
    if rest.is_empty() { Ok(()) } else { Err(CodecError::TrailingBytes(rest.len())) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
