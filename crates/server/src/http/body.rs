//! Reading bodies: limits first, then strict JSON, then the type.

use std::future::poll_fn;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use chancery_canonical::Sha256;
use chancery_canonical::json::{self, JsonError};
use hyper::body::Body as _;
use serde::de::DeserializeOwned;

use super::admission::Place;
use crate::app::App;
use crate::problem::Problem;

/// A body that is too large is read on to so many times its limit, without keeping any of it: many clients look for an
/// answer only when they have sent everything.
const READ_ON: usize = 4;

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
        let bytes = read(request, limits.body_bytes, "limits.body_bytes", limits.body_seconds).await?;
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

/// Reads a body of at most `limit` bytes within `seconds`. While it is awaited the request's place is free for
/// others.
pub async fn read(request: Request, limit: usize, name: &str, seconds: u64) -> Result<Bytes, Problem> {
    let most = limit.saturating_mul(READ_ON);
    let announced = usize::try_from(request.body().size_hint().lower()).unwrap_or(usize::MAX);
    let asks_first = request.headers().contains_key(header::EXPECT);
    if announced > most || (asks_first && announced > limit) {
        return Err(refuse(Unread::TooLarge, limit, name));
    }
    let place = request.extensions().get::<Place>().cloned();
    place.iter().for_each(Place::leave);
    let whole = tokio::time::timeout(Duration::from_secs(seconds), whole(request.into_body(), limit, most));
    let whole = whole.await.map_err(|_| {
        Problem::refused(
            StatusCode::REQUEST_TIMEOUT,
            "body_timeout",
            format!("the body did not come within {seconds} seconds (`limits.body_seconds`)"),
            "send it again over a faster connection",
        )
    })?;
    let whole = whole.map_err(|unread| refuse(unread, limit, name))?;
    place.iter().try_for_each(Place::enter_again)?;
    Ok(whole)
}

/// Why there is no body.
enum Unread {
    TooLarge,
    Broken,
}

fn refuse(unread: Unread, limit: usize, name: &str) -> Problem {
    match unread {
        Unread::TooLarge => Problem::refused(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("the body has more than {limit} bytes (`{name}`)"),
            "send less",
        ),
        Unread::Broken => Problem::refused(
            StatusCode::BAD_REQUEST,
            "body_broken",
            "the body broke off, or is framed in a way that cannot be read",
            "send it again, with its length",
        ),
    }
}

/// Keeps at most `limit` bytes, and reads on to `most` without keeping anything.
async fn whole(mut body: Body, limit: usize, most: usize) -> Result<Bytes, Unread> {
    let (mut kept, mut size) = (Vec::new(), 0_usize);
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        // What is no data is a trailer, and says nothing here.
        let Ok(piece) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
        size = size.saturating_add(piece.len());
        if size > most {
            break;
        }
        if size <= limit {
            kept.extend_from_slice(&piece);
        } else {
            kept = Vec::new();
        }
    }
    if size > limit { Err(Unread::TooLarge) } else { Ok(kept.into()) }
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
