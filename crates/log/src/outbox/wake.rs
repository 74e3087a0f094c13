//! Wakes the publisher when a transaction with records commits.

use std::sync::Arc;

use sqlx::postgres::{PgListener, PgPool, PgPoolOptions};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::rows::CHANNEL;
use crate::backoff::Backoff;

/// Listens in a session of its own until dropped. Also wakes after each (re)connect, because a notification may have
/// been missed.
pub(super) struct CommitListener {
    notify: Arc<Notify>,
    _listener: JoinSet<()>,
}

impl CommitListener {
    pub(super) fn start(pool: &PgPool) -> Self {
        let notify = Arc::new(Notify::new());
        let own = PgPoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with((*pool.connect_options()).clone());
        let mut listener = JoinSet::new();
        listener.spawn(listen(own, notify.clone()));
        Self { notify, _listener: listener }
    }

    /// Returns when there was a commit since the last call.
    pub(super) async fn woken(&self) {
        self.notify.notified().await;
    }
}

async fn listen(own: PgPool, notify: Arc<Notify>) {
    let mut backoff = Backoff::new();
    loop {
        if let Err(error) = listen_once(&own, &notify, &mut backoff).await {
            tracing::debug!(%error, "not notified of commits, polling only");
        }
        backoff.wait().await;
    }
}

async fn listen_once(own: &PgPool, notify: &Notify, backoff: &mut Backoff) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(own).await?;
    listener.listen(CHANNEL).await?;
    backoff.reset();
    notify.notify_one();
    while listener.try_recv().await?.is_some() {
        notify.notify_one();
    }
    Ok(())
}
