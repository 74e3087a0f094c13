use proptest::prelude::*;
use writ_contract::Timestamp;

use super::*;

const ENTITY_EVENTS: &str = "entity-events-gateways";
const ENTITY_EVENTS_DLQ: &str = "entity-events-gateways-dlq";

fn refused(headers: Headers, value: Vec<u8>) -> ConsumedRecord {
    ConsumedRecord {
        topic: ENTITY_EVENTS.to_owned(),
        partition: 4,
        offset: 77,
        timestamp: Timestamp(0),
        key: None,
        headers,
        value: Some(value),
    }
}

#[test]
fn it_is_kept_as_it_came_with_the_reason() {
    let record = refused(vec![("ce_id".to_owned(), b"\0".to_vec())], b"not avro".to_vec());
    let letter = refuse(&record, "header ce_id is not valid");
    assert_eq!((letter.topic.as_str(), letter.partition, &letter.key), (ENTITY_EVENTS_DLQ, Some(4), &None));
    assert_eq!(letter.value, record.value);
    assert_eq!(letter.headers[0], record.headers[0]);
    for (name, value) in
        [(REASON, "header ce_id is not valid"), (TOPIC, ENTITY_EVENTS), (PARTITION, "4"), (OFFSET, "77")]
    {
        assert_eq!(headers::last(&letter.headers, name), Some(value.as_bytes()), "{name}");
    }
}

#[test]
fn a_senders_own_reason_is_not_kept() {
    let letter = refuse(&refused(vec![("dlq_truncated".to_owned(), b"forged".to_vec())], Vec::new()), "why");
    assert_eq!(headers::last(&letter.headers, TRUNCATED), None);
}

#[test]
fn what_was_compressed_is_cut() {
    let letter = refuse(&refused(Vec::new(), vec![0; MAX_VALUE + 5]), "too large");
    assert_eq!(letter.value.map(|value| value.len()), Some(MAX_VALUE));
    assert_eq!(headers::last(&letter.headers, TRUNCATED), Some(&b"1048581"[..]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn it_always_fits_its_topic(headers in prop::collection::vec(0..70_000_usize, 0..5), value in 0..1_200_000_usize) {
        let headers = headers.into_iter().map(|size| ("h".repeat(size / 2), vec![0; size / 2])).collect();
        let letter = refuse(&refused(headers, vec![0; value]), &"é".repeat(5_000));
        prop_assert!(letter.size() <= topics::largest_record(&letter.topic));
    }
}
