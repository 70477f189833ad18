//! What a request may look like before anything of it is believed. hyper refuses what is no HTTP at all; these are
//! limits of our own, so that they are answered with words.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};

use crate::config::Limits;
use crate::problem::Problem;

/// Most header lines of a request.
pub const MAX_HEADERS: usize = 100;

/// Refuses targets and headers that are too long, and bodies in an encoding that nobody here reads.
pub fn check(request: &Request, limits: &Limits) -> Result<(), Problem> {
    let most = limits.uri_bytes;
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    if target.len() > most {
        return Err(Problem::refused(
            StatusCode::URI_TOO_LONG,
            "uri_too_long",
            format!("the target has more than {most} bytes (`limits.uri_bytes`)"),
            "send less in the address",
        ));
    }
    check_headers(request.headers(), limits.header_bytes)?;
    let encodings = request.headers().get_all(header::CONTENT_ENCODING).iter();
    // INVARIANT: a body is never unpacked. What is small as it is sent is small as it is read.
    if encodings.into_iter().any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Problem::refused(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "content_encoding",
            "compressed bodies are not taken",
            "send the body as it is, without `Content-Encoding`",
        ));
    }
    Ok(())
}

fn check_headers(headers: &HeaderMap, most: usize) -> Result<(), Problem> {
    // As they stand on the wire: name, colon, space, value, end of line.
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let reason = if headers.len() > MAX_HEADERS {
        format!("there are more than {MAX_HEADERS} headers")
    } else if bytes > most {
        format!("the headers have more than {most} bytes together (`limits.header_bytes`)")
    } else {
        return Ok(());
    };
    let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    Err(Problem::refused(status, "headers_too_large", reason, "send fewer or shorter headers and cookies"))
}
