use std::time::Duration;

use futures::FutureExt;
use opentelemetry::trace::{SpanId, TraceFlags, TraceId, TraceState};
use proptest::prelude::*;
use tokio::time::timeout;
use writ_contract::Stream;

use super::*;
use crate::testing::{HOME, LOCAL, organization, region};

/// Nobody traces here.
const SEEN_IN: SpanContext = SpanContext::NONE;
const DEADLINE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_waiter_learns_in_which_span_its_goal_was_reached() {
    let freshness = freshness();
    let mut state = freshness.register(goal(1, at(1, 5))).unwrap();
    let mut outcome = freshness.register(Goal::Decided(event("a"))).unwrap();
    let seen_in = |trace: u128| {
        let (trace, span) = (TraceId::from(trace), SpanId::from(7));
        SpanContext::new(trace, span, TraceFlags::SAMPLED, false, TraceState::NONE)
    };
    freshness.reached(&chain(1), at(1, 5), &seen_in(1));
    freshness.decided(&event("a"), &seen_in(2));
    assert_eq!(timeout(DEADLINE, state.woken()).await.unwrap(), seen_in(1));
    assert_eq!(timeout(DEADLINE, outcome.woken()).await.unwrap(), seen_in(2));
}

fn freshness() -> Freshness {
    Freshness::new(WaiterLimits { per_organization: 2, total: 3 })
}

fn at(epoch: i64, number: i64) -> Revision {
    Revision { epoch, number }
}

fn chain(number: u32) -> ChainId {
    ChainId { organization: organization(number), origin: region(HOME), stream: Stream::Identity }
}

fn goal(organization: u32, revision: Revision) -> Goal {
    Goal::Reached(chain(organization), revision)
}

fn event(id: &str) -> EventName {
    EventName {
        organization: organization(1),
        origin: region(LOCAL),
        producer: "gateways".parse().unwrap(),
        ce_id: id.parse().unwrap(),
    }
}

#[tokio::test]
async fn a_waiter_wakes_at_its_revision_and_not_before() {
    let freshness = freshness();
    let mut waiter = freshness.register(goal(1, at(1, 5))).unwrap();
    freshness.reached(&chain(1), at(1, 4), &SEEN_IN);
    freshness.reached(&chain(2), at(1, 9), &SEEN_IN);
    assert_eq!(waiter.woken().now_or_never(), None);
    freshness.reached(&chain(1), at(1, 5), &SEEN_IN);
    timeout(DEADLINE, waiter.woken()).await.unwrap();
}

#[tokio::test]
async fn a_later_epoch_is_after_every_revision() {
    let freshness = freshness();
    let mut waiter = freshness.register(goal(1, at(1, 500))).unwrap();
    freshness.reached(&chain(1), at(2, 1), &SEEN_IN);
    timeout(DEADLINE, waiter.woken()).await.unwrap();
}

#[tokio::test]
async fn an_event_wakes_those_who_wait_for_it() {
    let freshness = freshness();
    let mut one = freshness.register(Goal::Decided(event("a"))).unwrap();
    let mut other = freshness.register(Goal::Decided(event("b"))).unwrap();
    freshness.decided(&event("a"), &SEEN_IN);
    timeout(DEADLINE, one.woken()).await.unwrap();
    assert_eq!(other.woken().now_or_never(), None);
}

#[tokio::test]
async fn what_is_announced_between_registering_and_sleeping_is_not_lost() {
    let freshness = freshness();
    let mut waiter = freshness.register(goal(1, at(1, 1))).unwrap();
    freshness.reached(&chain(1), at(1, 1), &SEEN_IN);
    timeout(DEADLINE, waiter.woken()).await.unwrap();
}

#[test]
fn waiters_are_limited_per_organization_and_in_total() {
    let freshness = freshness();
    let mut held: Vec<_> = (0..2).map(|_| freshness.register(goal(1, at(1, 1))).unwrap()).collect();
    assert!(freshness.register(goal(1, at(1, 1))).is_err());
    held.push(freshness.register(goal(2, at(1, 1))).unwrap());
    assert!(freshness.register(goal(3, at(1, 1))).is_err());
    held.remove(0);
    assert!(freshness.register(goal(3, at(1, 1))).is_ok());
}

#[tokio::test]
async fn whoever_gives_up_no_longer_counts() {
    let freshness = freshness();
    let mut waiter = freshness.register(goal(1, at(1, 1))).unwrap();
    let gave_up = timeout(Duration::ZERO, waiter.woken()).await;
    assert!(gave_up.is_err());
    drop(waiter);
    assert_eq!(freshness.waiting(), 0);
    freshness.reached(&chain(1), at(1, 1), &SEEN_IN);
}

/// Readers and one writer on several threads, with the order of steps the module asks for:
/// every reader returns.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_wake_up_is_lost_under_contention() {
    use std::sync::atomic::{AtomicI64, Ordering};
    const LAST: i64 = 2_000;
    let limits = WaiterLimits { per_organization: 10_000, total: 10_000 };
    let (freshness, applied) = (Freshness::new(limits), Arc::new(AtomicI64::new(0)));
    let readers: Vec<_> = (1..=LAST)
        .map(|revision| {
            let (freshness, applied) = (freshness.clone(), applied.clone());
            tokio::spawn(async move {
                let mut waiter = freshness.register(goal(1, at(1, revision))).unwrap();
                if applied.load(Ordering::SeqCst) < revision {
                    waiter.woken().await;
                }
                assert!(applied.load(Ordering::SeqCst) >= revision);
            })
        })
        .collect();
    for revision in 1..=LAST {
        applied.store(revision, Ordering::SeqCst);
        freshness.reached(&chain(1), at(1, revision), &SEEN_IN);
        tokio::task::yield_now().await;
    }
    for reader in readers {
        timeout(DEADLINE, reader).await.unwrap().unwrap();
    }
    assert_eq!(freshness.waiting(), 0);
}

proptest! {
    /// After any sequence of steps, exactly the waiters whose revision was announced are awake.
    #[test]
    fn exactly_those_wake_whose_revision_was_announced(wanted in prop::collection::vec((0u32..3, 1i64..6), 0..12),
                                                    announced in prop::collection::vec((0u32..3, 1i64..6), 0..12)) {
        let limits = WaiterLimits { per_organization: 100, total: 100 };
        let freshness = Freshness::new(limits);
        let mut waiters: Vec<_> = wanted
            .iter()
            .map(|(organization, revision)| freshness.register(goal(*organization, at(1, *revision))).unwrap())
            .collect();
        for (organization, revision) in &announced {
            freshness.reached(&chain(*organization), at(1, *revision), &SEEN_IN);
        }
        for ((organization, revision), waiter) in wanted.iter().zip(&mut waiters) {
            let expected = announced.iter().any(|(whose, at)| whose == organization && at >= revision);
            prop_assert_eq!(waiter.woken().now_or_never().is_some(), expected);
        }
        drop(waiters);
        prop_assert_eq!(freshness.waiting(), 0);
    }
}
