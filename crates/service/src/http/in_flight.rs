//! How many requests are worked on at a time, in total and for each organization. What is too much is refused before the
//! body is read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::Request;
use axum::http::Extensions;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use writ_contract::OrganizationId;

use super::{RequestLimits, refused};
use crate::problem::Problem;

/// Seconds until a client should try again.
const RETRY_AFTER: u32 = 1;
const OVERLOADED: &str = "overloaded";

/// The places of a process. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Places {
    total: Arc<Semaphore>,
    organizations: Arc<Mutex<HashMap<OrganizationId, usize>>>,
    limits: RequestLimits,
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
        Self { total: Arc::new(Semaphore::new(limits.concurrent)), organizations: Arc::default(), limits }
    }

    fn take(&self) -> Result<OwnedSemaphorePermit, Problem> {
        self.total.clone().try_acquire_owned().map_err(|_| {
            refused("requests");
            Problem::unavailable("Too many requests are in flight", RETRY_AFTER).of_type(OVERLOADED)
        })
    }

    fn organizations(&self) -> MutexGuard<'_, HashMap<OrganizationId, usize>> {
        lock(&self.organizations)
    }
}

impl InFlight {
    /// The request with these extensions. Without a server around it, nothing is limited.
    pub fn of(extensions: &Extensions) -> Self {
        extensions.get().cloned().unwrap_or(Self(None))
    }

    /// Counts the request as one of the organization until it is answered. To be called for a caller who is known: anybody
    /// can claim to be of an organization.
    ///
    /// # Errors
    /// 429 if the organization has as many requests in flight as it may.
    pub fn charge(&self, organization: OrganizationId) -> Result<(), Problem> {
        let Some(held) = &self.0 else { return Ok(()) };
        let mut organizations = held.places.organizations();
        let count = organizations.entry(organization).or_default();
        if *count >= held.places.limits.concurrent_per_organization {
            refused("organization");
            return Err(Problem::too_many_requests(
                "Too many requests of the organization are in flight (quota: concurrent requests)",
                RETRY_AFTER,
            ));
        }
        *count += 1;
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
        if let Some(count) = organizations.get_mut(&self.organization) {
            *count -= 1;
            if *count == 0 {
                organizations.remove(&self.organization);
            }
        }
    }
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
    let held = Arc::new(Held { places, place: Mutex::new(Some(place)), shares: Mutex::default() });
    request.extensions_mut().insert(InFlight(Some(held.clone())));
    let response = next.run(request).await;
    // Held until here, whatever became of the request.
    drop(held);
    response
}
