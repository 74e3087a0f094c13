//! Owners of what librdkafka allocates, which free it when dropped.

use std::ffi::{CString, c_char};
use std::ptr;

use rdkafka::bindings as c;

use super::names;
use super::text::text;
use crate::access::binding::Binding;
use crate::access::error::AccessError;
use crate::native::freed_with;

/// Size of the buffer for librdkafka's message about an invalid argument.
const REASON: usize = 256;

/// A binding to create.
pub(super) struct NewBinding(pub(super) *mut c::rd_kafka_AclBinding_t);

/// Selects bindings.
pub(super) struct Filter(pub(super) *mut c::rd_kafka_AclBindingFilter_t);

/// A password to set or delete.
pub(super) struct Alteration(pub(super) *mut c::rd_kafka_UserScramCredentialAlteration_t);

impl NewBinding {
    pub(super) fn of(binding: &Binding) -> Result<Self, AccessError> {
        about(binding, c::rd_kafka_AclBinding_new, "create bindings").map(Self)
    }
}

impl Filter {
    /// All bindings.
    pub(super) fn any() -> Result<Self, AccessError> {
        let mut reason = [0; REASON];
        // SAFETY: null matches any; `reason` has the length that is passed.
        let new = unsafe {
            c::rd_kafka_AclBindingFilter_new(
                c::rd_kafka_ResourceType_t::RD_KAFKA_RESOURCE_ANY,
                ptr::null(),
                c::rd_kafka_ResourcePatternType_t::RD_KAFKA_RESOURCE_PATTERN_ANY,
                ptr::null(),
                ptr::null(),
                c::rd_kafka_AclOperation_t::RD_KAFKA_ACL_OPERATION_ANY,
                c::rd_kafka_AclPermissionType_t::RD_KAFKA_ACL_PERMISSION_TYPE_ANY,
                reason.as_mut_ptr(),
                reason.len(),
            )
        };
        made(new, "list bindings", &reason).map(Self)
    }

    /// This binding.
    pub(super) fn exactly(binding: &Binding) -> Result<Self, AccessError> {
        about(binding, c::rd_kafka_AclBindingFilter_new, "delete bindings").map(Self)
    }
}

impl Alteration {
    pub(super) fn password(principal: &str, password: &[u8], iterations: i32) -> Result<Self, AccessError> {
        let name = CString::new(principal)?;
        // SAFETY: name and password outlive the call, which copies them; without a salt librdkafka generates one.
        let new = unsafe {
            c::rd_kafka_UserScramCredentialUpsertion_new(
                name.as_ptr(),
                c::rd_kafka_ScramMechanism_t::RD_KAFKA_SCRAM_MECHANISM_SHA_512,
                iterations,
                password.as_ptr(),
                password.len(),
                ptr::null(),
                0,
            )
        };
        made(new, "set passwords", &[0]).map(Self)
    }

    pub(super) fn no_password(principal: &str) -> Result<Self, AccessError> {
        let name = CString::new(principal)?;
        // SAFETY: the name outlives the call, which copies it.
        let new = unsafe {
            c::rd_kafka_UserScramCredentialDeletion_new(
                name.as_ptr(),
                c::rd_kafka_ScramMechanism_t::RD_KAFKA_SCRAM_MECHANISM_SHA_512,
            )
        };
        made(new, "delete a password", &[0]).map(Self)
    }
}

/// Signature of librdkafka's constructors of bindings and filters: kind, name, pattern, principal, host, operation,
/// permission, and a buffer for an error message.
type New<T> = unsafe extern "C" fn(
    c::rd_kafka_ResourceType_t,
    *const c_char,
    c::rd_kafka_ResourcePatternType_t,
    *const c_char,
    *const c_char,
    c::rd_kafka_AclOperation_t,
    c::rd_kafka_AclPermissionType_t,
    *mut c_char,
    usize,
) -> *mut T;

fn about<T>(binding: &Binding, new: New<T>, what: &'static str) -> Result<*mut T, AccessError> {
    let name = CString::new(binding.resource.name.as_str())?;
    let principal = CString::new(format!("{}{}", names::USER, binding.principal))?;
    let mut reason = [0; REASON];
    // SAFETY: all texts outlive the call, which copies them; `reason` has the length that is passed.
    let handle = unsafe {
        new(
            names::kind(binding.resource.kind),
            name.as_ptr(),
            names::pattern(binding.resource.pattern),
            principal.as_ptr(),
            names::ANY_HOST.as_ptr(),
            names::operation(binding.operation),
            c::rd_kafka_AclPermissionType_t::RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW,
            reason.as_mut_ptr(),
            reason.len(),
        )
    };
    made(handle, what, &reason)
}

/// The handle, or librdkafka's message if it returned null.
fn made<T>(new: *mut T, what: &'static str, reason: &[c_char]) -> Result<*mut T, AccessError> {
    if !new.is_null() {
        return Ok(new);
    }
    // SAFETY: the buffer was zeroed, and librdkafka terminates the text with a zero byte.
    let reason = unsafe { text(reason.as_ptr()) };
    Err(AccessError::Refused { what, reason })
}

freed_with!(
    NewBinding: c::rd_kafka_AclBinding_destroy,
    Filter: c::rd_kafka_AclBinding_destroy,
    Alteration: c::rd_kafka_UserScramCredentialAlteration_destroy
);
