//! What was decided, on its way to audit. Never holds up an answer: what the log does not take in
//! time is dropped and counted.

use futures::future::join_all;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use writ_contract::actor::Actor;
use writ_contract::decision::DecisionRecord;
use writ_contract::{Region, Timestamp, encode};
use writ_kafka::topics;
use writ_log::{Envelope, Outgoing, Producer};
use writ_policy::Decision;

use crate::authzen::Evaluation;
use crate::trace;

/// So many decisions may wait for the log.
const WAITING: usize = 8_192;
/// So many are on their way at once.
const BATCH: usize = 4_096;
/// Longest text of a request that is recorded, in bytes.
const LONGEST: usize = 128;

/// Takes decisions. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Recorder(Sender<Decided>);

/// A decision and the question it answers, in the trace of the request.
#[derive(Debug, Clone)]
pub struct Decided {
    record: DecisionRecord,
    envelope: Envelope,
}

/// Sends decisions to the log.
pub struct Sending(Receiver<Decided>);

/// A recorder, and what sends its decisions to the log.
pub fn recorder() -> (Recorder, Sending) {
    let (sender, decided) = channel(WAITING);
    (Recorder(sender), Sending(decided))
}

impl Recorder {
    /// Has a decision recorded, if there is room.
    pub fn record(&self, decided: impl FnOnce() -> Decided) {
        match self.0.try_reserve() {
            Ok(room) => room.send(decided()),
            Err(TrySendError::Full(()) | TrySendError::Closed(())) => {
                metrics::counter!("writ_decisions_dropped_total").increment(1);
            }
        }
    }
}

impl Decided {
    /// A decision made now.
    pub fn new(
        region: &Region,
        organization: Uuid,
        requester: Actor,
        subject: Uuid,
        asked: &Evaluation,
        decision: Decision,
    ) -> Self {
        let envelope = Envelope::of_last::<DecisionRecord>(&format!("/{region}/projector"));
        let record = DecisionRecord {
            id: Uuid::now_v7(),
            organization,
            region: region.as_str().to_owned(),
            at: Timestamp::now(),
            requester,
            subject,
            action: harmless(&asked.action),
            resource_type: harmless(&asked.resource_type),
            resource_id: harmless(&asked.resource_id),
            decision: decision.decision,
            reason: decision.reason.as_str().to_owned(),
            heads: decision.heads,
            // Not known before the origins' watermarks arrive.
            age_ms: -1,
            trace_id: trace_id(),
            sample_rate: 1.0,
        };
        Self { record, envelope }
    }
}

impl Sending {
    /// Sends until `shutdown`, then what is left.
    pub async fn run(mut self, producer: Producer, shutdown: CancellationToken) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let taken = tokio::select! {
                taken = self.0.recv_many(&mut batch, BATCH) => taken,
                () = shutdown.cancelled() => 0,
            };
            if taken == 0 {
                break;
            }
            self.send(&producer, &mut batch).await;
        }
        self.0.close();
        while self.0.recv_many(&mut batch, BATCH).await > 0 {
            self.send(&producer, &mut batch).await;
        }
    }

    async fn send(&self, producer: &Producer, batch: &mut Vec<Decided>) {
        let sent = join_all(batch.drain(..).map(|decided| send_one(producer, decided))).await;
        let dropped = sent.into_iter().filter(|sent| !sent).count();
        if dropped > 0 {
            metrics::counter!("writ_decisions_dropped_total").increment(dropped as u64);
        }
    }
}

/// Whether the log has it.
async fn send_one(producer: &Producer, Decided { record, envelope }: Decided) -> bool {
    let Ok(value) = encode(&record) else { return false };
    let key = record.id.to_string();
    let outgoing = Outgoing::enveloped(topics::DECISIONS, key.as_bytes(), &envelope, Some(value));
    producer.send(outgoing).await.is_ok()
}

/// What a request calls an action or a resource is recorded only if it can be the name of one:
/// a client may put anything there, and the log holds nothing personal.
fn harmless(text: &str) -> String {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-*".contains(&byte);
    if text.len() <= LONGEST && text.bytes().all(allowed) { text.to_owned() } else { "?".to_owned() }
}

fn trace_id() -> Option<String> {
    let context = trace::current();
    context.is_valid().then(|| context.trace_id().to_string())
}

#[cfg(test)]
#[path = "decisions_tests.rs"]
mod tests;
