//! The spans of a trace as a tree, with their times.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use writ_client::{Span, Trace};

/// A trace, ready to be drawn.
#[derive(Debug, Serialize)]
pub(super) struct Waterfall {
    /// Id of the trace.
    pub(super) trace: String,
    /// From the first start to the last end.
    pub(super) milliseconds: f64,
    /// In drawing order.
    pub(super) rows: Vec<Row>,
}

/// One span.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// Depth in the tree.
    pub(super) depth: usize,
    /// Name of the span.
    pub(super) name: String,
    /// Service that recorded it.
    pub(super) service: String,
    /// Region it was recorded in; empty for a caller.
    pub(super) region: String,
    /// Start, in milliseconds after that of the trace.
    pub(super) start: f64,
    /// Duration in milliseconds.
    pub(super) took: f64,
    /// Whether it failed.
    pub(super) failed: bool,
    /// Ids of other traces that it is linked to.
    pub(super) links: Vec<String>,
}

impl Waterfall {
    /// Spans whose parent was not collected are at the top.
    pub(super) fn of(trace: &Trace) -> Self {
        let begun = trace.spans.iter().map(|span| span.begun).min().unwrap_or(0);
        let ended = trace.spans.iter().map(|span| span.begun + span.took).max().unwrap_or(begun);
        let rows = order(&trace.spans).into_iter().map(|(depth, span)| row(depth, span, begun)).collect();
        Self { trace: trace.id.clone(), milliseconds: milliseconds(ended - begun), rows }
    }
}

impl Row {
    /// Who recorded it, such as `projector@eu`.
    pub(super) fn place(&self) -> String {
        let service = self.service.strip_prefix("writ-").unwrap_or(&self.service);
        if self.region.is_empty() { service.to_owned() } else { format!("{service}@{}", self.region) }
    }
}

fn row(depth: usize, span: &Span, begun: u64) -> Row {
    Row {
        depth,
        name: span.name.clone(),
        service: span.service().to_owned(),
        region: span.region().to_owned(),
        start: milliseconds(span.begun - begun),
        took: milliseconds(span.took),
        failed: span.failed(),
        links: span.links.clone(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a trace takes far less than 2^52 microseconds")]
fn milliseconds(microseconds: u64) -> f64 {
    microseconds as f64 / 1_000.0
}

/// Depth first, in order of time.
fn order(spans: &[Span]) -> Vec<(usize, &Span)> {
    let known: HashSet<&str> = spans.iter().map(|span| span.id.as_str()).collect();
    let mut children: HashMap<Option<&str>, Vec<&Span>> = HashMap::new();
    for span in spans {
        let parent = span.parent.as_deref().filter(|parent| known.contains(parent));
        children.entry(parent).or_default().push(span);
    }
    // The last is taken first.
    children.values_mut().for_each(|siblings| siblings.sort_by_key(|span| std::cmp::Reverse((span.begun, &span.id))));
    let mut waiting: Vec<_> = children.remove(&None).unwrap_or_default().into_iter().map(|span| (0, span)).collect();
    let mut ordered = Vec::with_capacity(spans.len());
    while let Some((depth, span)) = waiting.pop() {
        ordered.push((depth, span));
        let below = children.remove(&Some(span.id.as_str())).unwrap_or_default();
        waiting.extend(below.into_iter().map(|child| (depth + 1, child)));
    }
    ordered
}

#[cfg(test)]
mod tests;
