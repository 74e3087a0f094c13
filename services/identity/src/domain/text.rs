//! Texts from outside, each a type of its own once it is checked.

use writ_contract::StoredText;

use super::Violation;
use super::fold;

/// Characters of a name or description.
const LONGEST: usize = 250;
const LONGEST_TOKEN_NAME: usize = 256;
const LONGEST_ENTITY_ID: usize = 128;

/// What nobody sees in a text and what turns its order around, as it is told to people.
const INVISIBLE: &str = "must not contain control characters, invisible characters or changes of direction";

/// The ranges of [`is_invisible`] and control characters, as in a regular expression.
macro_rules! hidden {
    () => {
        concat!(
            r"\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f",
            r"\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\ufffb",
            "\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}"
        )
    };
}

pub(super) use hidden;

/// A character that shows nothing although it is no blank, ends a line, or changes the direction of what follows. With
/// them, two texts look the same, or one looks like something that it is not. Variation selectors, which belong to many
/// emoji, are none of these.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Declares texts: what is checked, and the bounds and pattern that say the same in JSON Schema.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $least:literal..=$most:expr, $pattern:expr, $check:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(StoredText);

        impl $name {
            /// Fewest and most characters.
            pub const LENGTH: (usize, usize) = ($least, $most);
            /// The same rule as a regular expression.
            pub const PATTERN: &'static str = $pattern;

            /// A text of this program, which needs no check.
            pub fn of_ours(text: &'static str) -> Self {
                Self(StoredText::lossy(text))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl TryFrom<String> for $name {
            type Error = Violation;

            fn try_from(text: String) -> Result<Self, Violation> {
                let text = fold::normalized(&text);
                sized(&text, Self::LENGTH)?;
                let check: fn(&str) -> Result<(), Violation> = $check;
                check(&text)?;
                let stored = StoredText::try_from(text);
                stored.map(Self).map_err(|_| Violation::of("invalid", INVISIBLE))
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.as_str().to_owned()
            }
        }
    )*};
}

texts! {
    /// A name of a person, team or organization; not blanks alone.
    Name: 1..=LONGEST, concat!("^[^", hidden!(), r"]*[^\s", hidden!(), "][^", hidden!(), "]*$"), visible;
    /// A text that may be empty, such as a description; if not, not blanks alone.
    Text: 0..=LONGEST, concat!("^([^", hidden!(), r"]*[^\s", hidden!(), "][^", hidden!(), "]*)?$"), visible_if_any;
    /// What a list is searched for.
    Term: 0..=LONGEST, concat!("^[^", hidden!(), "]*$"), |_| Ok(());
    /// An e-mail address: something on both sides of one `@`, no blanks.
    Email: 3..=LONGEST, concat!(r"^[^\s@\ufe00-\ufe0f", hidden!(), r"]+@[^\s@\ufe00-\ufe0f", hidden!(), "]+$"), email;
    /// A token's name: letters, digits, blanks, `_`, `-`, `.` and `'`, a letter or digit at both ends.
    TokenName: 1..=LONGEST_TOKEN_NAME, r"^[\p{L}\p{N}]([\p{L}\p{N} _.'-]*[\p{L}\p{N}])?$", token_name;
    /// The id of a regional entity, or `*` for all of them.
    EntityScope: 1..=LONGEST_ENTITY_ID, r"^(\*|[A-Za-z0-9._:-]+)$", entity_scope;
}

impl Email {
    /// The address as one account, however it is written: see [`fold::folded_address`].
    pub fn folded(&self) -> String {
        fold::folded_address(self.as_str())
    }
}

impl Name {
    /// The form in which it is searched for.
    pub fn folded(&self) -> String {
        fold::folded(self.as_str())
    }
}

fn visible(text: &str) -> Result<(), Violation> {
    if text.trim().is_empty() { Err(Violation::of("required", "cannot be blank")) } else { Ok(()) }
}

fn visible_if_any(text: &str) -> Result<(), Violation> {
    if text.is_empty() { Ok(()) } else { visible(text) }
}

fn email(text: &str) -> Result<(), Violation> {
    match text.split('@').collect::<Vec<_>>()[..] {
        [local, domain] if !local.is_empty() && !domain.is_empty() && !text.contains(unfit_for_address) => Ok(()),
        _ => Err(Violation::of("matches_regex", "must be a valid email address")),
    }
}

fn unfit_for_address(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{fe00}'..='\u{fe0f}')
}

fn token_name(text: &str) -> Result<(), Violation> {
    let ends = text.starts_with(char::is_alphanumeric) && text.ends_with(char::is_alphanumeric);
    let inside = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '\'');
    if ends && text.chars().all(inside) {
        return Ok(());
    }
    let reason = "must be letters, digits, blanks and _ - . ', with a letter or digit at both ends";
    Err(Violation::of("matches_regex", reason))
}

fn entity_scope(text: &str) -> Result<(), Violation> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-');
    if text == "*" || text.bytes().all(allowed) {
        return Ok(());
    }
    let reason = "must be * or 1 to 128 letters, digits, dots, underscores, colons and hyphens";
    Err(Violation::of("matches_regex", reason))
}

fn sized(text: &str, (least, most): (usize, usize)) -> Result<(), Violation> {
    if text.contains(|c: char| c.is_control() || is_invisible(c)) {
        return Err(Violation::of("invalid", INVISIBLE));
    }
    match text.chars().count() {
        0 if least > 0 => Err(Violation::of("required", "cannot be blank")),
        length if length < least => Err(Violation::of("min_length", format!("must have at least {least} characters"))),
        length if length > most => Err(Violation::of("max_length", format!("must have at most {most} characters"))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule<T: TryFrom<String, Error = Violation>>(text: &str) -> Option<&'static str> {
        T::try_from(text.to_owned()).err().map(|violation| violation.rule)
    }

    #[test]
    fn names_are_counted_in_characters() {
        assert_eq!(rule::<Name>(&"ä".repeat(250)), None);
        assert_eq!(rule::<Name>(&"ä".repeat(251)), Some("max_length"));
        assert_eq!(rule::<Name>(""), Some("required"));
        assert_eq!(rule::<Name>("a\0b"), Some("invalid"));
        assert_eq!(rule::<Text>(""), None);
    }

    #[test]
    fn what_is_not_seen_is_refused() {
        for hidden in [
            "\u{202e}",
            "\u{2066}",
            "\u{61c}",
            "\u{200e}",
            "\u{200b}",
            "\u{200d}",
            "\u{2060}",
            "\u{feff}",
            "\u{ad}",
            "\u{1b}",
            "\n",
            "\u{2028}",
            "\u{3164}",
            "\u{e0041}",
            "\u{85}",
        ] {
            let text = format!("a{hidden}a");
            for rule in [rule::<Name>, rule::<Text>, rule::<Term>, rule::<TokenName>, rule::<EntityScope>] {
                assert_eq!(rule(&text), Some("invalid"), "{text:?}");
            }
            assert_eq!(rule::<Email>(&format!("{text}@acme.example")), Some("invalid"), "{text:?}");
        }
        for blank in [" ", "   ", "\u{a0}", "\u{3000}\u{2003}"] {
            assert_eq!((rule::<Name>(blank), rule::<Text>(blank)), (Some("required"), Some("required")), "{blank:?}");
            assert_eq!(rule::<Term>(blank), None);
        }
        for good in ["Zoë", "शक्ति", "❤\u{fe0f}", "אדה", "علي", " Ada  Lovelace "] {
            assert_eq!(rule::<Name>(good), None, "{good:?}");
        }
    }

    #[test]
    fn letters_are_composed_in_one_way() {
        let name = Name::try_from("Zoe\u{308}".to_owned()).unwrap();
        assert_eq!(name.as_str(), "Zo\u{eb}");
        assert_eq!(rule::<Name>(&"e\u{308}".repeat(250)), None);
    }

    #[test]
    fn email_addresses() {
        assert_eq!(rule::<Email>("ada@acme.example"), None);
        for bad in ["", "ada", "ada@", "@acme", "a@b@c", "a b@c", "a@b\n", "a@", "a\u{fe0f}@b", "a\u{a0}@b"] {
            assert!(rule::<Email>(bad).is_some(), "{bad:?}");
        }
    }

    #[test]
    fn token_names() {
        for good in ["a", "ci", "Ada's laptop", "build-1.2_x", "Zoë 2"] {
            assert_eq!(rule::<TokenName>(good), None, "{good}");
        }
        for bad in ["", " a", "a ", "-a", "a.", "a/b", "a\nb"] {
            assert!(rule::<TokenName>(bad).is_some(), "{bad:?}");
        }
    }

    #[test]
    fn entity_scopes() {
        for good in ["*", "817d0422-45c9-4d88-8d64-45aef05c1ae7", "cp.eu:1_a"] {
            assert_eq!(rule::<EntityScope>(good), None, "{good}");
        }
        for bad in ["", "**", "a b", "a/b", "ä", &"a".repeat(129)] {
            assert!(rule::<EntityScope>(bad).is_some(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_accepted_text_holds_a_control_character(text in "[a-z\\x00\\x7f@]{0,8}") {
            if text.contains(char::is_control) {
                for rule in [rule::<Name>, rule::<Text>, rule::<Email>, rule::<TokenName>, rule::<EntityScope>] {
                    prop_assert!(rule(&text).is_some());
                }
            }
        }
    }
}
