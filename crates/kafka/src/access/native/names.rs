//! Between our types and librdkafka's.

use std::ffi::CStr;

use c::rd_kafka_AclOperation_t as COperation;
use c::rd_kafka_ResourcePatternType_t as CPattern;
use c::rd_kafka_ResourceType_t as CKind;
use rdkafka::bindings as c;

use super::text::text;
use crate::access::binding::{AclOperation, AclPattern, AclResource, Binding, ResourceKind};

/// Any host.
pub(super) const ANY_HOST: &CStr = c"*";
/// Prefix of principal names.
pub(super) const USER: &str = "User:";

const OPERATIONS: [(AclOperation, COperation); 7] = [
    (AclOperation::Read, COperation::RD_KAFKA_ACL_OPERATION_READ),
    (AclOperation::Write, COperation::RD_KAFKA_ACL_OPERATION_WRITE),
    (AclOperation::Create, COperation::RD_KAFKA_ACL_OPERATION_CREATE),
    (AclOperation::Alter, COperation::RD_KAFKA_ACL_OPERATION_ALTER),
    (AclOperation::Describe, COperation::RD_KAFKA_ACL_OPERATION_DESCRIBE),
    (AclOperation::DescribeConfigs, COperation::RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS),
    (AclOperation::AlterConfigs, COperation::RD_KAFKA_ACL_OPERATION_ALTER_CONFIGS),
];

pub(super) fn operation(operation: AclOperation) -> COperation {
    let found = OPERATIONS.iter().find(|(ours, _)| *ours == operation);
    found.map_or(COperation::RD_KAFKA_ACL_OPERATION_UNKNOWN, |(_, theirs)| *theirs)
}

pub(super) fn kind(kind: ResourceKind) -> CKind {
    match kind {
        ResourceKind::Topic => CKind::RD_KAFKA_RESOURCE_TOPIC,
        ResourceKind::Group => CKind::RD_KAFKA_RESOURCE_GROUP,
    }
}

pub(super) fn pattern(pattern: AclPattern) -> CPattern {
    match pattern {
        AclPattern::Literal => CPattern::RD_KAFKA_RESOURCE_PATTERN_LITERAL,
        AclPattern::Prefixed => CPattern::RD_KAFKA_RESOURCE_PATTERN_PREFIXED,
    }
}

/// The binding, if it is of a form that we create.
///
/// # Safety
/// `acl` points to a binding that outlives this call.
pub(super) unsafe fn binding(acl: *const c::rd_kafka_AclBinding_t) -> Option<Binding> {
    // SAFETY: the caller guarantees the binding, which owns the texts.
    let (allowed, from, principal, name) = unsafe {
        let allowed = c::rd_kafka_AclBinding_permission_type(acl);
        let texts =
            (c::rd_kafka_AclBinding_host(acl), c::rd_kafka_AclBinding_principal(acl), c::rd_kafka_AclBinding_name(acl));
        (allowed, text(texts.0), text(texts.1), text(texts.2))
    };
    // SAFETY: as above.
    let (kind, pattern, operation) = unsafe {
        let kind = c::rd_kafka_AclBinding_restype(acl);
        (kind, c::rd_kafka_AclBinding_resource_pattern_type(acl), c::rd_kafka_AclBinding_operation(acl))
    };
    if allowed != c::rd_kafka_AclPermissionType_t::RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW || from != "*" {
        return None;
    }
    let kind = [ResourceKind::Topic, ResourceKind::Group].into_iter().find(|ours| self::kind(*ours) == kind)?;
    let pattern =
        [AclPattern::Literal, AclPattern::Prefixed].into_iter().find(|ours| self::pattern(*ours) == pattern)?;
    let (operation, _) = OPERATIONS.into_iter().find(|(_, theirs)| *theirs == operation)?;
    let principal = principal.strip_prefix(USER)?.to_owned();
    Some(Binding { principal, operation, resource: AclResource { kind, name, pattern } })
}
