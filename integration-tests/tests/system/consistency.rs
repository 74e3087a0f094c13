//! Reading one's own writes in another region, without retries.

use anyhow::Result;
use integration_tests::{Organization, System};
use writ_client::{AssignRole, Question};

/// The first answer in the other region is right, time after time.
#[tokio::test(flavor = "multi_thread")]
async fn with_the_token_of_a_write_the_first_answer_elsewhere_is_right() -> Result<()> {
    let system = System::running().await?;
    let organization = Organization::create(system, "us").await?;
    let user = organization.add_user("someone").await?;
    let producer = system.entities("eu")?;
    let event = producer.create(organization.id, "control_planes", "cp").await?;
    let announced = producer.freshness(&event);
    let question = Question { user: user.id, action: "view", resource_type: "control_planes", resource: "cp" };
    for round in 0..20 {
        let role = AssignRole { role: "Viewer", entity_type: "Control Planes", entity: "cp", region: "eu" };
        let assigned = organization.admin.assign_role(user.id, role).await?;
        let fresh = format!("{},{announced}", assigned.consistency_token.clone().unwrap());
        let answer = system.read("eu").evaluate(&user.token, question, Some(&fresh)).await?;
        assert!(answer.allowed(), "round {round}: {} {}", answer.status, answer.body);

        let unassigned = organization.admin.unassign_role(user.id, assigned.text("/id").parse()?).await?;
        let answer = system.read("eu").evaluate(&user.token, question, unassigned.consistency_token.as_deref()).await?;
        assert_eq!((answer.status, answer.allowed()), (200, false), "round {round}: {}", answer.body);
    }
    Ok(())
}

/// A read's own token makes the next read, in another region, at least as fresh.
#[tokio::test(flavor = "multi_thread")]
async fn reads_chain_across_regions() -> Result<()> {
    let system = System::running().await?;
    let organization = Organization::create(system, "us").await?;
    let user = organization.add_user("someone").await?;
    let question = Question { user: user.id, action: "view", resource_type: "control_planes", resource: "cp" };
    let first = system.read("eu").evaluate(&user.token, question, Some(&user.consistency_token)).await?;
    assert_eq!(first.status, 200, "{}", first.body);
    let second = system.read("au").evaluate(&user.token, question, first.consistency_token.as_deref()).await?;
    assert_eq!(second.status, 200, "the user's token is known in au: {}", second.body);
    Ok(())
}

/// Forged, damaged and foreign tokens are bad requests, in every region.
#[tokio::test(flavor = "multi_thread")]
async fn a_forged_or_foreign_consistency_token_is_a_bad_request() -> Result<()> {
    let system = System::running().await?;
    let organization = Organization::create(system, "us").await?;
    let other = Organization::create(system, "us").await?;
    let question =
        Question { user: organization.owner, action: "view", resource_type: "control_planes", resource: "cp" };
    let mut forged = organization.consistency_token.clone();
    forged.truncate(forged.len() - 1);
    let mut flipped = organization.consistency_token.clone();
    let at = flipped.find('.').unwrap() + 6;
    flipped.replace_range(at..=at, if &flipped[at..=at] == "A" { "B" } else { "A" });
    for bad in [forged.as_str(), flipped.as_str(), "nonsense", "v1..", &other.consistency_token, "event;eu"] {
        let answer = system.read("eu").evaluate(&organization.owner_token, question, Some(bad)).await?;
        assert_eq!(answer.status, 400, "{bad}: {}", answer.body);
    }
    Ok(())
}
