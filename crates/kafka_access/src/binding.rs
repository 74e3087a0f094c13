//! One right of one principal, as Kafka's authorizer knows it.

/// What a right is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    /// Topics.
    Topic,
    /// Consumer groups.
    Group,
}

/// How a resource's name is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pattern {
    /// This name.
    Literal,
    /// All names that begin so.
    Prefixed,
}

/// What may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Read records, or use a group.
    Read,
    /// Append records.
    Write,
    /// Create.
    Create,
    /// Change partitions.
    Alter,
    /// See that it is there.
    Describe,
    /// See its settings.
    DescribeConfigs,
    /// Change its settings.
    AlterConfigs,
}

/// Topics or groups by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    /// Of which kind.
    pub kind: ResourceKind,
    /// Name, or its beginning.
    pub name: String,
    /// Which of the two.
    pub pattern: Pattern,
}

/// One right: the principal may do this to that, from any host. There are no refusals: what is not allowed is denied.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Binding {
    /// Name of the principal, such as `identity`.
    pub principal: String,
    /// What may be done.
    pub operation: Operation,
    /// To what.
    pub resource: Resource,
}

impl Resource {
    /// One topic.
    pub fn topic(name: impl Into<String>) -> Self {
        Self { kind: ResourceKind::Topic, name: name.into(), pattern: Pattern::Literal }
    }

    /// All topics whose names begin so.
    pub fn topics(prefix: impl Into<String>) -> Self {
        Self { pattern: Pattern::Prefixed, ..Self::topic(prefix) }
    }

    /// All groups whose names begin so.
    pub fn groups(prefix: impl Into<String>) -> Self {
        Self { kind: ResourceKind::Group, ..Self::topics(prefix) }
    }
}
