//! Topics, principals and access rights of a region's Kafka.

use std::collections::BTreeMap;

use secrecy::SecretString;
use writ_contract::Region;
use writ_kafka::access::{Changed, Credential, Quota, enforce, forget, limit, rules};
use writ_kafka::topics::{self, TopicSpec};
use writ_kafka::{Connection, ExternalProducer};

use crate::error::Result;

/// What a region's Kafka should have.
#[derive(Debug, Clone)]
pub struct KafkaPlan {
    /// The region.
    pub region: Region,
    /// All regions of the deployment, this one included: each other region mirrors from and to this one.
    pub regions: Vec<Region>,
    /// All external producers. Those that are not listed lose their access.
    pub producers: Vec<ExternalProducer>,
    /// What each external producer may use of a broker.
    pub producer_quota: Quota,
    /// Passwords to set, by principal. Other principals keep theirs.
    pub passwords: BTreeMap<String, SecretString>,
}

/// What was changed at a region's Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KafkaReport {
    /// Names of the topics created.
    pub topics: Vec<String>,
    /// Access rights created and deleted; `None` if the listener is unauthenticated.
    pub bindings: Option<Changed>,
}

/// Creates missing topics, sets passwords and quotas, and makes the access rights of our principals exactly what the plan implies.
/// An unauthenticated listener gets topics only.
///
/// # Errors
/// If Kafka does not answer or refuses.
pub async fn provision_kafka(administrator: &Connection, plan: &KafkaPlan) -> Result<KafkaReport> {
    let own: Vec<TopicSpec> = plan.producers.iter().flat_map(ExternalProducer::own_topics).collect();
    let topics = topics::ensure(administrator, &own).await?;
    if administrator.login().is_none() {
        return Ok(KafkaReport { topics, bindings: None });
    }
    let regions: Vec<&str> = plan.regions.iter().map(Region::as_str).collect();
    let wanted = rules::of_region(plan.region.as_str(), &regions, &plan.producers);
    let bindings = enforce(administrator, plan.credentials(), wanted).await?;
    let quota = |producer: &ExternalProducer| (producer.principal(), Some(plan.producer_quota));
    limit(administrator, plan.producers.iter().map(quota).collect()).await?;
    Ok(KafkaReport { topics, bindings: Some(bindings) })
}

/// Deletes the password of a principal, so that it can no longer authenticate, and its quota.
///
/// # Errors
/// If Kafka does not answer or refuses.
pub async fn remove_principal(administrator: &Connection, principal: String) -> Result<()> {
    forget(administrator, principal.clone()).await?;
    Ok(limit(administrator, vec![(principal, None)]).await?)
}

/// The principals of a region, the administrator excluded: services, mirrors and external producers.
pub fn principals(region: &Region, regions: &[Region], producers: &[ExternalProducer]) -> Vec<String> {
    let services = rules::SERVICES.map(str::to_owned).into_iter();
    let mirrors = regions.iter().map(|target| rules::mirror_to(target.as_str(), region.as_str()));
    services.chain(mirrors).chain(producers.iter().map(ExternalProducer::principal)).collect()
}

impl KafkaPlan {
    fn credentials(&self) -> Vec<Credential> {
        let of = |(principal, password): (&String, &SecretString)| Credential {
            principal: principal.clone(),
            password: password.clone(),
        };
        self.passwords.iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use writ_kafka::ProducerKind;

    use super::*;

    #[test]
    fn a_region_has_a_principal_for_each_service_mirror_and_producer() {
        let regions: Vec<Region> = ["us", "eu", "au"].iter().map(|code| code.parse().unwrap()).collect();
        let billing = ExternalProducer::new("billing", ProducerKind::Commands).unwrap();
        let expected = ["identity", "authorization", "projector", "audit", "mirror-us", "mirror", "mirror-au"];
        let expected: Vec<&str> = expected.into_iter().chain(["producer-billing"]).collect();
        assert_eq!(principals(&regions[1], &regions, &[billing]), expected);
    }
}
