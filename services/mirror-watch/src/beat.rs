//! MirrorMaker's heartbeats.

use writ_contract::Timestamp;

/// Version of the format that we read.
const VERSION: [u8; 2] = [0, 0];

/// Time of a heartbeat by the clock of its source. The value is a version and milliseconds since 1970.
pub(crate) fn emitted_at(value: &[u8]) -> Option<Timestamp> {
    let milliseconds = value.strip_prefix(&VERSION)?.first_chunk::<8>()?;
    i64::from_be_bytes(*milliseconds).checked_mul(1_000).map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heartbeat_says_when_it_was_emitted() {
        let value = [&[0, 0][..], &1_760_000_000_123_i64.to_be_bytes()].concat();
        assert_eq!(emitted_at(&value), Some(Timestamp(1_760_000_000_123_000)));
    }

    #[test]
    fn other_values_are_not_heartbeats() {
        let newer = [&[0, 1][..], &1_i64.to_be_bytes()].concat();
        let absurd = [&[0, 0][..], &i64::MAX.to_be_bytes()].concat();
        for value in [&b""[..], b"\0\0\0", &newer, &absurd] {
            assert_eq!(emitted_at(value), None, "{value:?}");
        }
    }
}
