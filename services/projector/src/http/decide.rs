//! From a question to a decision.

use std::time::Instant;

use uuid::Uuid;
use writ_contract::policy_change::Head;
use writ_contract::row::PrincipalKind;
use writ_contract::{PrincipalId, Timestamp};
use writ_policy::index::decide::WHOLE_TYPE;
use writ_policy::{Decision, Index, Query};

use super::caller::ReadCaller;
use super::error::ReadError;
use crate::app::ReadApp;
use crate::authzen::AccessEvaluation;
use crate::decisions;

/// The action that allows asking about others, on the entity type [`IDENTITY`].
const READ_DECISIONS: &str = "read_decisions";
const IDENTITY: &str = "identity";

/// Decides one question, and has the decision recorded.
///
/// # Errors
/// 403 if the caller may not ask about the subject.
pub(super) fn decide(
    app: &ReadApp,
    caller: &ReadCaller,
    asked: &AccessEvaluation,
) -> Result<(bool, Vec<Head>), ReadError> {
    let begun = Instant::now();
    let subject = Subject::of(asked);
    let decided = app.index.read(|index| {
        let now = Timestamp::now();
        let query = query(app, caller, &subject, asked);
        may_ask(app, index, caller, &subject, now).then(|| index.decide(&query, now))
    });
    let decision = decided.ok_or_else(ReadError::forbidden)?;
    measure(&decision, begun);
    let (outcome, heads) = (decision.decision, decision.heads.clone());
    app.recorder.record(|| decisions::record_of(caller.organization(), caller.actor(), subject.id, asked, decision));
    Ok((outcome, heads))
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

fn query<'a>(app: &ReadApp, caller: &ReadCaller, subject: &Subject, asked: &'a AccessEvaluation) -> Query<'a> {
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
    fn of(asked: &AccessEvaluation) -> Self {
        let kind = match asked.subject_type.as_str() {
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

fn measure(decision: &Decision, begun: Instant) {
    let outcome = if decision.decision { "allow" } else { "deny" };
    metrics::counter!("writ_decisions_total", "decision" => outcome, "reason" => decision.reason.as_str()).increment(1);
    metrics::histogram!("writ_decision_duration_seconds").record(begun.elapsed());
}
