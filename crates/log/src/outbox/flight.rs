//! The rows of the outbox that are in flight. No I/O.

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::time::{Duration, Instant};
use writ_contract::Timestamp;

use crate::producer::{Delivery, SendError};

/// The outcome of sending a row.
pub(super) struct Sent {
    pub(super) id: i64,
    pub(super) measured_from: Option<Timestamp>,
    pub(super) result: Result<Delivery, SendError>,
}

/// Rows that were read from the table and are not removed from it yet.
pub(super) struct Flight {
    under_way: FuturesUnordered<BoxFuture<'static, Sent>>,
    /// Ids of rows that are being sent, or are delivered but still in the table.
    taken: Vec<i64>,
    delivered: Vec<i64>,
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
            taken: Vec::new(),
            delivered: Vec::new(),
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
        self.taken.push(id);
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
    }

    /// Kafka has rejected a row. It must be sent again after `pause`.
    pub(super) fn refused(&mut self, id: i64, pause: Duration) {
        self.taken.retain(|taken| *taken != id);
        self.held_until = Some(Instant::now() + pause);
    }

    /// Delivered rows, which can be removed from the table.
    pub(super) fn to_remove(&self) -> &[i64] {
        &self.delivered
    }

    /// The delivered rows were removed from the table.
    pub(super) fn removed(&mut self) {
        let gone: std::collections::HashSet<i64> = self.delivered.drain(..).collect();
        self.taken.retain(|id| !gone.contains(id));
    }

    /// Rows that must not be read again.
    pub(super) fn taken(&self) -> &[i64] {
        &self.taken
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
        assert_eq!(flight.taken(), [1, 2, 3]);
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
        assert_eq!(flight.taken(), [2]);
        let landed = [flight.next_or_hold().await, flight.next_or_hold().await];
        assert!(landed.iter().all(Option::is_some) && flight.is_held());
        assert!(flight.next_or_hold().await.is_none());
        assert!(!flight.is_held());
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
