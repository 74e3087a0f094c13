//! Connections to the servers of a cluster's regions, and their provisioning.

use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;
use writ_kafka::access::rules;
use writ_kafka::{Connection, Login, PRODUCER_PREFIX};
use writ_provision::certificates::Authority;
use writ_provision::{RegionSettings, create_folder, migrate, principals, provision_kafka, provision_postgres};

use crate::cluster::{Cluster, LocalRegion};
use crate::error::Result;
use crate::kafka::BrokerSecurity;
use crate::mirror::Alias;
use crate::producers::DEMO_PRODUCER;
use crate::services::{self, Service};

impl Cluster {
    /// A region's Kafka, reached as a principal.
    pub fn kafka(&self, region: &LocalRegion, principal: &str) -> Connection {
        let brokers = region.brokers();
        if self.plaintext_kafka {
            return Connection::plaintext(brokers);
        }
        let password = self.kafka_password(region.code.as_str(), principal);
        Connection::new(brokers, Login { username: principal.to_owned(), password, ca: self.ca() })
    }

    /// A region's Kafka, reached as its administrator, for provisioning and inspection.
    pub fn kafka_administrator(&self, region: &LocalRegion) -> Connection {
        self.kafka(region, rules::ADMINISTRATOR)
    }

    /// A region's Kafka, reached as a service.
    pub fn kafka_of(&self, region: &LocalRegion, service: Service) -> Connection {
        self.kafka(region, service.name())
    }

    /// A region's Kafka, reached as the other system of the demo, which announces entities.
    pub fn kafka_of_demo(&self, region: &LocalRegion) -> Connection {
        self.kafka(region, &format!("{PRODUCER_PREFIX}{DEMO_PRODUCER}"))
    }

    /// Creates missing topics and corrects passwords and access rights at a region's Kafka.
    ///
    /// # Errors
    /// If Kafka does not answer or refuses.
    pub async fn provision(&self, region: &LocalRegion) -> Result<()> {
        let plan = self.region_settings(region)?.kafka_plan()?;
        provision_kafka(&self.kafka_administrator(region), &plan).await?;
        if self.plaintext_kafka {
            return Ok(());
        }
        plan.producers.iter().try_for_each(|producer| self.write_client_file(region, producer))
    }

    /// Creates the databases of a region, their roles and their tables.
    pub(crate) async fn provision_databases(&self, region: &LocalRegion) -> Result<()> {
        let Some(plan) = self.region_settings(region)?.postgres()? else { return Ok(()) };
        provision_postgres(&plan).await?;
        Ok(migrate(&plan, &services::programs(self)?).await?)
    }

    /// Addresses, credentials and passwords of a region, complete.
    pub(crate) fn region_settings(&self, region: &LocalRegion) -> Result<RegionSettings> {
        let (producers, administrator) = (self.producers()?, self.kafka_administrator(region));
        let regions: Vec<_> = self.regions.iter().map(|region| region.code.clone()).collect();
        let password = |principal: String| {
            (principal.clone(), self.kafka_password(region.code.as_str(), &principal).expose_secret().to_owned())
        };
        let login = administrator.login();
        Ok(RegionSettings {
            region: Some(region.code.clone()),
            kafka_brokers: Some(administrator.brokers().to_owned()),
            kafka_username: login.map(|login| login.username.clone()),
            kafka_password: login.map(|login| login.password.expose_secret().to_owned()),
            kafka_ca: login.map(|login| login.ca.clone()),
            postgres_url: Some(self.administrator_url(region, "postgres")),
            postgres_password: None,
            principals: principals(&region.code, &regions, &producers).into_iter().map(password).collect(),
            roles: self.secrets.roles(),
            producers: producers.iter().map(|producer| (producer.name().to_owned(), producer.kind())).collect(),
            regions,
        })
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.tls_folder().join("ca.pem")
    }

    /// The mirror that writes to `target`, at each cluster.
    pub(crate) fn aliases(&self, target: &LocalRegion) -> Vec<Alias> {
        let alias = |region: &LocalRegion| {
            let principal = rules::mirror_to(target.code.as_str(), region.code.as_str());
            Alias { name: region.code.to_string(), kafka: self.kafka(region, &principal) }
        };
        self.regions.iter().map(alias).collect()
    }

    /// Broker-side TLS and SASL settings of a region, with files in `folder`; issues the certificate on first use.
    pub(crate) fn broker_security(&self, region: &LocalRegion, folder: &Path) -> Result<Option<BrokerSecurity>> {
        if self.plaintext_kafka {
            return Ok(None);
        }
        create_folder(folder)?;
        let hosts = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        Authority::open(&self.tls_folder())?.certify_broker(region.code.as_str(), &hosts, folder)?;
        let password = self.kafka_password(region.code.as_str(), rules::ADMINISTRATOR);
        Ok(Some(BrokerSecurity { region: region.code.to_string(), tls: folder.to_path_buf(), password }))
    }

    pub(crate) fn tls_folder(&self) -> PathBuf {
        self.home.root().join("tls")
    }
}
