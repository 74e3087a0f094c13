//! The one form in which texts are compared, stored beside the text itself. It depends neither on the database's locale nor
//! on how a client composes letters.

use unicode_normalization::UnicodeNormalization;

/// The text with letters composed in the one usual way (Unicode's NFC).
pub fn normalized(text: &str) -> String {
    text.nfc().collect()
}

/// The text without differences of case: NFC, Unicode lower case.
pub fn folded(text: &str) -> String {
    // A sigma is written in another way at the end of a word, and has one upper case.
    let lower = text.nfc().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c });
    lower.nfc().collect()
}

/// An e-mail address as one account: without differences of case, and its domain in Unicode, however it was encoded.
pub fn folded_address(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => format!("{}@{}", folded(local), folded_domain(domain)),
        None => folded(address),
    }
}

/// `xn--bcher-kva.example` and `BÜCHER.example` are one domain (UTS 46).
fn folded_domain(domain: &str) -> String {
    match idna::domain_to_unicode(domain) {
        (unicode, Ok(())) => folded(&unicode),
        (_, Err(_)) => folded(domain),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_address_has_one_form() {
        for (one, other) in [
            ("élodie@example.org", "ÉLODIE@example.org"),
            ("élodie@example.org", "e\u{301}lodie@EXAMPLE.org"),
            ("ΟΔΟΣ@example.org", "οδος@example.org"),
            ("ἄδα@example.org", "ἌΔΑ@example.org"),
            ("ada@bücher.example", "ada@xn--bcher-kva.example"),
            ("ada@BÜCHER.example", "ADA@XN--BCHER-KVA.example"),
            ("ǆ@example.org", "Ǆ@example.org"),
        ] {
            assert_eq!(folded_address(one), folded_address(other), "{one} {other}");
        }
        for (one, other) in [("ada@example.org", "a.da@example.org"), ("ada@a.example", "ada@b.example")] {
            assert_ne!(folded_address(one), folded_address(other));
        }
    }

    proptest! {
        #[test]
        fn what_is_folded_stays_as_it_is(text in "\\PC{0,12}@\\PC{0,12}") {
            let once = folded_address(&text);
            prop_assert_eq!(&folded_address(&once), &once);
            let once = folded(&text);
            prop_assert_eq!(&folded(&once), &once);
        }

        #[test]
        fn how_letters_are_composed_makes_no_difference(text in "\\PC{0,12}") {
            let decomposed: String = text.nfd().collect();
            prop_assert_eq!(folded(&text), folded(&decomposed));
            prop_assert_eq!(normalized(&text), normalized(&decomposed));
        }
    }
}
