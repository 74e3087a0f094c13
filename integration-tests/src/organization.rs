//! An organization of a test's own: tests share the cluster, and nothing else.

use anyhow::Result;
use uuid::Uuid;
use writ_client::{Management, NewUser};
use writ_contract::{OrganizationId, UserId};

use crate::system::System;

/// An organization with its owner, who administers it.
pub struct Organization {
    /// Where it lives.
    pub system: &'static System,
    /// Its id.
    pub id: OrganizationId,
    /// The owner's user id.
    pub owner: UserId,
    /// The owner's bearer token.
    pub owner_token: String,
    /// The management API of its home region, for the owner.
    pub admin: Management,
    /// The state in which all of it exists.
    pub consistency_token: String,
}

impl Organization {
    /// A new organization in a home region.
    ///
    /// # Errors
    /// When the management API refuses.
    pub async fn create(system: &'static System, home: &str) -> Result<Self> {
        let email = format!("{}@test.example", Uuid::now_v7().simple());
        Self::named(system, home, "Test", &email, "Owner").await
    }

    /// A new organization with names of the caller's choice.
    ///
    /// # Errors
    /// When the management API refuses.
    pub async fn named(system: &'static System, home: &str, name: &str, email: &str, owner: &str) -> Result<Self> {
        let created = system.operator(home).create_organization(name, email, owner).await?;
        Ok(Self {
            system,
            id: created.id,
            owner: created.owner,
            admin: system.management(home, &created.token),
            owner_token: created.token,
            consistency_token: created.consistency_token,
        })
    }

    /// A user who has accepted the invitation.
    ///
    /// # Errors
    /// When the management API refuses.
    pub async fn add_user(&self, name: &str) -> Result<NewUser> {
        let email = format!("{}@test.example", Uuid::now_v7().simple());
        Ok(self.admin.add_user(&email, name).await?)
    }
}
