//! `writ trace`: a trace from Jaeger as a waterfall.

mod svg;
mod terminal;
mod waterfall;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use writ_client::{Jaeger, http};
use writ_local::Cluster;

use waterfall::Waterfall;

/// The service in which changes begin.
const WRITER: &str = "writ-identity";

/// Which trace to draw, and how.
#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
    /// Id of the trace [default: the last change that reached another region]
    id: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
    /// Also as a picture, into this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

impl TraceArgs {
    pub(crate) async fn execute(&self, cluster: &Cluster) -> Result<u8> {
        let page = cluster.jaeger_url().context("traces need a jaeger on the path when the cluster starts")?;
        let jaeger = Jaeger::new(http(), &page);
        let waterfall = Waterfall::of(&self.find(&jaeger).await?);
        if let Some(file) = &self.svg {
            std::fs::write(file, svg::draw(&waterfall)).with_context(|| file.display().to_string())?;
        }
        if self.json {
            println!("{}", serde_json::to_string_pretty(&waterfall)?);
        } else {
            println!("{}\n{}", terminal::draw(&waterfall), jaeger.page(&waterfall.trace));
        }
        Ok(0)
    }

    async fn find(&self, jaeger: &Jaeger) -> Result<writ_client::Trace> {
        if let Some(id) = &self.id {
            return jaeger.trace(id).await?.with_context(|| format!("Jaeger has no trace {id}"));
        }
        let changes = jaeger.traces_of(WRITER).await?.into_iter().filter(reached_another_region);
        changes.max_by_key(begun).context("no change of the last hour has reached another region")
    }
}

fn reached_another_region(trace: &writ_client::Trace) -> bool {
    trace.spans.iter().any(|span| span.name.starts_with("mirror "))
}

fn begun(trace: &writ_client::Trace) -> u64 {
    trace.spans.iter().map(|span| span.begun).min().unwrap_or(0)
}
