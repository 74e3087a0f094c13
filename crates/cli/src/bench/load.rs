//! The load: role assignments at a constant rate, each followed by a query that depends on it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;
use writ_client::{AssignRole, EntityProducer, Management, NewUser, Question, ReadApi, http};
use writ_contract::OrganizationId;
use writ_local::{Cluster, LocalRegion, Service};

use crate::story::producer;

const CONTROL_PLANES: &str = "control_planes";

/// An organization with one user, and entities without access rights.
pub(super) struct Load {
    admin: Management,
    reads: ReadApi,
    user: NewUser,
    region: String,
}

/// A range of entities, and the rate of assignments.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rhythm {
    /// Number of the first entity.
    pub(super) first: u32,
    /// Number of entities.
    pub(super) count: u32,
    /// Assignments per second.
    pub(super) rate: u32,
}

impl Load {
    pub(super) async fn prepare(
        cluster: &Cluster,
        from: &LocalRegion,
        to: &LocalRegion,
        all: u32,
    ) -> Result<Arc<Self>> {
        let (http, tag) = (http(), Uuid::new_v4().simple());
        let operator = Management::new(http.clone(), &from.url(Service::Identity), &cluster.secrets.operator_token);
        let email = format!("admin.{tag}@bench.example");
        let organization = operator.create_organization(&format!("Bench {tag}"), &email, "Bench Admin").await?;
        let admin = operator.with_bearer(&organization.token);
        let user = admin.add_user(&format!("user.{tag}@bench.example"), "Bench User").await?;
        let reads = ReadApi::new(http, &to.url(Service::Projector));
        let load = Self { admin, reads, user, region: to.code.to_string() };
        load.announce(&producer(cluster, to)?, organization.id, all).await?;
        Ok(Arc::new(load))
    }

    /// Announces the entities and waits until the queried region knows the last one.
    async fn announce(&self, producer: &EntityProducer, organization: OrganizationId, all: u32) -> Result<()> {
        // In this order and with the same key, so that the last is applied after all others.
        let ids: Vec<String> = (0..all).map(entity).collect();
        let sent = ids.iter().map(|id| producer.create(organization, CONTROL_PLANES, id));
        let last = try_join_all(sent).await?.pop().context("no entities")?;
        let fresh = format!("{},{}", self.user.consistency_token, producer.freshness(&last));
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let answer = self.ask(&entity(0), &fresh).await?;
            if answer.status == 200 {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "the entities did not arrive: {} {}", answer.status, answer.body);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Assigns at the rate, whether or not earlier assignments have arrived. Times are measured by the client, from the
    /// answer to the assignment to the answer to the query.
    pub(super) async fn run(self: &Arc<Self>, rhythm: Rhythm) -> Result<Vec<Duration>> {
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / rhythm.rate);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut tasks = Vec::new();
        for number in rhythm.first..rhythm.first + rhythm.count {
            ticks.tick().await;
            let load = Arc::clone(self);
            tasks.push(tokio::spawn(async move { load.assign_and_ask(&entity(number)).await }));
        }
        let times: Result<Vec<Duration>> = try_join_all(tasks).await?.into_iter().collect();
        times.with_context(|| format!("not all of {} assignments at {}/s succeeded", rhythm.count, rhythm.rate))
    }

    async fn assign_and_ask(&self, entity: &str) -> Result<Duration> {
        let role = AssignRole { role: "Viewer", entity_type: "Control Planes", entity, region: &self.region };
        let assigned = self.admin.assign_role(self.user.id, role).await?;
        let answered = Instant::now();
        let token = assigned.consistency_token.context("the answer has no consistency token")?;
        let answer = self.ask(entity, &token).await?;
        ensure!(answer.allowed(), "the question was answered {} {}", answer.status, answer.body);
        Ok(answered.elapsed())
    }

    /// Code of the queried region.
    pub(super) fn region(&self) -> &str {
        &self.region
    }

    /// Lets the user view the first entity, and waits until the queried region knows.
    pub(super) async fn allow_first(&self) -> Result<()> {
        self.assign_and_ask(&entity(0)).await.map(drop)
    }

    /// Queries whether the user may view the first entity, as an application does.
    pub(super) async fn ask_first(&self) -> Result<()> {
        let first = entity(0);
        let question = Question { user: self.user.id, action: "view", resource_type: CONTROL_PLANES, resource: &first };
        let answer = self.reads.evaluate(&self.user.token, question, None).await?;
        ensure!(answer.allowed(), "the question was answered {} {}", answer.status, answer.body);
        Ok(())
    }

    async fn ask(&self, entity: &str, fresh: &str) -> Result<writ_client::ApiResponse> {
        let question = Question { user: self.user.id, action: "view", resource_type: CONTROL_PLANES, resource: entity };
        Ok(self.reads.evaluate(&self.user.token, question, Some(fresh)).await?)
    }
}

fn entity(number: u32) -> String {
    format!("bench-{number}")
}
