//! How many requests are worked on at a time, in total and for each organization, and how many of an organization arrive in
//! a second. What is too much is refused before the body is read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::{Extensions, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use writ_contract::OrganizationId;

use super::{RequestLimits, refused};
use crate::problem::Problem;

/// Seconds until a client should try again.
const RETRY_AFTER: u32 = 1;
const OVERLOADED: &str = "overloaded";
/// How long a client that sends too many requests waits for being told so. One that does not heed `Retry-After` would take
/// the processor from the others otherwise.
const HELD_BACK: Duration = Duration::from_secs(1);
/// Such answers that are held back at a time; more are given at once.
const MOST_HELD_BACK: usize = 1_024;
/// After so long without a request, an organization has regained all it may use at once.
const REGAINED: Duration = Duration::from_secs(1);
/// Organizations that are remembered before those without requests are forgotten.
const REMEMBERED: usize = 10_000;

/// The places of a process. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Places {
    total: Arc<Semaphore>,
    held_back: Arc<Semaphore>,
    organizations: Arc<Mutex<HashMap<OrganizationId, Usage>>>,
    limits: RequestLimits,
}

/// What an organization uses.
#[derive(Debug)]
struct Usage {
    in_flight: usize,
    /// Requests that may arrive at once; as many as a second has are regained in a second.
    allowance: f64,
    at: Instant,
}

/// A request that is worked on; in its extensions. Clones stand for the same request.
#[derive(Debug, Clone)]
pub struct InFlight(Option<Arc<Held>>);

/// What a request holds until it is answered.
#[derive(Debug)]
struct Held {
    places: Places,
    place: Mutex<Option<OwnedSemaphorePermit>>,
    shares: Mutex<Vec<Share>>,
}

/// One request in the count of an organization.
#[derive(Debug)]
struct Share {
    places: Places,
    organization: OrganizationId,
}

impl Places {
    pub(super) fn new(limits: RequestLimits) -> Self {
        let held_back = Arc::new(Semaphore::new(MOST_HELD_BACK));
        Self { total: Arc::new(Semaphore::new(limits.concurrent)), held_back, organizations: Arc::default(), limits }
    }

    fn take(&self) -> Result<OwnedSemaphorePermit, Problem> {
        self.total.clone().try_acquire_owned().map_err(|_| {
            refused("requests");
            Problem::unavailable("Too many requests are in flight", RETRY_AFTER).of_type(OVERLOADED)
        })
    }

    fn organizations(&self) -> MutexGuard<'_, HashMap<OrganizationId, Usage>> {
        lock(&self.organizations)
    }
}

impl Usage {
    fn new(rate: u32, now: Instant) -> Self {
        Self { in_flight: 0, allowance: rate.into(), at: now }
    }

    /// Whether a request may arrive now, of at most `rate` in a second.
    fn takes_one(&mut self, rate: u32, now: Instant) -> bool {
        let regained = now.duration_since(self.at).as_secs_f64() * f64::from(rate);
        self.allowance = (self.allowance + regained).min(rate.into());
        self.at = now;
        let takes = self.allowance >= 1.0;
        if takes {
            self.allowance -= 1.0;
        }
        takes
    }

    /// Nothing is lost if it is forgotten: it would be as new.
    fn is_idle(&self, now: Instant) -> bool {
        self.in_flight == 0 && now.duration_since(self.at) > REGAINED
    }
}

impl InFlight {
    /// The request with these extensions. Without a server around it, nothing is limited.
    pub fn of(extensions: &Extensions) -> Self {
        extensions.get().cloned().unwrap_or(Self(None))
    }

    /// Counts the request as one of the organization until it is answered. To be called for a caller who is known: anybody
    /// can claim to be of an organization. `rate` is the number of requests a second if the organization has one of its own.
    ///
    /// # Errors
    /// 429 if the organization has as many requests in flight, or in this second, as it may.
    pub fn charge(&self, organization: OrganizationId, rate: Option<u32>) -> Result<(), Problem> {
        let Some(held) = &self.0 else { return Ok(()) };
        let (limits, now) = (&held.places.limits, Instant::now());
        let rate = rate.unwrap_or(limits.rate_per_organization);
        let mut organizations = held.places.organizations();
        if organizations.len() >= REMEMBERED {
            organizations.retain(|_, usage| !usage.is_idle(now));
        }
        let usage = organizations.entry(organization).or_insert_with(|| Usage::new(rate, now));
        if usage.in_flight >= limits.concurrent_per_organization {
            return Err(over_quota("concurrent requests"));
        }
        if !usage.takes_one(rate, now) {
            return Err(over_quota("requests a second"));
        }
        usage.in_flight += 1;
        drop(organizations);
        lock(&held.shares).push(Share { places: held.places.clone(), organization });
        Ok(())
    }

    /// Gives the request's place to others while it waits for `event`, which must have limits of its own.
    ///
    /// # Errors
    /// 503 if there is no place afterwards.
    pub async fn waiting<T>(&self, event: impl Future<Output = T>) -> Result<T, Problem> {
        let Some(held) = &self.0 else { return Ok(event.await) };
        drop(lock(&held.place).take());
        let result = event.await;
        let place = held.places.take()?;
        *lock(&held.place) = Some(place);
        Ok(result)
    }

    /// How long the body may take to arrive.
    pub(crate) fn body_time(&self) -> Duration {
        self.0.as_ref().map_or(RequestLimits::default().body_time, |held| held.places.limits.body_time)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut organizations = self.places.organizations();
        if let Some(usage) = organizations.get_mut(&self.organization) {
            usage.in_flight -= 1;
        }
    }
}

/// Refuses a request of an organization that sends too many.
pub fn over_quota(quota: &'static str) -> Problem {
    refused("organization");
    Problem::too_many_requests(format!("The organization sends too many requests (quota: {quota})"), RETRY_AFTER)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes a place for the request, or refuses it before its body is read.
pub(super) async fn admit(places: Places, mut request: Request, next: Next) -> Response {
    let place = match places.take() {
        Ok(place) => place,
        Err(problem) => return problem.into_response(),
    };
    let held_back = places.held_back.clone();
    let held = Arc::new(Held { places, place: Mutex::new(Some(place)), shares: Mutex::default() });
    request.extensions_mut().insert(InFlight(Some(held.clone())));
    let response = next.run(request).await;
    // Held until here, whatever became of the request.
    drop(held);
    if response.status() == StatusCode::TOO_MANY_REQUESTS
        && let Ok(_permit) = held_back.try_acquire()
    {
        tokio::time::sleep(HELD_BACK).await;
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organization_regains_what_it_uses() {
        let begun = Instant::now();
        let at = |millis| begun + Duration::from_millis(millis);
        let mut usage = Usage::new(10, begun);
        assert_eq!((0..12).filter(|_| usage.takes_one(10, begun)).count(), 10);
        assert!(usage.takes_one(10, at(100)) && !usage.takes_one(10, at(100)));
        assert_eq!((0..20).filter(|_| usage.takes_one(10, at(10_000))).count(), 10, "no more than those of a second");
        assert!(!usage.is_idle(at(10_500)) && usage.is_idle(at(11_500)));
    }
}
