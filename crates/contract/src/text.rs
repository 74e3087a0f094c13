//! Texts from outside, once they are checked.
//!
//! Each type here is short, without control characters and so fit to be stored, logged and put on the log. Nothing
//! else from outside reaches SQL or a record. They are cheap to clone.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// More bytes than its kind may have.
    #[error("has more than {0} bytes")]
    TooLong(usize),
    /// PostgreSQL cannot store a NUL, and no log should show the others.
    #[error("has a control character")]
    ControlCharacter,
    /// Not of the form its kind must have.
    #[error("{0}")]
    Form(&'static str),
}

/// What checked texts have in common.
macro_rules! checked_text {
    ($name:ty, [$($generics:tt)*]) => {
        impl<$($generics)*> $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<$($generics)*> FromStr for $name {
            type Err = InvalidText;

            fn from_str(text: &str) -> Result<Self, InvalidText> {
                Self::check(text)?;
                Ok(Self(text.into()))
            }
        }

        impl<$($generics)*> TryFrom<String> for $name {
            type Error = InvalidText;

            fn try_from(text: String) -> Result<Self, InvalidText> {
                Self::check(&text)?;
                Ok(Self(text.into()))
            }
        }

        impl<$($generics)*> Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl<$($generics)*> AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl<$($generics)*> PartialEq<str> for $name {
            fn eq(&self, text: &str) -> bool {
                &*self.0 == text
            }
        }

        impl<$($generics)*> PartialEq<&str> for $name {
            fn eq(&self, text: &&str) -> bool {
                &*self.0 == *text
            }
        }

        impl<$($generics)*> fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<$($generics)*> fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl<$($generics)*> Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de, $($generics)*> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.try_into().map_err(de::Error::custom)
            }
        }

        #[cfg(feature = "utoipa")]
        impl<$($generics)*> utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                crate::openapi::text(Self::PATTERN, Self::MAX_LENGTH)
            }
        }

        #[cfg(feature = "utoipa")]
        impl<$($generics)*> utoipa::ToSchema for $name {}

        $crate::sql::as_text!($name, [$($generics)*]);
    };
}

/// Declares texts of a fixed form: `pattern` is told to people, `admits` decides.
macro_rules! names_of {
    ($($(#[$doc:meta])* $name:ident: $most:literal, $pattern:literal, $admits:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Bytes of the longest.
            pub const MAX_LENGTH: usize = $most;
            /// What such a text looks like.
            pub const PATTERN: &'static str = $pattern;

            fn check(text: &str) -> Result<(), InvalidText> {
                let admits: fn(&[u8]) -> bool = $admits;
                if text.len() > Self::MAX_LENGTH {
                    return Err(InvalidText::TooLong(Self::MAX_LENGTH));
                }
                if text.is_empty() || !admits(text.as_bytes()) {
                    return Err(InvalidText::Form(concat!("is not of the form ", $pattern)));
                }
                Ok(())
            }
        }

        checked_text!($name, []);
    )*};
}

names_of! {
    /// Key of a type of entities in the catalogue, such as `control_planes`.
    EntityType: 64, "[a-z][a-z0-9_]{0,63}", |text| text[0].is_ascii_lowercase() && text.iter().all(is_key);
    /// What an entity's producer calls it; unique within its entity type and organization.
    EntityId: 128, "[A-Za-z0-9._:-]{1,128}", |text| text.iter().all(is_id);
    /// What can be done to an entity, such as `view`.
    Action: 64, "[a-z][a-z0-9_]{0,63}", |text| text[0].is_ascii_lowercase() && text.iter().all(is_key);
    /// Key of a role: `<entity type>.<role>` for one of the catalogue, its id for an organization's own.
    RoleKey: 160, "[A-Za-z0-9._:-]{1,160}", |text| text.iter().all(is_id);
}

impl RoleKey {
    /// The full key of a role of the catalogue, `<entity type>.<role>`.
    pub fn of_catalogue(entity_type: &EntityType, role: &EntityType) -> Self {
        // Of the form and within the length, because both parts are.
        Self(format!("{entity_type}.{role}").into())
    }
}

/// Name of another system that writes to the log, such as `control-planes`; part of the names of its topics and of its
/// Kafka principal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProducerName(Arc<str>);

impl ProducerName {
    /// Bytes of the longest.
    pub const MAX_LENGTH: usize = 48;
    /// What such a text looks like.
    pub const PATTERN: &'static str = "[a-z][a-z0-9-]{0,47}(?<!-dlq)";

    /// A dot would make its topic look like a mirrored copy, and `-dlq` like a topic of dead letters.
    fn check(text: &str) -> Result<(), InvalidText> {
        if text.len() > Self::MAX_LENGTH {
            return Err(InvalidText::TooLong(Self::MAX_LENGTH));
        }
        let admitted = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let form = text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(admitted);
        if !form || text.ends_with("-dlq") {
            return Err(InvalidText::Form(
                "is not lower-case letters, digits and dashes, a letter first, that do not end in -dlq",
            ));
        }
        Ok(())
    }
}

checked_text!(ProducerName, []);

fn is_key(byte: &u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_'
}

fn is_id(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-')
}

/// Any other text from outside: at most `MAX` bytes, no control characters. It may be empty.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoredText<const MAX: usize = 1024>(Arc<str>);

impl<const MAX: usize> StoredText<MAX> {
    /// Bytes of the longest.
    pub const MAX_LENGTH: usize = MAX;
    /// What such a text looks like.
    pub const PATTERN: &'static str = r"[^\x00-\x1f\x7f-\x9f]*";

    fn check(text: &str) -> Result<(), InvalidText> {
        if text.len() > MAX {
            return Err(InvalidText::TooLong(MAX));
        }
        if text.contains(char::is_control) {
            return Err(InvalidText::ControlCharacter);
        }
        Ok(())
    }

    /// What can be kept of a text: control characters become U+FFFD, and what is beyond the limit is cut off.
    pub fn lossy(text: &str) -> Self {
        let mut kept = String::with_capacity(text.len().min(MAX));
        for c in text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }) {
            if kept.len() + c.len_utf8() > MAX {
                break;
            }
            kept.push(c);
        }
        Self(kept.into())
    }
}

impl<const MAX: usize> Default for StoredText<MAX> {
    fn default() -> Self {
        Self("".into())
    }
}

checked_text!(StoredText<MAX>, [const MAX: usize]);

#[cfg(test)]
mod tests;
