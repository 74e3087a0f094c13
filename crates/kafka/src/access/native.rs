//! Access control through librdkafka's C functions: `rdkafka` has no safe ones.
#![allow(unsafe_code, reason = "see the manifest of the crate")]

mod handle;
mod names;
mod text;

use std::ptr;
use std::time::Duration;

use rdkafka::admin::AdminClient;
use rdkafka::bindings as c;
use rdkafka::client::DefaultClientContext;
use secrecy::ExposeSecret;

use super::binding::Binding;
use super::credential::Credential;
use super::error::AccessError;
use crate::native::{Event, Queue};
use handle::{Alteration, Filter, NewBinding};
use text::text;

/// Time-out of an answer; longer than librdkafka's own of a minute.
const TIMEOUT: Duration = Duration::from_secs(70);
/// PBKDF2 iterations. Kafka's minimum is enough, because the passwords are random.
const ITERATIONS: i32 = 4096;

/// Kafka's code for a password that does not exist.
const UNKNOWN: c::rd_kafka_resp_err_t = c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_RESOURCE_NOT_FOUND;
const NO_ERROR: c::rd_kafka_resp_err_t = c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;

type Admin = AdminClient<DefaultClientContext>;

/// Sets the passwords of principals, whether or not they had one.
pub(crate) fn set_passwords(admin: &Admin, credentials: &[Credential]) -> Result<(), AccessError> {
    let set = |credential: &Credential| {
        Alteration::password(&credential.principal, credential.password.expose_secret().as_bytes(), ITERATIONS)
    };
    alter(admin, "set passwords", &credentials.iter().map(set).collect::<Result<Vec<_>, _>>()?, &[])
}

/// Deletes the password of a principal; not an error if it had none.
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
    let queue = Queue::of(admin.inner());
    // SAFETY: client and queue outlive the call; the array and its targets live until the end of this function, and
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
    let event = answer(&queue, what)?;
    // SAFETY: the event is of this type and outlives its results.
    unsafe {
        let result = c::rd_kafka_event_AlterUserScramCredentials_result(event.0);
        let answers = results(what, result, c::rd_kafka_AlterUserScramCredentials_result_responses)?;
        answers.iter().try_for_each(|answer| {
            let error = c::rd_kafka_AlterUserScramCredentials_result_response_error(*answer);
            let is_tolerated = !error.is_null() && tolerated.contains(&c::rd_kafka_error_code(error));
            if is_tolerated { Ok(()) } else { succeeded(what, error) }
        })
    }
}

/// All bindings at the cluster that allow an operation from any host.
pub(crate) fn bindings(admin: &Admin) -> Result<Vec<Binding>, AccessError> {
    const WHAT: &str = "list bindings";
    let (filter, queue) = (Filter::any()?, Queue::of(admin.inner()));
    // SAFETY: as in `alter`.
    unsafe { c::rd_kafka_DescribeAcls(admin.inner().native_ptr(), filter.0, ptr::null(), queue.0) };
    let event = answer(&queue, WHAT)?;
    // SAFETY: the event is of this type and outlives its results.
    unsafe {
        let result = c::rd_kafka_event_DescribeAcls_result(event.0);
        let found = results(WHAT, result, c::rd_kafka_DescribeAcls_result_acls)?;
        Ok(found.iter().filter_map(|acl| names::binding(*acl)).collect())
    }
}

/// Creates bindings.
pub(crate) fn create(admin: &Admin, bindings: &[&Binding]) -> Result<(), AccessError> {
    const WHAT: &str = "create bindings";
    if bindings.is_empty() {
        return Ok(());
    }
    let new = bindings.iter().map(|binding| NewBinding::of(binding)).collect::<Result<Vec<_>, _>>()?;
    let mut pointers: Vec<_> = new.iter().map(|binding| binding.0).collect();
    let queue = Queue::of(admin.inner());
    // SAFETY: as in `alter`.
    unsafe {
        c::rd_kafka_CreateAcls(admin.inner().native_ptr(), pointers.as_mut_ptr(), pointers.len(), ptr::null(), queue.0);
    }
    let event = answer(&queue, WHAT)?;
    // SAFETY: the event is of this type and outlives its results.
    unsafe {
        let result = c::rd_kafka_event_CreateAcls_result(event.0);
        let answers = results(WHAT, result, c::rd_kafka_CreateAcls_result_acls)?;
        answers.iter().try_for_each(|answer| succeeded(WHAT, c::rd_kafka_acl_result_error(*answer)))
    }
}

/// Deletes bindings.
pub(crate) fn delete(admin: &Admin, bindings: &[&Binding]) -> Result<(), AccessError> {
    const WHAT: &str = "delete bindings";
    if bindings.is_empty() {
        return Ok(());
    }
    let filters = bindings.iter().map(|binding| Filter::exactly(binding)).collect::<Result<Vec<_>, _>>()?;
    let mut pointers: Vec<_> = filters.iter().map(|filter| filter.0).collect();
    let queue = Queue::of(admin.inner());
    // SAFETY: as in `alter`.
    unsafe {
        c::rd_kafka_DeleteAcls(admin.inner().native_ptr(), pointers.as_mut_ptr(), pointers.len(), ptr::null(), queue.0);
    }
    let event = answer(&queue, WHAT)?;
    // SAFETY: the event is of this type and outlives its results.
    unsafe {
        let result = c::rd_kafka_event_DeleteAcls_result(event.0);
        let answers = results(WHAT, result, c::rd_kafka_DeleteAcls_result_responses)?;
        answers.iter().try_for_each(|answer| succeeded(WHAT, c::rd_kafka_DeleteAcls_result_response_error(*answer)))
    }
}

/// The array of pointers that the accessor `of` returns for a result.
///
/// # Safety
/// `result` is null, or a result of the type that `of` accepts, which outlives the returned slice.
unsafe fn results<'a, R, T>(
    what: &'static str,
    result: *const R,
    of: unsafe extern "C" fn(*const R, *mut usize) -> *mut *const T,
) -> Result<&'a [*const T], AccessError> {
    if result.is_null() {
        return Err(AccessError::Refused { what, reason: "an answer of an unexpected type".to_owned() });
    }
    let mut count = 0;
    // SAFETY: the caller guarantees the result; `of` sets the length of the array it returns.
    unsafe {
        let first = of(result, &raw mut count);
        Ok(if first.is_null() { &[] } else { std::slice::from_raw_parts(first, count) })
    }
}

/// # Safety
/// `error` is null or points to an error that outlives this call.
unsafe fn succeeded(what: &'static str, error: *const c::rd_kafka_error_t) -> Result<(), AccessError> {
    // Some answers carry an error object with the code for success.
    // SAFETY: not null when it is dereferenced.
    if error.is_null() || unsafe { c::rd_kafka_error_code(error) } == NO_ERROR {
        return Ok(());
    }
    // SAFETY: not null, and the error owns the text.
    Err(AccessError::Refused { what, reason: unsafe { text(c::rd_kafka_error_string(error)) } })
}

/// Waits for the answer to the one request on a queue.
fn answer(queue: &Queue, what: &'static str) -> Result<Event, AccessError> {
    let event = queue.poll(TIMEOUT).ok_or(AccessError::Refused { what, reason: "no answer".to_owned() })?;
    // SAFETY: the event is alive and owns the text.
    let reason = unsafe {
        let failed = c::rd_kafka_event_error(event.0) != NO_ERROR;
        failed.then(|| text(c::rd_kafka_event_error_string(event.0)))
    };
    reason.map_or(Ok(event), |reason| Err(AccessError::Refused { what, reason }))
}
