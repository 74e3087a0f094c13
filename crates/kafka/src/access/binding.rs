//! One permission of one principal, in the terms of Kafka's authorizer.

/// Kind of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    /// Topics.
    Topic,
    /// Consumer groups.
    Group,
}

/// How a resource's name is matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AclPattern {
    /// Exactly this name.
    Literal,
    /// All names with this prefix.
    Prefixed,
}

/// Operations of Kafka's authorizer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AclOperation {
    /// Read records, or use a group.
    Read,
    /// Append records.
    Write,
    /// Create the resource.
    Create,
    /// Change the number of partitions.
    Alter,
    /// See that the resource exists.
    Describe,
    /// Read settings.
    DescribeConfigs,
    /// Change settings.
    AlterConfigs,
}

/// Topics or groups by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AclResource {
    /// Topics or groups.
    pub kind: ResourceKind,
    /// Name or prefix.
    pub name: String,
    /// Whether `name` is literal or a prefix.
    pub pattern: AclPattern,
}

/// Allows a principal one operation on a resource, from any host. There are no deny rules: whatever is not allowed is
/// denied.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Binding {
    /// Name of the principal, such as `identity`.
    pub principal: String,
    /// What is allowed.
    pub operation: AclOperation,
    /// Target of the operation.
    pub resource: AclResource,
}

impl AclResource {
    /// One topic.
    pub fn topic(name: impl Into<String>) -> Self {
        Self { kind: ResourceKind::Topic, name: name.into(), pattern: AclPattern::Literal }
    }

    /// All topics with this prefix.
    pub fn topics(prefix: impl Into<String>) -> Self {
        Self { pattern: AclPattern::Prefixed, ..Self::topic(prefix) }
    }

    /// All groups with this prefix.
    pub fn groups(prefix: impl Into<String>) -> Self {
        Self { kind: ResourceKind::Group, ..Self::topics(prefix) }
    }
}
