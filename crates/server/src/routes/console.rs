//! The console: the files of `console/dist`, embedded when the program is built with the feature `console`. Without it
//! one page says how to build it.

use std::sync::{Arc, LazyLock};

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use chancery_canonical::Sha256;
use chancery_canonical::base64::encode_standard;

use crate::app::App;
use crate::http::headers::page_policy;
use crate::http::path::Path;
use crate::problem::Problem;
use crate::routes::no_route;

/// A file of the console.
struct File {
    /// Its path below `console/dist`.
    path: &'static str,
    bytes: &'static [u8],
    /// The same in brotli (RFC 7932), where that is shorter.
    brotli: Option<&'static [u8]>,
}

/// Every file but those whose names begin with a dot, by path; none without the feature.
static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/console_files.rs"));

/// The document of every page.
const INDEX: &str = "index.html";
/// Stands in it where the nonce of the answer goes.
const NONCE: &str = "__CSP_NONCE__";
/// Addresses that are never pages of the console.
const NOT_PAGES: [&str; 4] = ["/api", "/log", "/lives", "/assets"];

/// A name with a digest in it never changes its content.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// May be kept, and is asked for again each time.
const ASK_AGAIN: &str = "no-cache";

/// What stands at `/` without the console.
const PLACEHOLDER: &str = include_str!("../../static/no-console.html");
static PLACEHOLDER_POLICY: LazyLock<Option<HeaderValue>> =
    LazyLock::new(|| HeaderValue::from_str(&page_policy(PLACEHOLDER)).ok());

/// `GET /`
pub async fn home(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    match find(FILES, INDEX) {
        Some(index) => page(&app, index),
        None => Ok(placeholder()),
    }
}

/// `GET /assets/…`: found by exactly the path that it was embedded with; no file system is asked.
pub async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    match find(FILES, &format!("assets/{path}")) {
        Some(file) => answer(file, &headers, FOREVER),
        None => Problem::not_found("file").into_response(),
    }
}

/// Every address that no route has: a page of the console, which finds its own way, one of its files, or nothing.
pub async fn elsewhere(
    State(app): State<Arc<App>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let path = uri.path();
    let reads = matches!(method, Method::GET | Method::HEAD);
    if !reads || NOT_PAGES.iter().any(|start| is_below(path, start)) {
        return Err(no_route());
    }
    let name = path.strip_prefix('/').unwrap_or(path);
    if let Some(file) = find(FILES, name).filter(|file| file.path != INDEX) {
        return Ok(answer(file, &headers, ASK_AGAIN));
    }
    let index = find(FILES, INDEX).filter(|_| accepts_page(&headers));
    page(&app, index.ok_or_else(no_route)?)
}

fn is_below(path: &str, start: &str) -> bool {
    path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn find<'a>(files: &'a [File], path: &str) -> Option<&'a File> {
    files.binary_search_by(|file| file.path.cmp(path)).ok().and_then(|place| files.get(place))
}

/// Whether a page is asked for by name; what takes anything is a program.
fn accepts_page(headers: &HeaderMap) -> bool {
    listed(headers, &header::ACCEPT).any(|(kind, _)| kind.eq_ignore_ascii_case("text/html"))
}

fn accepts_brotli(headers: &HeaderMap) -> bool {
    let refused = |weight: &str| weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0);
    listed(headers, &header::ACCEPT_ENCODING)
        .any(|(coding, weight)| coding.eq_ignore_ascii_case("br") && !weight.is_some_and(refused))
}

/// The elements of a list with weights (RFC 9110 §12.4.2).
fn listed<'a>(
    headers: &'a HeaderMap,
    name: &header::HeaderName,
) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(|element| {
        let mut parts = element.split(';').map(str::trim);
        let value = parts.next().unwrap_or_default();
        (value, parts.find_map(|part| part.strip_prefix("q=")))
    })
}

/// The document, with a nonce that no other answer has.
fn page(app: &App, index: &File) -> Result<Response, Problem> {
    let nonce = encode_standard(&app.random.bytes::<16>()?);
    let text = std::str::from_utf8(index.bytes).map_err(Problem::bug)?.replace(NONCE, &nonce);
    let policy = HeaderValue::from_str(&policy(&nonce)).map_err(Problem::bug)?;
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    Ok(([kind, (header::CONTENT_SECURITY_POLICY, policy)], text).into_response())
}

/// The policy under which the console runs: its own scripts, styles and images, and this server to talk to.
fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; connect-src 'self'; \
         img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types default"
    )
}

fn placeholder() -> Response {
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    let mut response = ([kind], PLACEHOLDER).into_response();
    if let Some(policy) = PLACEHOLDER_POLICY.as_ref() {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy.clone());
    }
    response
}

/// A file, in the coding that the reader takes, or word that theirs is the same.
fn answer(file: &File, headers: &HeaderMap, keep: &'static str) -> Response {
    let brotli = file.brotli.filter(|_| accepts_brotli(headers));
    // Each coding is a representation of its own (RFC 9110 §8.8.3.3).
    let tag = format!("\"{}\"", Sha256::of(brotli.unwrap_or(file.bytes)).to_hex());
    let mut response = if has(headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut whole = brotli.unwrap_or(file.bytes).into_response();
        whole.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(file.path)));
        if brotli.is_some() {
            whole.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
        }
        whole
    };
    let own = response.headers_mut();
    own.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    own.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        own.insert(header::ETAG, tag);
    }
    response
}

/// Whether the reader has this representation already (RFC 9110 §13.1.2).
fn has(headers: &HeaderMap, tag: &str) -> bool {
    listed(headers, &header::IF_NONE_MATCH)
        .any(|(known, _)| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// By the ending of its name. Nothing else is among the files of a build.
fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("html") => "text/html; charset=utf-8",
        Some("txt") => "text/plain; charset=utf-8",
        Some(_) | None => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
