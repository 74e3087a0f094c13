//! `writ provision`: what the containers of `docker-compose.yml` need before the services start.

use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;
use writ_local::{Cluster, Options};

/// The two steps, each done by a container of its own that then ends.
#[derive(Debug, Subcommand)]
pub(crate) enum Provision {
    /// Make the secrets the first time, and write what each container is given, readable by its own user alone
    Secrets {
        /// A folder for each region is written here
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// What an operator on the machine needs is copied here …
        #[arg(long, value_name = "DIR", requires = "owned_as")]
        operator: Option<PathBuf>,
        /// … and given to the owner of this file
        #[arg(long, value_name = "FILE")]
        owned_as: Option<PathBuf>,
    },
    /// Make databases, roles, topics, principals and rights of a region
    Region {
        /// Its code
        code: String,
    },
}

impl Provision {
    pub(crate) async fn execute(&self, options: Options) -> Result<u8> {
        let mut cluster = Cluster::open(Options { inside: true, ..options })?;
        match self {
            Self::Secrets { out, operator, owned_as } => {
                operator.iter().try_for_each(|folder| cluster.adopt_producers(folder))?;
                cluster.hand_out(out)?;
                if let (Some(folder), Some(landmark)) = (operator, owned_as) {
                    cluster.copy_for_operator(folder, landmark)?;
                }
            }
            Self::Region { code } => cluster.provision_all(cluster.region(code)?).await?,
        }
        Ok(0)
    }
}
