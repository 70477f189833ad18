//! Files that belong to requests: put by content, read as what a request lists.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chancery_api::entitlement::StoredArtifact;
use chancery_canonical::Sha256;
use chancery_domain::id::PersonId;
use chancery_store::{Append, Document, Store as _, Ticket};
use serde_json::{Value, json};

use crate::app::App;
use crate::app::draft_request::uploaded;
use crate::app::submit_request::request_id;
use crate::http::authentication::Actor;
use crate::http::body::{is_media_type, media_type, parse_member, read};
use crate::http::path::Path;
use crate::http::shares::Held;
use crate::problem::Problem;

/// Files of one person that are received at once.
const UPLOADS_AT_ONCE: usize = 4;
/// How long a file that was put may be named in a request: a week.
const UPLOAD_SECONDS: u64 = 7 * 24 * 3600;

/// `PUT /api/v1/artifacts/{sha256}`
pub async fn store(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(sha256): Path<String>,
    request: Request,
) -> Result<Json<StoredArtifact>, Problem> {
    let sha256: Sha256 = parse_member("sha256", &sha256)?;
    let media_type = media_type(request.headers()).unwrap_or_else(|| "application/octet-stream".to_owned());
    if !is_media_type(&media_type) {
        return Err(Problem::member("Content-Type", "is no media type"));
    }
    let bytes = receive(&app, actor.person(), sha256, request).await?;
    if Sha256::of(&bytes) != sha256 {
        return Err(Problem::member("sha256", "is not the digest of the body"));
    }
    let size = bytes.len() as u64;
    let now = app.now();
    let mut append = Append::at(now);
    append.documents.push(Document { sha256, media_type: media_type.clone(), bytes: bytes.to_vec() });
    app.store.append(append).await?;
    let key = uploaded(actor.person(), sha256);
    let expires_at = now.plus(UPLOAD_SECONDS);
    let ticket = Ticket { kind: key.kind, key: key.key, value: json!({ "size": size }), expires_at };
    app.store.put_ticket(ticket).await?;
    Ok(Json(StoredArtifact { sha256: sha256.to_hex(), size, media_type }))
}

/// Reads the file, of somebody who has room for it.
async fn receive(app: &App, person: &PersonId, sha256: Sha256, request: Request) -> Result<Bytes, Problem> {
    let limits = &app.config.limits;
    let share = app.admission.hold(person, Held::Upload, UPLOADS_AT_ONCE).ok_or_else(|| {
        let reason = format!("{UPLOADS_AT_ONCE} artifacts of yours are being received");
        Problem::too_many("too_many_at_once", reason, "send them one after another").retry_after(1)
    })?;
    let _place = app.admission.upload()?;
    let bytes = read(request, limits.artifact_bytes, "limits.artifact_bytes", limits.body_seconds).await?;
    // INVARIANT: counted before what was put is read. One that is put meanwhile counts twice, and none is missed.
    let (before, now) = (share.before(), app.now());
    let own = uploaded(person, sha256);
    let prefix = format!("{person}/");
    let mut put = app.store.tickets_of(&own.kind, &prefix, now).await?;
    put.retain(|ticket| ticket.key != own.key);
    let size = |ticket: &Ticket| ticket.value.get("size").and_then(Value::as_u64).unwrap_or(0);
    let largest = (before as u64).saturating_mul(limits.artifact_bytes as u64);
    let stored = put.iter().map(size).fold(largest.saturating_add(bytes.len() as u64), u64::saturating_add);
    let full = if put.len().saturating_add(before) >= limits.artifacts_per_person {
        format!("{} artifacts of yours are kept (`limits.artifacts_per_person`)", limits.artifacts_per_person)
    } else if stored > limits.artifact_bytes_per_person {
        format!(
            "your artifacts would have more than {} bytes together (`limits.artifact_bytes_per_person`)",
            limits.artifact_bytes_per_person
        )
    } else {
        return Ok(bytes);
    };
    let first = put.iter().map(|ticket| ticket.expires_at.seconds_since(now)).min();
    Err(Problem::too_many("too_many_artifacts", full, "use what you have put: each counts for a week")
        .retry_after(first.unwrap_or(1)))
}

/// `GET /api/v1/requests/{id}/artifacts/{sha256}`: always as a download, never as something that a browser would
/// show.
pub async fn fetch(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path((id, sha256)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let nowhere = || Problem::not_found("artifact");
    let loaded = app.find_request(&request_id(&id)?, actor.person(), &app.people.now()).await?;
    let sha256: Sha256 = sha256.parse().map_err(|_| nowhere())?;
    // INVARIANT: digests are public in the log. Only what a request lists that the reader may see is read by one.
    if !loaded.request.artifacts.iter().any(|listed| listed.sha256 == sha256) {
        return Err(nowhere());
    }
    let document = app.store.document(sha256).await?.ok_or_else(nowhere)?;
    let mut response = document.bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    Ok(response)
}
