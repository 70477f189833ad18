//! The trust root, to be read, and its successor.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chancery_api::trust::{TrustOutcome, TrustSignature, TrustSuccessor, TrustView};
use chancery_canonical::Sha256;

use crate::app::App;
use crate::http::authentication::Actor;
use crate::http::body::StrictJson;
use crate::problem::Problem;

/// Its file in `trust/`.
const FILE: &str = "trust.json";

/// `GET /api/v1/trust`
pub async fn show(State(app): State<Arc<App>>, _actor: Actor) -> Result<Json<TrustView>, Problem> {
    let trusted = app.sealed()?;
    let bytes = trusted.files.get(FILE).ok_or_else(|| Problem::bug("a trust root without its file"))?;
    let document = trusted.root().document();
    Ok(Json(TrustView {
        version: document.version,
        sha256: Sha256::of(bytes).to_hex(),
        expires_at: document.expires_at.to_string(),
        text: std::str::from_utf8(bytes).map_err(Problem::bug)?.to_owned(),
    }))
}

/// `GET /api/v1/trust/successor`
pub async fn successor(State(app): State<Arc<App>>, actor: Actor) -> Result<Json<TrustSuccessor>, Problem> {
    Ok(Json(app.show_successor(actor.person()).await?))
}

/// `POST /api/v1/trust/successor/signatures`
pub async fn sign(
    State(app): State<Arc<App>>,
    actor: Actor,
    body: StrictJson<TrustSignature>,
) -> Result<Json<TrustOutcome>, Problem> {
    Ok(Json(app.sign_successor(actor.person(), &body.value).await?))
}
