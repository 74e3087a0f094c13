//! An administrator in `us` lets a user act on `eu` resources only; every region's read API says so.

use anyhow::Result;
use integration_tests::{Organization, System};
use writ_client::{AssignRole, Question};
use writ_contract::UserId;

const REGIONS: [&str; 3] = ["us", "eu", "au"];

fn view(user: UserId, resource: &str) -> Question<'_> {
    Question { user, action: "view", resource_type: "control_planes", resource }
}

/// Three regions, one write: what is allowed in one is allowed in all, at once with the consistency token.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_for_one_region_is_in_force_in_every_region_and_for_that_region_only() -> Result<()> {
    let system = System::running().await?;
    let organization = Organization::create(system, "us").await?;
    let user = organization.add_user("someone").await?;
    let mut announced = Vec::new();
    for region in REGIONS {
        let producer = system.entities(region)?;
        let id = producer.create(organization.id, "control_planes", &format!("cp-{region}")).await?;
        announced.push(producer.freshness(&id));
    }
    let team = organization.admin.create_team("operators", "act in one region").await?;
    let role = AssignRole { role: "Viewer", entity_type: "Control Planes", entity: "*", region: "eu" };
    organization.admin.assign_role(team, role).await?;
    let member = organization.admin.add_member(team, user.id).await?.consistency_token.unwrap();

    let fresh = format!("{member},{}", announced.join(","));
    for asked in REGIONS {
        for resource in REGIONS {
            let id = format!("cp-{resource}");
            let answer = system.read(asked).evaluate(&user.token, view(user.id, &id), Some(&fresh)).await?;
            assert_eq!(answer.status, 200, "{asked} about {resource}: {}", answer.body);
            assert_eq!(answer.allowed(), resource == "eu", "{asked} about {resource}: {}", answer.body);
        }
    }

    let removed = organization.admin.remove_member(team, user.id).await?.consistency_token.unwrap();
    for asked in REGIONS {
        let answer = system.read(asked).evaluate(&user.token, view(user.id, "cp-eu"), Some(&removed)).await?;
        assert_eq!((answer.status, answer.allowed()), (200, false), "{asked} after the removal: {}", answer.body);
    }
    Ok(())
}

/// A token revoked at home is refused everywhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_is_refused_in_every_region() -> Result<()> {
    let system = System::running().await?;
    let organization = Organization::create(system, "eu").await?;
    let user = organization.add_user("someone").await?;
    let question = view(user.id, "unknown");
    for asked in REGIONS {
        let answer = system.read(asked).evaluate(&user.token, question, Some(&user.consistency_token)).await?;
        assert_eq!((answer.status, answer.allowed()), (200, false), "an unknown resource is a denial: {}", answer.body);
    }
    let own = organization.admin.with_bearer(&user.token);
    let revoked = own.revoke_token(user.id, user.token_id).await?.consistency_token.unwrap();
    for asked in REGIONS {
        let answer = system.read(asked).evaluate(&user.token, question, Some(&revoked)).await?;
        assert_eq!(answer.status, 401, "{asked}: {}", answer.body);
    }
    Ok(())
}

/// Two organizations never see each other, whoever asks.
#[tokio::test(flavor = "multi_thread")]
async fn one_organization_cannot_see_another() -> Result<()> {
    let system = System::running().await?;
    let one = Organization::create(system, "us").await?;
    let other = Organization::create(system, "us").await?;
    let stranger = other.add_user("stranger").await?;
    let path = format!("/v3/users/{}", stranger.id);
    assert_eq!(one.admin.call(reqwest::Method::GET, &path, None).await?.status, 404);

    let joined = &one.consistency_token;
    let answer = system.read("eu").evaluate(&one.owner_token, view(stranger.id, "cp"), Some(joined)).await?;
    assert_eq!((answer.status, answer.allowed()), (200, false), "{}", answer.body);
    Ok(())
}
