//! Members that occur more than once in an object. Parsers differ in which of them counts, so a gateway may have checked
//! another one than the service reads.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::NotJson;

/// Maximum length of a name that an answer repeats, in bytes.
const MAX_SHOWN: usize = 64;

/// The path of a member that its object has twice, such as `subject.id`. Keeps no value.
///
/// # Errors
/// If the text is not JSON, or is nested too deeply to be read.
pub(super) fn find(json: &str) -> Result<Option<String>, NotJson> {
    let mut found = Vec::new();
    let mut reader = serde_json::Deserializer::from_str(json);
    let walked = Walk(&mut found).deserialize(&mut reader).and_then(|()| reader.end());
    if found.is_empty() {
        return walked.map(|()| None).map_err(|_| NotJson);
    }
    found.reverse();
    Ok(Some(found.join(".")))
}

/// Walks over a value. Collects the names on the way to a duplicate, the innermost first.
struct Walk<'f>(&'f mut Vec<String>);

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl Walk<'_> {
    fn inside<E>(&mut self, walked: Result<(), E>, name: impl FnOnce() -> String) -> Result<(), E> {
        if walked.is_err() && !self.0.is_empty() {
            self.0.push(name());
        }
        walked
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        for index in 0_usize.. {
            let walked = items.next_element_seed(Walk(&mut *self.0));
            let more = matches!(walked, Ok(Some(())));
            self.inside(walked.map(drop), || index.to_string())?;
            if !more {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        let mut names: Vec<Cow<'de, str>> = Vec::new();
        while let Some(Name(name)) = members.next_key()? {
            let walked = members.next_value_seed(Walk(&mut *self.0));
            self.inside(walked, || shown(&name))?;
            names.push(name);
        }
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => {
                self.0.push(shown(&pair[0]));
                Err(A::Error::custom("a member occurs twice"))
            }
            None => Ok(()),
        }
    }
}

/// The name, cut off if it is long.
fn shown(name: &str) -> String {
    let plain = name.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c });
    plain
        .scan(0, |length, c| {
            *length += c.len_utf8();
            (*length <= MAX_SHOWN).then_some(c)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_occurs_twice_is_named_wherever_it_is() {
        for (json, path) in [
            (r#"{"a":1,"b":2,"a":3}"#, "a"),
            (r#"{"a":1,"\u0061":3}"#, "a"),
            (r#"{"a":{"b":[0,{"c":{},"d":1,"c":[]}]}}"#, "a.b.1.c"),
            (r#"[{"x":1},{"x":1,"x":1}]"#, "1.x"),
            (r#"{"":1,"":1}"#, ""),
        ] {
            assert_eq!(find(json), Ok(Some(path.to_owned())), "{json}");
        }
        for json in [r#"{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}"#, "[]", "7", r#""a""#, "null", "1.5", "true", "-1"] {
            assert_eq!(find(json), Ok(None), "{json}");
        }
        let long = find(&format!(r#"{{"{0}":1,"{0}":1}}"#, "é".repeat(10_000))).unwrap().unwrap();
        assert_eq!(long, "é".repeat(32));
    }

    #[test]
    fn what_is_not_json_is_none() {
        for json in ["", "{", r#"{"a":}"#, "{} {}", "nul", &"[".repeat(1_000_000), &"{\"a\":".repeat(100_000)] {
            assert_eq!(find(json), Err(NotJson));
        }
    }
}
