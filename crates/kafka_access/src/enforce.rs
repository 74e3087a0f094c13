//! Making a cluster's access what it should be.

use std::collections::BTreeSet;

use rdkafka::admin::AdminClient;
use rdkafka::client::DefaultClientContext;
use rdkafka::error::KafkaError;
use secrecy::SecretString;
use writ_kafka::Connection;

use crate::{Binding, native, rules};

/// A principal and the password it proves itself with.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Name of the principal.
    pub principal: String,
    /// Its password.
    pub password: SecretString,
}

/// How many rights had to be given and taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// Given.
    pub given: usize,
    /// Taken away.
    pub taken: usize,
}

/// Why a cluster's access is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The client could not be made.
    #[error("Kafka: {0}")]
    Kafka(#[from] KafkaError),
    /// Kafka did not do what was asked.
    #[error("Kafka refused to {what}: {reason}")]
    Refused {
        /// What was asked.
        what: &'static str,
        /// What Kafka said.
        reason: String,
    },
    /// A name has a zero byte in it.
    #[error("a name holds a zero byte")]
    Name(#[from] std::ffi::NulError),
    /// The process is ending.
    #[error("interrupted")]
    Interrupted,
}

/// Sets the passwords of principals and makes the rights of ours exactly `wanted`. New rights are given before old ones
/// are taken, so that nobody is shut out between. Principals that are not ours keep what they have.
///
/// # Errors
/// When Kafka does not answer, or the connection's principal may not do this.
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

/// Deletes a principal's password: it cannot come in any more. Its rights are [`enforce`]'s business.
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
    native::give(admin, &missing)?;
    native::take(admin, &stale)?;
    Ok(Changed { given: missing.len(), taken: stale.len() })
}
