//! Server-sent events (WHATWG HTML §9.2): one CloudEvent for each event of the log that the reader may see.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::feed::{CatchUp, Feed, Listener};
use crate::http::authentication::Actor;
use crate::http::shares::Held;
use crate::problem::Problem;
use crate::random::token_key;

/// After how many seconds it is worth asking for a stream again.
const STREAM_SECONDS: u64 = 15;

/// `GET /api/v1/events`
pub async fn follow(
    State(app): State<Arc<App>>,
    actor: Actor,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let from = last_seen(&headers)?.map(|last| last.saturating_add(1));
    let most = app.config.limits.event_streams_per_person;
    let share = app.admission.hold(actor.person(), Held::Stream, most).ok_or_else(|| {
        let reason = format!("{most} event streams of yours are open (`limits.event_streams_per_person`)");
        Problem::too_many("too_many_streams", reason, "close one of them").retry_after(STREAM_SECONDS)
    })?;
    let place = app.feeds.place().ok_or_else(|| {
        Problem::busy("all event streams are taken (`limits.event_streams`)").retry_after(STREAM_SECONDS)
    })?;
    let token_key = token_key(&actor.token);
    let listener = Arc::new(Listener::new(actor.session.clone(), token_key));
    let (id, until) = app.feeds.join(&listener);
    let mut feed = Feed::new(Arc::clone(&app), (Arc::clone(&listener), id), place, share);
    // INVARIANT: asked again after joining. Whoever signed out before is seen here, whoever does later ends the stream.
    app.session(&actor.token).await?;
    if let Some(from) = from.filter(|from| *from < until) {
        let (catch_up, missed) = CatchUp::new(app, listener, from, until);
        feed.begin_with(missed);
        tokio::spawn(catch_up.run());
    }
    let mut response = feed.body().into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    Ok(response)
}

/// The last event that the reader saw.
fn last_seen(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let last = value.to_str().ok().and_then(|text| text.parse::<u64>().ok());
    last.map(Some).ok_or_else(|| Problem::member("Last-Event-ID", "is no leaf index"))
}
