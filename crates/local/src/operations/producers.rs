//! Access of external producers to a running cluster.

use futures::future::try_join_all;
use writ_kafka::{ExternalProducer, ProducerKind, ProducerScope};
use writ_provision::remove_principal;

use crate::cluster::Cluster;
use crate::error::{Error, Result};
use crate::lock;
use crate::operations::provision;
use crate::parts::kafka;
use crate::region::LocalRegion;

/// How often a broker is asked before it counts as down: a busy one may miss a time-out.
const ATTEMPTS: usize = 5;

pub(super) async fn register(
    cluster: &mut Cluster,
    name: &str,
    kind: ProducerKind,
    scope: ProducerScope,
) -> Result<ExternalProducer> {
    let _lock = lock::take(cluster.home().root()).await?;
    reload(cluster)?;
    require_running(cluster).await?;
    let producer = cluster.add_producer(name, kind, scope)?;
    provision::write_scopes(cluster)?;
    provision_all(cluster).await?;
    Ok(producer)
}

pub(super) async fn remove(cluster: &mut Cluster, name: &str) -> Result<()> {
    let _lock = lock::take(cluster.home().root()).await?;
    reload(cluster)?;
    let known = cluster.producers().into_iter().find(|producer| producer.name().as_str() == name);
    let producer = known.ok_or_else(|| Error::Settings(format!("there is no producer {name}")))?;
    require_running(cluster).await?;
    cluster.producers.retain(|registered| registered.name.as_str() != name);
    cluster.save()?;
    provision::write_scopes(cluster)?;
    provision_all(cluster).await?;
    try_join_all(cluster.regions.iter().map(|region| remove_from(cluster, region, &producer))).await.map(drop)
}

async fn remove_from(cluster: &Cluster, region: &LocalRegion, producer: &ExternalProducer) -> Result<()> {
    if !cluster.plaintext_kafka {
        remove_principal(&cluster.kafka_administrator(region), producer.principal()).await?;
    }
    provision::remove_client_file(cluster, region, producer)
}

async fn provision_all(cluster: &Cluster) -> Result<()> {
    try_join_all(cluster.regions.iter().map(|region| provision::kafka(cluster, region))).await.map(drop)
}

/// Another command may have changed the file before we got the lock.
fn reload(cluster: &mut Cluster) -> Result<()> {
    let file = cluster.home().cluster_file();
    cluster.read_producers(&file)
}

async fn require_running(cluster: &Cluster) -> Result<()> {
    try_join_all(cluster.regions.iter().map(|region| require_answer(cluster, region))).await.map(drop)
}

async fn require_answer(cluster: &Cluster, region: &LocalRegion) -> Result<()> {
    let (kafka, mut last) = (cluster.kafka_administrator(region), String::new());
    for _ in 0..ATTEMPTS {
        match kafka::answers(&kafka).await {
            Ok(()) => return Ok(()),
            Err(reason) => last = reason,
        }
    }
    Err(Error::Settings(format!("Kafka does not answer at {} ({last}): is the cluster up?", region.brokers())))
}
