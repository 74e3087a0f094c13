//! Where to start reading each partition, and which of its records are new. No I/O.
//!
//! A stored position names the last processed record by offset and id, its anchor. Reading starts *at* that record, and
//! not after it, to verify that it is the same one. If it is not, the topic was recreated or lost records, and the
//! partition is read from the beginning.

use std::collections::HashMap;

use crate::ConsumedRecord;
use crate::position::LogPosition;

/// Topic and partition.
pub(super) type PartitionId = (String, i32);

/// The offsets that a log has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LogBounds {
    /// The first.
    pub(super) low: i64,
    /// That of the next record to be written.
    pub(super) end: i64,
}

/// Where to start reading a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// At this offset, where the record that was processed last should be.
    Anchor(i64),
    /// At the first record.
    Earliest,
}

/// What to do with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Disposition {
    /// Process it: it is new.
    Take,
    /// Skip it: it was processed before, or its partition is about to be read from the beginning.
    Skip,
    /// Read the partition from the beginning: this is not the record that was processed before.
    Restart,
}

#[derive(Debug)]
enum PartitionState {
    Verify(LogPosition),
    Reading,
    Restarting,
}

#[derive(Debug)]
struct Partition {
    state: PartitionState,
    /// Offset after the last record whose effects are committed.
    next: i64,
    /// End of the log when the partition was found.
    target: i64,
    /// Bounds of the log at the last look.
    bounds: LogBounds,
}

/// All partitions that are read.
#[derive(Debug, Default)]
pub(super) struct Tracker {
    partitions: HashMap<PartitionId, Partition>,
}

impl Tracker {
    /// Adds a partition whose log has these bounds.
    pub(super) fn add(&mut self, place: PartitionId, recorded: Option<LogPosition>, bounds: LogBounds) -> Start {
        let LogBounds { low, end } = bounds;
        let start = start(recorded.as_ref(), low, end);
        let (state, next) = match (start, recorded) {
            (Start::Anchor(offset), Some(position)) => (PartitionState::Verify(position), offset + 1),
            _ => (PartitionState::Reading, low),
        };
        self.partitions.insert(place, Partition { state, next, target: end, bounds });
        start
    }

    /// What to do with a record that was read.
    pub(super) fn accept(&mut self, record: &ConsumedRecord) -> Disposition {
        let Some(partition) = self.get_mut(&record.topic, record.partition) else { return Disposition::Skip };
        match &partition.state {
            PartitionState::Reading => Disposition::Take,
            PartitionState::Restarting => Disposition::Skip,
            PartitionState::Verify(position) if is_anchor(position, record) => {
                partition.state = PartitionState::Reading;
                Disposition::Skip
            }
            PartitionState::Verify(_) => {
                partition.state = PartitionState::Restarting;
                Disposition::Restart
            }
        }
    }

    /// A partition is now read from the beginning.
    pub(super) fn restarted(&mut self, topic: &str, partition: i32) {
        if let Some(partition) = self.get_mut(topic, partition) {
            partition.state = PartitionState::Reading;
            partition.next = 0;
        }
    }

    /// The effects of a record are committed.
    pub(super) fn committed(&mut self, record: &ConsumedRecord) {
        if let Some(partition) = self.get_mut(&record.topic, record.partition) {
            partition.next = record.offset + 1;
        }
    }

    /// The client has passed everything before `offset`, including transaction markers.
    pub(super) fn passed(&mut self, topic: &str, partition: i32, offset: i64) {
        if let Some(partition) = self.get_mut(topic, partition)
            && matches!(partition.state, PartitionState::Reading)
        {
            partition.next = partition.next.max(offset);
        }
    }

    /// Updates the bounds of the log of a partition. Returns false if they went back: then it is another log, or has lost
    /// records.
    pub(super) fn has_bounds(&mut self, place: &PartitionId, bounds: LogBounds) -> bool {
        let Some(partition) = self.partitions.get_mut(place) else { return true };
        let before = std::mem::replace(&mut partition.bounds, bounds);
        before.low <= bounds.low && before.end <= bounds.end
    }

    /// A partition that has records that were not read, by the last look.
    pub(super) fn unread(&self) -> Option<&PartitionId> {
        let unread =
            |p: &Partition| !matches!(p.state, PartitionState::Reading) || p.next.max(p.bounds.low) < p.bounds.end;
        self.partitions.iter().find(|(_, partition)| unread(partition)).map(|(place, _)| place)
    }

    /// Whether every partition has been read to where its log ended when the partition was found.
    pub(super) fn caught_up(&self) -> bool {
        self.partitions.values().all(|p| matches!(p.state, PartitionState::Reading) && p.next >= p.target)
    }

    /// Next offset and log end of a partition.
    pub(super) fn progress(&self, topic: &str, partition: i32) -> Option<(i64, i64)> {
        self.partitions.get(&(topic.to_owned(), partition)).map(|p| (p.next, p.bounds.end.max(p.next)))
    }

    /// All partitions.
    pub(super) fn places(&self) -> impl Iterator<Item = &PartitionId> {
        self.partitions.keys()
    }

    fn get_mut(&mut self, topic: &str, partition: i32) -> Option<&mut Partition> {
        self.partitions.get_mut(&(topic.to_owned(), partition))
    }
}

fn is_anchor(position: &LogPosition, record: &ConsumedRecord) -> bool {
    position.record_offset == record.offset && position.anchor == record.anchor()
}

fn start(recorded: Option<&LogPosition>, low: i64, end: i64) -> Start {
    let Some(position) = recorded else { return Start::Earliest };
    let offset = position.record_offset;
    if (low..end).contains(&offset) {
        return Start::Anchor(offset);
    }
    // If only the anchor has expired, nothing was missed.
    if offset + 1 != low {
        tracing::error!(
            topic = position.topic,
            partition = position.partition,
            offset,
            low,
            end,
            "the log is not the one read before, or has lost records: reading it from the earliest"
        );
    }
    Start::Earliest
}

#[cfg(test)]
mod tests;
