//! Access control through librdkafka's C functions, the only unsafe code of the project: `rdkafka` has no safe ones.
#![allow(unsafe_code, reason = "see the crate's manifest")]

mod handle;
mod names;

use std::ffi::{CStr, c_char};
use std::ptr;

use rdkafka::admin::AdminClient;
use rdkafka::bindings as c;
use rdkafka::client::DefaultClientContext;
use secrecy::ExposeSecret;

use crate::{AccessError, Binding, Credential};
use handle::{Alteration, Event, Filter, NewBinding, Queue};

/// How often a password is hashed. They are random, so that guessing is hopeless anyhow; Kafka's least.
const ITERATIONS: i32 = 4096;

/// What Kafka says of a password that is not there.
const UNKNOWN: c::rd_kafka_resp_err_t = c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_RESOURCE_NOT_FOUND;
const NO_ERROR: c::rd_kafka_resp_err_t = c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;

type Admin = AdminClient<DefaultClientContext>;

/// Gives principals their passwords, whatever they had before.
pub(crate) fn set_passwords(admin: &Admin, credentials: &[Credential]) -> Result<(), AccessError> {
    let set = |credential: &Credential| {
        Alteration::password(&credential.principal, credential.password.expose_secret().as_bytes(), ITERATIONS)
    };
    alter(admin, "set passwords", &credentials.iter().map(set).collect::<Result<Vec<_>, _>>()?, &[])
}

/// A principal has no password any more, and so cannot come in; fine if it had none.
pub(crate) fn delete_password(admin: &Admin, principal: &str) -> Result<(), AccessError> {
    alter(admin, "delete a password", &[Alteration::no_password(principal)?], &[UNKNOWN])
}

fn alter(
    admin: &Admin,
    what: &'static str,
    alterations: &[Alteration],
    tolerated: &[c::rd_kafka_resp_err_t],
) -> Result<(), AccessError> {
    if alterations.is_empty() {
        return Ok(());
    }
    let mut pointers: Vec<_> = alterations.iter().map(|alteration| alteration.0).collect();
    let queue = Queue::of(admin);
    // SAFETY: client and queue live on; the array and what it points to live until the end of this function, and
    // librdkafka copies them.
    unsafe {
        c::rd_kafka_AlterUserScramCredentials(
            admin.inner().native_ptr(),
            pointers.as_mut_ptr(),
            pointers.len(),
            ptr::null(),
            queue.0,
        );
    }
    let event = queue.answer(what)?;
    // SAFETY: the event is of this kind and outlives its results.
    unsafe {
        let result = c::rd_kafka_event_AlterUserScramCredentials_result(event.0);
        let answers = results(what, result, c::rd_kafka_AlterUserScramCredentials_result_responses)?;
        answers.iter().try_for_each(|answer| {
            let error = c::rd_kafka_AlterUserScramCredentials_result_response_error(*answer);
            let is_fine = !error.is_null() && tolerated.contains(&c::rd_kafka_error_code(error));
            if is_fine { Ok(()) } else { fine(what, error) }
        })
    }
}

/// All rights at the cluster that allow something from any host.
pub(crate) fn bindings(admin: &Admin) -> Result<Vec<Binding>, AccessError> {
    const WHAT: &str = "list rights";
    let (filter, queue) = (Filter::any()?, Queue::of(admin));
    // SAFETY: as in `alter`.
    unsafe { c::rd_kafka_DescribeAcls(admin.inner().native_ptr(), filter.0, ptr::null(), queue.0) };
    let event = queue.answer(WHAT)?;
    // SAFETY: the event is of this kind and outlives its results.
    unsafe {
        let result = c::rd_kafka_event_DescribeAcls_result(event.0);
        let found = results(WHAT, result, c::rd_kafka_DescribeAcls_result_acls)?;
        Ok(found.iter().filter_map(|acl| names::binding(*acl)).collect())
    }
}

/// Gives rights.
pub(crate) fn give(admin: &Admin, rights: &[&Binding]) -> Result<(), AccessError> {
    const WHAT: &str = "give rights";
    if rights.is_empty() {
        return Ok(());
    }
    let new = rights.iter().map(|right| NewBinding::of(right)).collect::<Result<Vec<_>, _>>()?;
    let mut pointers: Vec<_> = new.iter().map(|right| right.0).collect();
    let queue = Queue::of(admin);
    // SAFETY: as in `alter`.
    unsafe {
        c::rd_kafka_CreateAcls(admin.inner().native_ptr(), pointers.as_mut_ptr(), pointers.len(), ptr::null(), queue.0);
    }
    let event = queue.answer(WHAT)?;
    // SAFETY: the event is of this kind and outlives its results.
    unsafe {
        let result = c::rd_kafka_event_CreateAcls_result(event.0);
        let answers = results(WHAT, result, c::rd_kafka_CreateAcls_result_acls)?;
        answers.iter().try_for_each(|answer| fine(WHAT, c::rd_kafka_acl_result_error(*answer)))
    }
}

/// Takes rights away.
pub(crate) fn take(admin: &Admin, rights: &[&Binding]) -> Result<(), AccessError> {
    const WHAT: &str = "take rights away";
    if rights.is_empty() {
        return Ok(());
    }
    let filters = rights.iter().map(|right| Filter::exactly(right)).collect::<Result<Vec<_>, _>>()?;
    let mut pointers: Vec<_> = filters.iter().map(|filter| filter.0).collect();
    let queue = Queue::of(admin);
    // SAFETY: as in `alter`.
    unsafe {
        c::rd_kafka_DeleteAcls(admin.inner().native_ptr(), pointers.as_mut_ptr(), pointers.len(), ptr::null(), queue.0);
    }
    let event = queue.answer(WHAT)?;
    // SAFETY: the event is of this kind and outlives its results.
    unsafe {
        let result = c::rd_kafka_event_DeleteAcls_result(event.0);
        let answers = results(WHAT, result, c::rd_kafka_DeleteAcls_result_responses)?;
        answers.iter().try_for_each(|answer| fine(WHAT, c::rd_kafka_DeleteAcls_result_response_error(*answer)))
    }
}

/// The array of pointers that `of` finds in a result.
///
/// # Safety
/// `result` is null, or a result that `of` understands, which outlives what is returned.
unsafe fn results<'a, R, T>(
    what: &'static str,
    result: *const R,
    of: unsafe extern "C" fn(*const R, *mut usize) -> *mut *const T,
) -> Result<&'a [*const T], AccessError> {
    if result.is_null() {
        return Err(AccessError::Refused { what, reason: "an answer of another kind".to_owned() });
    }
    let mut count = 0;
    // SAFETY: the caller vouches for the result; `of` sets the length of the array it returns.
    unsafe {
        let first = of(result, &raw mut count);
        Ok(if first.is_null() { &[] } else { std::slice::from_raw_parts(first, count) })
    }
}

/// # Safety
/// `error` is null or points to an error that outlives this call.
unsafe fn fine(what: &'static str, error: *const c::rd_kafka_error_t) -> Result<(), AccessError> {
    // Some answers have an error that says that there was none.
    // SAFETY: not null where it is looked into.
    if error.is_null() || unsafe { c::rd_kafka_error_code(error) } == NO_ERROR {
        return Ok(());
    }
    // SAFETY: not null, and the text belongs to the error.
    Err(AccessError::Refused { what, reason: unsafe { text(c::rd_kafka_error_string(error)) } })
}

/// # Safety
/// `text` is null or a C string that outlives this call.
unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: not null, and the caller vouches for the rest.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

impl Queue {
    /// Waits for the one answer that was asked for.
    fn answer(&self, what: &'static str) -> Result<Event, AccessError> {
        let event = self.poll().ok_or(AccessError::Refused { what, reason: "no answer".to_owned() })?;
        // SAFETY: the event is alive; the text belongs to it.
        let reason = unsafe {
            let failed = c::rd_kafka_event_error(event.0) != NO_ERROR;
            failed.then(|| text(c::rd_kafka_event_error_string(event.0)))
        };
        reason.map_or(Ok(event), |reason| Err(AccessError::Refused { what, reason }))
    }
}
