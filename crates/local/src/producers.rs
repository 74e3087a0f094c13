//! The external producers of a cluster: which there are, and what each is given to come in.

use std::fs;
use std::path::{Path, PathBuf};

use futures::future::try_join_all;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use writ_kafka::{ExternalProducer, MECHANISM, PRODUCER_PREFIX, ProducerKind};

use writ_provision::{random_password, remove_principal, write_private};

use crate::cluster::{Cluster, LocalRegion};
use crate::error::{Error, Result};
use crate::{kafka, lock};

/// The other system of the demo.
pub(crate) const DEMO_PRODUCER: &str = "demo";

/// How often a region's Kafka is asked before it counts as not running.
const QUESTIONS: usize = 5;

/// An external producer as the cluster's file has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RegisteredProducer {
    /// Its name, such as `billing`.
    name: String,
    /// Whether it sends commands, or else entity events.
    commands: bool,
    /// Part of its passwords: a producer that is added again after it was removed gets new ones.
    #[serde(default)]
    key: String,
}

impl RegisteredProducer {
    pub(crate) fn demo() -> Self {
        Self { name: DEMO_PRODUCER.to_owned(), commands: false, key: String::new() }
    }

    pub(crate) fn checked(&self) -> Result<ExternalProducer> {
        let kind = if self.commands { ProducerKind::Commands } else { ProducerKind::Entities };
        ExternalProducer::new(&self.name, kind).map_err(|error| Error::Settings(format!("{}: {error}", self.name)))
    }
}

impl Cluster {
    /// External producers that are let in.
    ///
    /// # Errors
    /// When the cluster's file has a name that is not fit.
    pub fn producers(&self) -> Result<Vec<ExternalProducer>> {
        self.producers.iter().map(RegisteredProducer::checked).collect()
    }

    /// Registers an external producer; [`Cluster::up`] lets it in.
    ///
    /// # Errors
    /// When the name is not fit, or another kind of producer has it.
    pub fn add_producer(&mut self, name: &str, kind: ProducerKind) -> Result<ExternalProducer> {
        let new = RegisteredProducer {
            name: name.to_owned(),
            commands: kind == ProducerKind::Commands,
            key: random_password(),
        };
        let producer = new.checked()?;
        match self.producers.iter().find(|known| known.name == name) {
            Some(known) if known.commands == new.commands => return Ok(producer),
            Some(_) => return Err(Error::Settings(format!("there is a producer {name} of the other kind"))),
            None => self.producers.push(new),
        }
        self.save()?;
        Ok(producer)
    }

    /// Password of a principal at a region's Kafka.
    pub(crate) fn kafka_password(&self, region: &str, principal: &str) -> SecretString {
        let named = |producer: &&RegisteredProducer| principal.strip_prefix(PRODUCER_PREFIX) == Some(&producer.name);
        let key = self.producers.iter().find(named).map_or("", |producer| &producer.key);
        self.secrets.kafka_password(region, &format!("{principal}{key}"))
    }

    /// Registers an external producer and lets it in, in every region of the running cluster.
    ///
    /// # Errors
    /// As [`Self::add_producer`], and when a region does not answer: then nothing is changed.
    pub async fn let_in(&mut self, name: &str, kind: ProducerKind) -> Result<ExternalProducer> {
        let _lock = lock::take(self.home().root()).await?;
        self.reload()?;
        self.must_run().await?;
        let producer = self.add_producer(name, kind)?;
        self.provision_all_kafkas().await?;
        Ok(producer)
    }

    /// Takes an external producer's rights, password and settings away. Its topics stay, with what it has written.
    ///
    /// # Errors
    /// When there is no such producer, or a region does not answer.
    pub async fn shut_out(&mut self, name: &str) -> Result<()> {
        let _lock = lock::take(self.home().root()).await?;
        self.reload()?;
        let known = self.producers()?.into_iter().find(|producer| producer.name() == name);
        let producer = known.ok_or_else(|| Error::Settings(format!("there is no producer {name}")))?;
        self.must_run().await?;
        self.producers.retain(|registered| registered.name != name);
        self.save()?;
        self.provision_all_kafkas().await?;
        try_join_all(self.regions.iter().map(|region| self.forget(region, &producer))).await.map(drop)
    }

    /// Takes over the producers that an operator has registered in a copy of this cluster's file, if there is one in
    /// `folder`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn adopt_producers(&mut self, folder: &Path) -> Result<()> {
        self.take_producers_of(&folder.join("cluster.json"))?;
        self.save()
    }

    /// Settings for librdkafka (`kcat -F`) with which a producer reaches a region.
    pub fn client_file(&self, region: &LocalRegion, producer: &ExternalProducer) -> PathBuf {
        self.home.root().join("producers").join(format!("{}.{}.properties", producer.name(), region.code))
    }

    pub(crate) fn write_client_file(&self, region: &LocalRegion, producer: &ExternalProducer) -> Result<()> {
        let file = self.client_file(region, producer);
        let password = self.kafka_password(region.code.as_str(), &producer.principal());
        let text = format!(
            "bootstrap.servers={}\nsecurity.protocol=SASL_SSL\nsasl.mechanism={MECHANISM}\nsasl.username={}\n\
             sasl.password={}\nssl.ca.location={}\n",
            region.brokers(),
            producer.principal(),
            password.expose_secret(),
            self.ca().display(),
        );
        fs::create_dir_all(self.home.root().join("producers")).map_err(Error::at(&file))?;
        Ok(write_private(&file, &text)?)
    }

    async fn forget(&self, region: &LocalRegion, producer: &ExternalProducer) -> Result<()> {
        if !self.plaintext_kafka {
            remove_principal(&self.kafka_administrator(region), producer.principal()).await?;
        }
        let file = self.client_file(region, producer);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::at(&file)(error)),
            _ => Ok(()),
        }
    }

    async fn provision_all_kafkas(&self) -> Result<()> {
        try_join_all(self.regions.iter().map(|region| self.provision(region))).await.map(drop)
    }

    /// Somebody else may have changed the file before we held the lock.
    fn reload(&mut self) -> Result<()> {
        self.take_producers_of(&self.home.cluster_file())
    }

    async fn must_run(&self) -> Result<()> {
        try_join_all(self.regions.iter().map(|region| self.must_answer(region))).await.map(drop)
    }

    /// A busy broker may not answer the first question in time.
    async fn must_answer(&self, region: &LocalRegion) -> Result<()> {
        let (kafka, mut last) = (self.kafka_administrator(region), String::new());
        for _ in 0..QUESTIONS {
            match kafka::answers(&kafka).await {
                Ok(()) => return Ok(()),
                Err(reason) => last = reason,
            }
        }
        Err(Error::Settings(format!("Kafka does not answer at {} ({last}): is the cluster up?", region.brokers())))
    }
}
