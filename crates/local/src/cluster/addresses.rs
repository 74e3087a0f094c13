//! Addresses and credentials of the parts of a cluster.

use std::path::PathBuf;

use secrecy::SecretString;
use writ_kafka::access::rules;
use writ_kafka::{Connection, ExternalProducer, Login, PRODUCER_PREFIX};
use writ_provision::Service;

use crate::cluster::Cluster;
use crate::cluster::file::{DEMO_PRODUCER, RegisteredProducer};
use crate::parts::jaeger::{self, JaegerPorts};
use crate::parts::mirror::{Alias, Flow};
use crate::parts::postgres::{ADMINISTRATOR, Administration};
use crate::parts::readiness::Ready;
use crate::region::{LOOPBACK, LocalRegion, Part};

impl Cluster {
    /// A region's Kafka, as a principal.
    pub fn kafka(&self, region: &LocalRegion, principal: &str) -> Connection {
        let brokers = region.brokers();
        if self.plaintext_kafka {
            return Connection::plaintext(brokers);
        }
        let password = self.kafka_password(region.code.as_str(), principal);
        Connection::new(brokers, Login { username: principal.to_owned(), password, ca: self.ca() })
    }

    /// A region's Kafka, as its administrator.
    pub fn kafka_administrator(&self, region: &LocalRegion) -> Connection {
        self.kafka(region, rules::ADMINISTRATOR)
    }

    /// A region's Kafka, as the external producer of the demo, which sends entity events.
    pub fn kafka_of_demo(&self, region: &LocalRegion) -> Connection {
        self.kafka(region, &format!("{PRODUCER_PREFIX}{DEMO_PRODUCER}"))
    }

    /// Password of a principal at a region's Kafka.
    pub(crate) fn kafka_password(&self, region: &str, principal: &str) -> SecretString {
        let named =
            |producer: &&RegisteredProducer| principal.strip_prefix(PRODUCER_PREFIX) == Some(producer.name.as_str());
        let key = self.producers.iter().find(named).map_or("", |producer| &producer.key);
        self.secrets.kafka_password(region, &format!("{principal}{key}"))
    }

    /// Credentials, at each region, of the mirror that writes to `target`.
    pub(crate) fn aliases(&self, target: &LocalRegion) -> Vec<Alias> {
        let alias = |region: &LocalRegion| {
            let principal = rules::mirror_to(target.code.as_str(), region.code.as_str());
            Alias { name: region.code.to_string(), kafka: self.kafka(region, &principal) }
        };
        self.regions.iter().map(alias).collect()
    }

    /// Settings for librdkafka (`kcat -F`) with which a producer connects to a region.
    pub fn client_file(&self, region: &LocalRegion, producer: &ExternalProducer) -> PathBuf {
        self.home.root().join("producers").join(format!("{}.{}.properties", producer.name(), region.code))
    }

    /// File with what the entity producers may speak for, which the authorization of every region follows.
    pub(crate) fn scopes_file(&self) -> PathBuf {
        self.home.root().join("producers.toml")
    }

    /// Folder of the certificate authority.
    pub(crate) fn authority(&self) -> PathBuf {
        self.home.root().join("tls")
    }

    /// Certificate of the authority.
    pub(crate) fn ca(&self) -> PathBuf {
        self.authority().join("ca.pem")
    }

    /// Address of a service's database, with the service's role and password.
    pub fn database_url(&self, region: &LocalRegion, service: Service) -> String {
        url(region, service.role(), self.secrets.role_password(service), service.database())
    }

    /// Address of a database of a region, for the administrator.
    pub fn administrator_url(&self, region: &LocalRegion, database: &str) -> String {
        url(region, ADMINISTRATOR, &self.secrets.postgres_password, database)
    }

    pub(crate) fn administration(&self, region: &LocalRegion) -> Administration<'_> {
        let (host, port) = region.postgres();
        Administration { host, port, password: &self.secrets.postgres_password }
    }

    /// Address of Jaeger's page, if a `jaeger` is on the path.
    pub fn jaeger_url(&self) -> Option<String> {
        self.jaeger_ports().map(|ports| format!("http://{LOOPBACK}:{}", ports.page))
    }

    /// Address where Jaeger receives spans (OTLP over HTTP), if a `jaeger` is on the path.
    pub fn jaeger_otlp_url(&self) -> Option<String> {
        self.jaeger_ports().map(|ports| format!("http://{LOOPBACK}:{}", ports.otlp))
    }

    /// Address that the services send their spans to.
    pub(crate) fn collector(&self) -> Option<String> {
        self.otlp_endpoint.clone().or_else(|| self.jaeger_otlp_url())
    }

    fn jaeger_ports(&self) -> Option<JaegerPorts> {
        (self.in_containers || jaeger::find().is_some()).then(|| JaegerPorts::of(self.port_offset))
    }

    /// The check that tells whether a part can do its work.
    pub(crate) fn ready(&self, region: &LocalRegion, part: Part) -> Ready<'_> {
        match part {
            Part::Postgres => Ready::Postgres(self.administration(region)),
            Part::Kafka => Ready::Kafka(self.kafka_administrator(region)),
            Part::Mirror => {
                let kafka = self.kafka_administrator(region);
                Ready::Mirror(Flow::into_region(&self.regions, region, &kafka))
            }
            Part::MirrorWatch => Ready::Http(format!("http://{LOOPBACK}:{}/readyz", region.ports.mirror_watch)),
            Part::Service(service) => Ready::Http(format!("{}/readyz", region.operations_url(service))),
        }
    }
}

fn url(region: &LocalRegion, role: &str, password: &str, database: &str) -> String {
    let (host, port) = region.postgres();
    format!("postgres://{role}:{password}@{host}:{port}/{database}?sslmode=disable")
}
