//! When a reader needs a new client, because what its client knows of the cluster is out of date.

use std::time::{Duration, Instant};

use super::tracker::PartitionId;

/// Silence of a client that has records to read, after which a new one takes its place.
const STUCK: Duration = Duration::from_secs(10);

/// What a client knows of the cluster is not what it is. A client that has seen a topic ignores another one under the same
/// name if its leader epoch is lower, and then reads nothing, without an error.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StaleReader {
    /// A topic is not the one read before: it was recreated, or has lost records. What is stored of it may belong to the
    /// new one already, of which the beginning was not read.
    #[error("topic {0} is not the one read before")]
    Replaced(String),
    /// There are records to read, and none arrives.
    #[error("nothing arrives, although {} {} has more records", _0.0, _0.1)]
    Stuck(PartitionId),
    /// A partition has a leader, and the client cannot ask it.
    #[error("{} {} has a leader that does not answer", _0.0, _0.1)]
    Unanswered(PartitionId),
}

/// How long a client has delivered nothing, and how long it could not ask about a partition.
#[derive(Debug)]
pub(super) struct Silence {
    /// When the client last delivered something, or was last waited for.
    quiet_since: Instant,
    /// Since when there are partitions that the client cannot ask about, although they have a leader.
    unanswered_since: Option<Instant>,
}

impl Silence {
    pub(super) fn new() -> Self {
        Self { quiet_since: Instant::now(), unanswered_since: None }
    }

    /// The client has delivered something, or is waited for from now on: while nobody waits, it is not the client that is
    /// silent.
    pub(super) fn end(&mut self) {
        self.quiet_since = Instant::now();
    }

    /// Fails if the client has been silent for too long although there is a partition with records to read, or could not
    /// ask about one for too long.
    pub(super) fn check(
        &mut self,
        unread: Option<&PartitionId>,
        unanswered: Option<&PartitionId>,
    ) -> Result<(), StaleReader> {
        let Some(place) = unanswered else {
            self.unanswered_since = None;
            let unread = unread.filter(|_| self.quiet_since.elapsed() > STUCK);
            return unread.map_or(Ok(()), |place| Err(StaleReader::Stuck(place.clone())));
        };
        let since = *self.unanswered_since.get_or_insert_with(Instant::now);
        if since.elapsed() > STUCK { Err(StaleReader::Unanswered(place.clone())) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> PartitionId {
        ("t".to_owned(), 0)
    }

    fn long_ago() -> Instant {
        Instant::now().checked_sub(STUCK * 2).unwrap()
    }

    #[test]
    fn a_silent_client_is_stuck_only_while_there_are_records() {
        let mut silence = Silence::new();
        assert_eq!(silence.check(Some(&place()), None), Ok(()));
        silence.quiet_since = long_ago();
        let error = silence.check(Some(&place()), None).unwrap_err();
        assert_eq!(error.to_string(), "nothing arrives, although t 0 has more records");
        assert_eq!(silence.check(None, None), Ok(()));
        silence.end();
        assert_eq!(silence.check(Some(&place()), None), Ok(()));
    }

    #[test]
    fn a_leader_that_does_not_answer_is_given_time() {
        let mut silence = Silence::new();
        assert_eq!(silence.check(None, Some(&place())), Ok(()));
        assert_eq!(silence.check(None, None), Ok(()));
        assert_eq!(silence.unanswered_since, None);
        silence.unanswered_since = Some(long_ago());
        assert_eq!(silence.check(None, Some(&place())), Err(StaleReader::Unanswered(place())));
    }
}
