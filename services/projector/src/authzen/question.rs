//! What a client asks: one evaluation, or several with defaults.

use std::borrow::Cow;
use std::fmt;

use writ_service::Faults;
use writ_service::extract::{JsonBytes, NotJson};

use super::wire::{EvaluationBody, EvaluationsBody, ItemBody, Semantic};

/// One question: may this subject do this to that resource? Borrows from the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessEvaluation<'a> {
    /// `user` or `system_account`; anything else is unknown.
    pub subject_type: Cow<'a, str>,
    /// Id of the subject.
    pub subject_id: Cow<'a, str>,
    /// What the subject wants to do.
    pub action: Cow<'a, str>,
    /// Key of the resource's entity type.
    pub resource_type: Cow<'a, str>,
    /// Id of the resource.
    pub resource_id: Cow<'a, str>,
}

/// Several questions, each read when it is its turn. A bad item is answered by a denial; the others are decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessEvaluations<'a>(EvaluationsBody<'a>);

/// What the evaluations endpoint is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EvaluationsRequest<'a> {
    /// No items: as the evaluation endpoint.
    One(AccessEvaluation<'a>),
    /// At least one item.
    Several(AccessEvaluations<'a>),
}

/// Why a request, or one item of it, cannot be answered. Names fields, never values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvalidEvaluation {
    /// The body is not JSON.
    NotJson(NotJson),
    /// The body does not have the form of a question.
    Body(Faults),
    /// An item does not have the form of a question.
    Item(Faults),
}

impl fmt::Display for InvalidEvaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, faults) = match self {
            Self::NotJson(error) => return error.fmt(f),
            Self::Body(faults) => ("the body", faults),
            Self::Item(faults) => ("an item of evaluations", faults),
        };
        for (number, (field, rule, reason)) in faults.iter().enumerate() {
            let separator = if number > 0 { "; " } else { "" };
            match (field.as_str(), rule) {
                ("", "is_object") => write!(f, "{separator}{whole} must be an object")?,
                (field, "required") => write!(f, "{separator}{field} is missing")?,
                (field, _) => write!(f, "{separator}{field} {reason}")?,
            }
        }
        Ok(())
    }
}

impl<'a> AccessEvaluation<'a> {
    /// Reads the body of the evaluation endpoint.
    ///
    /// # Errors
    /// If a field is missing, has the wrong type, is too large or occurs twice.
    pub fn read(body: &'a JsonBytes) -> Result<Self, InvalidEvaluation> {
        Self::of(text(body)?)
    }

    fn of(json: &'a str) -> Result<Self, InvalidEvaluation> {
        let EvaluationBody { subject, action, resource, context: _ } =
            EvaluationBody::read(json).map_err(InvalidEvaluation::Body)?;
        Ok(Self {
            subject_type: subject.kind,
            subject_id: subject.id,
            action: action.name,
            resource_type: resource.kind,
            resource_id: resource.id,
        })
    }
}

impl<'a> EvaluationsRequest<'a> {
    /// Reads the body of the evaluations endpoint, but not its items.
    ///
    /// # Errors
    /// If a field outside the items is missing, has the wrong type, is too large or occurs twice.
    pub fn read(body: &'a JsonBytes) -> Result<Self, InvalidEvaluation> {
        let json = text(body)?;
        let evaluations = EvaluationsBody::read(json).map_err(InvalidEvaluation::Body)?;
        match evaluations.evaluations.is_empty() {
            true => AccessEvaluation::of(json).map(Self::One),
            false => Ok(Self::Several(AccessEvaluations(evaluations))),
        }
    }
}

impl AccessEvaluations<'_> {
    /// When to stop.
    pub fn semantic(&self) -> Semantic {
        self.0.semantic
    }

    /// Reads an item. Takes each of the three objects from it, else whole from what the items have in common. `None`
    /// after the last one.
    pub fn item(&self, number: usize) -> Option<Result<AccessEvaluation<'_>, InvalidEvaluation>> {
        let json = self.0.evaluations.get(number)?;
        Some(ItemBody::read(json).and_then(|item| self.complete(item)).map_err(InvalidEvaluation::Item))
    }

    fn complete<'s>(&'s self, item: ItemBody<'s>) -> Result<AccessEvaluation<'s>, Faults> {
        let defaults = &self.0.defaults;
        let subject = match item.subject {
            Some(own) => Ok((own.kind, own.id)),
            None => default(&defaults.subject, "subject")
                .map(|shared| (Cow::Borrowed(&*shared.kind), Cow::Borrowed(&*shared.id))),
        };
        let action = match item.action {
            Some(own) => Ok(own.name),
            None => default(&defaults.action, "action").map(|shared| Cow::Borrowed(&*shared.name)),
        };
        let resource = match item.resource {
            Some(own) => Ok((own.kind, own.id)),
            None => default(&defaults.resource, "resource")
                .map(|shared| (Cow::Borrowed(&*shared.kind), Cow::Borrowed(&*shared.id))),
        };
        let ((subject, action), resource) = Faults::both(Faults::both(subject, action), resource)?;
        let ((subject_type, subject_id), (resource_type, resource_id)) = (subject, resource);
        Ok(AccessEvaluation { subject_type, subject_id, action, resource_type, resource_id })
    }
}

/// What the items have in common, if it is right.
fn default<'s, T>(shared: &'s Option<Result<T, Faults>>, name: &str) -> Result<&'s T, Faults> {
    match shared {
        Some(Ok(shared)) => Ok(shared),
        Some(Err(faults)) => Err(faults.clone()),
        None => Err(Faults::missing(name)),
    }
}

fn text(body: &JsonBytes) -> Result<&str, InvalidEvaluation> {
    body.text().map_err(InvalidEvaluation::NotJson)?.map_err(InvalidEvaluation::Body)
}
