//! Regions of origin in the names of topics.

/// Name of the copy, in any other region, of the topic `name` of `origin`.
pub fn mirrored(name: &str, origin: &str) -> String {
    format!("{origin}.{name}")
}

/// The region of origin, if the topic is a mirrored copy, and the topic's name there.
pub fn split(topic: &str) -> (Option<&str>, &str) {
    match topic.split_once('.') {
        Some((origin, base)) => (Some(origin), base),
        None => (None, topic),
    }
}
