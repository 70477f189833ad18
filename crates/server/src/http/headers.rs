//! What every answer carries, and the policy under which the signing page runs.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use chancery_canonical::Sha256;
use chancery_canonical::base64::encode_standard;

use super::admission::Place;
use super::shape;
use crate::app::App;
use crate::problem::Problem;

/// Headers of every answer. What carries its own `Cache-Control` keeps it.
const ALWAYS: [(HeaderName, &str); 7] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-embedder-policy"), "require-corp"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), microphone=(), geolocation=()",
    ),
];

/// The policy of everything that is no page: nothing may be done with it.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Holds a request to its shape, takes a place for it, and runs its handler in a task of its own, so that a panic
/// becomes an answer and a client that goes away does not stop a write halfway; then adds the headers of every answer.
pub async fn guard(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let framed_in_chunks = request.headers().contains_key(header::TRANSFER_ENCODING);
    let mut response = match admit(&app, &mut request) {
        // INVARIANT: the place is held until the work is done, whether or not the client still waits for it.
        Ok(place) => tokio::spawn(async move {
            let response = next.run(request).await;
            place.iter().for_each(Place::leave);
            response
        })
        .await
        .unwrap_or_else(|error| Problem::bug(error).into_response()),
        Err(problem) => problem.into_response(),
    };
    secure(response.headers_mut());
    if framed_in_chunks {
        // A proxy that read the length otherwise took what follows for another request (RFC 9112 §6.1).
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// A place for the work. Whether the server lives is answered without one.
fn admit(app: &App, request: &mut Request) -> Result<Option<Place>, Problem> {
    shape::check(request, &app.config.limits)?;
    if matches!(request.uri().path(), "/healthz" | "/metrics") {
        return Ok(None);
    }
    let place = app.admission.place()?;
    request.extensions_mut().insert(place.clone());
    Ok(Some(place))
}

fn secure(headers: &mut HeaderMap) {
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let defaults = [(header::CONTENT_SECURITY_POLICY, NOTHING), (header::CACHE_CONTROL, "no-store")];
    for (name, value) in defaults {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// The policy of the signing page: exactly its own inline scripts and styles, and this server to talk to.
pub fn page_policy(html: &str) -> String {
    let scripts = hashes(html, "<script", "</script>");
    let styles = hashes(html, "<style", "</style>");
    format!(
        "default-src 'none'; script-src {scripts}; style-src {styles}; connect-src 'self'; \
         frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; \
         trusted-types 'none'"
    )
}

/// CSP hashes of the content of every element of a kind (CSP Level 3 §2.3.1).
fn hashes(html: &str, open: &str, close: &str) -> String {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once(open) {
        let Some((_, content)) = after.split_once('>') else { break };
        let Some((content, further)) = content.split_once(close) else { break };
        found.push(format!("'sha256-{}'", encode_standard(Sha256::of(content.as_bytes()).as_bytes())));
        rest = further;
    }
    if found.is_empty() { "'none'".to_owned() } else { found.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::{hashes, page_policy};

    #[test]
    fn the_policy_names_each_inline_script_and_nothing_else() {
        let html = "<style>a{}</style><script type=\"module\">alert(1)</script><p>x</p><script>2</script>";
        let policy = page_policy(html);
        assert_eq!(hashes(html, "<script", "</script>").split(' ').count(), 2);
        // printf 'alert(1)' | openssl dgst -sha256 -binary | base64
        assert!(policy.contains("'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("img-src"));
        assert!(policy.ends_with("; require-trusted-types-for 'script'; trusted-types 'none'"), "{policy}");
        assert!(page_policy("<p>").contains("script-src 'none'"));
    }
}
