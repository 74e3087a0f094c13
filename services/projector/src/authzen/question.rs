//! What a client asks: one evaluation, or several with defaults.

use serde_json::Value;

use super::reader::{Fields, Invalid, fields_of, optional_array, optional_object, properties, text, wrong_type};

/// So many items may be asked in one request.
const MOST_ITEMS: usize = 1_000;

/// One question: may this subject do this to that resource?
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
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
    /// What the client says of subject, action and resource, by these names, and `context`.
    pub said: Said,
}

/// Properties the client brings along. Conditions read them; facts of the read model win.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Said {
    /// Of the subject.
    pub subject: Fields,
    /// Of the action.
    pub action: Fields,
    /// Of the resource.
    pub resource: Fields,
    /// Of the circumstances.
    pub context: Fields,
}

/// When the list of answers ends before all items are decided.
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
pub struct Evaluations {
    /// When to stop.
    pub semantic: Semantic,
    /// In the order of the request.
    pub items: Vec<Result<Evaluation, Invalid>>,
}

/// What the evaluations endpoint is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// No items: as the evaluation endpoint.
    One(Evaluation),
    /// At least one item.
    Several(Evaluations),
}

impl Evaluation {
    /// Reads the body of the evaluation endpoint.
    ///
    /// # Errors
    /// What is missing or mistyped.
    pub fn read(body: &[u8]) -> Result<Self, Invalid> {
        let body = json(body)?;
        Self::merged(fields_of(&body, "the body")?, &Fields::new())
    }

    /// Takes each of the four objects from the item, else whole from the defaults.
    fn merged(item: &Fields, defaults: &Fields) -> Result<Self, Invalid> {
        let find = |name: &'static str| Ok(optional_object(item, name)?.or(optional_object(defaults, name)?));
        let must = |name: &'static str| find(name)?.ok_or_else(|| Invalid::Missing(name.to_owned()));
        let (subject, action) = (must("subject")?, must("action")?);
        let resource = must("resource")?;
        Ok(Self {
            subject_type: text(subject, "subject", "type")?,
            subject_id: text(subject, "subject", "id")?,
            action: text(action, "action", "name")?,
            resource_type: text(resource, "resource", "type")?,
            resource_id: text(resource, "resource", "id")?,
            said: Said {
                subject: properties(subject, "subject")?,
                action: properties(action, "action")?,
                resource: properties(resource, "resource")?,
                context: find("context")?.cloned().unwrap_or_default(),
            },
        })
    }
}

impl Request {
    /// Reads the body of the evaluations endpoint.
    ///
    /// # Errors
    /// What is missing or mistyped outside the items.
    pub fn read(body: &[u8]) -> Result<Self, Invalid> {
        let body = json(body)?;
        let fields = fields_of(&body, "the body")?;
        let semantic = semantic(fields)?;
        let items = optional_array(fields, "evaluations")?.unwrap_or_default();
        if items.is_empty() {
            return Evaluation::merged(fields, &Fields::new()).map(Self::One);
        }
        if items.len() > MOST_ITEMS {
            return Err(Invalid::TooMany(MOST_ITEMS));
        }
        check_defaults(fields)?;
        let items = items.iter().map(|item| Evaluation::merged(fields_of(item, "an item of evaluations")?, fields));
        Ok(Self::Several(Evaluations { semantic, items: items.collect() }))
    }
}

/// A default of the wrong type spoils the request, not only the items that use it.
fn check_defaults(fields: &Fields) -> Result<(), Invalid> {
    for name in ["subject", "action", "resource", "context"] {
        optional_object(fields, name)?;
    }
    Ok(())
}

fn semantic(fields: &Fields) -> Result<Semantic, Invalid> {
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

fn json(body: &[u8]) -> Result<Value, Invalid> {
    serde_json::from_slice(body).map_err(|_| Invalid::NotJson)
}
