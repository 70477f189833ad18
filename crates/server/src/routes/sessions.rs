//! Signing in and out.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chancery_api::login::{Login, LoginRequest, LoginStatus};
use chancery_api::session::{
    SessionList, SessionOptions, SessionOptionsRequest, SessionOutcome, SessionRequest, SessionView, WhoAmI,
};
use chancery_canonical::Sha256;

use super::view;
use crate::app::App;
use crate::app::sign_in::{Session, Standing};
use crate::http::admission::Unhurried;
use crate::http::authentication::{Actor, set_cookie};
use crate::http::body::StrictJson;
use crate::http::path::Path;
use crate::problem::Problem;
use crate::random::token_key;

/// `POST /api/v1/sessions/options`
pub async fn options(
    State(app): State<Arc<App>>,
    _unhurried: Unhurried,
    body: StrictJson<SessionOptionsRequest>,
) -> Result<Json<SessionOptions>, Problem> {
    Ok(Json(app.offer_session(&body.value).await?))
}

/// `POST /api/v1/sessions`: a session without a key becomes a cookie.
pub async fn create(
    State(app): State<Arc<App>>,
    _unhurried: Unhurried,
    body: StrictJson<SessionRequest>,
) -> Result<Response, Problem> {
    let signed_in = app.sign_in(&body.value).await?;
    let session = &signed_in.session;
    let bound = session.public_key.is_some();
    let outcome = SessionOutcome {
        person: session.person.to_string(),
        expires_at: session.expires_at.to_string(),
        token: (bound && signed_in.login.is_none()).then(|| signed_in.token.clone()),
    };
    let mut response = (StatusCode::CREATED, Json(outcome)).into_response();
    if !bound {
        let seconds = session.expires_at.seconds_since(app.now());
        response.headers_mut().insert(header::SET_COOKIE, set_cookie(Some(&signed_in.token), seconds)?);
    }
    Ok(response)
}

/// `DELETE /api/v1/sessions/current`
pub async fn end(State(app): State<Arc<App>>, actor: Actor) -> Result<Response, Problem> {
    app.sign_out(actor.person(), &actor.token).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(header::SET_COOKIE, set_cookie(None, 0)?);
    Ok(response)
}

/// `GET /api/v1/sessions`
pub async fn list(State(app): State<Arc<App>>, actor: Actor) -> Result<Json<SessionList>, Problem> {
    let own = token_key(&actor.token);
    let sessions = app.sessions_of(actor.person()).await?;
    let items = sessions.into_iter().map(|(id, session)| SessionView {
        session: how(&session).to_owned(),
        credential_id_sha256: Sha256::of(session.credential_id.as_bytes()).to_hex(),
        started_at: session.started_at.map(|at| at.to_string()),
        expires_at: session.expires_at.to_string(),
        current: id == own,
        id,
    });
    Ok(Json(SessionList { items: items.collect() }))
}

/// `DELETE /api/v1/sessions/{id}`
pub async fn end_one(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    app.end_session_of(actor.person(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn how(session: &Session) -> &'static str {
    if session.public_key.is_some() { "session_key" } else { "cookie" }
}

/// `POST /api/v1/logins`
pub async fn begin_login(
    State(app): State<Arc<App>>,
    _unhurried: Unhurried,
    body: StrictJson<LoginRequest>,
) -> Result<(StatusCode, Json<Login>), Problem> {
    Ok((StatusCode::CREATED, Json(app.begin_login(&body.value).await?)))
}

/// `GET /api/v1/logins/{login}`
pub async fn poll_login(
    State(app): State<Arc<App>>,
    Path(login): Path<String>,
) -> Result<Json<LoginStatus>, Problem> {
    Ok(Json(app.poll_login(&login).await?))
}

/// `GET /api/v1/whoami`
pub async fn whoami(State(app): State<Arc<App>>, actor: Actor) -> Result<Json<WhoAmI>, Problem> {
    let people = app.people.now();
    let known = people.active(actor.person()).ok_or_else(|| Problem::not_found("person"))?;
    Ok(Json(WhoAmI {
        person: known.id.to_string(),
        name: people.name(&known.id).map(str::to_owned),
        roles: known.roles.clone(),
        attributes: known.attributes.clone(),
        passkeys: known.passkeys.values().map(view::passkey).collect(),
        session: how(&actor.session).to_owned(),
        expires_at: actor.session.expires_at.to_string(),
        recovery: view::recovery(known, app.now()),
        held: actor.standing == Standing::Held,
    }))
}
