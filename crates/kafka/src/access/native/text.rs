//! Texts of librdkafka.

use std::ffi::{CStr, c_char};

/// # Safety
/// `text` is null or a C string that outlives this call.
pub(super) unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: not null, and the caller guarantees the rest.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}
