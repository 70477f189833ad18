//! The parts of an address that stand for something.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::problem::Problem;

/// As axum's own, but what cannot be read is refused in our words: `%ff` is no text.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<App>> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let read = axum::extract::Path::<T>::from_request_parts(parts, app).await;
        let axum::extract::Path(value) = read.map_err(|rejection| {
            let remedy = "write the address as docs/spec/openapi.json does, its parts as UTF-8";
            Problem::refused(StatusCode::BAD_REQUEST, "path_invalid", rejection.body_text(), remedy)
        })?;
        Ok(Self(value))
    }
}
