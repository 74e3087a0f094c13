//! What is wrong with a request, parameter by parameter.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

/// Where a parameter was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The JSON body.
    Body,
    /// The path.
    Path,
    /// The query string.
    Query,
}

/// A parameter that was refused. Never holds the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct InvalidParameter {
    /// Name of the parameter.
    #[schema(value_type = String)]
    pub field: Cow<'static, str>,
    /// What is wrong, for people.
    #[schema(value_type = String)]
    pub reason: Cow<'static, str>,
    /// What is wrong, for programs.
    pub rule: &'static str,
    /// Where the parameter was read from.
    pub source: Source,
}

/// Everything that is wrong with a request; at least one parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid(pub Vec<InvalidParameter>);

impl Invalid {
    /// One refused parameter.
    pub fn one(
        source: Source,
        field: impl Into<Cow<'static, str>>,
        reason: impl Into<Cow<'static, str>>,
        rule: &'static str,
    ) -> Self {
        Self(vec![InvalidParameter { field: field.into(), reason: reason.into(), rule, source }])
    }

    /// A body that is not the JSON object it should be.
    pub fn body() -> Self {
        Self::one(Source::Body, "body", "request format is invalid", "is_object")
    }

    /// A system team was to be changed.
    pub fn system_team() -> Self {
        Self::one(Source::Path, "teamID", "system teams cannot be modified", "invalid")
    }
}
