//! `kill -9` of every service in the middle of a stream of writes: nothing is lost, nothing applied twice.
//! In a program of its own: other tests would not like their services killed.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use integration_tests::{Organization, REGIONS, SERVICES, System, expected_digest, until};
use tokio::task::JoinHandle;
use writ_chains::recompute_digest;
use writ_client::AssignRole;
use writ_contract::{ChainId, GrantId, Stream};

/// What the stream was told: assignments that were answered 201, and those of them that were then ended (204).
#[derive(Default)]
struct Acknowledged {
    assigned: BTreeSet<GrantId>,
    ended: BTreeSet<GrantId>,
    /// Ends that nobody answered: either may be true.
    uncertain: BTreeSet<GrantId>,
}

/// Assigns roles, and ends every third assignment, until told to stop; an unanswered request is simply left behind.
fn stream(organization: Arc<Organization>, stop: Arc<AtomicBool>) -> JoinHandle<Acknowledged> {
    tokio::spawn(async move {
        let mut told = Acknowledged::default();
        let mut round = 0;
        while !stop.load(Ordering::Relaxed) {
            round += 1;
            let entity = format!("cp-{round}");
            let role = AssignRole { role: "Viewer", entity_type: "Control Planes", entity: &entity, region: "eu" };
            let Ok(answer) = organization.admin.assign_role(organization.owner, role).await else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let id: GrantId = answer.text("/id").parse().unwrap();
            told.assigned.insert(id);
            if round % 3 == 0 {
                match organization.admin.unassign_role(organization.owner, id).await {
                    Ok(_) => told.ended.insert(id),
                    Err(_) => told.uncertain.insert(id),
                };
            }
        }
        told
    })
}

/// All grants of the organization that a region's read model holds.
async fn grants(system: &System, region: &str, organization: &Organization) -> Result<BTreeSet<GrantId>> {
    let rows: Vec<GrantId> =
        sqlx::query_scalar(r#"SELECT id FROM "grant" WHERE organization = $1 AND entity_type = 'control_planes'"#)
            .bind(organization.id)
            .fetch_all(&system.database(region, "read_model").await?)
            .await?;
    Ok(rows.into_iter().collect())
}

/// Home and every other region stand at the same revision with the same digests.
async fn converged(system: &System, organization: &Organization) -> Result<Option<serde_json::Value>> {
    let revision: i64 = sqlx::query_scalar("SELECT revision FROM organization WHERE id = $1")
        .bind(organization.id)
        .fetch_one(&system.database("us", "identity").await?)
        .await?;
    let mut first = None;
    for region in REGIONS {
        let heads = system.heads(region, organization.id).await?;
        let Some(head) = heads.into_iter().find(|head| head["stream"] == "identity") else { return Ok(None) };
        if head["revision"] != revision || first.get_or_insert_with(|| head.clone()) != &head {
            return Ok(None);
        }
    }
    Ok(first)
}

/// Every region's rows are what was acknowledged, and hash to the digest that travelled.
async fn check_rows(system: &System, organization: &Organization, told: &Acknowledged) -> Result<()> {
    for region in REGIONS {
        let rows = grants(system, region, organization).await?;
        for id in &told.assigned {
            let ended = told.ended.contains(id);
            ensure!(
                ended != rows.contains(id) || told.uncertain.contains(id),
                "{region}: assignment {id}, ended: {ended}"
            );
        }
    }
    Ok(())
}

/// Audit of every region holds each revision once.
async fn check_audit(system: &'static System, organization: &Organization, revision: i64) -> Result<()> {
    for region in REGIONS {
        until("audit to have every change set", async || {
            let entries: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM entry WHERE organization = $1 AND topic = 'policy-changes' AND origin = 'us'",
            )
            .bind(organization.id)
            .fetch_one(&system.database(region, "audit").await?)
            .await?;
            ensure!(entries <= revision, "{region}: {entries} entries for {revision} revisions");
            Ok((entries == revision).then_some(()))
        })
        .await?;
    }
    Ok(())
}

/// Each service of the home region and of one other, one after the other, then all at once.
#[tokio::test(flavor = "multi_thread")]
async fn killed_services_lose_nothing_and_apply_nothing_twice() -> Result<()> {
    let system = System::running().await?;
    let organization = Arc::new(Organization::create(system, "us").await?);
    let stop = Arc::new(AtomicBool::new(false));
    let writing = stream(organization.clone(), stop.clone());
    for region in ["us", "eu"] {
        for service in SERVICES {
            system.kill(region, service).await?;
            system.mend().await?;
        }
    }
    for service in SERVICES {
        system.kill("us", service).await?;
        system.kill("eu", service).await?;
    }
    system.mend().await?;
    stop.store(true, Ordering::Relaxed);
    let told = writing.await?;
    ensure!(told.assigned.len() > 20, "the stream flowed: {}", told.assigned.len());

    let head = until("all regions to converge", async || converged(system, &organization).await).await?;
    check_rows(system, &organization, &told).await?;
    let expected = expected_digest(&system.database("us", "identity").await?, organization.id).await?.to_string();
    ensure!(
        head["state_digest"] == expected,
        "{expected} follows from identity's tables, {} travelled",
        head["state_digest"]
    );
    for region in REGIONS {
        let chain = ChainId { organization: organization.id, origin: "us".parse()?, stream: Stream::Identity };
        let recomputed = recompute_digest(&system.database(region, "read_model").await?, &chain).await?.to_string();
        ensure!(
            head["state_digest"] == recomputed,
            "{region}: {recomputed} from the rows, {} travelled",
            head["state_digest"]
        );
    }
    check_audit(system, &organization, head["revision"].as_i64().unwrap()).await
}
