//! Owners of what librdkafka allocates, which free it when dropped, and its answers to requests.
#![allow(unsafe_code, reason = "see the manifest of the crate")]

use std::ffi::c_int;
use std::time::Duration;

use rdkafka::bindings as c;
use rdkafka::client::{Client, ClientContext};

/// A queue of answers.
pub(crate) struct Queue(pub(crate) *mut c::rd_kafka_queue_t);

/// An answer.
pub(crate) struct Event(pub(crate) *mut c::rd_kafka_event_t);

impl Queue {
    pub(crate) fn of<C: ClientContext>(client: &Client<C>) -> Self {
        // SAFETY: the client is alive; a queue keeps the references it needs.
        Self(unsafe { c::rd_kafka_queue_new(client.native_ptr()) })
    }

    /// The next answer, if there is one within `timeout`.
    pub(crate) fn poll(&self, timeout: Duration) -> Option<Event> {
        let timeout = c_int::try_from(timeout.as_millis()).unwrap_or(c_int::MAX);
        // SAFETY: the queue is alive; we own the returned event.
        let event = unsafe { c::rd_kafka_queue_poll(self.0, timeout) };
        (!event.is_null()).then_some(Event(event))
    }
}

macro_rules! freed_with {
    ($($handle:ident: $free:path),+) => {$(
        impl Drop for $handle {
            fn drop(&mut self) {
                // SAFETY: allocated by librdkafka, owned by us, and not used afterwards.
                unsafe { $free(self.0) }
            }
        }
    )+};
}
pub(crate) use freed_with;

freed_with!(Queue: c::rd_kafka_queue_destroy, Event: c::rd_kafka_event_destroy);
