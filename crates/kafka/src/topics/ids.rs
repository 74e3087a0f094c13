//! Ids of topics, through librdkafka's C functions: `rdkafka` has no safe ones.
#![allow(unsafe_code, reason = "see the manifest of the crate")]

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char};
use std::ptr;
use std::time::Duration;

use rdkafka::bindings as c;
use rdkafka::client::{Client, ClientContext};

use crate::native::{Queue, freed_with};

/// Time-out of the answer.
const TIMEOUT: Duration = Duration::from_secs(1);
const NO_ERROR: c::rd_kafka_resp_err_t = c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;

/// What tells a topic from another one that had its name before, by name. Topics that do not exist, or whose id Kafka does
/// not tell in time, are left out. Blocks for at most a second.
pub fn ids<C: ClientContext>(client: &Client<C>, topics: &[String]) -> BTreeMap<String, u128> {
    // No topic has a zero byte in its name.
    let names: Vec<_> = topics.iter().filter_map(|topic| CString::new(topic.as_str()).ok()).collect();
    if names.is_empty() {
        return BTreeMap::new();
    }
    let mut pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
    // SAFETY: the array and the names outlive the call, which copies them.
    let collection =
        Collection(unsafe { c::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len()) });
    let queue = Queue::of(client);
    // SAFETY: all three are alive, and librdkafka copies the collection.
    unsafe { c::rd_kafka_DescribeTopics(client.native_ptr(), collection.0, ptr::null(), queue.0) };
    let Some(event) = queue.poll(TIMEOUT) else { return BTreeMap::new() };
    let mut count = 0;
    // SAFETY: the event is alive and owns the result, which is null if it is of another type, and its array of `count`
    // descriptions.
    unsafe {
        let result = c::rd_kafka_event_DescribeTopics_result(event.0);
        if result.is_null() {
            return BTreeMap::new();
        }
        let first = c::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
        let found = if first.is_null() { &[] } else { std::slice::from_raw_parts(first, count) };
        found.iter().filter_map(|topic| described(*topic)).collect()
    }
}

/// Name and id.
///
/// # Safety
/// `topic` points to a description that outlives this call, or is null, as it is where the answer leaves a topic out.
unsafe fn described(topic: *const c::rd_kafka_TopicDescription_t) -> Option<(String, u128)> {
    if topic.is_null() {
        return None;
    }
    // SAFETY: the description owns its error, name and id; neither name nor id is null without an error.
    unsafe {
        let error = c::rd_kafka_TopicDescription_error(topic);
        if !error.is_null() && c::rd_kafka_error_code(error) != NO_ERROR {
            return None;
        }
        let (name, id) = (c::rd_kafka_TopicDescription_name(topic), c::rd_kafka_TopicDescription_topic_id(topic));
        if name.is_null() || id.is_null() {
            return None;
        }
        let halves = [c::rd_kafka_Uuid_most_significant_bits(id), c::rd_kafka_Uuid_least_significant_bits(id)];
        let [high, low] = halves.map(|half| u128::from(half.cast_unsigned()));
        let id = high << 64 | low;
        // Brokers without ids say zero.
        (id != 0).then(|| (CStr::from_ptr(name).to_string_lossy().into_owned(), id))
    }
}

struct Collection(*mut c::rd_kafka_TopicCollection_t);

freed_with!(Collection: c::rd_kafka_TopicCollection_destroy);
