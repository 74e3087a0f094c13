//! "At least as fresh as": what a request wants to see, and waiting for it.

use std::time::Duration;

use axum::http::HeaderMap;
use tokio::time::{Instant, timeout_at};
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use writ_contract::{ChainId, OrganizationId, Revision};
use writ_service::http::InFlight;
use writ_tokens::{EventToken, SeenRevision, Wanted};

use super::error::ReadError;
use crate::app::ReadApp;
use crate::freshness::{EventName, Goal, Waiter};
use crate::read_model::applied_events;

const AT_LEAST_AS_FRESH: &str = "writ-at-least-as-fresh";
const PREFER: &str = "prefer";

/// What a request wants to see, and until when it waits.
#[derive(Debug)]
pub(super) struct Wish {
    /// Named by signed tokens.
    pub(super) states: Vec<Goal>,
    /// Named by event tokens, which anybody can write.
    pub(super) events: Vec<Goal>,
    /// When to give up.
    pub(super) deadline: Instant,
}

impl Wish {
    /// Reads the headers of a request about an organization.
    ///
    /// # Errors
    /// 400 for a token that is malformed, forged or of another organization.
    pub(super) fn of(app: &ReadApp, headers: &HeaderMap, organization: OrganizationId) -> Result<Self, ReadError> {
        let deadline = Instant::now() + wait_time(app, headers);
        let mut wish = Self { states: Vec::new(), events: Vec::new(), deadline };
        for value in headers.get_all(AT_LEAST_AS_FRESH) {
            let text = value.to_str().map_err(|_| ReadError::bad_request("the consistency token is malformed"))?;
            let wanted = app.consistency_key.parse_joined(text, organization);
            for wanted in wanted.map_err(|error| ReadError::bad_request(error.to_string()))? {
                match wanted {
                    Wanted::State(token) => wish.states.extend(token.seen.into_iter().map(reached)),
                    Wanted::Event(event) => wish.events.push(decided(app, organization, event)?),
                }
            }
        }
        Ok(wish)
    }
}

fn reached(seen: SeenRevision) -> Goal {
    Goal::Reached(seen.chain, seen.revision)
}

fn decided(app: &ReadApp, organization: OrganizationId, event: EventToken) -> Result<Goal, ReadError> {
    let EventToken { region: origin, producer, id: ce_id } = event;
    if !app.regions.contains(&origin) {
        return Err(ReadError::bad_request("the event token names no region of this platform"));
    }
    Ok(Goal::Decided(EventName { organization, origin, producer, ce_id }))
}

/// `Prefer: wait=<seconds>` (RFC 7240), up to the maximum. Preferences of another form are ignored, as the RFC says.
fn wait_time(app: &ReadApp, headers: &HeaderMap) -> Duration {
    let preferences = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    let asked = preferences.flat_map(|text| text.split([',', ';'])).find_map(seconds);
    asked.unwrap_or(app.wait_times.default).min(app.wait_times.max)
}

/// Waits until all goals are reached. Requests that wait have limits of their own and do not count as in flight.
///
/// # Errors
/// 429 if too many requests wait, 503 if a goal is not reached in time.
pub(super) async fn wait_for(
    app: &ReadApp,
    goals: &[Goal],
    deadline: Instant,
    in_flight: &InFlight,
) -> Result<(), ReadError> {
    for goal in goals {
        wait_for_one(app, goal, deadline, in_flight).await?;
    }
    Ok(())
}

async fn wait_for_one(app: &ReadApp, goal: &Goal, deadline: Instant, in_flight: &InFlight) -> Result<(), ReadError> {
    if is_reached(app, goal).await? {
        return Ok(());
    }
    let begun = Instant::now();
    let mut waiter = app.freshness.register(goal.clone())?;
    // Checked again now that it is registered: only from here on no wake-up is missed.
    let reached = is_reached(app, goal).await? || in_flight.waiting(sleep(&mut waiter, deadline)).await?;
    let outcome = if reached { "reached" } else { "behind" };
    metrics::histogram!("writ_freshness_wait_seconds", "outcome" => outcome).record(begun.elapsed());
    if reached { Ok(()) } else { Err(behind(app, goal)) }
}

async fn is_reached(app: &ReadApp, goal: &Goal) -> Result<bool, ReadError> {
    match goal {
        Goal::Reached(chain, revision) => Ok(applied(app, chain) >= *revision),
        Goal::Decided(event) => Ok(applied_events::is_applied(&app.pool, event).await?),
    }
}

fn applied(app: &ReadApp, chain: &ChainId) -> Revision {
    app.index.read(|index| index.head(chain).map_or(Revision::START, |head| head.revision))
}

/// Says how far behind this region is.
fn behind(app: &ReadApp, goal: &Goal) -> ReadError {
    ReadError::behind(match goal {
        Goal::Decided(event) => format!("the event is not applied here yet; it comes from {}", event.origin),
        Goal::Reached(chain, revision) => {
            let (stream, origin, applied) = (chain.stream, chain.origin, applied(app, chain));
            format!("the {stream} chain of {origin} is at {applied} here, wanted is {revision}")
        }
    })
}

/// Whether the waiter is woken in time. The request is then linked to the span in which what it
/// waited for came into force.
async fn sleep(waiter: &mut Waiter, deadline: Instant) -> bool {
    let request = Span::current();
    let waiting = tracing::info_span!("wait for freshness");
    let woken = timeout_at(deadline, waiter.woken()).instrument(waiting).await;
    let reached = woken.is_ok();
    woken.into_iter().for_each(|seen_in| request.add_link(seen_in));
    reached
}

fn seconds(preference: &str) -> Option<Duration> {
    let (name, value) = preference.split_once('=')?;
    let seconds = name.trim().eq_ignore_ascii_case("wait").then(|| value.trim().trim_matches('"').parse().ok())??;
    Duration::try_from_secs_f64(seconds).ok()
}
