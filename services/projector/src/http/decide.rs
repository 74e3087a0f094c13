//! From questions to decisions.
//!
//! All questions of a request are decided from one state, without keeping the state from changing meanwhile: they are
//! decided in slices, other tasks run in between, and if the state has changed by then, it starts over. A state that
//! changes all the time is held for the last attempt.

use std::time::{Duration, Instant};

use uuid::Uuid;
use writ_contract::policy_change::Head;
use writ_contract::row::PrincipalKind;
use writ_contract::{OrganizationId, PLATFORM_ORGANIZATION, PrincipalId, Timestamp};
use writ_policy::index::decide::WHOLE_TYPE;
use writ_policy::{Decision, Index, Query, Reason};

use super::answer::SeenRevisions;
use super::caller::{Credentials, ReadCaller};
use super::error::ReadError;
use crate::app::ReadApp;
use crate::authzen::{AccessAnswer, AccessEvaluation, AccessEvaluations};
use crate::decisions;

/// The action that allows asking about others, on the entity type [`IDENTITY`].
const READ_DECISIONS: &str = "read_decisions";
const IDENTITY: &str = "identity";
/// How long the index is held at a time; one question may take longer.
const SLICE: Duration = Duration::from_millis(1);
/// How often it starts over before the state is held.
const TRIES: usize = 4;
/// How long the last attempt may hold the state.
const LAST_HOLD: Duration = Duration::from_millis(200);
/// How long all attempts together may take.
const BUDGET: Duration = Duration::from_secs(5);

/// The answers to a request, all from one state.
#[derive(Debug)]
pub(super) struct Decided {
    /// The organization asked about.
    pub(super) organization: OrganizationId,
    /// The state.
    pub(super) seen: SeenRevisions,
    /// In the order of the questions, up to the one that ended the list.
    pub(super) answers: Vec<AccessAnswer>,
}

/// Decides one question, and has the decision recorded.
///
/// # Errors
/// 401 if the caller is no longer known, 403 if the caller may not ask about the subject.
pub(super) fn decide_one(
    app: &ReadApp,
    credentials: &Credentials,
    asked: &AccessEvaluation<'_>,
) -> Result<(OrganizationId, SeenRevisions, bool), ReadError> {
    let (caller, subject, decision) = app.index.read(|index| {
        let caller = credentials.authenticate(index)?;
        let (subject, decision) = decide(app, index, &caller, asked, Timestamp::now())?;
        Ok::<_, ReadError>((caller, subject, decision))
    })?;
    let (outcome, organization) = (decision.decision, caller.organization());
    let mut seen = SeenRevisions::default();
    seen.add(&decision.heads);
    measure(outcome, decision.reason);
    app.recorder.record(organization, || decisions::record_of(organization, caller.actor(), subject, asked, decision));
    Ok((organization, seen, outcome))
}

/// Decides several questions, and has the decisions recorded. A question that cannot be decided is a denial.
///
/// # Errors
/// 401 if the caller is no longer known, 503 if it takes too long.
pub(super) async fn decide_several(
    app: &ReadApp,
    credentials: &Credentials,
    asked: &AccessEvaluations<'_>,
) -> Result<Decided, ReadError> {
    let begun = Instant::now();
    for _ in 0..TRIES {
        if let Some(session) = in_slices(app, credentials, asked, begun).await? {
            return Ok(session.finish(app, asked));
        }
    }
    let session = app.index.read(|index| {
        let mut session = Session::begin(credentials, index)?;
        session.decide_for(LAST_HOLD, app, index, asked).then_some(session).ok_or_else(ReadError::too_long)
    })?;
    Ok(session.finish(app, asked))
}

/// `None` if the state has changed meanwhile.
async fn in_slices(
    app: &ReadApp,
    credentials: &Credentials,
    asked: &AccessEvaluations<'_>,
    begun: Instant,
) -> Result<Option<Session>, ReadError> {
    let mut session = app.index.read(|index| Session::begin(credentials, index))?;
    loop {
        let done = app.index.read(|index| {
            let same = session.state == state_of(index, session.caller.organization());
            same.then(|| session.decide_for(SLICE, app, index, asked))
        });
        match done {
            None => return Ok(None),
            Some(true) => return Ok(Some(session)),
            Some(false) if begun.elapsed() > BUDGET => return Err(ReadError::too_long()),
            Some(false) => tokio::task::yield_now().await,
        }
    }
}

/// What decisions about an organization rest on: the heads of its chains, and of the catalogue.
fn state_of(index: &Index, organization: OrganizationId) -> Vec<Head> {
    let chains = [organization, PLATFORM_ORGANIZATION].into_iter().flat_map(|id| index.heads_of(id));
    chains.map(|standing| standing.head).collect()
}

/// What is decided so far, and the state it is decided from.
struct Session {
    caller: ReadCaller,
    state: Vec<Head>,
    now: Timestamp,
    outcomes: Vec<Outcome>,
    /// What decisions about entities and about whole types rest on.
    used: [Vec<Head>; 2],
}

enum Outcome {
    Decided { subject: PrincipalId, decision: bool, reason: Reason },
    Refused(AccessAnswer),
}

impl Session {
    fn begin(credentials: &Credentials, index: &Index) -> Result<Self, ReadError> {
        let caller = credentials.authenticate(index)?;
        let state = state_of(index, caller.organization());
        Ok(Self { caller, state, now: Timestamp::now(), outcomes: Vec::new(), used: [Vec::new(), Vec::new()] })
    }

    /// Decides the next questions. Whether those were all.
    fn decide_for(&mut self, limit: Duration, app: &ReadApp, index: &Index, asked: &AccessEvaluations<'_>) -> bool {
        let begun = Instant::now();
        while let Some(item) = asked.item(self.outcomes.len()) {
            let decided = item.map_err(ReadError::from).and_then(|item| {
                let (subject, decision) = decide(app, index, &self.caller, &item, self.now)?;
                self.used[usize::from(item.resource_id == WHOLE_TYPE)] = decision.heads;
                Ok(Outcome::Decided { subject, decision: decision.decision, reason: decision.reason })
            });
            let outcome = decided.unwrap_or_else(|refusal| {
                Outcome::Refused(AccessAnswer::refused(refusal.status().as_u16(), refusal.detail().to_owned()))
            });
            let allowed = matches!(outcome, Outcome::Decided { decision: true, .. });
            self.outcomes.push(outcome);
            if asked.semantic().ends_with(allowed) {
                return true;
            }
            if begun.elapsed() >= limit {
                return false;
            }
        }
        true
    }

    /// Only now are the decisions recorded: those of an attempt that started over were never answered.
    fn finish(self, app: &ReadApp, asked: &AccessEvaluations<'_>) -> Decided {
        let (organization, actor) = (self.caller.organization(), self.caller.actor());
        let mut seen = SeenRevisions::default();
        self.used.iter().for_each(|heads| seen.add(heads));
        let mut answers = Vec::with_capacity(self.outcomes.len());
        for (number, outcome) in self.outcomes.into_iter().enumerate() {
            let (subject, decision, reason) = match outcome {
                Outcome::Decided { subject, decision, reason } => (subject, decision, reason),
                Outcome::Refused(answer) => {
                    answers.push(answer);
                    continue;
                }
            };
            measure(decision, reason);
            answers.push(AccessAnswer::decided(decision));
            // Read a second time, rather than kept from the first: a thousand of them are larger than the request.
            let Some(Ok(item)) = asked.item(number) else { continue };
            let heads = || self.used[usize::from(item.resource_id == WHOLE_TYPE)].clone();
            app.recorder.record(organization, || {
                let decision = Decision { decision, reason, matches: Vec::new(), heads: heads() };
                decisions::record_of(organization, actor.clone(), subject, &item, decision)
            });
        }
        Decided { organization, seen, answers }
    }
}

/// The decision, and the subject it is about.
///
/// # Errors
/// 403 if the caller may not ask about the subject.
fn decide(
    app: &ReadApp,
    index: &Index,
    caller: &ReadCaller,
    asked: &AccessEvaluation<'_>,
    now: Timestamp,
) -> Result<(PrincipalId, Decision), ReadError> {
    let begun = Instant::now();
    let subject = Subject::of(asked);
    if !may_ask(app, index, caller, &subject, now) {
        return Err(ReadError::forbidden());
    }
    let decision = index.decide(&query(app, caller, &subject, asked), now);
    metrics::histogram!("writ_decision_duration_seconds").record(begun.elapsed());
    Ok((subject.id, decision))
}

/// A principal may ask about itself, and about others if a role allows it to read decisions.
fn may_ask(app: &ReadApp, index: &Index, caller: &ReadCaller, subject: &Subject, now: Timestamp) -> bool {
    let ReadCaller::Principal(principal) = caller else { return true };
    if subject.id == principal.principal && subject.kind == principal.kind {
        return true;
    }
    let reader = Query {
        organization: principal.organization,
        subject: principal.principal,
        subject_kind: principal.kind,
        action: READ_DECISIONS,
        resource_type: IDENTITY,
        resource_id: WHOLE_TYPE,
        region: Some(app.region),
    };
    index.decide(&reader, now).decision
}

fn query<'a>(app: &ReadApp, caller: &ReadCaller, subject: &Subject, asked: &'a AccessEvaluation<'_>) -> Query<'a> {
    Query {
        organization: caller.organization(),
        subject: subject.id,
        subject_kind: subject.kind,
        action: &asked.action,
        resource_type: &asked.resource_type,
        resource_id: &asked.resource_id,
        region: Some(app.region),
    }
}

/// The principal asked about.
struct Subject {
    id: PrincipalId,
    kind: PrincipalKind,
}

impl Subject {
    /// A type or id that no principal has names nobody, which leads to a denial, not to an error.
    fn of(asked: &AccessEvaluation<'_>) -> Self {
        let kind = match &*asked.subject_type {
            "user" => Some(PrincipalKind::User),
            "system_account" => Some(PrincipalKind::SystemAccount),
            _ => None,
        };
        let nobody = Self { id: PrincipalId::from_uuid(Uuid::nil()), kind: PrincipalKind::User };
        match (kind, asked.subject_id.parse()) {
            (Some(kind), Ok(id)) => Self { id, kind },
            _ => nobody,
        }
    }
}

fn measure(decision: bool, reason: Reason) {
    let outcome = if decision { "allow" } else { "deny" };
    metrics::counter!("writ_decisions_total", "decision" => outcome, "reason" => reason.as_str()).increment(1);
}
