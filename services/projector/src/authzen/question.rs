//! What a client asks: one evaluation, or several with defaults.

use serde_json::Value;

use super::reader::{
    InvalidEvaluation, JsonObject, check_properties, fields_of, optional_array, optional_object, text, wrong_type,
};

/// Maximum number of items of a request.
const MAX_ITEMS: usize = 1_000;

/// One question: may this subject do this to that resource?
#[derive(Debug, Clone, PartialEq)]
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

/// When the list of answers ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Semantic {
    /// Never.
    #[default]
    ExecuteAll,
    /// With the first denial.
    DenyOnFirstDeny,
    /// With the first permit.
    PermitOnFirstPermit,
}

impl Semantic {
    /// Whether the item that got this decision is the last one.
    pub fn ends_with(self, decision: bool) -> bool {
        match self {
            Self::ExecuteAll => false,
            Self::DenyOnFirstDeny => !decision,
            Self::PermitOnFirstPermit => decision,
        }
    }

    fn read(name: &str) -> Option<Self> {
        match name {
            "execute_all" => Some(Self::ExecuteAll),
            "deny_on_first_deny" => Some(Self::DenyOnFirstDeny),
            "permit_on_first_permit" => Some(Self::PermitOnFirstPermit),
            _ => None,
        }
    }
}

/// Several questions. A bad item is answered by a denial, the others are decided.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessEvaluations {
    /// When to stop.
    pub semantic: Semantic,
    /// In the order of the request.
    pub items: Vec<Result<AccessEvaluation, InvalidEvaluation>>,
}

/// A request to the evaluations endpoint.
#[derive(Debug, Clone, PartialEq)]
pub enum EvaluationsRequest {
    /// No items: like a request to the evaluation endpoint.
    One(AccessEvaluation),
    /// At least one item.
    Several(AccessEvaluations),
}

impl AccessEvaluation {
    /// Reads the body of the evaluation endpoint.
    ///
    /// # Errors
    /// If a field is missing or has the wrong type.
    pub fn read(body: &[u8]) -> Result<Self, InvalidEvaluation> {
        let body = json(body)?;
        Self::merged(fields_of(&body, "the body")?, &JsonObject::new())
    }

    /// Takes each of the four objects from the item, else whole from the defaults.
    fn merged(item: &JsonObject, defaults: &JsonObject) -> Result<Self, InvalidEvaluation> {
        let find = |name: &'static str| Ok(optional_object(item, name)?.or(optional_object(defaults, name)?));
        let must = |name: &'static str| find(name)?.ok_or_else(|| InvalidEvaluation::Missing(name.to_owned()));
        let (subject, action) = (must("subject")?, must("action")?);
        let resource = must("resource")?;
        let evaluation = Self {
            subject_type: text(subject, "subject", "type")?,
            subject_id: text(subject, "subject", "id")?,
            action: text(action, "action", "name")?,
            resource_type: text(resource, "resource", "type")?,
            resource_id: text(resource, "resource", "id")?,
        };
        for (entity, name) in [(subject, "subject"), (action, "action"), (resource, "resource")] {
            check_properties(entity, name)?;
        }
        find("context")?;
        Ok(evaluation)
    }
}

impl EvaluationsRequest {
    /// Reads the body of the evaluations endpoint.
    ///
    /// # Errors
    /// If a field outside the items is missing or has the wrong type.
    pub fn read(body: &[u8]) -> Result<Self, InvalidEvaluation> {
        let body = json(body)?;
        let fields = fields_of(&body, "the body")?;
        let semantic = semantic(fields)?;
        let items = optional_array(fields, "evaluations")?.unwrap_or_default();
        if items.is_empty() {
            return AccessEvaluation::merged(fields, &JsonObject::new()).map(Self::One);
        }
        if items.len() > MAX_ITEMS {
            return Err(InvalidEvaluation::TooMany(MAX_ITEMS));
        }
        check_defaults(fields)?;
        let items =
            items.iter().map(|item| AccessEvaluation::merged(fields_of(item, "an item of evaluations")?, fields));
        Ok(Self::Several(AccessEvaluations { semantic, items: items.collect() }))
    }
}

/// A default of the wrong type spoils the request, not only the items that use it.
fn check_defaults(fields: &JsonObject) -> Result<(), InvalidEvaluation> {
    for name in ["subject", "action", "resource", "context"] {
        optional_object(fields, name)?;
    }
    Ok(())
}

fn semantic(fields: &JsonObject) -> Result<Semantic, InvalidEvaluation> {
    const FIELD: &str = "options.evaluations_semantic";
    const EXPECTED: &str = "execute_all, deny_on_first_deny or permit_on_first_permit";
    let Some(options) = optional_object(fields, "options")? else {
        return Ok(Semantic::default());
    };
    match options.get("evaluations_semantic") {
        None | Some(Value::Null) => Ok(Semantic::default()),
        Some(Value::String(name)) => Semantic::read(name).ok_or_else(|| wrong_type(FIELD, EXPECTED)),
        Some(_) => Err(wrong_type(FIELD, EXPECTED)),
    }
}

fn json(body: &[u8]) -> Result<Value, InvalidEvaluation> {
    serde_json::from_slice(body).map_err(|_| InvalidEvaluation::NotJson)
}
