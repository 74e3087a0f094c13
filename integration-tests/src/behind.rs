//! Looking behind the doors: status pages, metrics, databases.

use std::process::Command;
use std::str::FromStr;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use writ_contract::OrganizationId;
use writ_local::Service;

use crate::system::{SERVICES, System};

impl System {
    /// Where an organization's chains stand in a region's read model.
    ///
    /// # Errors
    /// When the projector does not answer.
    pub async fn heads(&self, region: &str, organization: OrganizationId) -> Result<Vec<Value>> {
        self.heads_of(region, Service::Projector, organization).await
    }

    /// Where an organization's chains stand in a region's authorization.
    ///
    /// # Errors
    /// When authorization does not answer.
    pub async fn authorization_heads(&self, region: &str, organization: OrganizationId) -> Result<Vec<Value>> {
        self.heads_of(region, Service::Authorization, organization).await
    }

    async fn heads_of(&self, region: &str, service: Service, organization: OrganizationId) -> Result<Vec<Value>> {
        let url = format!("{}/status?chains=1", self.region(region).operations_url(service));
        let status: Value = serde_json::from_str(&self.http().get(url).send().await?.text().await?)?;
        let mut heads = Vec::new();
        collect(&status, &organization.to_string(), &mut heads);
        Ok(heads)
    }

    /// The metrics of each service of a region, and of mirror-watch.
    ///
    /// # Errors
    /// When a service does not answer.
    pub async fn metrics(&self, region: &str) -> Result<Vec<(&'static str, String)>> {
        let mut all = Vec::new();
        for service in SERVICES {
            let url = format!("{}/metrics", self.region(region).operations_url(service));
            all.push((service.name(), self.http().get(url).send().await?.text().await?));
        }
        all.push(("mirror-watch", self.mirror_metrics(region).await?));
        Ok(all)
    }

    /// A database of a region, as its administrator sees it.
    ///
    /// # Errors
    /// When it cannot be connected to.
    pub async fn database(&self, region: &str, database: &str) -> Result<PgPool> {
        let url = self.cluster.administrator_url(self.region(region), database);
        let options = PgConnectOptions::from_str(&url)?.application_name("test");
        Ok(PgPoolOptions::new().max_connections(1).connect_with(options).await?)
    }

    /// Address of a service's database with the service's own role.
    pub fn database_url(&self, region: &str, service: Service) -> String {
        self.cluster.database_url(self.region(region), service)
    }

    /// A dump of each database of a region.
    ///
    /// # Errors
    /// When `pg_dump` fails.
    pub fn dumps(&self, region: &str) -> Result<Vec<(&'static str, Vec<u8>)>> {
        let databases = SERVICES.map(Service::database).into_iter().chain(["postgres"]);
        databases.map(|database| Ok((database, self.dump(region, database)?))).collect()
    }

    fn dump(&self, region: &str, database: &str) -> Result<Vec<u8>> {
        let url = self.cluster.administrator_url(self.region(region), database);
        let output = Command::new("pg_dump").arg(url).output().context("pg_dump")?;
        ensure!(output.status.success(), "pg_dump of {region} {database}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(output.stdout)
    }
}

/// Finds the heads of an organization anywhere in a status page.
fn collect(value: &Value, organization: &str, into: &mut Vec<Value>) {
    match value {
        Value::Object(fields)
            if fields.get("organization").is_some_and(|id| id == organization) && fields.contains_key("stream") =>
        {
            into.push(value.clone());
        }
        Value::Object(fields) => fields.values().for_each(|field| collect(field, organization, into)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, organization, into)),
        _ => {}
    }
}
