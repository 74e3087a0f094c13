//! "At least as fresh as": what a request wants to see, and waiting for it.

use std::time::Duration;

use axum::http::HeaderMap;
use tokio::time::{Instant, timeout_at};
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use utoipa::IntoParams;
use uuid::Uuid;
use writ_contract::ChainId;
use writ_policy::Position;
use writ_tokens::{EventToken, Wanted};

use super::refusal::Refusal;
use super::state::Api;
use crate::freshness::{EventName, Goal, Waiter};
use crate::read_model::applied;

const AT_LEAST_AS_FRESH: &str = "writ-at-least-as-fresh";
const PREFER: &str = "prefer";

/// The headers of a read, as they are described to clients.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes headers; they are read by name")]
pub(super) struct Fresh {
    /// `Writ-Consistency-Token`s of earlier answers and `event;<region>;<ce_source>;<ce_id>` tokens, joined by
    /// commas: the answer is at least as fresh as all of them.
    #[param(rename = "Writ-At-Least-As-Fresh")]
    at_least_as_fresh: Option<String>,
    /// `wait=<seconds>`: how long to wait for that.
    #[param(rename = "Prefer")]
    prefer: Option<String>,
    /// For platform services: the organization they ask about.
    #[param(rename = "Writ-Organization")]
    organization: Option<String>,
}

/// How long reads wait for the state they ask for.
#[derive(Debug, Clone, Copy)]
pub struct Waiting {
    /// Unless they say otherwise.
    pub usual: Duration,
    /// At most.
    pub longest: Duration,
}

/// What a request wants to see, and until when it waits.
#[derive(Debug)]
pub(super) struct Wish {
    /// Named by signed tokens.
    pub(super) states: Vec<Goal>,
    /// Named by anybody.
    pub(super) events: Vec<Goal>,
    deadline: Instant,
}

impl Api {
    /// Reads what a request about an organization wants to see.
    ///
    /// # Errors
    /// 400 for a token that is malformed, forged or of another organization.
    pub(super) fn wish(&self, headers: &HeaderMap, organization: Uuid) -> Result<Wish, Refusal> {
        let mut wish = Wish { states: Vec::new(), events: Vec::new(), deadline: Instant::now() + self.wait(headers) };
        for value in headers.get_all(AT_LEAST_AS_FRESH) {
            let text = value.to_str().map_err(|_| Refusal::bad_request("the consistency token is malformed"))?;
            let wanted = self.consistency_key.parse_joined(text, organization);
            for wanted in wanted.map_err(|error| Refusal::bad_request(error.to_string()))? {
                match wanted {
                    Wanted::State(token) => wish.states.extend(token.positions.into_iter().map(|position| {
                        let origin = position.origin.as_str().to_owned();
                        let chain = ChainId { organization, origin, stream: position.stream };
                        Goal::Reached(chain, (position.epoch, position.revision))
                    })),
                    Wanted::Event(event) => wish.events.push(self.event_goal(organization, event)?),
                }
            }
        }
        Ok(wish)
    }

    fn event_goal(&self, organization: Uuid, event: EventToken) -> Result<Goal, Refusal> {
        if !self.regions.contains(&event.region) {
            return Err(Refusal::bad_request("the event token names no region of this platform"));
        }
        let origin = event.region.as_str().to_owned();
        Ok(Goal::Decided(EventName { organization, origin, source: event.source, id: event.id }))
    }

    /// `Prefer: wait=<seconds>` (RFC 7240), as far as it is allowed. What is not a preference of
    /// that form is ignored, as the RFC says.
    fn wait(&self, headers: &HeaderMap) -> Duration {
        let preferences = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
        let asked = preferences.flat_map(|text| text.split([',', ';'])).find_map(seconds);
        asked.unwrap_or(self.waiting.usual).min(self.waiting.longest)
    }

    /// Waits until all goals are reached.
    ///
    /// # Errors
    /// 429 when too many wait, 503 when the time is over.
    pub(super) async fn wait_for(&self, goals: &[Goal], deadline: Instant) -> Result<(), Refusal> {
        for goal in goals {
            self.wait_for_one(goal, deadline).await?;
        }
        Ok(())
    }

    async fn wait_for_one(&self, goal: &Goal, deadline: Instant) -> Result<(), Refusal> {
        if self.is_reached(goal).await? {
            return Ok(());
        }
        let begun = Instant::now();
        let mut waiter = self.freshness.register(goal.clone())?;
        // Only now, registered, is it certain that no wake-up is missed.
        let reached = self.is_reached(goal).await? || sleep(&mut waiter, deadline).await;
        let outcome = if reached { "reached" } else { "behind" };
        metrics::histogram!("writ_freshness_wait_seconds", "outcome" => outcome).record(begun.elapsed());
        if reached { Ok(()) } else { Err(self.behind(goal)?) }
    }

    async fn is_reached(&self, goal: &Goal) -> Result<bool, Refusal> {
        match goal {
            Goal::Reached(chain, place) => Ok(self.place(chain)? >= *place),
            Goal::Decided(event) => Ok(applied::is_applied(&self.pool, event).await?),
        }
    }

    fn place(&self, chain: &ChainId) -> Result<(i64, i64), Refusal> {
        let position = self.index.read(|index| index.chain(chain).map_or(Position::START, |chain| chain.position()))?;
        Ok((position.epoch, position.revision))
    }

    /// How far behind this region is.
    fn behind(&self, goal: &Goal) -> Result<Refusal, Refusal> {
        let detail = match goal {
            Goal::Decided(event) => format!("the event is not applied here yet; it comes from {}", event.origin),
            Goal::Reached(chain, (epoch, revision)) => {
                let have = self.place(chain)?;
                format!(
                    "the {} chain of {} is at {}.{} here, wanted is {epoch}.{revision}",
                    chain.stream, chain.origin, have.0, have.1
                )
            }
        };
        Ok(Refusal::behind(detail))
    }
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

impl Wish {
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }
}

fn seconds(preference: &str) -> Option<Duration> {
    let (name, value) = preference.split_once('=')?;
    let seconds = name.trim().eq_ignore_ascii_case("wait").then(|| value.trim().trim_matches('"').parse().ok())??;
    Duration::try_from_secs_f64(seconds).ok()
}
