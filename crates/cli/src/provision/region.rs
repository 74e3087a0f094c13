//! `writ provision region`: any Kafka and PostgreSQL, by address and credentials.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use clap::Args;
use writ_contract::ProducerName;
use writ_kafka::{Connection, ProducerKind};
use writ_provision::{KafkaPlan, PostgresPlan, RegionSettings};
use writ_provision::{migrate, provision_kafka, provision_postgres};

const HELP: &str = "\
What it does
  Kafka       creates missing topics, sets the given passwords of principals (SCRAM-SHA-512), and makes the access rights
              of Writ's principals exact: missing ones are created, others deleted. Other principals are left alone.
              External producers get a quota of bytes a second and of the brokers' time.
  PostgreSQL  creates missing roles and databases, sets the given passwords, grants privileges, and runs the migrations
              of each service (`writ-<service> migrate`) as the owner of its database.
  A server without an address is left alone. Everything can be repeated, and should be before each new version.

Settings
  Addresses come from options or the environment. Passwords never are options, because every user of the machine can see
  those: the administrators' are WRIT_KAFKA_PASSWORD and WRIT_POSTGRES_PASSWORD, or in the file.
  The file of --config may have all settings, by the names of the options; options and environment win over it. Passwords
  that it does not list stay as they are.

    region = \"us\"
    regions = [\"us\", \"eu\"]
    kafka_brokers = \"kafka.us.example:9092\"
    kafka_username = \"admin\"
    kafka_ca = \"/etc/writ/kafka-ca.pem\"
    postgres_url = \"postgres://postgres@db.us.example/postgres?sslmode=verify-full\"

    [producers]                # external producers; those that are not listed lose their access
    gateways = \"entities\"

    [principals]               # passwords at Kafka; `writ provision passwords` prints new ones
    identity = \"…\"

    [roles]                    # passwords at PostgreSQL
    identity = \"…\"
    identity_owner = \"…\"

Examples
  writ provision passwords --region us --regions us,eu >> us.toml && chmod 600 us.toml
  WRIT_KAFKA_PASSWORD=… WRIT_POSTGRES_PASSWORD=… writ provision region --config us.toml
  WRIT_KAFKA_PASSWORD=… writ provision region --region us --regions us,eu \\
      --kafka-brokers kafka.us.example:9092 --kafka-username admin --kafka-ca ca.pem --producers gateways=entities";

/// Create what a region's Kafka and PostgreSQL need: topics, principals, access rights, roles, databases
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct RegionArgs {
    /// TOML file with settings and passwords
    #[arg(long, env = "WRIT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Code of the region
    #[arg(long, env = "WRIT_REGION", value_name = "CODE")]
    region: Option<String>,
    /// Codes of all regions of the deployment, comma-separated
    #[arg(long, env = "WRIT_REGIONS", value_delimiter = ',', value_name = "CODES")]
    regions: Option<Vec<String>>,
    /// Addresses of the region's brokers, comma-separated
    #[arg(long, env = "WRIT_KAFKA_BROKERS", value_name = "HOST:PORT")]
    kafka_brokers: Option<String>,
    /// Principal of Kafka's administrator
    #[arg(long, env = "WRIT_KAFKA_USERNAME", value_name = "NAME")]
    kafka_username: Option<String>,
    /// PEM file with the certificate authorities of the brokers
    #[arg(long, env = "WRIT_KAFKA_CA", value_name = "FILE")]
    kafka_ca: Option<PathBuf>,
    /// Address of PostgreSQL, with the name of its administrator
    #[arg(long, env = "WRIT_POSTGRES_URL", hide_env_values = true, value_name = "URL")]
    postgres_url: Option<String>,
    /// External producers and what they write (entities or commands), comma-separated
    #[arg(long, env = "WRIT_PRODUCERS", value_delimiter = ',', value_name = "NAME=KIND")]
    producers: Option<Vec<NamedProducer>>,
    /// Bytes a second that each external producer may write to a broker [default: 5 MiB]
    #[arg(long, env = "WRIT_PRODUCER_BYTES_PER_SECOND", value_name = "BYTES")]
    producer_bytes_per_second: Option<u32>,
    /// Folder of the services' programs, for the migrations [default: that of this program]
    #[arg(long, value_name = "DIR")]
    programs: Option<PathBuf>,
    /// Leave the migrations to another step of the deployment
    #[arg(long)]
    skip_migrations: bool,
}

/// A producer on the command line.
#[derive(Debug, Clone)]
pub(crate) struct NamedProducer {
    pub(super) name: ProducerName,
    pub(super) kind: ProducerKind,
}

impl FromStr for NamedProducer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, kind) = text.split_once('=').ok_or("expected NAME=KIND, such as gateways=entities")?;
        Ok(Self { name: name.parse().map_err(|error| format!("{name} {error}"))?, kind: kind.parse()? })
    }
}

impl RegionArgs {
    pub(crate) async fn execute(self) -> Result<()> {
        let (programs, skip_migrations) = (self.programs.clone(), self.skip_migrations);
        let settings = self.settings()?;
        let (kafka, postgres) = (settings.kafka()?, settings.postgres()?);
        if kafka.is_none() && postgres.is_none() {
            bail!("neither --kafka-brokers nor --postgres-url is given: see writ provision region --help");
        }
        if let Some(kafka) = kafka {
            provision_and_report(&kafka, &settings.kafka_plan()?).await?;
        }
        if let Some(plan) = postgres {
            let programs = if skip_migrations { None } else { Some(programs.map_or_else(beside_this_program, Ok)?) };
            databases(&plan, programs.as_deref()).await?;
        }
        Ok(())
    }

    /// The file, overridden by the environment and options.
    fn settings(self) -> Result<RegionSettings> {
        let mut settings =
            self.config.as_deref().map_or_else(|| Ok(RegionSettings::default()), RegionSettings::read)?;
        if let Some(region) = self.region {
            settings.region = Some(region.parse().with_context(|| format!("region {region}"))?);
        }
        if let Some(regions) = self.regions {
            settings.regions = super::passwords::parsed(&regions)?;
        }
        override_with(&mut settings.kafka_brokers, self.kafka_brokers);
        override_with(&mut settings.kafka_username, self.kafka_username);
        override_with(&mut settings.kafka_password, std::env::var("WRIT_KAFKA_PASSWORD").ok());
        override_with(&mut settings.kafka_ca, self.kafka_ca);
        override_with(&mut settings.producer_bytes_per_second, self.producer_bytes_per_second);
        override_with(&mut settings.postgres_url, self.postgres_url);
        override_with(&mut settings.postgres_password, std::env::var("WRIT_POSTGRES_PASSWORD").ok());
        if let Some(producers) = self.producers {
            settings.producers = producers.into_iter().map(|producer| (producer.name, producer.kind)).collect();
        }
        Ok(settings)
    }
}

fn override_with<T>(setting: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *setting = value;
    }
}

async fn provision_and_report(kafka: &Connection, plan: &KafkaPlan) -> Result<()> {
    let report = provision_kafka(kafka, plan).await?;
    println!("Kafka: {} topics created, {} passwords set", report.topics.len(), plan.passwords.len());
    if let Some(bindings) = report.bindings {
        println!("Kafka: {} access rights created, {} deleted", bindings.created, bindings.deleted);
    }
    Ok(())
}

async fn databases(plan: &PostgresPlan, programs: Option<&Path>) -> Result<()> {
    provision_postgres(plan).await?;
    println!("PostgreSQL: roles and databases are in place, {} passwords set", plan.passwords.len());
    if let Some(programs) = programs {
        migrate(plan, programs).await.context("use --programs or --skip-migrations to change how migrations run")?;
        println!("PostgreSQL: migrations are applied");
    }
    Ok(())
}

fn beside_this_program() -> Result<PathBuf> {
    let current = std::env::current_exe().context("this program's folder")?;
    Ok(current.parent().map(Path::to_path_buf).unwrap_or_default())
}
