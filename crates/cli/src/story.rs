//! The story: an administrator in one region lets a user act on another region's resources only, another system announces
//! the resources, and the read API of the other region decides. It uses only public APIs and a fresh organization, so it is
//! repeatable.

mod chapters;
mod step;

use anyhow::{Context, Result, ensure};
use uuid::Uuid;
use writ_client::{CallerSpan, EntityProducer, Management, ReadApi, http};
use writ_local::{Cluster, DEMO_PRODUCER, LocalRegion, Service};

pub use step::Step;

/// CloudEvents source of the system that announces resources.
const SOURCE: &str = "/demo/control-planes";
/// Service name in traces.
const NAME: &str = "writ-demo";

/// The regions of the story, and clients of their APIs.
pub struct Stage {
    /// Code of the organization's home region.
    pub home: String,
    /// Code of the region whose resources the user may act on.
    pub away: String,
    operator: Management,
    home_reads: ReadApi,
    away_reads: ReadApi,
    home_entities: EntityProducer,
    away_entities: EntityProducer,
    http: reqwest::Client,
    collector: Option<String>,
}

/// The people of the story. None of this data may exist outside identity's database in the home region.
#[derive(Debug, Clone)]
pub struct Cast {
    /// Name of the organization.
    pub organization: String,
    /// The administrator's name and e-mail address.
    pub administrator: (String, String),
    /// The user's name and e-mail address.
    pub user: (String, String),
    /// The team's name and description.
    pub team: (String, String),
}

impl Stage {
    /// The first two regions of a running cluster; the first is the home.
    ///
    /// # Errors
    /// If there is only one.
    pub fn of(cluster: &Cluster) -> Result<Self> {
        let codes = cluster.region_codes();
        ensure!(codes.len() > 1, "the story needs two regions");
        Self::between(cluster, codes[0], codes[1])
    }

    /// Two regions of a running cluster.
    ///
    /// # Errors
    /// If the cluster has no such region.
    pub fn between(cluster: &Cluster, home: &str, away: &str) -> Result<Self> {
        let (here, there) = (cluster.region(home)?, cluster.region(away)?);
        let http = http();
        let reads = |region: &LocalRegion| ReadApi::new(http.clone(), &region.url(Service::Projector));
        Ok(Self {
            home: home.to_owned(),
            away: away.to_owned(),
            operator: Management::new(http.clone(), &here.url(Service::Identity), &cluster.secrets.operator_token),
            home_reads: reads(here),
            away_reads: reads(there),
            home_entities: producer(cluster, here).context("a producer at home")?,
            away_entities: producer(cluster, there).context("a producer in the other region")?,
            http,
            collector: cluster.jaeger_otlp_url(),
        })
    }

    /// Tells the story and calls `heard` after each step. A wrong decision is a step that is not right, not an error.
    ///
    /// # Errors
    /// If a request fails that must succeed.
    pub async fn tell(&self, heard: impl FnMut(&Step)) -> Result<Cast> {
        let cast = Cast::new();
        chapters::Teller::new(self, &cast, heard).tell().await?;
        Ok(cast)
    }

    /// Exports a span of the story. Returns the id of its trace if there is a collector.
    async fn end(&self, span: CallerSpan, name: &str) -> Option<String> {
        let (collector, trace) = (self.collector.as_deref()?, span.trace_id().to_owned());
        span.end(&self.http, collector, NAME, name).await.ok().map(|()| trace)
    }
}

/// The demo's producer in a region.
pub(crate) fn producer(cluster: &Cluster, region: &LocalRegion) -> Result<EntityProducer> {
    Ok(EntityProducer::new(&cluster.kafka_of_demo(region), region.code, DEMO_PRODUCER.parse()?, SOURCE)?)
}

impl Cast {
    /// People with unique names.
    fn new() -> Self {
        let tag = Uuid::new_v4().simple().to_string()[..10].to_owned();
        Self {
            organization: format!("Analytical Engines {tag}"),
            administrator: (format!("Ada Lovelace {tag}"), format!("ada.{tag}@engines.example")),
            user: (format!("Grace Hopper {tag}"), format!("grace.{tag}@engines.example")),
            team: (format!("Gateway Operators {tag}"), format!("Looks after the gateways {tag}")),
        }
    }
}
