//! `writ producer`: who of the world outside may write to the log.

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use writ_kafka::{ExternalProducer, ProducerKind};
use writ_local::Cluster;

use crate::table::table;

/// What is done.
#[derive(Debug, Subcommand)]
pub(crate) enum Producer {
    /// Let another system write to the log of every region: topic, principal, password and rights
    Add(Add),
    /// Show who is let in
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Take a producer's rights and password away; its topics stay, with what it has written
    Remove {
        /// Its name
        name: String,
    },
}

/// A new producer. Adding it again changes nothing.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// 1 to 48 lower-case letters, digits and dashes, such as billing
    name: String,
    /// What it writes: entities of its region, or commands, to a topic of its own
    #[arg(long)]
    kind: ProducerKind,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl Producer {
    pub(crate) async fn execute(&self, mut cluster: Cluster) -> Result<u8> {
        match self {
            Self::Add(add) => add.execute(&mut cluster).await?,
            Self::List { json } => list(&cluster, *json)?,
            Self::Remove { name } => {
                cluster.shut_out(name).await?;
                println!("{name} is not let in any more.");
            }
        }
        Ok(0)
    }
}

impl Add {
    async fn execute(&self, cluster: &mut Cluster) -> Result<()> {
        let producer = cluster.let_in(&self.name, self.kind).await?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&described(cluster, &producer))?);
            return Ok(());
        }
        println!("{} may write {} in every region, as {}.", self.name, producer.topic(), producer.principal());
        println!("Its settings for librdkafka, with its password, readable by you alone:");
        for region in &cluster.regions {
            println!("  {}  {}", region.code, cluster.client_file(region, &producer).display());
        }
        show_example(cluster, &producer);
        Ok(())
    }
}

fn show_example(cluster: &Cluster, producer: &ExternalProducer) {
    let Some(region) = cluster.regions.first() else { return };
    let file = cluster.client_file(region, producer);
    println!("Whether it comes in:\n  kcat -F {} -L -t {}", file.display(), producer.topic());
    println!("What a record is like: schemas/README.md");
}

fn list(cluster: &Cluster, as_json: bool) -> Result<()> {
    let producers = cluster.producers()?;
    if as_json {
        let all: Vec<Value> = producers.iter().map(|producer| described(cluster, producer)).collect();
        println!("{}", serde_json::to_string_pretty(&all)?);
        return Ok(());
    }
    let mut table = table(["producer", "kind", "principal", "writes"]);
    for producer in producers {
        table.add_row([producer.name(), producer.kind().name(), &producer.principal(), &producer.topic()]);
    }
    println!("{table}");
    Ok(())
}

fn described(cluster: &Cluster, producer: &ExternalProducer) -> Value {
    let file = |region| cluster.client_file(region, producer).display().to_string();
    let files: serde_json::Map<String, Value> =
        cluster.regions.iter().map(|region| (region.code.to_string(), file(region).into())).collect();
    json!({
        "name": producer.name(),
        "kind": producer.kind().name(),
        "principal": producer.principal(),
        "topic": producer.topic(),
        "client_files": files,
    })
}
