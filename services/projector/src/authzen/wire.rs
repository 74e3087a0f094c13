//! The bodies of requests as AuthZEN has them.

use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use serde_json::json;
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};
use writ_service::Faults;

/// Most items of one request.
pub(super) const MAX_ITEMS: usize = 1_000;

/// A subject or resource; fields that are not listed are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Deserr, ToSchema)]
#[deserr(error = Faults)]
pub(super) struct AskedEntity {
    /// Its type.
    #[deserr(rename = "type")]
    #[schema(rename = "type")]
    pub(super) kind: String,
    /// Its id.
    pub(super) id: String,
    /// What the client says of it.
    #[deserr(default)]
    properties: Option<Properties>,
}

/// An action; fields that are not listed are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Deserr, ToSchema)]
#[deserr(error = Faults)]
pub(super) struct AskedAction {
    /// Its name.
    pub(super) name: String,
    /// What the client says of it.
    #[deserr(default)]
    properties: Option<Properties>,
}

/// An access evaluation request.
#[derive(Debug, Clone, PartialEq, Eq, Deserr, ToSchema)]
#[deserr(error = Faults)]
#[schema(as = EvaluationRequest, example = json!({
    "subject": {"type": "user", "id": "0198a3c2-6f0e-7d19-8c55-0a3f5e0d7b11"},
    "action": {"name": "view"},
    "resource": {"type": "control_planes", "id": "cp-eu-1"},
}))]
pub struct EvaluationBody {
    /// Who wants to do something.
    pub(super) subject: AskedEntity,
    /// What they want to do.
    pub(super) action: AskedAction,
    /// On what.
    pub(super) resource: AskedEntity,
    /// What the client says of the circumstances.
    #[deserr(default)]
    pub(super) context: Option<Properties>,
}

/// An access evaluations request: what its items have in common, and the items.
#[derive(Debug, Clone, PartialEq, Eq, Deserr)]
#[deserr(error = Faults)]
pub struct EvaluationsBody {
    #[deserr(default)]
    pub(super) subject: Option<Shared<AskedEntity>>,
    #[deserr(default)]
    pub(super) action: Option<Shared<AskedAction>>,
    #[deserr(default)]
    pub(super) resource: Option<Shared<AskedEntity>>,
    #[deserr(default)]
    pub(super) context: Option<Properties>,
    #[deserr(default)]
    pub(super) evaluations: Option<Vec<Item>>,
    #[deserr(default)]
    pub(super) options: Option<Options>,
}

/// What is special about one item.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserr)]
#[deserr(error = Faults)]
pub(super) struct ItemBody {
    #[deserr(default)]
    pub(super) subject: Option<AskedEntity>,
    #[deserr(default)]
    pub(super) action: Option<AskedAction>,
    #[deserr(default)]
    pub(super) resource: Option<AskedEntity>,
    #[deserr(default)]
    context: Option<Properties>,
}

/// How the items are evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Deserr)]
#[deserr(error = Faults)]
pub(super) struct Options {
    #[deserr(default)]
    pub(super) evaluations_semantic: Option<Semantic>,
}

/// When the list of answers ends before all items are decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserr, ToSchema)]
#[deserr(error = Faults)]
#[schema(rename_all = "snake_case")]
pub enum Semantic {
    /// Never.
    #[default]
    #[deserr(rename = "execute_all")]
    ExecuteAll,
    /// With the first denial.
    #[deserr(rename = "deny_on_first_deny")]
    DenyOnFirstDeny,
    /// With the first permit.
    #[deserr(rename = "permit_on_first_permit")]
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
}

/// An object whose members are the client's affair. Nothing reads them yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Properties;

impl Deserr<Faults> for Properties {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: ValuePointerRef<'_>) -> Result<Self, Faults> {
        match value {
            Value::Map(_) => Ok(Self),
            _ => Err(Faults::at(place, "is_object", "must be an object")),
        }
    }
}

impl PartialSchema for Properties {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Object).into()
    }
}

impl ToSchema for Properties {}

/// An object that items have in common. What is wrong inside counts only for items that use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shared<T>(pub(super) Result<T, Faults>);

impl<T: Deserr<Faults>> Deserr<Faults> for Shared<T> {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: ValuePointerRef<'_>) -> Result<Self, Faults> {
        match value {
            Value::Map(_) => Ok(Self(T::deserialize_from_value(value, place))),
            _ => Err(Faults::at(place, "is_object", "must be an object")),
        }
    }
}

/// An item of a request. What is wrong with it does not spoil the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item(pub(super) Result<ItemBody, Faults>);

impl Deserr<Faults> for Item {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, _: ValuePointerRef<'_>) -> Result<Self, Faults> {
        Ok(Self(ItemBody::deserialize_from_value(value, ValuePointerRef::Origin)))
    }
}

/// Either items, or one question without any.
impl PartialSchema for EvaluationsBody {
    fn schema() -> RefOr<Schema> {
        let entity = || Ref::from_schema_name(AskedEntity::name());
        let object =
            || ObjectBuilder::new().schema_type([Type::Object, Type::Null].into_iter().collect::<SchemaType>());
        let base = || {
            let semantic =
                OneOfBuilder::new().item(Semantic::schema()).item(ObjectBuilder::new().schema_type(Type::Null));
            let options = object().property("evaluations_semantic", semantic);
            let context = object().description(Some("What the client says of the circumstances"));
            ObjectBuilder::new().schema_type(Type::Object).property("context", context).property("options", options)
        };
        let array_or_null = [Type::Array, Type::Null].into_iter().collect::<SchemaType>();
        let no_items = ArrayBuilder::new().schema_type(array_or_null).items(anything("")).max_items(Some(0));
        let one = base()
            .property("subject", entity())
            .property("action", Ref::from_schema_name(AskedAction::name()))
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

impl ToSchema for EvaluationsBody {
    fn name() -> std::borrow::Cow<'static, str> {
        "EvaluationsRequest".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((AskedEntity::name().into(), AskedEntity::schema()));
        schemas.push((AskedAction::name().into(), AskedAction::schema()));
        AskedEntity::schemas(schemas);
    }
}
