//! Settings of the programs of a cluster, by the names of `infra/writ.toml`, and of its provisioning.

use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use writ_contract::Region;
use writ_kafka::Connection;
use writ_kafka::access::rules;
use writ_provision::{RegionSettings, Service, principals};

use crate::cluster::Cluster;
use crate::error::Result;
use crate::parts::services::ProgramSettings;
use crate::region::LocalRegion;

/// Settings of a service.
pub(crate) fn of_service(cluster: &Cluster, region: &LocalRegion, service: Service) -> ProgramSettings {
    let mut all = common(cluster, region, service.name());
    all.push(("database_url", cluster.database_url(region, service)));
    all.push(("public_url", region.url(service)));
    all.extend(own(cluster, service));
    all
}

/// Settings of mirror-watch, which uses the mirror's principal, except for the file that they share.
pub(crate) fn of_mirror_watch(cluster: &Cluster, region: &LocalRegion) -> ProgramSettings {
    common(cluster, region, rules::MIRROR)
}

/// Addresses, credentials and passwords of a region.
pub(crate) fn of_region(cluster: &Cluster, region: &LocalRegion) -> Result<RegionSettings> {
    let (producers, administrator) = (cluster.producers(), cluster.kafka_administrator(region));
    let regions: Vec<Region> = cluster.regions.iter().map(|region| region.code).collect();
    let password = |principal: String| {
        let password = cluster.kafka_password(region.code.as_str(), &principal);
        (principal, password.expose_secret().to_owned())
    };
    let login = administrator.login();
    Ok(RegionSettings {
        region: Some(region.code),
        kafka_brokers: Some(administrator.brokers().to_owned()),
        kafka_username: login.map(|login| login.username.clone()),
        kafka_password: login.map(|login| login.password.expose_secret().to_owned()),
        kafka_ca: login.map(|login| login.ca.clone()),
        postgres_url: Some(cluster.administrator_url(region, "postgres")),
        postgres_password: None,
        principals: principals(&region.code, &regions, &producers).into_iter().map(password).collect(),
        roles: cluster.secrets.roles(),
        producers: producers.iter().map(|producer| (producer.name().clone(), producer.kind())).collect(),
        producer_bytes_per_second: None,
        regions,
    })
}

/// Settings that all programs have, with the credentials of a Kafka principal.
fn common(cluster: &Cluster, region: &LocalRegion, principal: &str) -> ProgramSettings {
    let mut all = vec![
        ("region", region.code.to_string()),
        ("regions", cluster.region_codes().join(",")),
        ("kafka_brokers", region.brokers()),
    ];
    all.extend(login(&cluster.kafka(region, principal)));
    all
}

fn login(kafka: &Connection) -> ProgramSettings {
    let Some(login) = kafka.login() else { return Vec::new() };
    vec![
        ("kafka_username", login.username.clone()),
        ("kafka_password", login.password.expose_secret().to_owned()),
        ("kafka_ca", login.ca.display().to_string()),
    ]
}

/// Settings that only one or two services have.
fn own(cluster: &Cluster, service: Service) -> ProgramSettings {
    let secrets = &cluster.secrets;
    let both = [("consistency_key", secrets.consistency_key.clone()), ("identity_urls", identity_urls(cluster))];
    let own = match service {
        Service::Identity => ("operator_token", secrets.operator_token.clone()),
        Service::Projector => ("platform_token_hashes", hash(&secrets.platform_token)),
        Service::Authorization | Service::Audit => return Vec::new(),
    };
    both.into_iter().chain([own]).collect()
}

fn identity_urls(cluster: &Cluster) -> String {
    let urls = cluster.regions.iter().map(|region| format!("{}={}", region.code, region.url(Service::Identity)));
    urls.collect::<Vec<_>>().join(",")
}

fn hash(token: &str) -> String {
    Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect()
}
