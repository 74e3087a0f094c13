//! `writ organization`: what the platform's operator does for an organization.

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use serde_json::json;
use writ_client::{Management, http};
use writ_contract::{OrganizationId, UserId};
use writ_local::{Cluster, Options, Service};

const OPERATOR_TOKEN: &str = "WRIT_OPERATOR_TOKEN";

/// What to do for an organization.
#[derive(Debug, Subcommand)]
pub(crate) enum OrganizationCommand {
    /// Invite an administrator who has no valid token left to get a new one
    Recover(Recover),
}

/// A recovery invitation, to be handed over to the administrator. It is valid for a day.
#[derive(Debug, Args)]
pub(crate) struct Recover {
    /// Id of the organization
    organization: OrganizationId,
    /// Id of the administrator, an active user of the organization
    administrator: UserId,
    /// Management API of the organization's home region; the operator's token is then taken from WRIT_OPERATOR_TOKEN
    /// [default: of the cluster on this machine]
    #[arg(long, value_name = "URL")]
    identity_url: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl OrganizationCommand {
    pub(crate) async fn execute(&self, local: Options) -> Result<u8> {
        let Self::Recover(recover) = self;
        recover.execute(local).await?;
        Ok(0)
    }
}

impl Recover {
    async fn execute(&self, local: Options) -> Result<()> {
        let operator = self.operator(local)?;
        let invitation = operator.recover_administrator(self.organization, self.administrator).await?;
        if self.json {
            let shown = json!({"invite_token": invitation.token, "expires_at": invitation.expires_at});
            println!("{}", serde_json::to_string_pretty(&shown)?);
            return Ok(());
        }
        println!("Hand this invitation over to {}, and to nobody else:", self.administrator);
        println!("  {}", invitation.token);
        println!("It is valid until {}, once, as the bearer token of", invitation.expires_at);
        println!(
            "  POST /v3/recovery-invitations/accept  {{\"token\":{{\"name\":\"recovered\",\"ttl_seconds\":2592000}}}}"
        );
        Ok(())
    }

    /// The management API of the organization's home region, as the operator.
    fn operator(&self, local: Options) -> Result<Management> {
        if let Some(url) = &self.identity_url {
            let token = std::env::var(OPERATOR_TOKEN).with_context(|| format!("{OPERATOR_TOKEN} is not set"))?;
            return Ok(Management::new(http(), url, &token));
        }
        let home = self.organization.home().context("the id does not name the home region of an organization")?;
        let cluster = Cluster::open(local)?;
        let url = cluster.region(home.as_str())?.url(Service::Identity);
        Ok(Management::new(http(), &url, &cluster.secrets.operator_token))
    }
}
