//! `/organizations/{organizationId}/quotas`, for the platform's operator

use axum::extract::State;
use deserr::Deserr;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use writ_contract::OrganizationId;
use writ_service::{Faults, Json, Path};

use super::auth::Operator;
use super::organizations::OrganizationPath;
use super::{Reply, Result};
use crate::app::App;
use crate::domain::quota::{Quota, QuotaUse};

/// A quota of an organization in the path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[serde(rename_all = "camelCase")]
pub(super) struct QuotaPath {
    /// The organization.
    organization_id: OrganizationId,
    /// The quota.
    quota: Quota,
}

/// A new maximum.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
pub(super) struct SetQuota {
    /// The most the organization may have; null brings the default back. What it has beyond that, it keeps.
    #[deserr(default)]
    maximum: Option<u32>,
}

/// A quota of an organization.
#[derive(Serialize, ToSchema)]
pub(super) struct QuotaResponse {
    /// Its name.
    name: Quota,
    /// How much the organization has, where that is counted for the organization as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<i64>,
    /// The most it may have. Absent where a setting of the region decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum: Option<i64>,
    /// Whether that is the default.
    default: bool,
}

/// The quotas of an organization.
#[derive(Serialize, ToSchema)]
pub(super) struct Quotas {
    /// All of them.
    data: Vec<QuotaResponse>,
}

impl From<QuotaUse> for QuotaResponse {
    fn from(QuotaUse { quota, used, maximum }: QuotaUse) -> Self {
        Self { name: quota, used, maximum: maximum.or(quota.default_maximum()), default: maximum.is_none() }
    }
}

/// Shows what an organization may have, and how much of it it has.
#[utoipa::path(get, path = "/organizations/{organizationId}/quotas", operation_id = "get_quotas", tag = "Organizations",
    params(OrganizationPath), responses((status = 200, body = Quotas), (status = 404)))]
pub(super) async fn list(
    State(app): State<App>,
    _operator: Operator,
    Path(path): Path<OrganizationPath>,
) -> Result<Reply<Quotas>> {
    let organization = app.store.organization(path.organization_id).await?.id;
    quotas_of(&app, organization).await
}

/// Sets how much of something an organization may have.
#[utoipa::path(put, path = "/organizations/{organizationId}/quotas/{quota}", operation_id = "set_quota",
    tag = "Organizations", params(QuotaPath), request_body = SetQuota,
    responses((status = 200, body = Quotas), (status = 404)))]
pub(super) async fn set(
    State(app): State<App>,
    operator: Operator,
    Path(QuotaPath { organization_id, quota }): Path<QuotaPath>,
    Json(SetQuota { maximum }): Json<SetQuota>,
) -> Result<Reply<Quotas>> {
    let organization = app.store.organization(organization_id).await?.id;
    app.store.set_quota(organization, quota, maximum.map(i64::from)).await?;
    let request_id = operator.request_id();
    tracing::info!(%organization, %quota, maximum, request_id, "the operator has set a quota");
    quotas_of(&app, organization).await
}

async fn quotas_of(app: &App, organization: OrganizationId) -> Result<Reply<Quotas>> {
    let data = app.store.quotas(organization).await?.into_iter().map(QuotaResponse::from).collect();
    app.show(organization, Quotas { data }).await
}
