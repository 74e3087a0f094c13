//! `writ producer`: access of external systems to the log.

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use writ_contract::{EntityType, OrganizationId};
use writ_kafka::{Allowed, ExternalProducer, ProducerKind, ProducerScope};
use writ_local::Cluster;

use crate::table::{or_dash, table};

/// Shown for producers of commands, until a service consumes commands.
const COMMANDS_ARE_NOT_CONSUMED: &str = "Commands are not consumed yet: they are recorded by audit and change nothing.";

/// What to do with external producers.
#[derive(Debug, Subcommand)]
pub(crate) enum ProducerCommand {
    /// Give another system access to the log of every region: topic, principal, password and access rights
    Add(AddArgs),
    /// Show the producers
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Revoke the access of a producer; its topics and records stay
    Remove {
        /// Name of the producer
        name: String,
    },
}

/// A new producer. Adding it again changes only what it may speak for.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// 1 to 48 lower-case letters, digits and dashes, such as billing
    name: String,
    /// What it writes to its topic: entities of its region, or commands (which are not consumed yet)
    #[arg(long)]
    kind: ProducerKind,
    /// Organizations that an entity producer may speak for: ids, comma-separated, or all
    #[arg(long, default_value = "all")]
    organizations: Allowed<OrganizationId>,
    /// Entity types that an entity producer may speak for, comma-separated, or all
    #[arg(long, default_value = "all")]
    types: Allowed<EntityType>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl ProducerCommand {
    pub(crate) async fn execute(&self, mut cluster: Cluster) -> Result<u8> {
        match self {
            Self::Add(add) => add.execute(&mut cluster).await?,
            Self::List { json } => list(&cluster, *json)?,
            Self::Remove { name } => {
                cluster.remove_producer(name).await?;
                println!("Access for {name} revoked.");
            }
        }
        Ok(0)
    }
}

impl AddArgs {
    fn scope(&self) -> ProducerScope {
        ProducerScope { organizations: self.organizations.clone(), types: self.types.clone() }
    }

    async fn execute(&self, cluster: &mut Cluster) -> Result<()> {
        let producer = cluster.register_producer(&self.name, self.kind, self.scope()).await?;
        if self.kind == ProducerKind::Commands {
            eprintln!("{COMMANDS_ARE_NOT_CONSUMED}");
        }
        if self.json {
            println!("{}", serde_json::to_string_pretty(&described(cluster, &producer))?);
            return Ok(());
        }
        println!("{} may write {} in every region, as {}.", self.name, producer.topic(), producer.principal());
        if self.kind == ProducerKind::Entities {
            println!("It may speak for organizations: {}, entity types: {}.", self.organizations, self.types);
        }
        println!("Settings for librdkafka, with the password, readable by you alone:");
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
    println!("Test the connection:\n  kcat -F {} -L -t {}", file.display(), producer.topic());
    println!("Format of the records: schemas/README.md");
}

fn list(cluster: &Cluster, as_json: bool) -> Result<()> {
    let producers = cluster.producers();
    if as_json {
        let all: Vec<Value> = producers.iter().map(|producer| described(cluster, producer)).collect();
        println!("{}", serde_json::to_string_pretty(&all)?);
        return Ok(());
    }
    let (mut table, scopes) =
        (table(["producer", "kind", "principal", "writes", "organizations", "types"]), cluster.scopes());
    for producer in producers {
        let (name, kind, scope) = (producer.name(), producer.kind().name(), scopes.producer.get(producer.name()));
        let organizations = or_dash(scope.map(|scope| &scope.organizations));
        let types = or_dash(scope.map(|scope| &scope.types));
        table.add_row([name.as_str(), kind, &producer.principal(), &producer.topic(), &organizations, &types]);
    }
    println!("{table}");
    Ok(())
}

fn described(cluster: &Cluster, producer: &ExternalProducer) -> Value {
    let file = |region| cluster.client_file(region, producer).display().to_string();
    let files: serde_json::Map<String, Value> =
        cluster.regions.iter().map(|region| (region.code.to_string(), file(region).into())).collect();
    json!({
        "name": producer.name().as_str(),
        "kind": producer.kind().name(),
        "principal": producer.principal(),
        "topic": producer.topic(),
        "client_files": files,
        "scope": cluster.scopes().producer.get(producer.name()),
    })
}
