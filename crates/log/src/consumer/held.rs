//! Records that are held back because what they build on is about to arrive. No I/O.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::tracker::PartitionId;
use crate::ConsumedRecord;

/// How long a record is held back at most.
const LONGEST: Duration = Duration::from_secs(5);

/// Whether a record should be tried later.
pub(super) type MustWait = Arc<dyn Fn(&ConsumedRecord) -> bool + Send + Sync>;

/// The records held back, in order for each partition. They are few: the client is told to pause the partition with the
/// first of them.
pub(super) struct Held {
    must_wait: Option<MustWait>,
    records: BTreeMap<PartitionId, VecDeque<(Instant, ConsumedRecord)>>,
}

impl Held {
    pub(super) fn new(must_wait: Option<MustWait>) -> Self {
        Self { must_wait, records: BTreeMap::new() }
    }

    /// Whether the record should be tried later.
    pub(super) fn must_wait(&self, record: &ConsumedRecord) -> bool {
        self.must_wait.as_ref().is_some_and(|must_wait| must_wait(record))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Whether records of the partition are held back.
    pub(super) fn has(&self, place: &PartitionId) -> bool {
        self.records.contains_key(place)
    }

    /// Holds a record back.
    pub(super) fn add(&mut self, place: PartitionId, record: ConsumedRecord) {
        self.records.entry(place).or_default().push_back((Instant::now(), record));
    }

    /// The partition is read again from elsewhere.
    pub(super) fn forget(&mut self, place: &PartitionId) {
        self.records.remove(place);
    }

    /// About `most` records that need not or must not be held back any longer, and the partitions of which none is.
    pub(super) fn release(&mut self, most: usize) -> (Vec<ConsumedRecord>, Vec<PartitionId>) {
        let (mut released, must_wait) = (Vec::new(), self.must_wait.clone());
        let must_wait = |record: &ConsumedRecord| must_wait.as_ref().is_some_and(|must_wait| must_wait(record));
        for records in self.records.values_mut() {
            while let Some((since, record)) = records.front()
                && released.len() < most
                && (since.elapsed() >= LONGEST || !must_wait(record))
            {
                released.extend(records.pop_front().map(|(_, record)| record));
            }
        }
        let over: Vec<_> =
            self.records.extract_if(.., |_, records| records.is_empty()).map(|(place, _)| place).collect();
        (released, over)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::consumed;

    fn holding(offset: i64) -> Held {
        Held::new(Some(Arc::new(move |record| record.offset == offset)))
    }

    fn offsets(released: &[ConsumedRecord]) -> Vec<i64> {
        released.iter().map(|record| record.offset).collect()
    }

    #[test]
    fn a_partition_waits_for_its_first_record_and_others_do_not() {
        let mut held = holding(1);
        let place = |partition| ("t".to_owned(), partition);
        for (partition, offset) in [(0, 1), (0, 2), (1, 3)] {
            held.add(place(partition), consumed("t", partition, offset));
        }
        let (released, over) = held.release(10);
        assert_eq!((offsets(&released), over), (vec![3], vec![place(1)]));
        assert!(held.has(&place(0)) && !held.has(&place(1)));
        held.must_wait = None;
        let (released, over) = held.release(1);
        assert_eq!((offsets(&released), over), (vec![1], vec![]));
        let (released, over) = held.release(1);
        assert_eq!((offsets(&released), over), (vec![2], vec![place(0)]));
        assert!(held.is_empty());
    }

    #[test]
    fn no_record_is_held_back_for_ever() {
        let mut held = holding(1);
        let place = ("t".to_owned(), 0);
        held.add(place.clone(), consumed("t", 0, 1));
        assert!(held.release(10).0.is_empty());
        let long_ago = Instant::now().checked_sub(LONGEST).unwrap();
        held.records.get_mut(&place).unwrap()[0].0 = long_ago;
        assert_eq!(offsets(&held.release(10).0), [1]);
    }
}
