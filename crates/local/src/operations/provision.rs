//! Provisioning the regions of a running cluster.

use std::fs;

use secrecy::ExposeSecret;
use writ_kafka::{ExternalProducer, MECHANISM};
use writ_provision::{create_folder, migrate, provision_kafka, provision_postgres, write_private};

use crate::cluster::{Cluster, settings};
use crate::error::{Error, Result};
use crate::parts::services;
use crate::region::LocalRegion;

/// Topics, principals and access rights, and the settings of the external producers.
pub(crate) async fn kafka(cluster: &Cluster, region: &LocalRegion) -> Result<()> {
    let plan = settings::of_region(cluster, region)?.kafka_plan()?;
    provision_kafka(&cluster.kafka_administrator(region), &plan).await?;
    if cluster.plaintext_kafka {
        return Ok(());
    }
    plan.producers.iter().try_for_each(|producer| write_client_file(cluster, region, producer))
}

/// Roles, databases and tables.
pub(crate) async fn databases(cluster: &Cluster, region: &LocalRegion) -> Result<()> {
    let Some(plan) = settings::of_region(cluster, region)?.postgres()? else { return Ok(()) };
    provision_postgres(&plan).await?;
    Ok(migrate(&plan, &programs(cluster)?).await?)
}

/// Writes what the entity producers may speak for.
pub(crate) fn write_scopes(cluster: &Cluster) -> Result<()> {
    let text = cluster.scopes().to_text().map_err(|error| Error::Settings(error.to_string()))?;
    Ok(write_private(&cluster.scopes_file(), &text)?)
}

/// Folder of the services' programs.
pub(crate) fn programs(cluster: &Cluster) -> Result<std::path::PathBuf> {
    cluster.binaries.clone().map_or_else(services::find_programs, Ok)
}

/// Writes the settings with which an external producer connects to a region.
pub(crate) fn write_client_file(cluster: &Cluster, region: &LocalRegion, producer: &ExternalProducer) -> Result<()> {
    let file = cluster.client_file(region, producer);
    let password = cluster.kafka_password(region.code.as_str(), &producer.principal());
    let text = format!(
        "bootstrap.servers={}\nsecurity.protocol=SASL_SSL\nsasl.mechanism={MECHANISM}\nsasl.username={}\n\
         sasl.password={}\nssl.ca.location={}\n",
        region.brokers(),
        producer.principal(),
        password.expose_secret(),
        cluster.ca().display(),
    );
    file.parent().map_or(Ok(()), create_folder)?;
    Ok(write_private(&file, &text)?)
}

/// Removes these settings.
pub(crate) fn remove_client_file(cluster: &Cluster, region: &LocalRegion, producer: &ExternalProducer) -> Result<()> {
    let file = cluster.client_file(region, producer);
    match fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::at(&file)(error)),
        _ => Ok(()),
    }
}
