//! What operators and clients ask of the server itself.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chancery_api::server::{Health, ServerInformation};
use chancery_domain::time::Timestamp;
use chancery_policy::engine_version;
use chancery_store::Store as _;

use crate::app::App;
use crate::metrics::Gauges;
use crate::problem::Problem;

/// The text format of Prometheus.
const METRICS: &str = "text/plain; version=0.0.4";

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
    if app.rotation.is_some() {
        return Err(chancery_store::Fault::ReadOnly.into());
    }
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
    let text = app.metrics.render(&gauges(&app).await?);
    Ok(([(header::CONTENT_TYPE, METRICS)], text).into_response())
}

/// What `/metrics` reads at the moment of asking.
async fn gauges(app: &App) -> Result<Gauges, Problem> {
    let now = app.now();
    let backlog = app.store.backlog(now).await?;
    let newest = Timestamp::from_unix(app.newest.load(Ordering::Acquire)).map_err(Problem::bug)?;
    let ends = app.trusted().map(|trusted| trusted.root().document().expires_at);
    let list = tokio::fs::metadata(app.config.ssh_krl()).await.and_then(|file| file.modified());
    let log_size = *app.store.watch_size().borrow();
    Ok(Gauges {
        log_size,
        checkpoint_age_seconds: app.clock.now().seconds_since(newest),
        oldest_due_age_seconds: backlog.oldest_due.map_or(0, |due| now.seconds_since(due)),
        backlog,
        open_requests: app.store.open_requests().await?,
        event_streams: app.feeds.len() as u64,
        trust_seconds: ends.map(|ends| ends.unix().saturating_sub(now.unix())),
        revocation_list_age_seconds: list.ok().and_then(|at| at.elapsed().ok()).map(|age| age.as_secs()),
        started_at: app.started_at.unix(),
        engine: engine_version(),
    })
}

/// `GET /api/v1/revocations/ssh`: the file that hosts read.
pub async fn revocations(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let list = tokio::fs::read(app.config.ssh_krl()).await.map_err(Problem::fault)?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], list).into_response())
}
