//! The active policy, to be read: the rule behind each reason.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chancery_api::policy::{PolicyFile, PolicySource, PolicyView};
use chancery_canonical::Sha256;
use chancery_policy::engine_version;

use crate::app::App;
use crate::http::authentication::Actor;
use crate::http::path::Path;
use crate::problem::Problem;

/// `GET /api/v1/policy`
pub async fn show(State(app): State<Arc<App>>, _actor: Actor) -> Json<PolicyView> {
    let bundle = app.policy.bundle();
    let files = bundle.files().iter().map(|(path, bytes)| PolicyFile {
        path: path.clone(),
        size: bytes.len() as u64,
        sha256: Sha256::of(bytes).to_hex(),
    });
    let sources = bundle.sources().iter().map(|source| PolicySource {
        part: source.part.to_owned(),
        name: source.name.clone(),
        file: source.file.clone(),
        line: source.line,
    });
    Json(PolicyView {
        policy_sha256: bundle.digest().to_hex(),
        engine: engine_version().to_owned(),
        files: files.collect(),
        sources: sources.collect(),
    })
}

/// `GET /api/v1/policy/files/…`: a file of the bundle, by exactly the path that the bundle has for it.
pub async fn file(
    State(app): State<Arc<App>>,
    _actor: Actor,
    Path(path): Path<String>,
) -> Result<Response, Problem> {
    let bytes = app.policy.bundle().files().get(&path).ok_or_else(|| Problem::not_found("file"))?;
    let text = std::str::from_utf8(bytes).map_err(Problem::bug)?.to_owned();
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}
