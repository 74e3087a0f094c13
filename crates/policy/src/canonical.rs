//! The bytes a row is hashed as: every field in order, nothing that could be read two ways.

use uuid::Uuid;
use writ_contract::Timestamp;

/// Grows when the bytes of a kind change, so that old and new never look alike.
const VERSION: u8 = 1;

/// Writes fields one after the other; texts and lists carry their length, options a mark.
pub(crate) struct Canonical(Vec<u8>);

impl Canonical {
    /// Begins a row of a kind.
    pub(crate) fn of_kind(kind: u8) -> Self {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(&[kind, VERSION]);
        Self(bytes)
    }

    pub(crate) fn byte(mut self, byte: u8) -> Self {
        self.0.push(byte);
        self
    }

    pub(crate) fn fixed(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn uuid(self, id: Uuid) -> Self {
        self.fixed(id.as_bytes())
    }

    pub(crate) fn time(self, time: Timestamp) -> Self {
        self.fixed(&time.0.to_be_bytes())
    }

    pub(crate) fn text(self, text: &str) -> Self {
        self.length(text.len()).fixed(text.as_bytes())
    }

    pub(crate) fn texts(self, texts: &[String]) -> Self {
        texts.iter().fold(self.length(texts.len()), |bytes, text| bytes.text(text))
    }

    pub(crate) fn option<T>(self, value: Option<T>, write: impl FnOnce(Self, T) -> Self) -> Self {
        match value {
            Some(value) => write(self.byte(1), value),
            None => self.byte(0),
        }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn length(self, length: usize) -> Self {
        self.fixed(&(length as u64).to_be_bytes())
    }
}
