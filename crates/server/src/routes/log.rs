//! The log, read-only, as anybody may mirror it (c2sp.org/tlog-tiles).

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chancery_ledger::TilePath;
use chancery_store::Store as _;

use crate::app::App;
use crate::problem::Problem;

/// `GET /log/checkpoint`
pub async fn checkpoint(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let note = app.store.checkpoint().await?.note().to_string();
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], note).into_response())
}

/// `GET /log/tile/…`: a tile never changes, so it may be kept.
pub async fn tile(State(app): State<Arc<App>>, Path(path): Path<String>) -> Result<Response, Problem> {
    let path: TilePath = format!("tile/{path}").parse().map_err(|_| Problem::not_found("tile"))?;
    let tile = app.store.tile(path).await?.ok_or_else(|| Problem::not_found("tile"))?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, tile).into_response())
}
