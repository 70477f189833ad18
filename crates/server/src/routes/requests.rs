//! Requests and decisions.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chancery_api::decision::{DecisionOptions, DecisionOptionsRequest, DecisionOutcome, DecisionRequest};
use chancery_api::request::{Draft, DraftRequest, RedactionRequest, RequestList, SubmitRequest};
use chancery_domain::id::RequestId;
use serde::Deserialize;

use super::view;
use crate::app::App;
use crate::app::end_request::End;
use crate::app::submit_request::{Revises, request_id};
use crate::http::authentication::Actor;
use crate::http::body::StrictJson;
use crate::http::idempotency;
use crate::http::listing::{Listing, Role, View};
use crate::http::path::Path;
use crate::problem::Problem;

/// `POST /api/v1/drafts`
pub async fn draft(
    State(app): State<Arc<App>>,
    actor: Actor,
    body: StrictJson<DraftRequest>,
) -> Result<Json<Draft>, Problem> {
    Ok(Json(app.draft_request(actor.person(), actor.address, body.value).await?))
}

/// `POST /api/v1/requests`
pub async fn create(
    State(app): State<Arc<App>>,
    actor: Actor,
    headers: HeaderMap,
    body: StrictJson<SubmitRequest>,
) -> Result<Response, Problem> {
    app.notice_trust().await?;
    let key = idempotency::key(&headers, actor.person(), "POST /api/v1/requests", &body.sha256)?;
    if let Some(known) = idempotency::known::<RequestId>(&app, key.as_ref()).await? {
        return view_of(&app, &actor, &known, StatusCode::CREATED).await;
    }
    let id = id_of(&body.value)?;
    let remember = key.as_ref().map(|key| key.ticket(&id, app.now()));
    let submitted = app.submit_request(actor.person(), actor.address, &body.value, None, remember).await;
    let id = idempotency::or_known(&app, key.as_ref(), submitted).await?;
    view_of(&app, &actor, &id, StatusCode::CREATED).await
}

/// `POST /api/v1/requests/{id}/revisions`
pub async fn revise(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: StrictJson<SubmitRequest>,
) -> Result<Response, Problem> {
    let revises = Revises { id: request_id(&id)?, version: if_match(&headers)? };
    let id = app.submit_request(actor.person(), actor.address, &body.value, Some(&revises), None).await?;
    view_of(&app, &actor, &id, StatusCode::CREATED).await
}

/// Query of `GET /api/v1/requests`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    state: Option<String>,
    role: Option<String>,
    view: Option<String>,
    entitlement: Option<String>,
    cursor: Option<String>,
    limit: Option<String>,
}

/// `GET /api/v1/requests`
pub async fn list(
    State(app): State<Arc<App>>,
    actor: Actor,
    query: Result<Query<ListQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<RequestList>, Problem> {
    let Query(query) = query.map_err(|error| Problem::member("query", error.body_text()))?;
    let states = query.state.as_deref().map(|states| states.split(',').map(str::to_owned).collect());
    let listing = Listing {
        role: Role::parse(query.role.as_deref())?,
        view: query.view.as_deref().map(View::parse).transpose()?,
        states: states.unwrap_or_default(),
        entitlement: query.entitlement,
        cursor: query.cursor,
        limit: query.limit,
    };
    let people = app.people.now();
    let (rows, next_cursor) = listing.rows(&app, actor.person(), &people).await?;
    Ok(Json(RequestList {
        items: rows.iter().map(|row| view::summary(row, &people, &app)).collect(),
        next_cursor,
    }))
}

/// `GET /api/v1/requests/{id}`
pub async fn show(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    view_of(&app, &actor, &request_id(&id)?, StatusCode::OK).await
}

/// `POST /api/v1/requests/{id}/seen`: said by a page that shows it, not by whoever only fetches it.
pub async fn seen(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    app.see_request(actor.person(), &request_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/requests/{id}/cancel`
pub async fn cancel(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = request_id(&id)?;
    app.end_request(&id, &End::Cancel(actor.actor.clone())).await?;
    view_of(&app, &actor, &id, StatusCode::OK).await
}

/// `POST /api/v1/requests/{id}/decisions/options`
pub async fn decision_options(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
    body: StrictJson<DecisionOptionsRequest>,
) -> Result<Json<DecisionOptions>, Problem> {
    Ok(Json(app.offer_decision(&actor.actor, &request_id(&id)?, &body.value).await?))
}

/// `POST /api/v1/requests/{id}/decisions`
pub async fn decide(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
    body: StrictJson<DecisionRequest>,
) -> Result<(StatusCode, Json<DecisionOutcome>), Problem> {
    let id = request_id(&id)?;
    let receipt = app.decide_request(actor.person(), &id, &body.value).await?;
    let people = app.people.now();
    let loaded = app.find_request(&id, actor.person(), &people).await?;
    let request = app.view_request(&loaded, actor.person(), &people).await?;
    Ok((StatusCode::CREATED, Json(DecisionOutcome { request, receipt })))
}

/// `GET /api/v1/requests/{id}/evidence`
pub async fn evidence(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = request_id(&id)?;
    app.find_request(&id, actor.person(), &app.people.now()).await?;
    let zip = app.export_evidence(&id).await?;
    let name = format!("attachment; filename=\"evidence-{id}.zip\"");
    let headers = [(header::CONTENT_TYPE, "application/zip".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, zip).into_response())
}

/// `POST /api/v1/requests/{id}/redactions`
pub async fn redact(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
    body: StrictJson<RedactionRequest>,
) -> Result<Response, Problem> {
    let id = request_id(&id)?;
    app.redact_request(&actor.actor, &id, &body.value.digests).await?;
    view_of(&app, &actor, &id, StatusCode::CREATED).await
}

/// The request as the actor sees it, with its version as `ETag`.
async fn view_of(app: &App, actor: &Actor, id: &RequestId, status: StatusCode) -> Result<Response, Problem> {
    let people = app.people.now();
    let loaded = app.find_request(id, actor.person(), &people).await?;
    let view = app.view_request(&loaded, actor.person(), &people).await?;
    let etag = HeaderValue::from_str(&format!("\"{}\"", view.version)).map_err(Problem::bug)?;
    Ok((status, [(header::ETAG, etag)], Json(view)).into_response())
}

/// The version that an edit is about.
fn if_match(headers: &HeaderMap) -> Result<u64, Problem> {
    let value = headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok());
    let version = value.map(|text| text.trim_matches('"').parse::<u64>());
    match version {
        Some(Ok(version)) => Ok(version),
        Some(Err(_)) => Err(Problem::member("If-Match", "is no version of a request")),
        None => Err(Problem::refused(
            StatusCode::PRECONDITION_REQUIRED,
            "if_match_needed",
            "an edit must say which version it is about",
            "send `If-Match` with the `ETag` of the request that you saw",
        )),
    }
}

fn id_of(body: &SubmitRequest) -> Result<RequestId, Problem> {
    #[derive(Deserialize)]
    struct Named {
        id: RequestId,
    }
    let document = crate::http::convert::document("/document", &body.document)?;
    let named: Named = document.decode().map_err(|error| Problem::member("/document", error))?;
    Ok(named.id)
}
