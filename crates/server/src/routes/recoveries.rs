//! People who lost their keys.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chancery_api::enrolment::Invitation;
use chancery_api::identity::IdentityOutcome;
use chancery_api::recovery::{
    RecoveryDocument, RecoveryDocumentRequest, RecoveryRequest, RecoverySubmission,
};

use crate::app::App;
use crate::http::admission::Unhurried;
use crate::http::authentication::Actor;
use crate::http::body::StrictJson;
use crate::problem::Problem;

/// `POST /api/v1/recoveries`
pub async fn begin(
    State(app): State<Arc<App>>,
    actor: Actor,
    body: StrictJson<RecoveryRequest>,
) -> Result<(StatusCode, Json<Invitation>), Problem> {
    Ok((StatusCode::CREATED, Json(app.begin_recovery(actor.person(), &body.value.person).await?)))
}

/// `POST /api/v1/recoveries/documents`
pub async fn document(
    State(app): State<Arc<App>>,
    _unhurried: Unhurried,
    body: StrictJson<RecoveryDocumentRequest>,
) -> Result<Json<RecoveryDocument>, Problem> {
    Ok(Json(app.offer_recovery(&body.value).await?))
}

/// `POST /api/v1/recoveries/signatures`
pub async fn submit(
    State(app): State<Arc<App>>,
    _unhurried: Unhurried,
    body: StrictJson<RecoverySubmission>,
) -> Result<Json<IdentityOutcome>, Problem> {
    Ok(Json(app.record_recovery(&body.value).await?))
}
