//! What a client asks: one evaluation, or several with defaults.

use std::fmt;

use deserr::Deserr;
use writ_service::Faults;
use writ_service::extract::{JsonBytes, NotJson};

use super::wire::{EvaluationBody, EvaluationsBody, Item, ItemBody, MAX_ITEMS, Semantic, Shared};

/// One question: may this subject do this to that resource?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessEvaluation {
    /// `user` or `system_account`; anything else is unknown.
    pub subject_type: String,
    /// Id of the subject.
    pub subject_id: String,
    /// What the subject wants to do.
    pub action: String,
    /// Key of the resource's entity type.
    pub resource_type: String,
    /// Id of the resource.
    pub resource_id: String,
}

/// Several questions. A bad item is answered by a denial; the others are decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessEvaluations {
    /// When to stop.
    pub semantic: Semantic,
    /// In the order of the request.
    pub items: Vec<Result<AccessEvaluation, InvalidEvaluation>>,
}

/// What the evaluations endpoint is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EvaluationsRequest {
    /// No items: as the evaluation endpoint.
    One(AccessEvaluation),
    /// At least one item.
    Several(AccessEvaluations),
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
                ("", _) => write!(f, "{separator}{whole} must be an object")?,
                (field, "required") => write!(f, "{separator}{field} is missing")?,
                (field, _) => write!(f, "{separator}{field} {reason}")?,
            }
        }
        Ok(())
    }
}

impl AccessEvaluation {
    /// Reads the body of the evaluation endpoint.
    ///
    /// # Errors
    /// If a field is missing or has the wrong type.
    pub fn read(body: &JsonBytes) -> Result<Self, InvalidEvaluation> {
        read(body).map(|body: EvaluationBody| body.into())
    }
}

impl From<EvaluationBody> for AccessEvaluation {
    fn from(body: EvaluationBody) -> Self {
        Self {
            subject_type: body.subject.kind,
            subject_id: body.subject.id,
            action: body.action.name,
            resource_type: body.resource.kind,
            resource_id: body.resource.id,
        }
    }
}

impl EvaluationsRequest {
    /// Reads the body of the evaluations endpoint.
    ///
    /// # Errors
    /// If a field outside the items is missing or has the wrong type.
    pub fn read(body: &JsonBytes) -> Result<Self, InvalidEvaluation> {
        let mut body: EvaluationsBody = read(body)?;
        let items = body.evaluations.take().unwrap_or_default();
        if items.is_empty() {
            return body.complete(ItemBody::default()).map(Self::One).map_err(InvalidEvaluation::Body);
        }
        if items.len() > MAX_ITEMS {
            return Err(InvalidEvaluation::Body(too_many_items()));
        }
        let semantic = body.options.as_ref().and_then(|options| options.evaluations_semantic).unwrap_or_default();
        let complete = |Item(item)| item.and_then(|item| body.complete(item)).map_err(InvalidEvaluation::Item);
        Ok(Self::Several(AccessEvaluations { semantic, items: items.into_iter().map(complete).collect() }))
    }
}

impl EvaluationsBody {
    /// Takes each of the three objects from the item, else whole from what the items have in common.
    fn complete(&self, item: ItemBody) -> Result<AccessEvaluation, Faults> {
        let subject = one_of(item.subject, &self.subject, "subject");
        let action = one_of(item.action, &self.action, "action");
        let resource = one_of(item.resource, &self.resource, "resource");
        let ((subject, action), resource) = Faults::both(Faults::both(subject, action), resource)?;
        Ok(EvaluationBody { subject, action, resource, context: None }.into())
    }
}

fn one_of<T: Clone>(own: Option<T>, shared: &Option<Shared<T>>, name: &str) -> Result<T, Faults> {
    match (own, shared) {
        (Some(own), _) => Ok(own),
        (None, Some(Shared(shared))) => shared.clone(),
        (None, None) => Err(Faults::missing(name)),
    }
}

fn read<T: Deserr<Faults>>(body: &JsonBytes) -> Result<T, InvalidEvaluation> {
    body.read().map_err(InvalidEvaluation::NotJson)?.map_err(InvalidEvaluation::Body)
}

fn too_many_items() -> Faults {
    Faults::of("evaluations", "max_items", format!("must have at most {MAX_ITEMS} items"))
}
