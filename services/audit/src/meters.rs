//! What `/metrics` shows of the record.

use writ_contract::Region;

use crate::log::subscriptions;

/// Lets the counters of all that is read exist, at zero: a rate cannot be taken of the first value of a series.
pub fn begin(local: &Region, regions: &[Region]) {
    for subscription in subscriptions().into_iter().filter(|subscription| !subscription.name.ends_with('*')) {
        let origins = regions.iter().filter(|origin| *origin == local || subscription.mirrored);
        for origin in origins {
            let labels = [("origin", origin.to_string()), ("topic", subscription.name.clone())];
            metrics::counter!("writ_audit_entries_total", &labels).increment(0);
            metrics::counter!("writ_audit_unreadable_total", &labels).increment(0);
        }
    }
}
