//! The open connections of a listener, and which one gives way when there are too many.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::ConnectionLimits;

/// The open connections of a listener. Clones share them.
///
/// When an address, or all together, have as many as they may, a new connection takes the place of the one that has been
/// without a request for longest: of the same address, or of the address with most connections. If all of them have a
/// request, the new one is closed. So connections that nobody uses keep nobody out.
#[derive(Debug, Clone)]
pub(super) struct Connections {
    open: Arc<Mutex<Open>>,
    limits: ConnectionLimits,
    /// Closes all.
    abandon: CancellationToken,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    total: usize,
    addresses: HashMap<IpAddr, HashMap<u64, Arc<Activity>>>,
}

/// An open connection, until it is dropped.
#[derive(Debug)]
pub(super) struct Connection {
    connections: Connections,
    address: IpAddr,
    number: u64,
    /// What happens on it.
    pub(super) activity: Arc<Activity>,
}

/// What happens on a connection.
#[derive(Debug)]
pub(super) struct Activity {
    phase: Mutex<Phase>,
    /// Cancelled when the connection has to give way.
    pub(super) close: CancellationToken,
}

#[derive(Debug)]
struct Phase {
    /// Requests that are not answered yet.
    requests: usize,
    /// When it was opened, or its last request was answered.
    idle_since: Instant,
    /// When the first byte of the next request arrived (HTTP/1.1).
    head_since: Option<Instant>,
    /// Whether there ever was a request.
    used: bool,
    /// Whether it is HTTP/2, where bytes without a request are no beginning of one.
    multiplexed: bool,
}

impl Connections {
    pub(super) fn new(limits: ConnectionLimits) -> Self {
        Self { open: Arc::default(), limits, abandon: CancellationToken::new() }
    }

    /// Takes in a new connection from `address`, if need be in place of another. `None` if it is one too many.
    pub(super) fn admit(&self, address: IpAddr) -> Option<Connection> {
        let mut open = self.lock();
        let of_address = open.addresses.get(&address).map_or(0, HashMap::len);
        if of_address >= self.limits.per_address && !open.close_idle(Some(address))
            || open.total >= self.limits.total && !open.close_idle(None)
        {
            return None;
        }
        let number = open.next;
        let activity = Arc::new(Activity::new(self.abandon.child_token()));
        open.next += 1;
        open.total += 1;
        open.addresses.entry(address).or_default().insert(number, activity.clone());
        Some(Connection { connections: self.clone(), address, number, activity })
    }

    /// Closes the connection that has been without a request for longest, of the address with most connections. Whether
    /// there is one.
    pub(super) fn close_idle(&self) -> bool {
        self.lock().close_idle(None)
    }

    /// Closes all.
    pub(super) fn abandon(&self) {
        self.abandon.cancel();
    }

    pub(super) fn count(&self) -> usize {
        self.lock().total
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn close_idle(&mut self, address: Option<IpAddr>) -> bool {
        let most =
            || self.addresses.iter().max_by_key(|(_, connections)| connections.len()).map(|(address, _)| *address);
        let Some(address) = address.or_else(most) else { return false };
        let Some(connections) = self.addresses.get(&address) else { return false };
        let idle = connections.iter().filter_map(|(number, activity)| Some((activity.idle_since()?, *number)));
        let Some((_, number)) = idle.min() else { return false };
        if let Some(activity) = self.remove(address, number) {
            activity.close.cancel();
        }
        true
    }

    fn remove(&mut self, address: IpAddr, number: u64) -> Option<Arc<Activity>> {
        let connections = self.addresses.get_mut(&address)?;
        let removed = connections.remove(&number)?;
        if connections.is_empty() {
            self.addresses.remove(&address);
        }
        self.total -= 1;
        Some(removed)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.connections.lock().remove(self.address, self.number);
    }
}

impl Activity {
    fn new(close: CancellationToken) -> Self {
        let phase =
            Phase { requests: 0, idle_since: Instant::now(), head_since: None, used: false, multiplexed: false };
        Self { phase: Mutex::new(phase), close }
    }

    /// Bytes have arrived.
    pub(super) fn received(&self, bytes: &[u8]) {
        let mut phase = self.lock();
        let first = !phase.used && phase.head_since.is_none();
        // The preface of HTTP/2; no method of HTTP/1.1 begins with it.
        phase.multiplexed |= first && bytes.starts_with(b"PRI ");
        if phase.requests == 0 && phase.head_since.is_none() {
            phase.head_since = Some(Instant::now());
        }
    }

    /// A request has begun; it ends when the result is dropped.
    pub(super) fn request(self: &Arc<Self>) -> impl Drop + Send + use<> {
        let mut phase = self.lock();
        phase.requests += 1;
        (phase.used, phase.head_since) = (true, None);
        drop(phase);
        Answered(self.clone())
    }

    /// When the connection is to be closed, unless something happens on it. `None` while it has a request.
    pub(super) fn deadline(&self, limits: &ConnectionLimits) -> Option<Instant> {
        let phase = self.lock();
        if phase.requests > 0 {
            return None;
        }
        let head = phase.head_since.filter(|_| !phase.multiplexed).map(|since| since + limits.head_time);
        let patience = if phase.used { limits.idle_time } else { limits.head_time };
        let idle = phase.idle_since + patience;
        Some(head.map_or(idle, |head| head.min(idle)))
    }

    fn idle_since(&self) -> Option<Instant> {
        let phase = self.lock();
        (phase.requests == 0).then_some(phase.idle_since)
    }

    fn lock(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Answered(Arc<Activity>);

impl Drop for Answered {
    fn drop(&mut self) {
        let mut phase = self.0.lock();
        phase.requests -= 1;
        phase.idle_since = Instant::now();
    }
}

#[cfg(test)]
mod tests;
