//! `writ-authorization`: wiring only.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use sqlx::PgPool;
use tokio::sync::watch;
use writ_authorization::policies::Policies;
use writ_authorization::scopes::ScopesFile;
use writ_authorization::settings::AuthorizationSettings;
use writ_authorization::store::answered;
use writ_authorization::{PROGRAM, metrics, store};
use writ_chains::SharedIndex;
use writ_contract::policy_change::{ChangeSet, PolicyOps};
use writ_contract::{Record, SchemaRegistry};
use writ_kafka::{ProducerScopes, topics};
use writ_log::consumer::{Consumer, Subscription};
use writ_log::outbox::{Handover, Publisher, StatusHandle};
use writ_log::schemas::Follower;
use writ_log::{Compression, Lease, LogProducer, database, retention, schemas};
use writ_policy::Index;
use writ_service::Service;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    if writ_service::asked_to_migrate() {
        return writ_service::migrate(PROGRAM.name, &store::MIGRATOR).await;
    }
    writ_service::run(PROGRAM, wire).await
}

async fn wire(service: Service, settings: AuthorizationSettings) -> anyhow::Result<()> {
    let region = service.common.region;
    metrics::begin(region);
    let scopes = scopes(&service, &settings).await?;
    let loading = service.health.check("policies");
    let pool = service.database(&settings.database_url, &store::MIGRATOR).await?;
    loading.fail("waiting for the lease");
    let lease = Lease::acquire(&pool, "authorization").await;
    let producer = producer(&service).await?;
    loading.fail("learning schemas");
    let registry = SchemaRegistry::default();
    let follower = service.learn_schemas(&registry).await?;

    loading.fail("loading");
    let index = SharedIndex::new(writ_chains::load(&pool).await?);
    let memory = database::within(database::LONG_CALL, store::load(&pool)).await?;
    let handover = Handover::start(pool.clone());
    let mut policies = Policies::new(region, registry, scopes, index.clone(), memory)
        .allowing_entities(settings.max_entities_per_organization)
        .handing_to(handover.clone());
    // This build may understand what an earlier one did not.
    writ_chains::retry_parked(&pool, &lease, &index, &mut policies, Policies::retry).await?;
    loading.pass();

    let publisher = Publisher::new(pool.clone(), handover, producer, lease.clone(), region.as_str(), "authorization");
    let outbox = publisher.handle();
    let stop = service.shutdown.clone();
    service.spawn("publisher", async move { Ok(publisher.run(stop).await?) });
    consume(&service, policies, &pool, &lease, follower);
    show(&service, &index, outbox);
    let (forgetting, stop) = (pool.clone(), service.shutdown.clone());
    service.spawn("retention", async move {
        retention::run(forgetting, stop, answered::forget_old).await;
        Ok(())
    });
    let measuring = writ_chains::metrics::run(index, pool, service.shutdown.clone());
    service.spawn("metrics", async {
        measuring.await;
        Ok(())
    });
    Ok(())
}

/// Starts a consumer for identity events and the directory, and one for the events of other systems: each has a queue and
/// transactions of its own.
fn consume(service: &Service, policies: Policies, pool: &PgPool, lease: &Lease, follower: Follower) {
    let directory = policies.directory();
    let (identity, entities) = policies.split();
    let topics = vec![Subscription::local(topics::IDENTITY_EVENTS), Subscription::everywhere(topics::ORGANIZATIONS)];
    let consumer = Consumer::new(service.consumer_config(topics), pool.clone(), lease.clone());
    let listed = consumer.handle();
    service.show_consumer("identity events", consumer.handle());
    let stop = service.shutdown.clone();
    service.spawn("identity events", async move {
        let _follower = follower;
        Ok(consumer.run(identity, stop).await?)
    });

    let topics = vec![Subscription::local(&format!("{}*", topics::ENTITY_EVENTS_PREFIX))];
    let consumer = Consumer::new(service.second_consumer_config("entities", topics), pool.clone(), lease.clone())
        .holding_back(move |record| Policies::must_wait(&directory, record));
    service.show_second_consumer("entity events", "entities", consumer.handle());
    let stop = service.shutdown.clone();
    service.spawn("entity events", async move {
        // Before, organizations that exist would be unknown.
        if stop.run_until_cancelled(consumer.wait_for(listed.until_caught_up())).await.is_none() {
            return Ok(());
        }
        Ok(consumer.run(entities, stop).await?)
    });
}

/// What entity producers may speak for, now and later.
async fn scopes(
    service: &Service,
    settings: &AuthorizationSettings,
) -> anyhow::Result<watch::Receiver<ProducerScopes>> {
    let Some(path) = settings.entity_producers.clone() else {
        return Ok(watch::channel(ProducerScopes::default()).1);
    };
    let (file, scopes) = ScopesFile::open(path).await?;
    let stop = service.shutdown.clone();
    service.spawn("producers", async {
        file.follow(stop).await;
        Ok(())
    });
    let shown = scopes.clone();
    service.status("producers", move || std::future::ready(json!(shown.borrow().producer)));
    Ok(scopes)
}

/// Connects to Kafka and tells readers how this service writes.
async fn producer(service: &Service) -> anyhow::Result<LogProducer> {
    let producer =
        LogProducer::connect(&service.common.kafka(), PROGRAM.name, Compression::None).context("WRIT_KAFKA_BROKERS")?;
    producer.warm_up(&[topics::POLICY_CHANGES, topics::SCHEMAS]).await;
    let source = format!("/{}/authorization", service.common.region);
    schemas::publish(&producer, &source, &[ChangeSet::schema(), PolicyOps::schema()]).await?;
    Ok(producer)
}

/// Readiness and status.
fn show(service: &Service, index: &SharedIndex, outbox: StatusHandle) {
    service.status("outbox", move || std::future::ready(json!(outbox.get())));
    let shown = index.clone();
    service.status("chains", move || std::future::ready(json!(shown.read(Index::overview))));
    let shown = index.clone();
    service.status_on_request("chains", "heads", move || std::future::ready(json!(shown.read(Index::chain_statuses))));
}
