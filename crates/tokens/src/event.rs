//! Event tokens: `event;<region>;<ce_source>;<ce_id>`, how a producer of entity events, which
//! knows no revision, names the state it wants to see.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use writ_contract::Region;

/// What would end the token or one of its parts.
const RESERVED: &AsciiSet = &CONTROLS.add(b'%').add(b',').add(b';').add(b' ');

/// Names one entity event by where it was written and the producer's own identification.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventToken {
    /// The region whose `entity-events` holds the event.
    pub region: Region,
    /// The event's `ce_source`.
    pub source: String,
    /// The event's `ce_id`.
    pub id: String,
}

impl EventToken {
    /// The text, with `%`, `,`, `;`, spaces and control characters of the source and id
    /// percent-encoded.
    pub fn issue(&self) -> String {
        let source = utf8_percent_encode(&self.source, RESERVED);
        let id = utf8_percent_encode(&self.id, RESERVED);
        format!("event;{};{source};{id}", self.region)
    }

    /// Reads a text that [`EventToken::issue`] or a producer by hand has written; nothing if it
    /// has another form.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(';').collect();
        let ["event", region, source, id] = parts[..] else {
            return None;
        };
        Some(Self { region: region.parse().ok()?, source: decoded(source)?, id: decoded(id)? })
    }
}

fn decoded(part: &str) -> Option<String> {
    let text = percent_decode_str(part).decode_utf8().ok()?;
    (!text.is_empty()).then(|| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_issued_parses(region in "[a-z][a-z0-9]{1,7}", source in "\\PC+", id in "\\PC+") {
            let token = EventToken { region: region.parse().unwrap(), source, id };
            let text = token.issue();
            prop_assert!(!text.contains(','));
            prop_assert_eq!(EventToken::parse(&text), Some(token));
        }
    }

    #[test]
    fn a_token_written_by_hand() {
        let token = EventToken::parse("event;eu;https://gateway.example/eu;0198-a").unwrap();
        assert_eq!(token.source, "https://gateway.example/eu");
        assert_eq!(token.id, "0198-a");
    }

    #[test]
    fn other_forms_are_none() {
        for text in [
            "event;eu;source",
            "event;eu;;id",
            "event;eu;source;",
            "event;EU;source;id",
            "event;eu;a;b;c",
            "evnt;eu;source;id",
            "event;eu;%ff;id",
            "",
        ] {
            assert_eq!(EventToken::parse(text), None, "{text}");
        }
    }
}
