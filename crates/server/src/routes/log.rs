//! The log, read-only, as anybody may mirror it (c2sp.org/tlog-tiles).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chancery_api::log::{EffectsView, LogView};
use chancery_canonical::Sha256;
use chancery_domain::time::Timestamp;
use chancery_ledger::TilePath;
use chancery_store::Store as _;

use crate::app::App;
use crate::http::authentication::Actor;
use crate::http::path::Path;
use crate::problem::Problem;

/// `GET /log/checkpoint`
pub async fn checkpoint(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let note = app.store.checkpoint().await?.note().to_string();
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], note).into_response())
}

/// `GET /api/v1/log`: how the log stands, and what waits to follow from it.
pub async fn show(State(app): State<Arc<App>>, _actor: Actor) -> Result<Json<LogView>, Problem> {
    let checkpoint = app.store.checkpoint().await?;
    let backlog = app.store.backlog(app.now()).await?;
    let newest = Timestamp::from_unix(app.newest.load(Ordering::Acquire)).map_err(Problem::bug)?;
    Ok(Json(LogView {
        origin: app.config.log_origin.clone(),
        size: checkpoint.root().size(),
        root: Sha256::from_bytes(*checkpoint.root().hash().as_bytes()).to_hex(),
        checkpoint: checkpoint.note().to_string(),
        newest_at: newest.to_string(),
        effects: EffectsView {
            due: backlog.due,
            alarmed: backlog.alarmed,
            oldest_due: backlog.oldest_due.map(|due| due.to_string()),
        },
    }))
}

/// `GET /lives/{origin}/checkpoint`: the last one of a life that is over.
pub async fn last_checkpoint(
    State(app): State<Arc<App>>,
    Path(origin): Path<String>,
) -> Result<Response, Problem> {
    let store = app.former.get(&origin).ok_or_else(|| Problem::not_found("life of the log"))?;
    let note = store.checkpoint().await?.note().to_string();
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], note).into_response())
}

/// `GET /lives/{origin}/tile/…`
pub async fn former_tile(
    State(app): State<Arc<App>>,
    Path((origin, path)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let store = app.former.get(&origin).ok_or_else(|| Problem::not_found("life of the log"))?;
    let path: TilePath = format!("tile/{path}").parse().map_err(|_| Problem::not_found("tile"))?;
    Ok(bytes_of(store.tile(path).await?.ok_or_else(|| Problem::not_found("tile"))?))
}

/// `GET /log/tile/…`: a tile never changes, so it may be kept.
pub async fn tile(State(app): State<Arc<App>>, Path(path): Path<String>) -> Result<Response, Problem> {
    let path: TilePath = format!("tile/{path}").parse().map_err(|_| Problem::not_found("tile"))?;
    Ok(bytes_of(app.store.tile(path).await?.ok_or_else(|| Problem::not_found("tile"))?))
}

fn bytes_of(tile: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, tile).into_response()
}
