use proptest::prelude::*;

use super::*;

#[test]
fn names_have_their_form() {
    assert_eq!("control_planes".parse::<EntityType>().unwrap(), "control_planes");
    assert!("manage_snis".parse::<Action>().is_ok());
    assert!("control_planes.viewer".parse::<RoleKey>().is_ok());
    assert!("0197a3c2-6f0e-8d19-8c55-0a3f5e0d7b11".parse::<RoleKey>().is_ok());
    assert!("Cp-1.a:b_c".parse::<EntityId>().is_ok());
    for bad in ["", "white space", "*", "Großes", "a\0", "a/b"] {
        assert!(bad.parse::<EntityId>().is_err(), "{bad:?}");
        assert!(bad.parse::<RoleKey>().is_err(), "{bad:?}");
        assert!(bad.parse::<EntityType>().is_err(), "{bad:?}");
        assert!(bad.parse::<Action>().is_err(), "{bad:?}");
    }
    assert!("Control".parse::<EntityType>().is_err() && "1st".parse::<Action>().is_err());
}

#[test]
fn a_producers_name_cannot_reach_another_topic() {
    assert_eq!("control-planes".parse::<ProducerName>().unwrap(), "control-planes");
    assert!("a".repeat(48).parse::<ProducerName>().is_ok() && "dlq-1".parse::<ProducerName>().is_ok());
    for bad in ["", "eu.policy", "Billing", "-a", "9a", "a_b", "billing-dlq", &"a".repeat(49)] {
        assert!(bad.parse::<ProducerName>().is_err(), "{bad:?}");
    }
}

#[test]
fn the_longest_is_admitted_and_not_one_byte_more() {
    assert!("x".repeat(128).parse::<EntityId>().is_ok());
    assert_eq!("x".repeat(129).parse::<EntityId>(), Err(InvalidText::TooLong(128)));
    assert!("x".repeat(8).parse::<StoredText<8>>().is_ok());
    assert_eq!("x".repeat(9).parse::<StoredText<8>>(), Err(InvalidText::TooLong(8)));
}

#[test]
fn a_text_has_no_control_characters() {
    for bad in ["a\0b", "line\nbreak", "\u{7f}", "\u{9b}2J"] {
        assert_eq!(bad.parse::<StoredText>(), Err(InvalidText::ControlCharacter), "{bad:?}");
    }
    assert_eq!(StoredText::<1024>::lossy("a\0b"), "a\u{fffd}b");
}

#[test]
fn what_is_not_checked_is_not_read() {
    assert!(serde_json::from_str::<EntityId>(r#""cp 1""#).is_err());
    assert!(serde_json::from_str::<StoredText>(r#""a\u0000""#).is_err());
    assert_eq!(serde_json::from_str::<EntityId>(r#""cp-1""#).unwrap(), "cp-1");
}

proptest! {
    #[test]
    fn what_is_kept_of_any_text_is_a_text(text in any::<String>()) {
        let kept = StoredText::<16>::lossy(&text);
        prop_assert!(kept.as_str().parse::<StoredText<16>>().is_ok());
        if text.parse::<StoredText<16>>().is_ok() {
            prop_assert_eq!(kept.as_str(), text);
        }
    }
}
