//! Secrets of a local cluster, generated once. They are valid on this machine only.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use writ_provision::{Service, random_password};

/// All secrets of a cluster.
#[derive(Clone, Serialize, Deserialize)]
pub struct Secrets {
    /// Bearer token of the platform operator.
    pub operator_token: String,
    /// Bearer token of a platform service, which may query any organization.
    pub platform_token: String,
    /// Key of the consistency tokens, the same in all regions.
    pub consistency_key: String,
    /// Password of PostgreSQL's administrator, in every region.
    pub(crate) postgres_password: String,
    /// Passwords of the services' database roles.
    pub(crate) role_passwords: BTreeMap<Service, String>,
    /// Passwords of the roles that own the services' databases.
    #[serde(default = "one_for_each_service")]
    owner_passwords: BTreeMap<Service, String>,
    /// Seed of the passwords of Kafka's principals.
    #[serde(default = "random_password")]
    kafka_seed: String,
}

impl Secrets {
    pub(crate) fn generate() -> Self {
        Self {
            operator_token: format!("operator_{}", random_password()),
            platform_token: format!("platform_{}", random_password()),
            consistency_key: random_password(),
            postgres_password: random_password(),
            role_passwords: one_for_each_service(),
            owner_passwords: one_for_each_service(),
            kafka_seed: random_password(),
        }
    }

    /// Password of a service's database role.
    pub(crate) fn role_password(&self, service: Service) -> &str {
        self.role_passwords.get(&service).map_or("", String::as_str)
    }

    /// Password of the role that owns a service's database.
    pub(crate) fn owner_password(&self, service: Service) -> &str {
        self.owner_passwords.get(&service).map_or("", String::as_str)
    }

    /// Passwords of all database roles, by role.
    pub(crate) fn roles(&self) -> BTreeMap<String, String> {
        let of = |service: Service| {
            let owner = (service.owner(), self.owner_password(service).to_owned());
            [(service.role().to_owned(), self.role_password(service).to_owned()), owner]
        };
        Service::ALL.into_iter().flat_map(of).collect()
    }

    /// Password of a principal at a region's Kafka, different for each.
    pub(crate) fn kafka_password(&self, region: &str, principal: &str) -> SecretString {
        hex(&Sha256::digest(format!("{}/{region}/{principal}", self.kafka_seed))).into()
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

fn one_for_each_service() -> BTreeMap<Service, String> {
    Service::ALL.into_iter().map(|service| (service, random_password())).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
