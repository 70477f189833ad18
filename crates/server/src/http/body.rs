//! Reading bodies: limits first, then strict JSON, then the type.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use chancery_canonical::Sha256;
use chancery_canonical::json::{self, JsonError};
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::problem::Problem;

/// A JSON body, strictly read: no duplicate names, no fractions, no unknown members.
pub struct StrictJson<T> {
    /// What it says.
    pub value: T,
    /// SHA-256 of its bytes, for idempotency.
    pub sha256: Sha256,
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for StrictJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let content_type = media_type(request.headers());
        if content_type.as_deref() != Some("application/json") {
            return Err(Problem::refused(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media_type",
                "the body is not declared as `application/json`",
                "send `Content-Type: application/json`",
            ));
        }
        let limits = &app.config.limits;
        let bytes =
            read(request.into_body(), limits.body_bytes, "limits.body_bytes", limits.body_seconds).await?;
        let value = json::parse(&bytes).map_err(refused)?;
        let value = serde_json::from_value(value).map_err(|error| {
            let reason = error.to_string();
            Problem::invalid(
                "body_invalid",
                reason.clone(),
                "see docs/spec/openapi.json for the body of this route",
            )
            .at("", reason)
        })?;
        Ok(Self { value, sha256: Sha256::of(&bytes) })
    }
}

/// Reads a body of at most `limit` bytes within `seconds`.
pub async fn read(body: Body, limit: usize, name: &str, seconds: u64) -> Result<Bytes, Problem> {
    let whole = tokio::time::timeout(Duration::from_secs(seconds), axum::body::to_bytes(body, limit)).await;
    let whole = whole.map_err(|_| {
        Problem::refused(
            StatusCode::REQUEST_TIMEOUT,
            "body_timeout",
            format!("the body did not come within {seconds} seconds (`limits.body_seconds`)"),
            "send it again over a faster connection",
        )
    })?;
    whole.map_err(|_| {
        Problem::refused(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("the body has more than {limit} bytes (`{name}`), or broke off"),
            "send less",
        )
    })
}

/// The media type without parameters, in lower case.
pub fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(|kind| kind.trim().to_ascii_lowercase())
}

/// Whether this is a media type as RFC 6838 §4.2 registers them, in lower case and at most 100 bytes long.
pub fn is_media_type(text: &str) -> bool {
    let name = |part: &str| {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$&-^_.+".contains(&b);
        !part.is_empty() && part.bytes().all(plain)
    };
    text.len() <= 100 && text.split_once('/').is_some_and(|(kind, subtype)| name(kind) && name(subtype))
}

/// Reads one member of a body as a type of its own.
pub fn parse_member<T: FromStr>(pointer: &str, text: &str) -> Result<T, Problem>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error| Problem::member(pointer, error))
}

fn refused(error: JsonError) -> Problem {
    let code = match &error {
        JsonError::NotUtf8 => "json_not_utf8",
        JsonError::DuplicateKey { .. } => "json_duplicate_key",
        JsonError::TooDeep => "json_too_deep",
        JsonError::Float | JsonError::IntegerTooLarge => "json_number",
        JsonError::TooLarge
        | JsonError::Syntax { .. }
        | JsonError::TrailingData { .. }
        | JsonError::LoneSurrogate { .. }
        | JsonError::NotCanonical
        | JsonError::Unrepresentable(_) => "json_malformed",
    };
    Problem::refused(
        StatusCode::BAD_REQUEST,
        code,
        error.to_string(),
        "send one strict JSON document (RFC 8259)",
    )
}
