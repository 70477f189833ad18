//! Files that belong to requests, by content.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chancery_api::entitlement::StoredArtifact;
use chancery_canonical::Sha256;
use chancery_store::{Append, Document, Store as _};

use crate::app::App;
use crate::http::authentication::Actor;
use crate::http::body::{media_type, parse_member, read};
use crate::problem::Problem;

/// `PUT /api/v1/artifacts/{sha256}`
pub async fn store(
    State(app): State<Arc<App>>,
    _actor: Actor,
    Path(sha256): Path<String>,
    request: Request,
) -> Result<Json<StoredArtifact>, Problem> {
    let sha256: Sha256 = parse_member("sha256", &sha256)?;
    let media_type = media_type(request.headers()).unwrap_or_else(|| "application/octet-stream".to_owned());
    if media_type.len() > 100 || !media_type.contains('/') {
        return Err(Problem::member("Content-Type", "is no media type"));
    }
    let limits = &app.config.limits;
    let bytes =
        read(request.into_body(), limits.artifact_bytes, "limits.artifact_bytes", limits.body_seconds)
            .await?;
    if Sha256::of(&bytes) != sha256 {
        return Err(Problem::member("sha256", "is not the digest of the body"));
    }
    let size = bytes.len() as u64;
    let mut append = Append::at(app.now());
    append.documents.push(Document { sha256, media_type: media_type.clone(), bytes: bytes.to_vec() });
    app.store.append(append).await?;
    Ok(Json(StoredArtifact { sha256: sha256.to_hex(), size, media_type }))
}

/// `GET /api/v1/artifacts/{sha256}`: always as a download, never as something that a browser would show.
pub async fn fetch(
    State(app): State<Arc<App>>,
    _actor: Actor,
    Path(sha256): Path<String>,
) -> Result<Response, Problem> {
    let sha256: Sha256 = sha256.parse().map_err(|_| Problem::not_found("artifact"))?;
    let document = app.store.document(sha256).await?.ok_or_else(|| Problem::not_found("artifact"))?;
    let mut response = document.bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    Ok(response)
}
