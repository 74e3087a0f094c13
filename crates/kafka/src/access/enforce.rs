//! Applying the wanted access to a cluster.

use std::collections::BTreeSet;

use crate::Connection;
use rdkafka::admin::AdminClient;
use rdkafka::client::DefaultClientContext;

use super::binding::Binding;
use super::credential::Credential;
use super::error::AccessError;
use super::{native, rules};

/// How many bindings an enforcement created and deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// Bindings created.
    pub created: usize,
    /// Bindings deleted.
    pub deleted: usize,
}

/// Sets the passwords of principals and makes the bindings of those that we manage exactly `wanted`. New bindings are
/// created before stale ones are deleted, so that access is never interrupted. Other principals are left alone.
///
/// # Errors
/// If Kafka does not answer, or the connection's principal is not allowed to do this.
pub async fn enforce(
    kafka: &Connection,
    credentials: Vec<Credential>,
    wanted: BTreeSet<Binding>,
) -> Result<Changed, AccessError> {
    let config = kafka.client_config("writ-access");
    let done = tokio::task::spawn_blocking(move || {
        let admin: AdminClient<DefaultClientContext> = config.create()?;
        native::set_passwords(&admin, &credentials)?;
        settle(&admin, &wanted)
    });
    done.await.map_err(|_| AccessError::Interrupted)?
}

/// Deletes a principal's password, so that it can no longer authenticate. [`enforce`] deletes its bindings.
///
/// # Errors
/// As [`enforce`].
pub async fn forget(kafka: &Connection, principal: String) -> Result<(), AccessError> {
    let config = kafka.client_config("writ-access");
    let done = tokio::task::spawn_blocking(move || {
        let admin: AdminClient<DefaultClientContext> = config.create()?;
        native::delete_password(&admin, &principal)
    });
    done.await.map_err(|_| AccessError::Interrupted)?
}

fn settle(admin: &AdminClient<DefaultClientContext>, wanted: &BTreeSet<Binding>) -> Result<Changed, AccessError> {
    let all = native::bindings(admin)?;
    let found: BTreeSet<Binding> = all.into_iter().filter(|binding| rules::is_ours(&binding.principal)).collect();
    let missing: Vec<&Binding> = wanted.difference(&found).collect();
    let stale: Vec<&Binding> = found.difference(wanted).collect();
    native::create(admin, &missing)?;
    native::delete(admin, &stale)?;
    Ok(Changed { created: missing.len(), deleted: stale.len() })
}
