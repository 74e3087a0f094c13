//! Where each partition is read from, and which of its records are taken. No I/O.

use std::collections::HashMap;

use crate::Record;
use crate::position::Position;

/// A partition of a topic.
pub(super) type Place = (String, i32);

/// Where reading of a partition begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// With the record at this offset, which must be the one that was read before.
    Anchor(i64),
    /// With the first record there is.
    Earliest,
}

/// What becomes of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is new.
    Take,
    /// Its effects are already there, or its partition is about to be read from the start.
    Skip,
    /// It is not the record that was read before: the partition must be read from the start.
    Restart,
}

#[derive(Debug)]
enum State {
    Verify(Position),
    Reading,
    Restarting,
}

#[derive(Debug)]
struct Partition {
    state: State,
    /// Offset behind the last record whose effects are committed.
    next: i64,
    /// End of the log when the partition was found.
    target: i64,
    /// End of the log when last asked.
    end: i64,
}

/// All partitions that are read.
#[derive(Debug, Default)]
pub(super) struct Tracker {
    partitions: HashMap<Place, Partition>,
}

impl Tracker {
    /// Takes up a partition whose log reaches from `low` to before `end`.
    pub(super) fn add(&mut self, place: Place, recorded: Option<Position>, low: i64, end: i64) -> Start {
        let start = start(recorded.as_ref(), low, end);
        let (state, next) = match (start, recorded) {
            (Start::Anchor(offset), Some(position)) => (State::Verify(position), offset + 1),
            _ => (State::Reading, low),
        };
        self.partitions.insert(place, Partition { state, next, target: end, end });
        start
    }

    /// What to do with a record that was read.
    pub(super) fn accept(&mut self, record: &Record) -> Verdict {
        let Some(partition) = self.get_mut(&record.topic, record.partition) else { return Verdict::Skip };
        match &partition.state {
            State::Reading => Verdict::Take,
            State::Restarting => Verdict::Skip,
            State::Verify(position) if is_anchor(position, record) => {
                partition.state = State::Reading;
                Verdict::Skip
            }
            State::Verify(_) => {
                partition.state = State::Restarting;
                Verdict::Restart
            }
        }
    }

    /// A partition is now read from the start.
    pub(super) fn restarted(&mut self, topic: &str, partition: i32) {
        if let Some(partition) = self.get_mut(topic, partition) {
            partition.state = State::Reading;
            partition.next = 0;
        }
    }

    /// The effects of a record are committed.
    pub(super) fn committed(&mut self, record: &Record) {
        if let Some(partition) = self.get_mut(&record.topic, record.partition) {
            partition.next = record.offset + 1;
        }
    }

    /// Everything before `offset` was seen, also what is no record (markers of transactions).
    pub(super) fn passed(&mut self, topic: &str, partition: i32, offset: i64) {
        if let Some(partition) = self.get_mut(topic, partition)
            && matches!(partition.state, State::Reading)
        {
            partition.next = partition.next.max(offset);
        }
    }

    /// The log of a partition now ends before `end`.
    pub(super) fn ends(&mut self, place: &Place, end: i64) {
        if let Some(partition) = self.partitions.get_mut(place) {
            partition.end = end;
        }
    }

    /// Whether every partition has been read to where its log ended when it was found.
    pub(super) fn caught_up(&self) -> bool {
        self.partitions.values().all(|p| matches!(p.state, State::Reading) && p.next >= p.target)
    }

    /// Next offset and log end of a partition.
    pub(super) fn progress(&self, topic: &str, partition: i32) -> Option<(i64, i64)> {
        self.partitions.get(&(topic.to_owned(), partition)).map(|p| (p.next, p.end.max(p.next)))
    }

    /// All partitions.
    pub(super) fn places(&self) -> impl Iterator<Item = &Place> {
        self.partitions.keys()
    }

    fn get_mut(&mut self, topic: &str, partition: i32) -> Option<&mut Partition> {
        self.partitions.get_mut(&(topic.to_owned(), partition))
    }
}

fn is_anchor(position: &Position, record: &Record) -> bool {
    position.record_offset == record.offset && position.anchor == record.anchor()
}

fn start(recorded: Option<&Position>, low: i64, end: i64) -> Start {
    let Some(position) = recorded else { return Start::Earliest };
    let offset = position.record_offset;
    if (low..end).contains(&offset) {
        return Start::Anchor(offset);
    }
    // The record before may have expired just now; then nothing was missed.
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
