//! Event tokens: `event;<region>;<producer>;<ce_id>`, by which a producer of entity events, which knows no revision, names
//! the state it wants to see.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use writ_contract::{ProducerName, Region, StoredText};

/// All but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Names one entity event: its region, its producer and the producer's own id of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventToken {
    /// The region whose Kafka holds the event.
    pub region: Region,
    /// Who wrote the event.
    pub producer: ProducerName,
    /// The event's `ce_id`.
    pub id: StoredText,
}

impl EventToken {
    /// The text, each part percent-encoded.
    pub fn issue(&self) -> String {
        // Regions and names of producers have only unreserved characters.
        format!("event;{};{};{}", self.region, self.producer, utf8_percent_encode(self.id.as_str(), RESERVED))
    }

    /// Reads a text that [`EventToken::issue`] or a producer has written; `None` if it has another form.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(';').collect();
        let ["event", region, producer, id] = parts[..] else {
            return None;
        };
        let id: StoredText = decoded(id)?.parse().ok()?;
        let (region, producer) = (decoded(region)?.parse().ok()?, decoded(producer)?.parse().ok()?);
        (!id.as_str().is_empty()).then_some(Self { region, producer, id })
    }
}

/// A percent sign that begins no encoding is refused: what is sent without encoding would name another event.
fn decoded(part: &str) -> Option<String> {
    let mut signs = part.split('%').skip(1);
    if !signs.all(|rest| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2) {
        return None;
    }
    percent_decode_str(part).decode_utf8().ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_issued_parses(region in "[a-z][a-z0-9]{1,7}", producer in "[a-z][a-z0-9-]{0,43}", id in "\\PC{1,1024}") {
            let producer = format!("{producer}-eu");
            let (region, producer) = (region.parse().unwrap(), producer.parse().unwrap());
            let token = EventToken { region, producer, id: StoredText::lossy(&id) };
            let text = token.issue();
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b','));
            prop_assert_eq!(EventToken::parse(&text), Some(token));
        }
    }

    #[test]
    fn a_token_written_by_hand() {
        let token = EventToken::parse("event;eu;control-planes;urn:acme/0198%3Ba").unwrap();
        assert_eq!(token.producer, "control-planes");
        assert_eq!(token.id, "urn:acme/0198;a");
        assert_eq!(token.issue(), "event;eu;control-planes;urn%3Aacme%2F0198%3Ba");
    }

    #[test]
    fn other_forms_are_none() {
        for text in [
            "event;eu;source",
            "event;eu;;id",
            "event;eu;source;",
            "event;EU;source;id",
            "event;eu;https://gateway;id",
            "event;eu;a;b;c",
            "evnt;eu;source;id",
            "event;eu;source;%ff",
            "event;eu;source;%00",
            "event;eu;source;a%0Ab",
            "event;eu;source;a%C2%85b",
            "event;eu;source;100%",
            "event;eu;source;50%2",
            "",
        ] {
            assert_eq!(EventToken::parse(text), None, "{text}");
        }
    }
}
