//! Who is not let in at a region's Kafka at all.

use anyhow::Result;
use integration_tests::System;
use integration_tests::access::complaint;
use rdkafka::ClientConfig;
use rdkafka::error::RDKafkaErrorCode::{self, AllBrokersDown, Authentication, BrokerTransportFailure, SSL};

const SERVICE: &str = "identity";

/// The settings with which a service reaches `us`, and is let in.
fn good(system: &System) -> ClientConfig {
    of_region(system, "us")
}

fn of_region(system: &System, region: &str) -> ClientConfig {
    let mut settings = system.kafka_as(region, SERVICE).client_config("test");
    settings.set("group.id", "writ-identity");
    settings
}

fn refused(settings: &ClientConfig, wanted: &[RDKafkaErrorCode], why: &str) -> Result<()> {
    let seen = complaint(settings)?;
    assert!(seen.is_some_and(|code| wanted.contains(&code)), "{why}: {seen:?}");
    Ok(())
}

/// A name alone opens nothing, nor does a password of another region.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_right_password_of_this_region_lets_in() -> Result<()> {
    let system = System::running().await?;
    let good = good(system);
    assert_eq!(complaint(&good)?, None);
    refused(good.clone().set("sasl.password", "wrong"), &[Authentication], "a wrong password")?;
    refused(good.clone().set("sasl.username", "nobody"), &[Authentication], "an unknown principal")?;
    refused(good.clone().set("sasl.mechanism", "PLAIN"), &[Authentication], "another mechanism")?;
    let mut foreign = of_region(system, "eu");
    assert_eq!(complaint(&foreign)?, None);
    refused(foreign.set("bootstrap.servers", system.kafka("us").brokers()), &[Authentication], "of another region")
}

/// Nothing is said in the clear, and to no broker that our authority does not know.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_comes_without_tls_or_without_a_login() -> Result<()> {
    let system = System::running().await?;
    let closed = [BrokerTransportFailure, AllBrokersDown];
    for protocol in ["plaintext", "sasl_plaintext", "ssl"] {
        refused(good(system).set("security.protocol", protocol), &closed, protocol)?;
    }
    // The client hangs up; which of its threads says so first is not said.
    let distrusted = [SSL, BrokerTransportFailure, AllBrokersDown];
    refused(good(system).remove("ssl.ca.location"), &distrusted, "authorities of the web")
}
