//! What operators and clients ask of the server itself.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chancery_api::server::{Health, ServerInformation};
use chancery_policy::engine_version;
use chancery_store::Store as _;

use crate::app::App;
use crate::problem::Problem;

/// `GET /api/v1/server`
pub async fn show(State(app): State<Arc<App>>) -> Json<ServerInformation> {
    // A folder that does not fit leaves the server unsealed; `/readyz` and the operator's log say why.
    let _ = app.notice_trust().await;
    Json(ServerInformation {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        log_origin: app.config.log_origin.clone(),
        rp_id: app.relying_party.id().to_owned(),
        origins: app.relying_party.origins().to_vec(),
        sealed: app.trusted().is_some(),
        engine: engine_version().to_owned(),
        policy_sha256: app.policy.bundle().digest().to_hex(),
        log_vkey: app.log_key.to_string(),
        ssh_ca: app.issuer.authority().line("chancery"),
        time: app.now().to_string(),
    })
}

/// `GET /healthz`
pub async fn alive() -> Json<Health> {
    Json(Health { status: "ok".to_owned() })
}

/// `GET /readyz`: log, policy and trust are loaded.
pub async fn ready(State(app): State<Arc<App>>) -> Result<Json<Health>, Problem> {
    app.notice_trust().await?;
    app.store.checkpoint().await?;
    let sealed = app.sealed();
    sealed.map_err(|_| {
        Problem::refused(
            StatusCode::SERVICE_UNAVAILABLE,
            "not_sealed",
            "the trust root is not sealed yet",
            "enrol the administrators and run `chancery trust seal`",
        )
    })?;
    Ok(Json(Health { status: "ok".to_owned() }))
}

/// `GET /metrics`
pub async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let alarmed = app.store.alarmed_effects().await?.len();
    let size = *app.store.watch_size().borrow();
    let text = app.metrics.render(size, alarmed);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

/// `GET /api/v1/revocations/ssh`: the file that hosts read.
pub async fn revocations(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let list = tokio::fs::read(app.config.ssh_krl()).await.map_err(Problem::fault)?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], list).into_response())
}
