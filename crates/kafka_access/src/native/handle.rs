//! What librdkafka allocates for us, freed when it goes out of scope.

use std::ffi::{CString, c_char, c_int};
use std::ptr;

use rdkafka::admin::AdminClient;
use rdkafka::bindings as c;
use rdkafka::client::DefaultClientContext;

use super::names;
use crate::{AccessError, Binding};

/// How long an answer may take; librdkafka itself gives up after a minute.
const PATIENCE_MS: c_int = 70_000;
/// Room for what librdkafka says of a wrong argument.
const REASON: usize = 256;

/// A queue that answers come to.
pub(super) struct Queue(pub(super) *mut c::rd_kafka_queue_t);

/// An answer.
pub(super) struct Event(pub(super) *mut c::rd_kafka_event_t);

/// A right to be given.
pub(super) struct NewBinding(pub(super) *mut c::rd_kafka_AclBinding_t);

/// Which rights are meant.
pub(super) struct Filter(pub(super) *mut c::rd_kafka_AclBindingFilter_t);

/// A password to be set or deleted.
pub(super) struct Alteration(pub(super) *mut c::rd_kafka_UserScramCredentialAlteration_t);

impl Queue {
    pub(super) fn of(admin: &AdminClient<DefaultClientContext>) -> Self {
        // SAFETY: the client is alive; a queue keeps what it needs of it.
        Self(unsafe { c::rd_kafka_queue_new(admin.inner().native_ptr()) })
    }

    pub(super) fn poll(&self) -> Option<Event> {
        // SAFETY: the queue is alive; the event becomes ours.
        let event = unsafe { c::rd_kafka_queue_poll(self.0, PATIENCE_MS) };
        (!event.is_null()).then_some(Event(event))
    }
}

impl NewBinding {
    pub(super) fn of(right: &Binding) -> Result<Self, AccessError> {
        about(right, c::rd_kafka_AclBinding_new, "give rights").map(Self)
    }
}

impl Filter {
    /// All rights.
    pub(super) fn any() -> Result<Self, AccessError> {
        let mut reason = [0; REASON];
        // SAFETY: null stands for any; `reason` is as large as is said.
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
        made(new, "list rights", &reason).map(Self)
    }

    /// This right.
    pub(super) fn exactly(right: &Binding) -> Result<Self, AccessError> {
        about(right, c::rd_kafka_AclBindingFilter_new, "take rights away").map(Self)
    }
}

impl Alteration {
    pub(super) fn password(principal: &str, password: &[u8], iterations: i32) -> Result<Self, AccessError> {
        let name = CString::new(principal)?;
        // SAFETY: name and password live through the call, which copies them; without a salt librdkafka makes one.
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
        // SAFETY: the name lives through the call, which copies it.
        let new = unsafe {
            c::rd_kafka_UserScramCredentialDeletion_new(
                name.as_ptr(),
                c::rd_kafka_ScramMechanism_t::RD_KAFKA_SCRAM_MECHANISM_SHA_512,
            )
        };
        made(new, "delete a password", &[0]).map(Self)
    }
}

/// What librdkafka's functions that name a right take: kind, name, pattern, principal, host, operation, whether it is
/// allowed, and room for what is wrong with that.
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

fn about<T>(right: &Binding, new: New<T>, what: &'static str) -> Result<*mut T, AccessError> {
    let name = CString::new(right.resource.name.as_str())?;
    let principal = CString::new(format!("{}{}", names::USER, right.principal))?;
    let mut reason = [0; REASON];
    // SAFETY: all texts live through the call, which copies them; `reason` is as large as is said.
    let made_of_it = unsafe {
        new(
            names::kind(right.resource.kind),
            name.as_ptr(),
            names::pattern(right.resource.pattern),
            principal.as_ptr(),
            names::ANY_HOST.as_ptr(),
            names::operation(right.operation),
            c::rd_kafka_AclPermissionType_t::RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW,
            reason.as_mut_ptr(),
            reason.len(),
        )
    };
    made(made_of_it, what, &reason)
}

/// An error if librdkafka made nothing.
fn made<T>(new: *mut T, what: &'static str, reason: &[c_char]) -> Result<*mut T, AccessError> {
    if !new.is_null() {
        return Ok(new);
    }
    // SAFETY: librdkafka ends the text with a zero byte, and it was all zero before.
    let reason = unsafe { super::text(reason.as_ptr()) };
    Err(AccessError::Refused { what, reason })
}

macro_rules! freed_with {
    ($($handle:ident: $free:path),+) => {$(
        impl Drop for $handle {
            fn drop(&mut self) {
                // SAFETY: it came from librdkafka, is ours, and is not used after this.
                unsafe { $free(self.0) }
            }
        }
    )+};
}

freed_with!(
    Queue: c::rd_kafka_queue_destroy,
    Event: c::rd_kafka_event_destroy,
    NewBinding: c::rd_kafka_AclBinding_destroy,
    Filter: c::rd_kafka_AclBinding_destroy,
    Alteration: c::rd_kafka_UserScramCredentialAlteration_destroy
);
