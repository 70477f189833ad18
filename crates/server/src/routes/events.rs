//! Server-sent events (WHATWG HTML §9.2): one CloudEvent for each event of the log that the reader may see.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chancery_api::event::{CloudEvent, EventData, Gap};
use chancery_domain::id::PersonId;
use chancery_domain::leaf::Stream;
use chancery_store::{MAX_PAGE, Store as _, StoredEvent};
use tokio::sync::mpsc;

use crate::app::App;
use crate::http::authentication::Actor;
use crate::http::listing::visible_row;
use crate::http::stream;
use crate::problem::Problem;

/// How often something is sent when nothing happens.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How many events back a reader may begin; what is older is skipped, and said to be.
const MAX_BACKLOG: u64 = 10_000;

/// `GET /api/v1/events`
pub async fn follow(
    State(app): State<Arc<App>>,
    actor: Actor,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let place = Arc::clone(&app.event_streams).try_acquire_owned().map_err(|_| {
        Problem::refused(
            StatusCode::SERVICE_UNAVAILABLE,
            "too_many_streams",
            "all event streams are taken (`limits.event_streams`)",
            "ask again later, or poll",
        )
    })?;
    let size = *app.store.watch_size().borrow();
    let from = match headers.get("last-event-id") {
        None => size,
        Some(value) => {
            let last = value.to_str().ok().and_then(|text| text.parse::<u64>().ok());
            last.ok_or_else(|| Problem::member("Last-Event-ID", "is no leaf index"))?.saturating_add(1)
        }
    };
    let (pieces, body) = mpsc::channel(64);
    let reader = Reader { app, person: actor.person().clone(), token: actor.token, pieces, from };
    tokio::spawn(async move {
        reader.run(size).await;
        drop(place);
    });
    let mut response = stream::body(body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    Ok(response)
}

struct Reader {
    app: Arc<App>,
    person: PersonId,
    /// Of the session that the stream ends with.
    token: String,
    pieces: mpsc::Sender<String>,
    from: u64,
}

impl Reader {
    /// Until the reader goes away or signs out, the session is over, the person is suspended, or the server ends.
    /// What happens meanwhile is looked for at least with each heartbeat.
    async fn run(mut self, size: u64) {
        let oldest = size.saturating_sub(MAX_BACKLOG);
        if self.from < oldest {
            let gap = Gap { from: self.from, to: oldest };
            self.from = oldest;
            if self.send("gap", None, &gap).await.is_none() {
                return;
            }
        }
        if self.pieces.send("retry: 2000\n\n".to_owned()).await.is_err() {
            return;
        }
        let mut sizes = self.app.store.watch_size();
        let mut stopping = self.app.stopping.subscribe();
        while !*stopping.borrow() && self.catch_up().await.is_some() {
            tokio::select! {
                _ = stopping.changed() => return,
                changed = sizes.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(HEARTBEAT) => {
                    if self.pieces.send(": heartbeat\n\n".to_owned()).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// Everything up to the end of the log; `None` when the reader is gone, or is nobody any more.
    async fn catch_up(&mut self) -> Option<()> {
        loop {
            let events = self.app.store.events_from(self.from, MAX_PAGE).await.ok()?;
            // After the events were read: what was appended after the session's end is not among them then.
            self.app.session(&self.token).await.ok()?;
            let people = self.app.people.now();
            let Some(last) = events.last() else { return Some(()) };
            let end = last.position.leaf_index.saturating_add(1);
            for event in &events {
                let (visible, state) = match &event.leaf.stream {
                    Stream::Request(id) => {
                        let visible = visible_row(&self.app, id, &self.person, &people).await.ok()?;
                        let row = self.app.store.request_row(id).await.ok()?;
                        (visible, row.map(|row| row.state))
                    }
                    Stream::Identity(_) | Stream::Policy | Stream::Trust => (true, None),
                };
                if visible {
                    let index = event.position.leaf_index;
                    self.send("event", Some(index), &self.cloud_event(event, state)).await?;
                }
            }
            self.from = end;
        }
    }

    fn cloud_event(&self, event: &StoredEvent, state: Option<String>) -> CloudEvent {
        CloudEvent {
            specversion: "1.0".to_owned(),
            id: event.position.leaf_index.to_string(),
            source: format!("//{}", self.app.config.log_origin),
            event_type: format!("chancery.{}", event.leaf.kind),
            subject: event.leaf.stream.to_string(),
            time: event.leaf.time.to_string(),
            datacontenttype: "application/json".to_owned(),
            data: EventData { version: event.leaf.version, state },
        }
    }

    async fn send<T: serde::Serialize>(&self, name: &str, id: Option<u64>, data: &T) -> Option<()> {
        let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
        let data = serde_json::to_string(data).ok()?;
        self.pieces.send(format!("event: {name}\n{id}data: {data}\n\n")).await.ok()
    }
}
