use proptest::prelude::*;
use uuid::Uuid;
use writ_contract::Stream;

use super::*;

fn key() -> ConsistencyKey {
    "0a".repeat(32).parse::<ConsistencyKey>().unwrap()
}

fn organization(number: u128) -> OrganizationId {
    OrganizationId::from_uuid(Uuid::from_u128(number))
}

fn any_seen(organization: OrganizationId) -> impl Strategy<Value = SeenRevision> {
    ("[a-z][a-z0-9]{1,7}", prop::sample::select(Stream::ALL), 1..=i64::MAX, 1..=i64::MAX).prop_map(
        move |(origin, stream, epoch, number)| SeenRevision {
            chain: ChainId { organization, origin: origin.parse().unwrap(), stream },
            revision: Revision { epoch, number },
        },
    )
}

fn any_token_of(organization: OrganizationId) -> impl Strategy<Value = ConsistencyToken> {
    prop::collection::vec(any_seen(organization), 0..6).prop_map(move |seen| ConsistencyToken { organization, seen })
}

fn any_token() -> impl Strategy<Value = ConsistencyToken> {
    any::<u128>().prop_flat_map(|id| any_token_of(organization(id)))
}

proptest! {
    #[test]
    fn what_is_issued_parses(token in any_token()) {
        prop_assert_eq!(key().parse(&key().issue(&token)).unwrap(), token);
    }

    #[test]
    fn any_flipped_bit_is_rejected(token in any_token(), at in any::<prop::sample::Index>(), bit in 0..7u8) {
        let mut bytes = key().issue(&token).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let changed = String::from_utf8(bytes).unwrap();
        prop_assert!(key().parse(&changed).is_err());
    }

    #[test]
    fn joined_tokens_come_apart_again(tokens in prop::collection::vec(any_token_of(organization(1)), 1..5)) {
        let text = tokens.iter().map(|token| key().issue(token)).collect::<Vec<_>>().join(", ");
        let wanted: Vec<_> = tokens.into_iter().map(Wanted::State).collect();
        prop_assert_eq!(key().parse_joined(&text, organization(1)).unwrap(), wanted);
    }

    #[test]
    fn no_text_makes_parse_panic(text in "\\PC*") {
        let _ = key().parse_joined(&text, organization(0));
    }

    #[test]
    fn no_payload_makes_read_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Some(token) = payload::read(&bytes) {
            prop_assert_eq!(payload::write(&token), bytes);
        }
    }
}

fn token(number: u128) -> ConsistencyToken {
    let organization = organization(number);
    let chain = ChainId { organization, origin: "us".parse().unwrap(), stream: Stream::Identity };
    ConsistencyToken { organization, seen: vec![SeenRevision { chain, revision: Revision::first_epoch(7) }] }
}

#[test]
fn each_refusal_has_its_name() {
    let other_key = "0b".repeat(32).parse::<ConsistencyKey>().unwrap();
    let genuine = key().issue(&token(1));
    let cases = [
        (other_key.issue(&token(1)), ConsistencyError::Forged),
        (key().issue(&token(2)), ConsistencyError::Foreign),
        (genuine.replacen("v1", "v2", 1), ConsistencyError::Malformed),
        (format!("{genuine}.x"), ConsistencyError::Malformed),
        (format!("{genuine},"), ConsistencyError::Malformed),
        (String::new(), ConsistencyError::Malformed),
        ("event;eu;source".into(), ConsistencyError::MalformedEvent),
        (vec![genuine.clone(); 17].join(","), ConsistencyError::Malformed),
    ];
    for (text, error) in cases {
        assert_eq!(key().parse_joined(&text, organization(1)), Err(error), "{text}");
    }
}

#[test]
fn a_state_and_an_event_are_joined() {
    let text = format!("{},event;eu;gateway;4711", key().issue(&token(1)));
    let wanted = key().parse_joined(&text, organization(1)).unwrap();
    assert!(matches!(&wanted[0], Wanted::State(state) if *state == token(1)));
    assert!(matches!(&wanted[1], Wanted::Event(event) if event.id == "4711" && event.producer == "gateway"));
}

#[test]
fn keys_are_long_and_hexadecimal() {
    let refused = |text: &str| text.parse::<ConsistencyKey>().unwrap_err();
    assert_eq!(refused(&"0a".repeat(31)), KeyError::TooShort);
    assert_eq!(refused(&"0g".repeat(32)), KeyError::NotHexadecimal);
    assert_eq!(refused("abc"), KeyError::NotHexadecimal);
    assert_eq!(refused("äöüß"), KeyError::NotHexadecimal);
}

#[test]
fn debug_never_prints_the_key() {
    assert_eq!(format!("{:?}", key()), "ConsistencyKey(…)");
}
