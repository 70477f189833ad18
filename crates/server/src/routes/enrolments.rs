//! Invitations, enrolments and further passkeys.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chancery_api::enrolment::{
    EnrolmentList, EnrolmentOptions, EnrolmentOptionsRequest, EnrolmentOutcome, EnrolmentRequest, Invitation,
    InvitationRequest, PasskeyOptions, PasskeyRequest, WaitingEnrolment,
};
use chancery_domain::people::IDENTITY_ADMIN;

use super::view;
use crate::app::App;
use crate::http::admission::Unhurried;
use crate::http::authentication::Actor;
use crate::http::body::StrictJson;
use crate::problem::Problem;

/// `POST /api/v1/invitations`
pub async fn invite(
    State(app): State<Arc<App>>,
    actor: Actor,
    body: StrictJson<InvitationRequest>,
) -> Result<(StatusCode, Json<Invitation>), Problem> {
    Ok((StatusCode::CREATED, Json(app.invite(actor.person(), body.value).await?)))
}

/// `POST /api/v1/enrolments/options`
pub async fn options(
    State(app): State<Arc<App>>,
    _unhurried: Unhurried,
    body: StrictJson<EnrolmentOptionsRequest>,
) -> Result<Json<EnrolmentOptions>, Problem> {
    Ok(Json(app.offer_enrolment(&body.value).await?))
}

/// `POST /api/v1/enrolments`
pub async fn create(
    State(app): State<Arc<App>>,
    _unhurried: Unhurried,
    body: StrictJson<EnrolmentRequest>,
) -> Result<(StatusCode, Json<EnrolmentOutcome>), Problem> {
    Ok((StatusCode::CREATED, Json(app.enrol(&body.value).await?)))
}

/// `GET /api/v1/enrolments`: all of them for administrators, one's own further passkeys for everybody.
pub async fn list(State(app): State<Arc<App>>, actor: Actor) -> Result<Json<EnrolmentList>, Problem> {
    let people = app.people.now();
    let administers = people.active(actor.person()).is_some_and(|known| known.roles.contains(IDENTITY_ADMIN));
    let waiting = app.waiting_passkeys().await?.into_iter();
    let visible = waiting.filter(|(_, one)| match one.act.as_str() {
        "passkey.enrolled" => one.person == *actor.person(),
        _ => administers,
    });
    let items = visible.map(|(ticket, one)| WaitingEnrolment {
        enrolment: ticket.key,
        act: one.act,
        name: match &one.name {
            Some(name) => name.value().as_str().unwrap_or_default().to_owned(),
            None => people.name(&one.person).unwrap_or_default().to_owned(),
        },
        person: one.person.to_string(),
        roles: one.roles,
        attributes: one.attributes,
        passkey: view::passkey(&one.passkey),
        invited_by: one.invited_by.map(|person| person.to_string()).unwrap_or_default(),
        expires_at: ticket.expires_at.to_string(),
    });
    Ok(Json(EnrolmentList { items: items.collect() }))
}

/// `POST /api/v1/passkeys/options`
pub async fn passkey_options(
    State(app): State<Arc<App>>,
    actor: Actor,
) -> Result<Json<PasskeyOptions>, Problem> {
    Ok(Json(PasskeyOptions { public_key: app.offer_passkey(actor.person()).await? }))
}

/// `POST /api/v1/passkeys`
pub async fn add_passkey(
    State(app): State<Arc<App>>,
    actor: Actor,
    body: StrictJson<PasskeyRequest>,
) -> Result<(StatusCode, Json<EnrolmentOutcome>), Problem> {
    let outcome = app.add_passkey(actor.person(), &body.value.registration).await?;
    Ok((StatusCode::CREATED, Json(outcome)))
}
