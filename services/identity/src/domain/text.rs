//! What a text of each kind may hold.

use std::borrow::Cow;

/// Why a text is refused: a reason for people and a rule for programs.
pub type Fault = (Cow<'static, str>, &'static str);

/// A rule for texts.
pub type Rule = fn(&str) -> Result<(), Fault>;

/// Characters a name or description may have.
const LONGEST: usize = 250;
const LONGEST_TOKEN_NAME: usize = 256;
const LONGEST_ENTITY_ID: usize = 128;

/// A name or description: 1 to 250 characters.
///
/// # Errors
/// When it is empty, too long or holds a NUL.
pub fn name(text: &str) -> Result<(), Fault> {
    sized(text, 1, LONGEST)
}

/// A name that may be empty: at most 250 characters.
///
/// # Errors
/// When it is too long or holds a NUL.
pub fn optional_name(text: &str) -> Result<(), Fault> {
    sized(text, 0, LONGEST)
}

/// An e-mail address: something on both sides of one `@`, no blanks, at most 250 characters.
///
/// # Errors
/// When it is not.
pub fn email(text: &str) -> Result<(), Fault> {
    sized(text, 3, LONGEST)?;
    let blank = |c: char| c.is_whitespace() || c.is_control();
    let parts: Vec<&str> = text.split('@').collect();
    match parts[..] {
        [local, domain] if !local.is_empty() && !domain.is_empty() && !text.contains(blank) => Ok(()),
        _ => Err(("must be a valid email address".into(), "matches_regex")),
    }
}

/// A token's name: 1 to 256 letters, digits, blanks, `_`, `-`, `.` and `'`, a letter or digit at
/// both ends.
///
/// # Errors
/// When it is not.
pub fn token_name(text: &str) -> Result<(), Fault> {
    sized(text, 1, LONGEST_TOKEN_NAME)?;
    let ends = text.starts_with(char::is_alphanumeric) && text.ends_with(char::is_alphanumeric);
    let inside = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '\'');
    if ends && text.chars().all(inside) {
        return Ok(());
    }
    Err(("must be letters, digits, blanks and _ - . ', with a letter or digit at both ends".into(), "matches_regex"))
}

/// The id of a regional entity, or `*`: 1 to 128 of letters, digits, `.`, `_`, `:` and `-`.
///
/// # Errors
/// When it is not.
pub fn entity_id(text: &str) -> Result<(), Fault> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-');
    if text == "*" || (1..=LONGEST_ENTITY_ID).contains(&text.len()) && text.bytes().all(allowed) {
        return Ok(());
    }
    Err(("must be * or 1 to 128 letters, digits, dots, underscores, colons and hyphens".into(), "matches_regex"))
}

/// Any text that can be stored and is not beyond reason; whether it means something is decided
/// later.
///
/// # Errors
/// When it is too long or holds a NUL.
pub fn whatever(text: &str) -> Result<(), Fault> {
    sized(text, 0, LONGEST)
}

fn sized(text: &str, least: usize, most: usize) -> Result<(), Fault> {
    if text.contains('\0') {
        return Err(("must not contain a NUL character".into(), "invalid"));
    }
    let length = text.chars().count();
    if length == 0 && least > 0 {
        return Err(("cannot be blank".into(), "required"));
    }
    if length < least {
        return Err((format!("must have at least {least} characters").into(), "min_length"));
    }
    if length > most {
        return Err((format!("must have at most {most} characters").into(), "max_length"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_counted_in_characters() {
        assert!(name(&"ä".repeat(250)).is_ok());
        assert_eq!(name(&"ä".repeat(251)).unwrap_err().1, "max_length");
        assert_eq!(name("").unwrap_err().1, "required");
        assert_eq!(name("a\0b").unwrap_err().1, "invalid");
    }

    #[test]
    fn email_addresses() {
        assert!(email("ada@acme.example").is_ok());
        for bad in ["", "ada", "ada@", "@acme", "a@b@c", "a b@c", "a@b\n"] {
            assert!(email(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn token_names() {
        for good in ["a", "ci", "Ada's laptop", "build-1.2_x", "Zoë 2"] {
            assert!(token_name(good).is_ok(), "{good}");
        }
        for bad in ["", " a", "a ", "-a", "a.", "a/b", "a\nb"] {
            assert!(token_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn entity_ids() {
        for good in ["*", "817d0422-45c9-4d88-8d64-45aef05c1ae7", "cp.eu:1_a"] {
            assert!(entity_id(good).is_ok(), "{good}");
        }
        for bad in ["", "**", "a b", "a/b", "ä", &"a".repeat(129)] {
            assert!(entity_id(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_accepted_text_holds_a_nul(text in "[a-z\\x00@]{0,8}") {
            for rule in [name, optional_name, email, token_name, entity_id, whatever] {
                prop_assert!(!(text.contains('\0') && rule(&text).is_ok()));
            }
        }
    }
}
