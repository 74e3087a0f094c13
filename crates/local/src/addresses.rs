//! Where the parts of a cluster are found: from the machine itself, or from one of the cluster's containers.

use crate::cluster::{Cluster, LocalRegion};
use crate::jaeger;
use crate::part::Part;
use crate::postgres::{self, ADMINISTRATOR, Administration};
use crate::services::Service;

/// Where everything listens that runs on the machine itself.
pub(crate) const LOOPBACK: &str = "127.0.0.1";

impl LocalRegion {
    /// Host and port of its PostgreSQL.
    fn postgres(&self) -> String {
        match self.inside {
            true => format!("{}:{}", self.process(Part::Postgres), postgres::PORT),
            false => format!("{LOOPBACK}:{}", self.ports.postgres),
        }
    }
}

impl Cluster {
    /// Address of a service's database in a region, with role and password.
    pub fn database_url(&self, region: &LocalRegion, service: Service) -> String {
        let password = self.secrets.role_password(service);
        url(service.role(), password, &region.postgres(), service.database())
    }

    /// Address of a region's PostgreSQL for its administrator, for dumps and inspection.
    pub fn administrator_url(&self, region: &LocalRegion, database: &str) -> String {
        url(ADMINISTRATOR, &self.secrets.postgres_password, &region.postgres(), database)
    }

    /// The page on which traces are found, if a `jaeger` is on the path.
    pub fn jaeger_url(&self) -> Option<String> {
        self.jaeger_ports().map(|ports| format!("http://127.0.0.1:{}", ports.page))
    }

    /// Where the services send their traces.
    pub(crate) fn collector(&self) -> Option<String> {
        self.otlp_endpoint.clone().or_else(|| self.jaeger_otlp_url())
    }

    /// Where Jaeger takes spans (OTLP over HTTP), if a `jaeger` is on the path.
    pub fn jaeger_otlp_url(&self) -> Option<String> {
        self.jaeger_ports().map(|ports| format!("http://127.0.0.1:{}", ports.otlp))
    }

    fn jaeger_ports(&self) -> Option<jaeger::Ports> {
        (self.in_containers || jaeger::find().is_some()).then(|| jaeger::Ports::of(self.port_offset))
    }

    pub(crate) fn administration(&self, region: &LocalRegion) -> Administration<'_> {
        let host = if region.inside { region.process(Part::Postgres) } else { LOOPBACK.to_owned() };
        let port = if region.inside { postgres::PORT } else { region.ports.postgres };
        Administration { host, port, password: &self.secrets.postgres_password }
    }
}

fn url(role: &str, password: &str, server: &str, database: &str) -> String {
    format!("postgres://{role}:{password}@{server}/{database}?sslmode=disable")
}
