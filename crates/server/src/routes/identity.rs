//! Acts on people, keys and roles.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chancery_api::identity::{
    IdentityOptions, IdentityOptionsRequest, IdentityOutcome, IdentityRequest, WaitingActList,
};

use crate::app::App;
use crate::http::authentication::Actor;
use crate::http::body::StrictJson;
use crate::problem::Problem;

/// `POST /api/v1/identity/options`
pub async fn options(
    State(app): State<Arc<App>>,
    actor: Actor,
    body: StrictJson<IdentityOptionsRequest>,
) -> Result<Json<IdentityOptions>, Problem> {
    app.notice_trust().await?;
    Ok(Json(app.offer_act(actor.person(), &body.value).await?))
}

/// `POST /api/v1/identity`
pub async fn sign(
    State(app): State<Arc<App>>,
    actor: Actor,
    body: StrictJson<IdentityRequest>,
) -> Result<Json<IdentityOutcome>, Problem> {
    Ok(Json(app.sign_act(actor.person(), &body.value).await?))
}

/// `GET /api/v1/identity/waiting`
pub async fn waiting(State(app): State<Arc<App>>, actor: Actor) -> Result<Json<WaitingActList>, Problem> {
    Ok(Json(WaitingActList { items: app.waiting_acts(actor.person()).await? }))
}
