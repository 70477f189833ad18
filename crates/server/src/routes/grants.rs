//! Grants and the credentials under them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chancery_api::grant::{Credential, GrantList};
use chancery_canonical::Sha256;
use chancery_domain::id::{LeaseId, RequestId};
use serde::Deserialize;

use crate::app::App;
use crate::app::end_request::End;
use crate::app::show_request::grant;
use crate::app::submit_request::request_id;
use crate::http::authentication::Actor;
use crate::http::body;
use crate::http::idempotency;
use crate::http::listing::{Listing, Role};
use crate::http::path::Path;
use crate::problem::Problem;

/// States in which something was granted.
const GRANTED: [&str; 10] = [
    "approved",
    "active",
    "unknown",
    "completed",
    "expired",
    "revoked",
    "failed",
    "rolling_back",
    "rolled_back",
    "rollback_failed",
];

/// Query of `GET /api/v1/grants`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    state: Option<String>,
    cursor: Option<String>,
    limit: Option<String>,
}

/// `GET /api/v1/grants`
pub async fn list(
    State(app): State<Arc<App>>,
    actor: Actor,
    query: Result<Query<ListQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<GrantList>, Problem> {
    let Query(query) = query.map_err(|error| Problem::member("query", error.body_text()))?;
    let states: Vec<String> = match &query.state {
        Some(states) => states.split(',').map(str::to_owned).collect(),
        None => GRANTED.map(str::to_owned).to_vec(),
    };
    let listing = Listing {
        role: Role::Any,
        view: None,
        states,
        entitlement: None,
        cursor: query.cursor,
        limit: query.limit,
    };
    let people = app.people.now();
    let (rows, next_cursor) = listing.rows(&app, actor.person(), &people).await?;
    let mut items = Vec::new();
    for row in rows {
        let loaded = app.load_request(&row.id, &people).await?;
        items.extend(loaded.and_then(|loaded| grant(&loaded, &people)));
    }
    Ok(Json(GrantList { items, next_cursor }))
}

/// `GET /api/v1/grants/{id}`
pub async fn show(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    view_of(&app, &actor, &request_id(&id)?).await
}

/// `POST /api/v1/grants/{id}/credentials`
pub async fn issue(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
    headers: HeaderMap,
    request: Request,
) -> Result<(StatusCode, Json<Credential>), Problem> {
    let id = request_id(&id)?;
    let body = body::read(request, 1024, "1 KiB", app.config.limits.body_seconds).await?;
    let route = format!("POST /api/v1/grants/{id}/credentials");
    let key = idempotency::key(&headers, actor.person(), &route, &Sha256::of(&body))?;
    if let Some(lease) = idempotency::known::<LeaseId>(&app, key.as_ref()).await? {
        app.find_request(&id, actor.person(), &app.people.now()).await?;
        return Ok((StatusCode::CREATED, Json(app.mint_credential(&id, &lease).await?)));
    }
    let now = app.now();
    let remember = move |lease: &LeaseId| key.as_ref().map(|key| key.ticket(lease, now));
    let credential = app.issue_credential(&actor.actor, &id, actor.address, &remember).await?;
    Ok((StatusCode::CREATED, Json(credential)))
}

/// `POST /api/v1/grants/{id}/end`
pub async fn end(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = request_id(&id)?;
    app.end_request(&id, &End::Done(actor.actor.clone())).await?;
    view_of(&app, &actor, &id).await
}

async fn view_of(app: &App, actor: &Actor, id: &RequestId) -> Result<Response, Problem> {
    let people = app.people.now();
    let loaded = app.find_request(id, actor.person(), &people).await?;
    let view = grant(&loaded, &people).ok_or_else(|| Problem::not_found("grant"))?;
    let etag = HeaderValue::from_str(&format!("\"{}\"", view.version)).map_err(Problem::bug)?;
    Ok(([(header::ETAG, etag)], Json(view)).into_response())
}
