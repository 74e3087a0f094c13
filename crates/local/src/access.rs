//! Who comes to the Kafka of a cluster's regions, and what each may do there.

use std::path::{Path, PathBuf};

use writ_kafka::access::{Credential, enforce, rules};
use writ_kafka::topics::{self, TopicSpec};
use writ_kafka::{Connection, ExternalProducer, Login, PRODUCER_PREFIX};

use crate::cluster::{Cluster, LocalRegion};
use crate::error::Result;
use crate::home::create;
use crate::kafka::BrokerSecurity;
use crate::mirror::{self, Alias};
use crate::producers::DEMO_PRODUCER;
use crate::services::Service;
use crate::tls::Authority;

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

    /// Makes topics, passwords and rights at a region's Kafka what they should be.
    ///
    /// # Errors
    /// When Kafka does not answer or refuses.
    pub async fn provision(&self, region: &LocalRegion) -> Result<()> {
        let (kafka, producers) = (self.kafka_administrator(region), self.producers()?);
        topics::ensure(&kafka, &own_topics(&producers)).await?;
        if self.plaintext_kafka {
            return Ok(());
        }
        let rights = rules::of_region(region.code.as_str(), &self.region_codes(), &producers);
        enforce(&kafka, self.credentials(region, &producers), rights).await?;
        producers.iter().try_for_each(|producer| self.write_client_file(region, producer))
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.tls_folder().join("ca.pem")
    }

    /// The mirror that writes to `target`, at each cluster.
    pub(crate) fn aliases(&self, target: &LocalRegion) -> Vec<Alias> {
        let alias = |region: &LocalRegion| {
            let principal = mirror::principal(region.code.as_str(), target.code.as_str());
            Alias { name: region.code.to_string(), kafka: self.kafka(region, &principal) }
        };
        self.regions.iter().map(alias).collect()
    }

    /// What a region's broker, with its files in `folder`, knows comers by; makes its certificate.
    pub(crate) fn broker_security(&self, region: &LocalRegion, folder: &Path) -> Result<Option<BrokerSecurity>> {
        if self.plaintext_kafka {
            return Ok(None);
        }
        create(folder)?;
        let hosts = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        Authority::open(&self.tls_folder())?.certify_broker(region.code.as_str(), &hosts, folder)?;
        let password = self.kafka_password(region.code.as_str(), rules::ADMINISTRATOR);
        Ok(Some(BrokerSecurity { region: region.code.to_string(), tls: folder.to_path_buf(), password }))
    }

    pub(crate) fn tls_folder(&self) -> PathBuf {
        self.home.root().join("tls")
    }

    fn credentials(&self, region: &LocalRegion, producers: &[ExternalProducer]) -> Vec<Credential> {
        let code = region.code.as_str();
        let services = rules::SERVICES.map(str::to_owned).into_iter();
        let mirrors = self.region_codes().into_iter().map(|target| mirror::principal(code, target));
        let all = services.chain(mirrors).chain(producers.iter().map(ExternalProducer::principal));
        all.map(|principal| Credential { password: self.kafka_password(code, &principal), principal }).collect()
    }
}

fn own_topics(producers: &[ExternalProducer]) -> Vec<TopicSpec> {
    producers.iter().flat_map(ExternalProducer::own_topics).collect()
}
