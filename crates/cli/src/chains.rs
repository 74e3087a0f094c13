//! The state of every chain in each region, from the read APIs.

use std::collections::BTreeMap;

use anyhow::Result;
use comfy_table::Cell;
use futures::future::join_all;
use serde::Deserialize;
use serde_json::{Value, json};
use writ_local::{Cluster, LocalRegion, Service};

use crate::table::{table, verdict};

/// Number of digits of a digest that are shown.
const SHORT: usize = 12;

/// A chain: organization, origin, stream.
type Key = (String, String, String);

/// State of a chain in one region.
#[derive(Debug, Clone, Deserialize)]
struct ChainHead {
    organization: String,
    origin: String,
    stream: String,
    epoch: i64,
    revision: i64,
    digest: String,
    state_digest: String,
    state: String,
}

#[derive(Debug, Deserialize)]
struct HeadsAnswer {
    heads: Vec<ChainHead>,
}

/// All chains of all regions.
#[derive(Debug)]
pub(crate) struct Chains {
    regions: Vec<String>,
    /// Heads in the order of the regions; `None` where a region does not have the chain.
    chains: BTreeMap<Key, Vec<Option<ChainHead>>>,
    /// Regions that did not answer, and why.
    silent: Vec<(String, String)>,
}

/// Queries the read API of every region.
pub(crate) async fn gather(cluster: &Cluster) -> Chains {
    let answers = join_all(cluster.regions.iter().map(heads)).await;
    let regions: Vec<String> = cluster.regions.iter().map(|region| region.code.to_string()).collect();
    let mut chains = Chains { chains: BTreeMap::new(), silent: Vec::new(), regions };
    for (at, answer) in answers.into_iter().enumerate() {
        match answer {
            Ok(heads) => heads.into_iter().for_each(|head| chains.put(at, head)),
            Err(error) => chains.silent.push((chains.regions[at].clone(), error.to_string())),
        }
    }
    chains
}

async fn heads(region: &LocalRegion) -> Result<Vec<ChainHead>> {
    let url = format!("{}/status?chains=1", region.operations_url(Service::Projector));
    let answer: HeadsAnswer = reqwest::get(url).await?.error_for_status()?.json().await?;
    Ok(answer.heads)
}

impl Chains {
    fn put(&mut self, at: usize, head: ChainHead) {
        let key = (head.organization.clone(), head.origin.clone(), head.stream.clone());
        let row = self.chains.entry(key).or_insert_with(|| vec![None; self.regions.len()]);
        row[at] = Some(head);
    }

    /// Whether every region answered and has the same state of every chain.
    pub(crate) fn agree(&self) -> bool {
        self.silent.is_empty() && self.chains.values().all(|row| same(row))
    }

    pub(crate) fn to_json(&self) -> Value {
        let rows = self.chains.iter().map(|((organization, origin, stream), row)| {
            let heads = self.regions.iter().zip(row).map(|(region, head)| (region.clone(), of(head.as_ref())));
            let heads: serde_json::Map<String, Value> = heads.collect();
            json!({"organization": organization, "origin": origin, "stream": stream, "agree": same(row), "regions": heads})
        });
        json!({"agree": self.agree(), "silent": self.silent, "chains": rows.collect::<Vec<_>>()})
    }

    pub(crate) fn show(&self) {
        let fixed = ["organization", "origin", "stream"];
        let mut table = table(fixed.into_iter().chain(self.regions.iter().map(String::as_str)));
        for ((organization, origin, stream), row) in &self.chains {
            let agree = same(row);
            let cells = row.iter().map(|head| verdict(agree, head.as_ref().map_or("–".to_owned(), text)));
            let names = [organization, origin, stream].map(Cell::new);
            table.add_row(names.into_iter().chain(cells));
        }
        println!("\n{table}\nEach cell: epoch.revision, digest, state digest. Red where regions differ.");
        for (region, error) in &self.silent {
            println!("{region} did not answer: {error}");
        }
    }
}

/// Whether all regions have the same state of a chain.
fn same(row: &[Option<ChainHead>]) -> bool {
    let first = row.first().and_then(Option::as_ref);
    let like = |head: &ChainHead, first: &ChainHead| {
        let place = |head: &ChainHead| (head.epoch, head.revision, head.digest.clone(), head.state_digest.clone());
        place(head) == place(first) && head.state == first.state
    };
    first.is_some_and(|first| row.iter().all(|head| head.as_ref().is_some_and(|head| like(head, first))))
}

fn text(head: &ChainHead) -> String {
    let short = |digest: &str| digest.chars().take(SHORT).collect::<String>();
    let moves = if head.state == "live" { String::new() } else { format!(" {}", head.state) };
    format!("{}.{}{moves}\n{} {}", head.epoch, head.revision, short(&head.digest), short(&head.state_digest))
}

fn of(head: Option<&ChainHead>) -> Value {
    let Some(head) = head else { return Value::Null };
    json!({
        "epoch": head.epoch, "revision": head.revision, "digest": head.digest,
        "state_digest": head.state_digest, "state": head.state,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(revision: i64, state_digest: &str) -> Option<ChainHead> {
        let (digest, state_digest, state) = ("d".to_owned(), state_digest.to_owned(), "live".to_owned());
        let (organization, origin, stream) = ("o".to_owned(), "us".to_owned(), "identity".to_owned());
        Some(ChainHead { organization, origin, stream, epoch: 1, revision, digest, state_digest, state })
    }

    #[test]
    fn regions_agree_only_when_all_have_the_same() {
        assert!(same(&[head(3, "a"), head(3, "a")]));
        assert!(!same(&[head(3, "a"), head(4, "a")]));
        assert!(!same(&[head(3, "a"), head(3, "b")]));
        assert!(!same(&[head(3, "a"), None]));
        assert!(!same(&[None, head(3, "a")]));
    }
}
