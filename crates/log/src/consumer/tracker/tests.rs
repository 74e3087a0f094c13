use proptest::prelude::*;
use writ_contract::Timestamp;

use super::*;

/// A record of a log that was created for the `life`-th time.
fn record(life: u8, offset: i64) -> ConsumedRecord {
    ConsumedRecord {
        topic: "t".to_owned(),
        partition: 0,
        offset,
        timestamp: Timestamp(0),
        key: None,
        headers: Vec::new(),
        value: Some(format!("{life}/{offset}").into_bytes()),
    }
}

fn position(life: u8, offset: i64) -> LogPosition {
    let anchor = record(life, offset).anchor();
    LogPosition { topic: "t".to_owned(), partition: 0, record_offset: offset, anchor }
}

fn place() -> PartitionId {
    ("t".to_owned(), 0)
}

/// Reads a log that holds `offsets`, as the Kafka client would: from the start given, or from the
/// earliest if there is nothing at that offset.
fn read(tracker: &mut Tracker, start: Start, life: u8, low: i64, end: i64) -> Vec<i64> {
    let from = match start {
        Start::Anchor(offset) if (low..end).contains(&offset) => offset,
        _ => low,
    };
    let mut taken = Vec::new();
    for offset in from..end {
        match tracker.accept(&record(life, offset)) {
            Disposition::Take => {
                taken.push(offset);
                tracker.committed(&record(life, offset));
            }
            Disposition::Skip => {}
            Disposition::Restart => {
                tracker.restarted("t", 0);
                return read(tracker, Start::Earliest, life, low, end);
            }
        }
    }
    taken
}

proptest! {
    /// Whatever was read before and whatever the log is now: what is the same log goes on behind
    /// the position, anything else is read whole; then the consumer has caught up.
    #[test]
    fn nothing_is_missed(before in prop::option::of(0..20_i64), same in any::<bool>(), low in 0..20_i64, length in 0..20_i64) {
        let (life, end) = (if same { 0 } else { 1 }, low + length);
        let mut tracker = Tracker::default();
        let start = tracker.add(place(), before.map(|offset| position(0, offset)), LogBounds { low, end });
        let taken = read(&mut tracker, start, life, low, end);
        let first = match before {
            Some(offset) if same && (low..end).contains(&offset) => offset + 1,
            _ => low,
        };
        prop_assert_eq!(taken, (first..end).collect::<Vec<_>>());
        prop_assert!(tracker.caught_up());
        prop_assert_eq!(tracker.progress("t", 0), Some((end.max(low), end.max(low))));
    }
}

#[test]
fn not_caught_up_before_the_anchor_was_seen() {
    let mut tracker = Tracker::default();
    assert_eq!(tracker.add(place(), Some(position(0, 9)), LogBounds { low: 0, end: 10 }), Start::Anchor(9));
    tracker.passed("t", 0, 10);
    assert!(!tracker.caught_up());
    assert_eq!(tracker.accept(&record(0, 9)), Disposition::Skip);
    assert!(tracker.caught_up());
}

#[test]
fn a_marker_at_the_end_is_passed() {
    let mut tracker = Tracker::default();
    tracker.add(place(), None, LogBounds { low: 0, end: 2 });
    tracker.committed(&record(0, 0));
    assert!(!tracker.caught_up());
    tracker.passed("t", 0, 2);
    assert!(tracker.caught_up());
}

#[test]
fn the_rest_of_a_foreign_batch_is_dropped_until_the_restart() {
    let mut tracker = Tracker::default();
    tracker.add(place(), Some(position(0, 3)), LogBounds { low: 0, end: 10 });
    assert_eq!(tracker.accept(&record(1, 3)), Disposition::Restart);
    assert_eq!(tracker.accept(&record(1, 4)), Disposition::Skip);
    tracker.restarted("t", 0);
    assert!(!tracker.caught_up());
    assert_eq!(tracker.accept(&record(1, 0)), Disposition::Take);
}

#[test]
fn a_log_that_goes_back_is_another_one() {
    let mut tracker = Tracker::default();
    tracker.add(place(), None, LogBounds { low: 5, end: 9 });
    assert!(tracker.has_bounds(&place(), LogBounds { low: 5, end: 9 }));
    assert!(tracker.has_bounds(&place(), LogBounds { low: 9, end: 9 }), "expired");
    assert!(!tracker.has_bounds(&place(), LogBounds { low: 0, end: 20 }), "recreated, and longer");
    assert!(!tracker.has_bounds(&place(), LogBounds { low: 0, end: 4 }), "recreated, and shorter");
    assert!(tracker.has_bounds(&("other".to_owned(), 0), LogBounds { low: 0, end: 0 }));
}

#[test]
fn what_was_not_read_is_known() {
    let mut tracker = Tracker::default();
    tracker.add(place(), None, LogBounds { low: 0, end: 2 });
    assert_eq!(tracker.unread(), Some(&place()));
    tracker.committed(&record(0, 1));
    assert_eq!(tracker.unread(), None);
    tracker.has_bounds(&place(), LogBounds { low: 0, end: 3 });
    assert_eq!(tracker.unread(), Some(&place()));
    tracker.has_bounds(&place(), LogBounds { low: 3, end: 3 });
    assert_eq!(tracker.unread(), None, "what has expired cannot be read");
}
