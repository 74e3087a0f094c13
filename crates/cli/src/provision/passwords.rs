//! `writ provision passwords`: new random passwords for a region.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use anyhow::{Context, Result};
use clap::Args;
use writ_contract::Region;
use writ_kafka::ExternalProducer;
use writ_provision::{RegionSettings, principals, random_password, roles};

use super::region::NamedProducer;

/// Print new random passwords for all principals and database roles of a region, as part of the file of
/// `writ provision region --config`
#[derive(Debug, Args)]
pub(crate) struct PasswordsArgs {
    /// Code of the region
    #[arg(long, env = "WRIT_REGION", value_name = "CODE")]
    region: String,
    /// Codes of all regions of the deployment, comma-separated
    #[arg(long, env = "WRIT_REGIONS", value_delimiter = ',', value_name = "CODES", required = true)]
    regions: Vec<String>,
    /// External producers and what they write (entities or commands), comma-separated
    #[arg(long, env = "WRIT_PRODUCERS", value_delimiter = ',', value_name = "NAME=KIND")]
    producers: Vec<NamedProducer>,
}

impl PasswordsArgs {
    pub(crate) fn execute(&self) -> Result<()> {
        let region: Region = self.region.parse().with_context(|| format!("region {}", self.region))?;
        let regions = parsed(&self.regions)?;
        let producer = |named: &NamedProducer| ExternalProducer::named(named.name.clone(), named.kind);
        let producers: Vec<ExternalProducer> = self.producers.iter().map(producer).collect();
        let settings = RegionSettings {
            producers: producers.iter().map(|producer| (producer.name().clone(), producer.kind())).collect(),
            principals: with_passwords(principals(&region, &regions, &producers)),
            roles: with_passwords(roles()),
            region: Some(region),
            regions,
            ..RegionSettings::default()
        };
        print!("{}", settings.to_toml()?);
        Ok(())
    }
}

/// Codes of regions.
pub(super) fn parsed<T: FromStr<Err: Display>>(codes: &[String]) -> Result<Vec<T>> {
    codes.iter().map(|code| code.parse().map_err(|error| anyhow::anyhow!("region {code}: {error}"))).collect()
}

fn with_passwords(names: Vec<String>) -> BTreeMap<String, String> {
    names.into_iter().map(|name| (name, random_password())).collect()
}
