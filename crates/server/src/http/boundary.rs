//! The edge of every request: its name, its span, its figures, and the one line that is logged of it.
//!
//! INVARIANT: that line has the route's template and never the path, the person's random id and never a name; no
//! header, token, body or text of anybody. What went wrong inside goes to the log and not to the client.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use chancery_domain::id::PersonId;
use ring::rand::{SecureRandom as _, SystemRandom};
use tracing::{Instrument as _, Span, field};

use crate::app::App;

/// Carries the name of a request; it stands in problem documents and in the log as well.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Routes whose answers are asked for by machines every few seconds: logged for debugging only.
const PROBES: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// Of the request that is being answered.
struct Asked {
    id: String,
    person: OnceLock<PersonId>,
}

tokio::task_local! {
    static ASKED: Arc<Asked>;
}

/// What a problem says to the operator; put beside the answer that the client gets.
#[derive(Clone, Debug)]
pub struct Said {
    /// Its stable name.
    pub code: String,
    /// What nobody else reads.
    pub internal: Option<String>,
}

/// The name of the request that is being answered; a new one where there is none.
pub fn request_id() -> String {
    ASKED.try_with(|asked| asked.id.clone()).unwrap_or_else(|_| new_id())
}

/// Whether the line about this request is still to come, so that nobody needs to say anything now.
pub fn is_observed() -> bool {
    ASKED.try_with(|_| ()).is_ok()
}

/// Somebody has shown who they are.
pub fn saw_person(person: &PersonId) {
    let _ = ASKED.try_with(|asked| asked.person.set(person.clone()));
}

/// Answers a request within its span, counts it and logs it once.
pub async fn observe(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let asked = Arc::new(Asked { id: new_id(), person: OnceLock::new() });
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("unmatched", MatchedPath::as_str);
    let span = tracing::info_span!("request", request_id = asked.id, %method, route, person = field::Empty);
    let answer = next.run(request).instrument(span.clone());
    let mut response = ASKED.scope(Arc::clone(&asked), answer).await;
    let took = begun.elapsed();
    app.metrics.answered(method.as_str(), route, response.status().as_u16(), took);
    if let Some(person) = asked.person.get() {
        span.record("person", field::display(person));
    }
    log(&span, &response, u64::try_from(took.as_micros()).unwrap_or(u64::MAX), PROBES.contains(&route));
    if let Ok(value) = HeaderValue::from_str(&asked.id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

fn log(span: &Span, response: &Response, micros: u64, is_probe: bool) {
    let status = response.status().as_u16();
    let said = response.extensions().get::<Said>();
    let code = said.map(|said| said.code.as_str());
    match said.and_then(|said| said.internal.as_deref()) {
        Some(detail) => tracing::error!(parent: span, status, micros, code, detail, "failed"),
        None if is_probe => tracing::debug!(parent: span, status, micros, code, "answered"),
        None => tracing::info!(parent: span, status, micros, code, "answered"),
    }
}

/// A name for one request. It needs no secrecy, so without randomness it is simply empty of meaning.
fn new_id() -> String {
    let mut bytes = [0; 16];
    let _ = SystemRandom::new().fill(&mut bytes);
    ulid::Ulid::from_bytes(bytes).to_string()
}
