//! What entity producers may speak for: a file that `writ producer add` writes and authorization reads.
//!
//! ```toml
//! [producer.control-planes]
//! organizations = "all"
//! types = ["control_planes", "runtime_groups"]
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use writ_contract::{EntityType, OrganizationId, ProducerName};

/// Stands for everything of its kind.
const ALL: &str = "all";

/// The scope of each entity producer. A producer that is not listed may speak for nobody.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProducerScopes {
    /// By name.
    #[serde(default)]
    pub producer: BTreeMap<ProducerName, ProducerScope>,
}

/// What an entity producer may speak for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProducerScope {
    /// The organizations whose entities it announces.
    pub organizations: Allowed<OrganizationId>,
    /// The types of these entities.
    pub types: Allowed<EntityType>,
}

/// Everything of a kind, or some of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed<T> {
    /// Everything.
    All,
    /// Only these.
    Only(BTreeSet<T>),
}

impl ProducerScopes {
    /// Reads the file's text.
    ///
    /// # Errors
    /// If it is not such a file; the error names the place.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// The file's text.
    ///
    /// # Errors
    /// None that can occur: every scope can be written as TOML.
    pub fn to_text(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }
}

impl ProducerScope {
    /// All organizations and all types.
    pub const ALL: Self = Self { organizations: Allowed::All, types: Allowed::All };
}

impl<T: Ord> Allowed<T> {
    /// Whether `one` is among them.
    pub fn allows(&self, one: &T) -> bool {
        match self {
            Self::All => true,
            Self::Only(some) => some.contains(one),
        }
    }
}

impl<T: FromStr + Ord> FromStr for Allowed<T> {
    type Err = T::Err;

    /// Reads `all` or a comma-separated list.
    fn from_str(text: &str) -> Result<Self, T::Err> {
        match text {
            ALL => Ok(Self::All),
            list => list.split(',').map(|one| one.trim().parse()).collect::<Result<_, _>>().map(Self::Only),
        }
    }
}

impl<T: fmt::Display> fmt::Display for Allowed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str(ALL),
            Self::Only(some) => {
                let list: Vec<String> = some.iter().map(ToString::to_string).collect();
                f.write_str(&list.join(","))
            }
        }
    }
}

impl<T: Serialize> Serialize for Allowed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str(ALL),
            Self::Only(some) => some.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de> + Ord> Deserialize<'de> for Allowed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AllowedVisitor(PhantomData))
    }
}

struct AllowedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Ord> Visitor<'de> for AllowedVisitor<T> {
    type Value = Allowed<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{ALL}\" or a list")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Allowed<T>, E> {
        if text == ALL { Ok(Allowed::All) } else { Err(E::invalid_value(de::Unexpected::Str(text), &self)) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Allowed<T>, A::Error> {
        let mut some = BTreeSet::new();
        while let Some(one) = list.next_element()? {
            some.insert(one);
        }
        Ok(Allowed::Only(some))
    }
}

#[cfg(test)]
mod tests;
