//! The bodies of requests as AuthZEN has them. Read without copying: what nobody reads is never more than a slice of the
//! body.

use std::borrow::Cow;

use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::json;
use serde_json::value::RawValue;
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};
use writ_service::Faults;

/// Most items of one request.
pub(super) const MAX_ITEMS: usize = 1_000;
/// Maximum length of `properties` and `context`, in bytes.
pub(super) const MAX_PROPERTIES: usize = 16 * 1_024;
/// Maximum number of objects and arrays around a value of `properties` and `context`, they themselves included.
pub(super) const MAX_DEPTH: usize = 16;

/// A subject or resource; fields that are not listed are ignored.
#[derive(Debug, Clone, PartialEq, Eq, ToSchema)]
pub(super) struct AskedEntity<'a> {
    /// Its type.
    #[schema(rename = "type")]
    pub(super) kind: Cow<'a, str>,
    /// Its id.
    pub(super) id: Cow<'a, str>,
    /// What the client says of it: at most 16 KiB, nested at most 16 deep.
    properties: Option<Properties>,
}

/// An action; fields that are not listed are ignored.
#[derive(Debug, Clone, PartialEq, Eq, ToSchema)]
pub(super) struct AskedAction<'a> {
    /// Its name.
    pub(super) name: Cow<'a, str>,
    /// What the client says of it: at most 16 KiB, nested at most 16 deep.
    properties: Option<Properties>,
}

/// An access evaluation request.
#[derive(Debug, Clone, PartialEq, Eq, ToSchema)]
#[schema(as = EvaluationRequest, example = json!({
    "subject": {"type": "user", "id": "0198a3c2-6f0e-7d19-8c55-0a3f5e0d7b11"},
    "action": {"name": "view"},
    "resource": {"type": "control_planes", "id": "cp-eu-1"},
}))]
pub struct EvaluationBody<'a> {
    /// Who wants to do something.
    pub(super) subject: AskedEntity<'a>,
    /// What they want to do.
    pub(super) action: AskedAction<'a>,
    /// On what.
    pub(super) resource: AskedEntity<'a>,
    /// What the client says of the circumstances: at most 16 KiB, nested at most 16 deep.
    pub(super) context: Option<Properties>,
}

/// An access evaluations request: what its items have in common, and the items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluationsBody<'a> {
    pub(super) defaults: ItemDefaults<'a>,
    /// Each as it was sent.
    pub(super) evaluations: Vec<&'a str>,
    pub(super) semantic: Semantic,
}

/// What items have in common. What is wrong inside an object counts only for items that use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ItemDefaults<'a> {
    pub(super) subject: Option<Result<AskedEntity<'a>, Faults>>,
    pub(super) action: Option<Result<AskedAction<'a>, Faults>>,
    pub(super) resource: Option<Result<AskedEntity<'a>, Faults>>,
}

/// What is special about one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ItemBody<'a> {
    pub(super) subject: Option<AskedEntity<'a>>,
    pub(super) action: Option<AskedAction<'a>>,
    pub(super) resource: Option<AskedEntity<'a>>,
}

/// When the list of answers ends before all items are decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum Semantic {
    /// Never.
    #[default]
    ExecuteAll,
    /// With the first denial.
    DenyOnFirstDeny,
    /// With the first permit.
    PermitOnFirstPermit,
}

/// An object whose members are the client's affair. Nothing reads them yet, and only their size is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Properties;

impl<'a> EvaluationBody<'a> {
    /// Reads a body without items.
    pub(super) fn read(json: &'a str) -> Result<Self, Faults> {
        let members: BodyMembers<'a> = members(json, "")?;
        let subject = required(members.subject, "subject").and_then(|json| AskedEntity::read(json, "subject"));
        let action = required(members.action, "action").and_then(AskedAction::read);
        let resource = required(members.resource, "resource").and_then(|json| AskedEntity::read(json, "resource"));
        let context = properties(members.context, "", "context");
        let ((subject, action), (resource, context)) =
            Faults::both(Faults::both(subject, action), Faults::both(resource, context))?;
        Ok(Self { subject, action, resource, context })
    }
}

impl<'a> EvaluationsBody<'a> {
    /// Reads all but the items.
    pub(super) fn read(json: &'a str) -> Result<Self, Faults> {
        let members: BodyMembers<'a> = members(json, "")?;
        let subject = object(members.subject, "subject");
        let action = object(members.action, "action");
        let resource = object(members.resource, "resource");
        let rest = Faults::both(properties(members.context, "", "context"), Semantic::read(members.options));
        let ((subject, action), (resource, rest)) =
            Faults::both(Faults::both(subject, action), Faults::both(resource, rest))?;
        let defaults = ItemDefaults {
            subject: subject.map(|json| AskedEntity::read(json, "subject")),
            action: action.map(AskedAction::read),
            resource: resource.map(|json| AskedEntity::read(json, "resource")),
        };
        Ok(Self { defaults, evaluations: items(members.evaluations)?, semantic: rest.1 })
    }
}

impl<'a> ItemBody<'a> {
    /// Reads one item.
    pub(super) fn read(json: &'a str) -> Result<Self, Faults> {
        let members: BodyMembers<'a> = members(json, "")?;
        let entity =
            |json: Option<&'a RawValue>, name| json.map(|json| AskedEntity::read(json.get(), name)).transpose();
        let subject = entity(members.subject, "subject");
        let action = members.action.map(|json| AskedAction::read(json.get())).transpose();
        let resource = entity(members.resource, "resource");
        let context = properties(members.context, "", "context");
        let ((subject, action), (resource, _)) =
            Faults::both(Faults::both(subject, action), Faults::both(resource, context))?;
        Ok(Self { subject, action, resource })
    }
}

impl<'a> AskedEntity<'a> {
    fn read(json: &'a str, name: &'static str) -> Result<Self, Faults> {
        let members: ObjectMembers<'a> = members(json, name)?;
        let (kind, id) = (text(members.kind, name, "type"), text(members.id, name, "id"));
        let properties = properties(members.properties, name, "properties");
        let ((kind, id), properties) = Faults::both(Faults::both(kind, id), properties)?;
        Ok(Self { kind, id, properties })
    }
}

impl<'a> AskedAction<'a> {
    fn read(json: &'a str) -> Result<Self, Faults> {
        let members: ObjectMembers<'a> = members(json, "action")?;
        let properties = properties(members.properties, "action", "properties");
        let (name, properties) = Faults::both(text(members.name, "action", "name"), properties)?;
        Ok(Self { name, properties })
    }
}

impl Semantic {
    const ALL: [(&'static str, Self); 3] = [
        ("execute_all", Self::ExecuteAll),
        ("deny_on_first_deny", Self::DenyOnFirstDeny),
        ("permit_on_first_permit", Self::PermitOnFirstPermit),
    ];

    /// Whether the item that got this decision is the last one.
    pub fn ends_with(self, decision: bool) -> bool {
        match self {
            Self::ExecuteAll => false,
            Self::DenyOnFirstDeny => !decision,
            Self::PermitOnFirstPermit => decision,
        }
    }

    fn read(options: Option<&RawValue>) -> Result<Self, Faults> {
        let Some(options) = options else { return Ok(Self::default()) };
        let members: OptionMembers<'_> = members(options.get(), "options")?;
        let Some(name) = members.evaluations_semantic else { return Ok(Self::default()) };
        let name = text(Some(name), "options", "evaluations_semantic")?;
        let known = Self::ALL.into_iter().find(|(known, _)| *known == name);
        known.map(|(_, semantic)| semantic).ok_or_else(|| {
            let reason = format!("must be {}", Self::ALL.map(|(name, _)| name).join(" or "));
            Faults::of("options.evaluations_semantic", "enum", reason)
        })
    }
}

/// The members of a body and of an item, unread.
#[derive(Deserialize)]
struct BodyMembers<'a> {
    #[serde(borrow)]
    subject: Option<&'a RawValue>,
    #[serde(borrow)]
    action: Option<&'a RawValue>,
    #[serde(borrow)]
    resource: Option<&'a RawValue>,
    #[serde(borrow)]
    context: Option<&'a RawValue>,
    #[serde(borrow)]
    evaluations: Option<&'a RawValue>,
    #[serde(borrow)]
    options: Option<&'a RawValue>,
}

/// The members of a subject, action or resource, unread.
#[derive(Deserialize)]
struct ObjectMembers<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    properties: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct OptionMembers<'a> {
    #[serde(borrow)]
    evaluations_semantic: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// At most [`MAX_ITEMS`] items; more are an error.
struct Items<'a>(Vec<&'a str>);

impl<'de: 'a, 'a> Deserialize<'de> for Items<'a> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_seq(ItemsVisitor).map(Self)
    }
}

struct ItemsVisitor;

impl<'de> Visitor<'de> for ItemsVisitor {
    type Value = Vec<&'de str>;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<&'de str>, A::Error> {
        let mut read = Vec::new();
        while let Some(item) = items.next_element::<&'de RawValue>()? {
            if read.len() == MAX_ITEMS {
                return Err(A::Error::invalid_length(MAX_ITEMS + 1, &"fewer items"));
            }
            read.push(item.get());
        }
        Ok(read)
    }
}

/// Reads the members of an object, which is known to be JSON.
fn members<'a, T: de::Deserialize<'a>>(json: &'a str, name: &str) -> Result<T, Faults> {
    let read = if json.starts_with('{') { serde_json::from_str(json).ok() } else { None };
    read.ok_or_else(|| Faults::of(name, "is_object", "must be an object"))
}

fn required<'a>(json: Option<&'a RawValue>, name: &str) -> Result<&'a str, Faults> {
    json.map(RawValue::get).ok_or_else(|| Faults::missing(name))
}

/// An object, if there is one, unread.
fn object<'a>(json: Option<&'a RawValue>, name: &str) -> Result<Option<&'a str>, Faults> {
    match json.map(RawValue::get) {
        Some(json) if !json.starts_with('{') => Err(Faults::of(name, "is_object", "must be an object")),
        json => Ok(json),
    }
}

fn items(json: Option<&RawValue>) -> Result<Vec<&str>, Faults> {
    let Some(json) = json.map(RawValue::get) else { return Ok(Vec::new()) };
    if !json.starts_with('[') {
        return Err(Faults::of("evaluations", "is_array", "must be an array"));
    }
    let too_many = |_| Faults::of("evaluations", "max_items", format!("must have at most {MAX_ITEMS} items"));
    serde_json::from_str(json).map(|Items(items)| items).map_err(too_many)
}

fn text<'a>(json: Option<&'a RawValue>, object: &str, member: &str) -> Result<Cow<'a, str>, Faults> {
    let field = || format!("{object}.{member}");
    let json = json.ok_or_else(|| Faults::missing(&field()))?;
    let read = serde_json::from_str(json.get());
    read.map(|Text(text)| text).map_err(|_| Faults::of(&field(), "is_string", "must be a string"))
}

/// Checks the size of `properties` or `context`, and reads nothing of it.
fn properties(json: Option<&RawValue>, object: &str, member: &str) -> Result<Option<Properties>, Faults> {
    let Some(json) = json.map(RawValue::get) else { return Ok(None) };
    let (rule, reason) = match json {
        json if !json.starts_with('{') => ("is_object", "must be an object".to_owned()),
        json if json.len() > MAX_PROPERTIES => ("max_bytes", format!("must have at most {MAX_PROPERTIES} bytes")),
        json if depth(json) > MAX_DEPTH => ("max_depth", format!("must be nested at most {MAX_DEPTH} deep")),
        _ => return Ok(Some(Properties)),
    };
    let field = if object.is_empty() { member.to_owned() } else { format!("{object}.{member}") };
    Err(Faults::of(&field, rule, reason))
}

/// How many objects and arrays are around the innermost value of a JSON text.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

impl PartialSchema for Properties {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Object).into()
    }
}

impl ToSchema for Properties {}

/// Either items, or one question without any.
impl PartialSchema for EvaluationsBody<'_> {
    fn schema() -> RefOr<Schema> {
        let entity = || Ref::from_schema_name(<AskedEntity<'_>>::name());
        let object =
            || ObjectBuilder::new().schema_type([Type::Object, Type::Null].into_iter().collect::<SchemaType>());
        let base = || {
            let semantic =
                OneOfBuilder::new().item(Semantic::schema()).item(ObjectBuilder::new().schema_type(Type::Null));
            let options = object().property("evaluations_semantic", semantic);
            let context = object()
                .description(Some("What the client says of the circumstances: at most 16 KiB, nested at most 16 deep"));
            ObjectBuilder::new().schema_type(Type::Object).property("context", context).property("options", options)
        };
        let array_or_null = [Type::Array, Type::Null].into_iter().collect::<SchemaType>();
        let no_items = ArrayBuilder::new().schema_type(array_or_null).items(anything("")).max_items(Some(0));
        let one = base()
            .property("subject", entity())
            .property("action", Ref::from_schema_name(<AskedAction<'_>>::name()))
            .property("resource", entity())
            .property("evaluations", no_items);
        let one = ["subject", "action", "resource"].into_iter().fold(one, ObjectBuilder::required);
        let item = anything("An evaluation request without what all have in common; one that is not is denied");
        let several = base()
            .property("subject", object().description(Some("Of all items that name no other")))
            .property("action", object().description(Some("Of all items that name no other")))
            .property("resource", object().description(Some("Of all items that name no other")))
            .property("evaluations", ArrayBuilder::new().items(item).min_items(Some(1)).max_items(Some(MAX_ITEMS)))
            .required("evaluations");
        let example = json!({
            "subject": {"type": "user", "id": "0198a3c2-6f0e-7d19-8c55-0a3f5e0d7b11"},
            "action": {"name": "view"},
            "evaluations": [
                {"resource": {"type": "control_planes", "id": "cp-eu-1"}},
                {"resource": {"type": "control_planes", "id": "cp-eu-2"}, "action": {"name": "edit"}},
            ],
            "options": {"evaluations_semantic": "execute_all"},
        });
        AnyOfBuilder::new().item(several).item(one).examples([example]).into()
    }
}

fn anything(description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::AnyValue)
        .description(Some(description).filter(|text| !text.is_empty()))
}

impl ToSchema for EvaluationsBody<'_> {
    fn name() -> std::borrow::Cow<'static, str> {
        "EvaluationsRequest".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((<AskedEntity<'_>>::name().into(), <AskedEntity<'_>>::schema()));
        schemas.push((<AskedAction<'_>>::name().into(), <AskedAction<'_>>::schema()));
        <AskedEntity<'_>>::schemas(schemas);
    }
}
