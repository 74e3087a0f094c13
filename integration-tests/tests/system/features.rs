//! A record of an internal topic that this build does not understand parks its organization, and no other.

use anyhow::Result;
use integration_tests::{Organization, System, topic, until};
use writ_client::Question;
use writ_contract::actor::Actor;
use writ_contract::identity_event::{Change, Changes, IdentityEvent};
use writ_contract::policy_change::{ChangeSet, Operation, PolicyOps};
use writ_contract::{Hash, Revision, Stream, Timestamp, encode};

const UNKNOWN_FEATURE: i64 = 1 << 40;

/// From a newer authorization.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_feature_on_policy_changes_parks_its_organization_alone() -> Result<()> {
    let system = System::running().await?;
    let parked = Organization::create(system, "us").await?;
    let other = Organization::create(system, "us").await?;
    let head = until("the organization's chain in us", async || {
        let heads = system.heads("us", parked.id).await?;
        Ok(heads.into_iter().find(|head| head["stream"] == "identity"))
    })
    .await?;
    let payload = encode(&PolicyOps { ops: vec![Operation::DropAll {}] })?;
    let previous_digest: Hash = head["digest"].as_str().unwrap().parse()?;
    let set = ChangeSet {
        organization: parked.id,
        stream: Stream::Identity,
        revision: next(&head),
        previous_digest,
        digest: Hash::of(&[&previous_digest.0, &payload]),
        state_digest: Hash::ZERO,
        committed_at: Timestamp::now(),
        actor: Actor::system("test"),
        cause: None,
        request_id: None,
        rejected: None,
        features: UNKNOWN_FEATURE,
        part: 0,
        parts: 1,
        payload,
    };
    topic::write(&system.kafka("us"), "policy-changes", parked.id, &set).await?;
    for region in ["us", "eu"] {
        parks(system, region, &parked).await?;
        flows(system, region, &other).await?;
    }
    Ok(())
}

/// From a newer identity.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_feature_on_identity_events_parks_its_organization_alone() -> Result<()> {
    let system = System::running().await?;
    let parked = Organization::create(system, "us").await?;
    let other = Organization::create(system, "us").await?;
    let head = until("the organization's chain in authorization", async || {
        let heads = system.authorization_heads("us", parked.id).await?;
        Ok(heads.into_iter().find(|head| head["stream"] == "identity"))
    })
    .await?;
    let payload = encode(&Changes { changes: vec![Change::OrganizationDeleted {}] })?;
    let previous_digest = last_digest(system, &parked).await?;
    let event = IdentityEvent {
        organization: parked.id,
        revision: next(&head),
        previous_digest,
        digest: Hash::of(&[&previous_digest.0, &payload]),
        committed_at: Timestamp::now(),
        actor: Actor::system("test"),
        cause: None,
        request_id: None,
        features: UNKNOWN_FEATURE,
        payload,
    };
    topic::write(&system.kafka("us"), "identity-events", parked.id, &event).await?;
    until("the chain to be parked in authorization", async || {
        let heads = system.authorization_heads("us", parked.id).await?;
        Ok(heads.into_iter().find(|head| head["state"] == "parked"))
    })
    .await?;
    flows(system, "eu", &other).await
}

fn next(head: &serde_json::Value) -> Revision {
    Revision::first_epoch(head["revision"].as_i64().unwrap()).next()
}

/// Digest of the organization's last identity event.
async fn last_digest(system: &'static System, organization: &Organization) -> Result<Hash> {
    let identity = system.database("us", "identity").await?;
    let digest = sqlx::query_scalar("SELECT digest FROM organization WHERE id = $1").bind(organization.id);
    Ok(digest.fetch_one(&identity).await?)
}

async fn parks(system: &'static System, region: &str, organization: &Organization) -> Result<()> {
    until("the chain to be parked", async || {
        let heads = system.heads(region, organization.id).await?;
        Ok(heads.into_iter().find(|head| head["state"] == "parked"))
    })
    .await?;
    let question = Question { user: organization.owner, action: "manage", resource_type: "identity", resource: "*" };
    let answer = system.read(region).evaluate(&organization.owner_token, question, None).await?;
    assert!(!answer.allowed(), "half-known state never allows: {}", answer.body);
    Ok(())
}

/// A new write of the other organization arrives.
async fn flows(system: &'static System, region: &str, organization: &Organization) -> Result<()> {
    let user = organization.add_user(region).await?;
    let question = Question { user: user.id, action: "view", resource_type: "control_planes", resource: "cp" };
    let answer = system.read(region).evaluate(&user.token, question, Some(&user.consistency_token)).await?;
    assert_eq!(answer.status, 200, "others flow: {}", answer.body);
    Ok(())
}
