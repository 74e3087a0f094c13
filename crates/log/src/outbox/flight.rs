//! The rows of the outbox that are in flight. No I/O.

use std::collections::BTreeSet;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::time::{Duration, Instant};
use writ_contract::Timestamp;

use crate::producer::{Delivery, SendError};

/// How long acknowledged rows wait for others, to be removed together.
const GATHERING: Duration = Duration::from_millis(20);

/// The outcome of sending a row.
pub(super) struct Sent {
    pub(super) id: i64,
    pub(super) measured_from: Option<Timestamp>,
    pub(super) result: Result<Delivery, SendError>,
}

/// What is to be done with a row that was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is to be sent.
    Next,
    /// It was read from the table already.
    Taken,
    /// Others come first, or may come first: the table says which.
    FromTable,
}

/// Rows that were read from the table or handed over, and are not removed from it yet.
pub(super) struct Flight {
    under_way: FuturesUnordered<BoxFuture<'static, Sent>>,
    /// Ids of rows that are being sent, or are delivered but still in the table.
    taken: BTreeSet<i64>,
    delivered: Vec<i64>,
    /// When the rows in `delivered` are to be removed.
    remove_at: Option<Instant>,
    /// Largest id that was read from the table.
    read_to: i64,
    /// When a row was last delivered, or sent while none was in flight.
    moved: Instant,
    /// Set after a record was rejected. No row is read before this time and while others are in flight, so that none
    /// overtakes the rejected one.
    held_until: Option<Instant>,
    /// More rows may be pending in the table.
    pub(super) more: bool,
}

impl Flight {
    pub(super) fn new() -> Self {
        Self {
            under_way: FuturesUnordered::new(),
            taken: BTreeSet::new(),
            delivered: Vec::new(),
            remove_at: None,
            read_to: 0,
            moved: Instant::now(),
            held_until: None,
            more: false,
        }
    }

    /// A row was passed to the producer.
    pub(super) fn sends(&mut self, id: i64, sent: impl Future<Output = Sent> + Send + 'static) {
        if self.under_way.is_empty() {
            self.moved = Instant::now();
        }
        self.taken.insert(id);
        self.under_way.push(sent.boxed());
    }

    /// The next outcome, or `None` if nothing is in flight.
    pub(super) async fn next(&mut self) -> Option<Sent> {
        self.under_way.next().await
    }

    /// The next outcome, if it is known already.
    pub(super) fn next_known(&mut self) -> Option<Sent> {
        self.under_way.next().now_or_never().flatten()
    }

    /// Kafka has acknowledged a row.
    pub(super) fn delivered(&mut self, id: i64) {
        self.moved = Instant::now();
        self.delivered.push(id);
        self.remove_at.get_or_insert_with(|| Instant::now() + GATHERING);
    }

    /// Kafka has rejected a row. It must be sent again after `pause`.
    pub(super) fn refused(&mut self, id: i64, pause: Duration) {
        self.taken.remove(&id);
        self.held_until = Some(Instant::now() + pause);
    }

    /// Delivered rows, which are to be removed from the table.
    pub(super) fn to_remove(&self) -> &[i64] {
        &self.delivered
    }

    /// Returns when delivered rows have waited long enough for others.
    pub(super) fn removal(&self) -> impl Future<Output = ()> + use<> {
        let at = self.remove_at;
        async move {
            match at {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Whether it is time to remove the delivered rows: they have waited long enough for others, or they are many.
    pub(super) fn removes(&self, many: usize) -> bool {
        self.remove_at.is_some_and(|at| at <= Instant::now()) || self.delivered.len() >= many
    }

    /// The delivered rows were removed from the table.
    pub(super) fn removed(&mut self) {
        for id in self.delivered.drain(..) {
            self.taken.remove(&id);
        }
        self.remove_at = None;
    }

    /// The delivered rows could not be removed from the table; try again after `pause`.
    pub(super) fn not_removed(&mut self, pause: Duration) {
        self.remove_at = Some(Instant::now() + pause);
    }

    /// Rows that must not be read again.
    pub(super) fn taken(&self) -> &BTreeSet<i64> {
        &self.taken
    }

    /// Rows up to this one were read from the table.
    pub(super) fn read(&mut self, to: i64) {
        self.read_to = self.read_to.max(to);
    }

    /// Whether a row that was handed over can be sent now.
    pub(super) fn admits(&self, id: i64, most: usize) -> Admission {
        if self.taken.contains(&id) {
            Admission::Taken
        } else if self.more || self.is_held() || id <= self.read_to || self.taken.len() >= most {
            Admission::FromTable
        } else {
            Admission::Next
        }
    }

    /// Whether sending is paused after a rejection.
    pub(super) fn is_held(&self) -> bool {
        self.held_until.is_some()
    }

    /// The next outcome, or `None` when a pause is over.
    pub(super) async fn next_or_hold(&mut self) -> Option<Sent> {
        if let Some(sent) = self.under_way.next().await {
            return Some(sent);
        }
        match self.held_until {
            Some(until) => tokio::time::sleep_until(until).await,
            None => std::future::pending().await,
        }
        self.held_until = None;
        None
    }

    /// Whether rows are in flight, but none was delivered for `long`.
    pub(super) fn is_stuck(&self, long: Duration) -> bool {
        !self.under_way.is_empty() && self.moved.elapsed() > long
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lands(id: i64) -> impl Future<Output = Sent> + Send + 'static {
        let result = Ok(Delivery { partition: 0, offset: id });
        async move { Sent { id, measured_from: None, result } }
    }

    #[tokio::test]
    async fn a_row_stays_taken_until_it_is_removed() {
        let mut flight = Flight::new();
        (1..=3).for_each(|id| flight.sends(id, lands(id)));
        while let Some(sent) = flight.next().await {
            flight.delivered(sent.id);
        }
        assert!(flight.taken().iter().eq(&[1, 2, 3]));
        assert_eq!(flight.to_remove().len(), 3);
        flight.removed();
        assert!(flight.taken().is_empty() && flight.to_remove().is_empty());
    }

    #[tokio::test]
    async fn a_refusal_holds_until_all_have_landed() {
        let mut flight = Flight::new();
        flight.sends(1, lands(1));
        flight.sends(2, lands(2));
        flight.refused(1, Duration::ZERO);
        assert!(flight.taken().iter().eq(&[2]));
        let landed = [flight.next_or_hold().await, flight.next_or_hold().await];
        assert!(landed.iter().all(Option::is_some) && flight.is_held());
        assert!(flight.next_or_hold().await.is_none());
        assert!(!flight.is_held());
    }

    #[tokio::test]
    async fn a_row_that_is_handed_over_overtakes_none() {
        let mut flight = Flight::new();
        assert_eq!(flight.admits(1, 2), Admission::Next);
        flight.sends(1, lands(1));
        assert_eq!(flight.admits(1, 2), Admission::Taken);
        flight.more = true;
        assert_eq!(flight.admits(2, 2), Admission::FromTable, "others may be in the table");
        flight.more = false;
        flight.read(5);
        assert_eq!(flight.admits(4, 2), Admission::FromTable, "it may have been read and removed");
        assert_eq!(flight.admits(6, 2), Admission::Next);
        flight.sends(6, lands(6));
        assert_eq!(flight.admits(7, 2), Admission::FromTable, "too many are in flight");
        flight.refused(6, Duration::ZERO);
        assert_eq!(flight.admits(7, 2), Admission::FromTable, "the refused one comes first");
    }

    #[tokio::test]
    async fn delivered_rows_are_removed_together() {
        let mut flight = Flight::new();
        assert!(!flight.removes(2));
        flight.sends(1, lands(1));
        flight.delivered(1);
        assert!(!flight.removes(2) && flight.removes(1));
        flight.removal().await;
        assert!(flight.removes(2));
        flight.removed();
        assert!(!flight.removes(1) && flight.taken().is_empty());
    }

    #[tokio::test]
    async fn it_is_stuck_when_nothing_lands() {
        let mut flight = Flight::new();
        assert!(!flight.is_stuck(Duration::ZERO));
        flight.sends(1, std::future::pending());
        assert!(flight.is_stuck(Duration::ZERO));
        assert!(!flight.is_stuck(Duration::from_secs(3_600)));
    }
}
