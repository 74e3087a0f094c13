//! `writ provision`: what a region's servers need before its services start.

mod passwords;
mod region;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use writ_local::{Cluster, Options};
use writ_provision::certificates::Authority;

/// Steps of provisioning.
#[derive(Debug, Subcommand)]
pub(crate) enum ProvisionCommand {
    Region(Box<region::RegionArgs>),
    Passwords(passwords::PasswordsArgs),
    Certificate(CertificateArgs),
    Secrets(SecretsArgs),
}

/// Issue a certificate for a region's broker
///
/// The authority is created on first use, valid for ten years: `ca.pem`, which clients need (WRIT_KAFKA_CA), and `ca.key`,
/// which stays. A broker certificate is valid for two years, and renewed if it is older than one.
#[derive(Debug, Args)]
pub(crate) struct CertificateArgs {
    /// Code of the region
    #[arg(long, env = "WRIT_REGION", value_name = "CODE")]
    region: String,
    /// Folder of the certificate authority
    #[arg(long, value_name = "DIR")]
    authority: PathBuf,
    /// Name or address of the broker, as clients use it; may be repeated
    #[arg(long = "host", required = true, value_name = "HOST")]
    hosts: Vec<String>,
    /// Folder that `broker.pem` (key and certificate) and `ca.pem` are written to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Create the secrets of docker-compose.yml, give each container its own, and all of them their configuration
#[derive(Debug, Args)]
pub(crate) struct SecretsArgs {
    /// Folder with a folder for each region, where settings and secrets are written
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Folder with the configuration of the containers, as in `infra`
    #[arg(long, value_name = "DIR", requires = "configuration_out")]
    configuration: Option<PathBuf>,
    /// Folder to copy the configuration to, readable by any user
    #[arg(long, value_name = "DIR", requires = "configuration")]
    configuration_out: Option<PathBuf>,
    /// Folder to copy to what an operator on the machine needs
    #[arg(long, value_name = "DIR", requires = "owned_as")]
    operator: Option<PathBuf>,
    /// File whose owner the operator's folder is given to
    #[arg(long, value_name = "FILE")]
    owned_as: Option<PathBuf>,
}

impl ProvisionCommand {
    pub(crate) async fn execute(self, options: Options) -> Result<u8> {
        match self {
            Self::Region(region) => region.execute().await?,
            Self::Passwords(passwords) => passwords.execute()?,
            Self::Certificate(certificate) => certificate.execute()?,
            Self::Secrets(secrets) => secrets.execute(options)?,
        }
        Ok(0)
    }
}

impl CertificateArgs {
    fn execute(&self) -> Result<()> {
        writ_provision::create_folder(&self.out)?;
        Authority::open(&self.authority)?.certify_broker(&self.region, &self.hosts, &self.out)?;
        println!("{}", self.out.join("broker.pem").display());
        Ok(())
    }
}

impl SecretsArgs {
    fn execute(&self, options: Options) -> Result<()> {
        let mut cluster = Cluster::open(Options { inside: true, ..options })?;
        self.operator.iter().try_for_each(|folder| cluster.adopt_producers(folder))?;
        cluster.write_container_files(&self.out)?;
        if let (Some(from), Some(to)) = (&self.configuration, &self.configuration_out) {
            cluster.copy_configuration(from, to)?;
        }
        if let (Some(folder), Some(landmark)) = (&self.operator, &self.owned_as) {
            cluster.copy_for_operator(folder, landmark)?;
        }
        Ok(())
    }
}
