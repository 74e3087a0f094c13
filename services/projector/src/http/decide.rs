//! From a question to a decision.

use std::time::Instant;

use uuid::Uuid;
use writ_contract::Timestamp;
use writ_contract::policy_change::{Head, PrincipalKind};
use writ_policy::index::decide::WHOLE_TYPE;
use writ_policy::{Decision, Index, Query};

use super::caller::Caller;
use super::refusal::Refusal;
use super::state::Api;
use crate::authzen::Evaluation;
use crate::decisions::Decided;

/// What it takes to ask about others.
const READ_DECISIONS: &str = "read_decisions";
const IDENTITY: &str = "identity";

impl Api {
    /// Decides one question, and has the decision recorded.
    ///
    /// # Errors
    /// 403 when the caller may not ask about the subject.
    pub(super) fn decide(&self, caller: &Caller, asked: &Evaluation) -> Result<(bool, Vec<Head>), Refusal> {
        let begun = Instant::now();
        let subject = Subject::of(asked);
        let decided = self.index.read(|index| {
            let now = Timestamp::now();
            self.may_ask(index, caller, &subject, now).then(|| index.decide(&self.query(caller, &subject, asked), now))
        })?;
        let decision = decided.ok_or_else(Refusal::forbidden)?;
        measure(&decision, begun);
        let heads = decision.heads.clone();
        let outcome = decision.decision;
        self.recorder
            .record(|| Decided::new(&self.region, caller.organization(), caller.actor(), subject.id, asked, decision));
        Ok((outcome, heads))
    }

    /// About itself, or about anyone with the role or the team for it.
    fn may_ask(&self, index: &Index, caller: &Caller, subject: &Subject, now: Timestamp) -> bool {
        let Caller::Principal(principal) = caller else { return true };
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
            region: Some(self.region.as_str()),
        };
        index.decide(&reader, now).decision
    }

    fn query<'a>(&'a self, caller: &Caller, subject: &Subject, asked: &'a Evaluation) -> Query<'a> {
        Query {
            organization: caller.organization(),
            subject: subject.id,
            subject_kind: subject.kind,
            action: &asked.action,
            resource_type: &asked.resource_type,
            resource_id: &asked.resource_id,
            region: Some(self.region.as_str()),
        }
    }
}

/// Whom is asked about.
struct Subject {
    id: Uuid,
    kind: PrincipalKind,
}

impl Subject {
    /// A type or id that no principal has stands for nobody, which is a denial and no error.
    fn of(asked: &Evaluation) -> Self {
        let kind = match asked.subject_type.as_str() {
            "user" => Some(PrincipalKind::User),
            "system_account" => Some(PrincipalKind::SystemAccount),
            _ => None,
        };
        let nobody = Self { id: Uuid::nil(), kind: PrincipalKind::User };
        match (kind, Uuid::try_parse(&asked.subject_id)) {
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
