//! Sends decisions to the log, for audit: in batches, and without ever delaying an answer. Decisions that the log does not
//! accept in time are dropped and counted.
//!
//! An organization may have no more decisions in the queue than there is room left in it. A flood of one organization thus
//! drops decisions of its own, and there is always room for those of others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use writ_contract::actor::Actor;
use writ_contract::decision::{DecisionBatch, DecisionRecord};
use writ_contract::{OrganizationId, PrincipalId, Region, StoredText, Timestamp};
use writ_kafka::topics;
use writ_log::{LogProducer, Outgoing};
use writ_policy::Decision;

use crate::authzen::AccessEvaluation;
use crate::current_span_context;

/// Maximum number of decisions that wait for the log.
const QUEUE: usize = 8_192;
/// Maximum size of an encoded batch, in bytes.
const MAX_BYTES: usize = 512 * 1_024;
/// How long the first decision of a batch waits for others.
const MAX_DELAY: Duration = Duration::from_millis(100);
/// Maximum length of a request's text that is recorded, in bytes.
const MAX_TEXT: usize = 128;

/// Takes decisions. Cheap to clone.
#[derive(Debug, Clone)]
pub struct DecisionRecorder {
    queue: Sender<DecisionRecord>,
    queued: QueuedDecisions,
}

/// Sends decisions to the log.
pub struct DecisionSender {
    region: Region,
    queue: Receiver<DecisionRecord>,
    queued: QueuedDecisions,
}

/// How many decisions of each organization are in the queue.
#[derive(Debug, Clone, Default)]
struct QueuedDecisions(Arc<Mutex<HashMap<OrganizationId, usize>>>);

/// A recorder for decisions of `region`, and what sends them to the log.
pub fn recorder(region: Region) -> (DecisionRecorder, DecisionSender) {
    let (sender, queue) = channel(QUEUE);
    let queued = QueuedDecisions::default();
    (DecisionRecorder { queue: sender, queued: queued.clone() }, DecisionSender { region, queue, queued })
}

impl DecisionRecorder {
    /// Queues a decision of an organization, if there is room.
    pub fn record(&self, organization: OrganizationId, decision: impl FnOnce() -> DecisionRecord) {
        if !self.queued.add(organization, self.queue.capacity()) {
            return dropped(1);
        }
        match self.queue.try_reserve() {
            Ok(room) => room.send(decision()),
            // Full, because others were quicker, or closed.
            Err(_) => {
                self.queued.remove(&[organization]);
                dropped(1);
            }
        }
    }
}

impl QueuedDecisions {
    /// Counts one more of an organization, if it has fewer than `room`.
    fn add(&self, organization: OrganizationId, room: usize) -> bool {
        let mut counts = self.lock();
        let count = counts.entry(organization).or_default();
        let fits = *count < room;
        if fits {
            *count += 1;
        } else if *count == 0 {
            counts.remove(&organization);
        }
        fits
    }

    /// They are out of the queue.
    fn remove<'a>(&self, organizations: impl IntoIterator<Item = &'a OrganizationId>) {
        let mut counts = self.lock();
        for organization in organizations {
            if let Some(count) = counts.get_mut(organization) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(organization);
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OrganizationId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The record of a decision made now, in the current trace.
pub(crate) fn record_of(
    organization: OrganizationId,
    requester: Actor,
    subject: PrincipalId,
    asked: &AccessEvaluation<'_>,
    decision: Decision,
) -> DecisionRecord {
    let span = current_span_context();
    DecisionRecord {
        id: Uuid::now_v7(),
        organization,
        at: Timestamp::now(),
        requester,
        subject,
        action: harmless(&asked.action),
        resource_type: harmless(&asked.resource_type),
        resource_id: harmless(&asked.resource_id),
        decision: decision.decision,
        reason: StoredText::lossy(decision.reason.as_str()),
        heads: decision.heads,
        // Unknown until origins send watermarks.
        age_ms: -1,
        trace_id: span.is_valid().then(|| StoredText::lossy(&span.trace_id().to_string())),
        sample_rate: 1.0,
    }
}

/// A text of a request is recorded only if it can be the name of an action, type or entity: clients may send anything,
/// and nothing personal belongs on the log.
fn harmless(text: &str) -> StoredText {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-*".contains(&byte);
    StoredText::lossy(if text.len() <= MAX_TEXT && text.bytes().all(allowed) { text } else { "?" })
}

impl DecisionSender {
    /// Sends until `shutdown`, then what is left.
    pub async fn run(mut self, producer: LogProducer, shutdown: CancellationToken) {
        loop {
            let decisions = self.collect(&shutdown).await;
            if decisions.is_empty() {
                break;
            }
            self.send(&producer, decisions).await;
        }
        self.queue.close();
        let mut rest = Vec::new();
        while self.queue.recv_many(&mut rest, DecisionBatch::MAX_LENGTH).await > 0 {
            self.queued.remove(rest.iter().map(|decision| &decision.organization));
            self.send(&producer, std::mem::take(&mut rest)).await;
        }
    }

    /// Waits for decisions: as many as a batch may have, or fewer if no more arrive in time. None on `shutdown`.
    async fn collect(&mut self, shutdown: &CancellationToken) -> Vec<DecisionRecord> {
        let mut collected = Vec::with_capacity(DecisionBatch::MAX_LENGTH);
        let waiting = async {
            self.queue.recv_many(&mut collected, DecisionBatch::MAX_LENGTH).await;
            let more = async {
                while collected.len() < DecisionBatch::MAX_LENGTH {
                    let room = DecisionBatch::MAX_LENGTH - collected.len();
                    if self.queue.recv_many(&mut collected, room).await == 0 {
                        return;
                    }
                }
            };
            // Full or not, the batch is sent.
            let _ = timeout(MAX_DELAY, more).await;
        };
        tokio::select! {
            () = waiting => {}
            () = shutdown.cancelled() => {}
        }
        self.queued.remove(collected.iter().map(|decision| &decision.organization));
        collected
    }

    async fn send(&self, producer: &LogProducer, decisions: Vec<DecisionRecord>) {
        let source = format!("/{}/projector", self.region);
        for batch in batches(self.region, decisions) {
            let sent = match Outgoing::unkeyed(topics::DECISIONS, &source, &batch) {
                Ok(record) => producer.send(record).await.is_ok(),
                Err(_) => false,
            };
            if !sent {
                dropped(batch.decisions.len() as u64);
            }
        }
    }
}

fn dropped(decisions: u64) {
    metrics::counter!("writ_decisions_dropped_total").increment(decisions);
}

/// As few batches as the limit on their size allows, in order.
fn batches(region: Region, decisions: Vec<DecisionRecord>) -> Vec<DecisionBatch> {
    let mut batches: Vec<DecisionBatch> = Vec::new();
    let mut size = 0;
    for decision in decisions {
        size += max_size(&decision);
        match batches.last_mut().filter(|_| size + BATCH_OVERHEAD <= MAX_BYTES) {
            Some(batch) => batch.decisions.push(decision),
            None => {
                size = max_size(&decision);
                batches.push(DecisionBatch { region, first_at: decision.at, decisions: vec![decision] });
            }
        }
    }
    batches
}

/// Encoded size of a batch without its decisions, at most.
const BATCH_OVERHEAD: usize = 64;
/// Encoded size of a decision without texts and heads, at most.
const FIXED_SIZE: usize = 160;
/// Encoded size of a head, at most.
const HEAD_SIZE: usize = 128;

/// An upper limit of the encoded size of a decision, in bytes. Encoding it to find out would cost as much as the decision.
fn max_size(decision: &DecisionRecord) -> usize {
    let DecisionRecord { requester, action, resource_type, resource_id, reason, trace_id, heads, .. } = decision;
    let texts = [&requester.id, action, resource_type, resource_id, reason].into_iter().chain(trace_id);
    FIXED_SIZE + texts.map(|text| text.as_str().len()).sum::<usize>() + heads.len() * HEAD_SIZE
}

#[cfg(test)]
mod tests;
