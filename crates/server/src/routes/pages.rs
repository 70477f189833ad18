//! The signing page: one file, served under every address that a link may name.

use std::sync::LazyLock;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::http::headers::page_policy;

/// The page.
const PAGE: &str = include_str!("../../static/sign.html");

/// Its content security policy, computed from the file itself.
static POLICY: LazyLock<Option<HeaderValue>> =
    LazyLock::new(|| HeaderValue::from_str(&page_policy(PAGE)).ok());

/// `GET /sign` and the other pages.
pub async fn page() -> Response {
    let mut response = PAGE.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    if let Some(policy) = POLICY.as_ref() {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
    }
    response
}
