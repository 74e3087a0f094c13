//! The headers of a consumed record, through librdkafka's C functions: `rdkafka`'s own iterator panics at a name that is
//! not UTF-8, which every producer may write. Nothing else reads the headers of consumed records; `clippy.toml` says so.
#![allow(unsafe_code, reason = "see the manifest of the crate")]

use std::ffi::CStr;
use std::ptr;

use rdkafka::bindings as c;
use rdkafka::message::BorrowedMessage;

const NO_ERROR: c::rd_kafka_resp_err_t = c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;

/// Names and values of the headers, in order. Bytes of a name that are not UTF-8 are replaced by U+FFFD. A header without
/// a value has an empty one. Never panics.
pub fn headers(message: &BorrowedMessage<'_>) -> Vec<(String, Vec<u8>)> {
    let mut headers = ptr::null_mut();
    // SAFETY: the message is alive; librdkafka sets the pointer if it returns no error.
    if unsafe { c::rd_kafka_message_headers(message.ptr(), &raw mut headers) } != NO_ERROR || headers.is_null() {
        return Vec::new();
    }
    // SAFETY: the message owns the headers and outlives this function.
    (0..).map_while(|place| unsafe { header(headers, place) }).collect()
}

/// The header at a place, or `None` behind the last one.
///
/// # Safety
/// `headers` points to headers that outlive this call.
unsafe fn header(headers: *const c::rd_kafka_headers_t, place: usize) -> Option<(String, Vec<u8>)> {
    let (mut name, mut value, mut size) = (ptr::null(), ptr::null(), 0);
    // SAFETY: the caller guarantees the headers; librdkafka sets the three if it returns no error.
    let found =
        unsafe { c::rd_kafka_header_get_all(headers, place, &raw mut name, &raw mut value, &raw mut size) == NO_ERROR };
    if !found || name.is_null() {
        return None;
    }
    // SAFETY: not null; librdkafka ends names with a NUL and keeps them as long as the headers.
    let name = unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned();
    // SAFETY: `value` points to `size` bytes unless it is null.
    let value = if value.is_null() { &[] } else { unsafe { std::slice::from_raw_parts(value.cast::<u8>(), size) } };
    Some((name, value.to_vec()))
}
