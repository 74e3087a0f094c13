//! Parsing settings from text: numbers, lists, maps, URLs.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::str::FromStr;

use axum::http::Uri;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Reads a `T` from text, a number or a boolean. For `#[serde(deserialize_with)]`.
///
/// # Errors
/// If it is not a `T`.
pub fn parsed<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_any(ScalarVisitor(PhantomData))
}

/// Reads a list from comma-separated text or an array. For `#[serde(deserialize_with)]`.
///
/// # Errors
/// If one of the items is not a `T`.
pub fn list<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_any(ListVisitor(PhantomData))
}

/// Reads a map from text such as `us=http://…,eu=http://…` or a table. For
/// `#[serde(deserialize_with)]`.
///
/// # Errors
/// If a pair has no `=`, a key or value is invalid, or a key occurs twice.
pub fn map<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
where
    K: FromStr<Err: Display> + Ord,
    V: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_any(MapVisitor(PhantomData))
}

fn parse<T: FromStr<Err: Display>, E: Error>(text: &str) -> Result<T, E> {
    text.trim().parse().map_err(E::custom)
}

struct ScalarVisitor<T>(PhantomData<T>);

impl<T: FromStr<Err: Display>> Visitor<'_> for ScalarVisitor<T> {
    type Value = T;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("one text or number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        parse(text)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<T, E> {
        parse(&truth.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        parse(&number.to_string())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        parse(&number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        parse(&number.to_string())
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: FromStr<Err: Display>> Visitor<'de> for ListVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("comma-separated text or an array")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<T>, E> {
        text.split(',').map(parse).collect()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<String>()? {
            list.push(parse(&item)?);
        }
        Ok(list)
    }
}

struct MapVisitor<K, V>(PhantomData<(K, V)>);

impl<'de, K, V> Visitor<'de> for MapVisitor<K, V>
where
    K: FromStr<Err: Display> + Ord,
    V: FromStr<Err: Display>,
{
    type Value = BTreeMap<K, V>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("text of the form key=value,key=value or a table")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<BTreeMap<K, V>, E> {
        let mut pairs = BTreeMap::new();
        for pair in text.split(',') {
            let (key, value) = pair.split_once('=').ok_or_else(|| E::custom("expected key=value,key=value"))?;
            if pairs.insert(parse(key)?, parse(value)?).is_some() {
                return Err(E::custom("a key occurs twice"));
            }
        }
        Ok(pairs)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<BTreeMap<K, V>, A::Error> {
        let mut pairs = BTreeMap::new();
        while let Some((key, value)) = table.next_entry::<String, String>()? {
            pairs.insert(parse(&key)?, parse(&value)?);
        }
        Ok(pairs)
    }
}

/// Scheme, host and port of a service, without a path: `http://127.0.0.1:18081`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct BaseUrl(String);

impl BaseUrl {
    /// The URL, without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for BaseUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The text is not a base URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an address such as http://127.0.0.1:8080")]
pub struct InvalidUrl;

impl FromStr for BaseUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        let text = text.trim_end_matches('/');
        let uri: Uri = text.parse().map_err(|_| InvalidUrl)?;
        let known = matches!(uri.scheme_str(), Some("http" | "https"));
        // A user name or password in a URL would end up in logs and redirects.
        let plain = uri.authority().is_some_and(|host| !host.as_str().contains('@'));
        let bare = uri.path() == "/" && uri.query().is_none();
        (known && plain && bare).then(|| Self(text.to_owned())).ok_or(InvalidUrl)
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = InvalidUrl;

    fn try_from(text: String) -> Result<Self, InvalidUrl> {
        text.parse()
    }
}
