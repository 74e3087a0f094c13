//! Texts from outside, each a type of its own once it is checked.

use writ_contract::StoredText;

use super::Violation;

/// Characters of a name or description.
const LONGEST: usize = 250;
const LONGEST_TOKEN_NAME: usize = 256;
const LONGEST_ENTITY_ID: usize = 128;

/// Declares texts: what is checked, and the bounds and pattern that say the same in JSON Schema.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $least:literal..=$most:expr, $pattern:literal, $check:expr;)*) => {$(
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
                sized(&text, Self::LENGTH)?;
                let check: fn(&str) -> Result<(), Violation> = $check;
                check(&text)?;
                let stored = StoredText::try_from(text);
                stored.map(Self).map_err(|_| Violation::of("invalid", "must not contain control characters"))
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
    /// A name of a person, team or organization.
    Name: 1..=LONGEST, r"^[^\u0000-\u001f\u007f-\u009f]*$", |_| Ok(());
    /// A text that may be empty, such as a description.
    Text: 0..=LONGEST, r"^[^\u0000-\u001f\u007f-\u009f]*$", |_| Ok(());
    /// An e-mail address: something on both sides of one `@`, no blanks.
    Email: 3..=LONGEST, r"^[^\s@\u0000-\u001f\u007f-\u009f]+@[^\s@\u0000-\u001f\u007f-\u009f]+$", email;
    /// A token's name: letters, digits, blanks, `_`, `-`, `.` and `'`, a letter or digit at both ends.
    TokenName: 1..=LONGEST_TOKEN_NAME, r"^[\p{L}\p{N}]([\p{L}\p{N} _.'-]*[\p{L}\p{N}])?$", token_name;
    /// The id of a regional entity, or `*` for all of them.
    EntityScope: 1..=LONGEST_ENTITY_ID, r"^(\*|[A-Za-z0-9._:-]+)$", entity_scope;
}

fn email(text: &str) -> Result<(), Violation> {
    match text.split('@').collect::<Vec<_>>()[..] {
        [local, domain] if !local.is_empty() && !domain.is_empty() && !text.contains(char::is_whitespace) => Ok(()),
        _ => Err(Violation::of("matches_regex", "must be a valid email address")),
    }
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
    if text.contains(char::is_control) {
        return Err(Violation::of("invalid", "must not contain control characters"));
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
    fn email_addresses() {
        assert_eq!(rule::<Email>("ada@acme.example"), None);
        for bad in ["", "ada", "ada@", "@acme", "a@b@c", "a b@c", "a@b\n", "a@"] {
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
