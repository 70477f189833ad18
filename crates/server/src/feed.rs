//! Who listens to what happens. One reader follows the log for everybody: each event is read once, turned into text
//! once, and handed to those who may see it. A listener who does nothing costs nothing but room.

mod catch_up;
mod listener;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chancery_api::event::{CloudEvent, EventData};
use chancery_domain::id::{PersonId, RequestId};
use chancery_domain::leaf::Stream;
use chancery_domain::time::Timestamp;
use chancery_store::{Fault, RequestRow, Store as _, StoredEvent};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::yield_now;
use tokio::time::{MissedTickBehavior, interval};

use crate::app::{App, Snapshot};
use crate::http::listing::Audience;
use crate::http::serve::stopping;

pub use catch_up::CatchUp;
use listener::End;
pub use listener::{Feed, Listener};

/// Events that are handed out between two looks at anything else.
const PAGE: usize = 64;
/// Listeners that are woken between two looks at anything else: many listeners do not make others wait.
const AT_ONCE: usize = 64;
/// Heartbeats are sent to one part of the listeners at each tick, and to everybody once in so many.
const PARTS: u64 = 60;
/// How long one tick is.
const TICK: Duration = Duration::from_millis(250);
/// How many readers catch up with what they missed at once, so that the others find the database free.
const CATCHING_UP: usize = 2;

/// Everybody who listens.
pub struct Feeds {
    listeners: Mutex<Listeners>,
    places: Arc<Semaphore>,
    catching_up: Semaphore,
}

#[derive(Default)]
struct Listeners {
    /// The first leaf index that was not handed out yet.
    from: u64,
    /// Nobody is taken any more: the server stops.
    closed: bool,
    next: u64,
    all: BTreeMap<u64, Arc<Listener>>,
    of_person: BTreeMap<PersonId, BTreeSet<u64>>,
}

/// An event, and whom it is for.
struct Notice {
    text: Arc<str>,
    audience: For,
}

/// Whom an event is for.
enum For {
    Everybody,
    /// Those who may see this request.
    ReadersOf(Arc<RequestRow>),
    Nobody,
}

impl Feeds {
    /// Nobody, and at most so many.
    pub fn new(most: usize) -> Self {
        Self {
            listeners: Mutex::default(),
            places: Arc::new(Semaphore::new(most)),
            catching_up: Semaphore::new(CATCHING_UP),
        }
    }

    /// A place for one more; `None` when all are taken.
    pub fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// How many listen.
    pub fn len(&self) -> usize {
        self.locked().all.len()
    }

    /// Adds a listener. Every event from the returned leaf index on is handed to it, and none before.
    pub fn join(&self, listener: &Arc<Listener>) -> (u64, u64) {
        let mut listeners = self.locked();
        if listeners.closed {
            listener.end(End::Stopping);
        }
        let id = listeners.next;
        listeners.next = id.saturating_add(1);
        listeners.all.insert(id, Arc::clone(listener));
        listeners.of_person.entry(listener.person().clone()).or_default().insert(id);
        (id, listeners.from)
    }

    /// Takes a listener out.
    pub fn leave(&self, id: u64) {
        let mut listeners = self.locked();
        let Some(listener) = listeners.all.remove(&id) else { return };
        if let Some(own) = listeners.of_person.get_mut(listener.person()) {
            own.remove(&id);
            if own.is_empty() {
                listeners.of_person.remove(listener.person());
            }
        }
    }

    /// Ends the streams of a session that is over. Nothing that is appended afterwards is handed to them.
    pub fn end_session(&self, token_key: &str) {
        let listeners = self.locked();
        listeners.all.values().filter(|one| one.is_of(token_key)).for_each(|one| one.end(End::SessionOver));
    }

    fn end_all(&self) {
        let mut listeners = self.locked();
        listeners.closed = true;
        listeners.all.values().for_each(|listener| listener.end(End::Stopping));
    }

    fn locked(&self) -> MutexGuard<'_, Listeners> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where to read on; with nobody listening, everything up to here is as good as handed out.
    fn next_index(&self, size: u64) -> u64 {
        let mut listeners = self.locked();
        if listeners.all.is_empty() {
            listeners.from = listeners.from.max(size);
        }
        listeners.from
    }

    /// Those who listen now, by person; from the next event on others may have joined.
    ///
    /// INVARIANT: in one step with moving on, so that a listener who joins is handed every event from the index that
    /// it was told, and no event twice.
    fn move_on(&self, end: u64) -> Vec<(PersonId, Vec<Arc<Listener>>)> {
        let mut listeners = self.locked();
        listeners.from = end;
        let found =
            |ids: &BTreeSet<u64>| ids.iter().filter_map(|id| listeners.all.get(id).cloned()).collect();
        listeners.of_person.iter().map(|(person, ids)| (person.clone(), found(ids))).collect()
    }

    /// One part of the listeners.
    fn part(&self, part: u64) -> Vec<Arc<Listener>> {
        let listeners = self.locked();
        let due = listeners.all.iter().filter(|(id, _)| *id % PARTS == part);
        due.map(|(_, listener)| Arc::clone(listener)).collect()
    }
}

/// Hands out what happens until the server stops.
pub async fn run(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    let mut sizes = app.store.watch_size();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut part = 0;
    // What happened before the start is for those to catch up with who ask for it.
    app.feeds.next_index(*sizes.borrow_and_update());
    loop {
        tokio::select! {
            () = stopping(&mut stopped) => break,
            changed = sizes.changed() => {
                if changed.is_err() {
                    break;
                }
                let size = *sizes.borrow_and_update();
                if let Err(fault) = hand_out(&app, size).await {
                    // Nothing is lost: it is read again at the next change, or at the next tick.
                    tracing::error!(%fault, "events cannot be read for those who listen");
                }
            }
            _ = ticks.tick() => {
                part = (part + 1) % PARTS;
                beat(&app, part).await;
            }
        }
    }
    app.feeds.end_all();
}

/// Hands out everything up to the end of the log.
async fn hand_out(app: &App, size: u64) -> Result<(), Fault> {
    loop {
        let from = app.feeds.next_index(size);
        if from >= size {
            return Ok(());
        }
        let events = app.store.events_from(from, PAGE).await?;
        let Some(last) = events.last() else { return Ok(()) };
        let end = last.position.leaf_index.saturating_add(1);
        let notices = notices(app, &events).await?;
        let people = app.people.now();
        let now = app.now();
        let mut woken = 0_usize;
        for (person, listeners) in app.feeds.move_on(end) {
            let theirs = visible(&notices, &person, &people);
            for listener in listeners {
                if !listener.stands(&people, now) {
                    listener.end(End::SessionOver);
                } else if !theirs.is_empty() {
                    listener.hand(&theirs);
                } else {
                    continue;
                }
                woken += 1;
                if woken.is_multiple_of(AT_ONCE) {
                    yield_now().await;
                }
            }
        }
    }
}

/// What a person may see of these.
fn visible(notices: &[Notice], person: &PersonId, people: &Snapshot) -> Vec<Arc<str>> {
    let mut known: Option<(&Arc<RequestRow>, bool)> = None;
    let mut seen = Vec::new();
    for notice in notices {
        let sees = match &notice.audience {
            For::Everybody => true,
            For::Nobody => false,
            For::ReadersOf(row) => match known {
                // Events of one request come together.
                Some((last, sees)) if Arc::ptr_eq(last, row) => sees,
                Some(_) | None => {
                    let sees = Audience::of(row).admits(person, people);
                    known = Some((row, sees));
                    sees
                }
            },
        };
        if sees {
            seen.push(Arc::clone(&notice.text));
        }
    }
    seen
}

async fn notices(app: &App, events: &[StoredEvent]) -> Result<Vec<Notice>, Fault> {
    let mut rows: BTreeMap<RequestId, Option<Arc<RequestRow>>> = BTreeMap::new();
    let mut notices = Vec::with_capacity(events.len());
    for event in events {
        let about = match &event.leaf.stream {
            Stream::Request(id) => Some(id.clone()),
            // Whoever may see a request may know that an alert came of it.
            Stream::Alert(id) => Some(id.request()),
            Stream::Identity(_) | Stream::Policy | Stream::Trust => None,
        };
        let audience = match about {
            Some(id) => {
                let row = match rows.get(&id) {
                    Some(row) => row.clone(),
                    None => {
                        let row = app.store.request_row(&id).await?.map(Arc::new);
                        rows.insert(id, row.clone());
                        row
                    }
                };
                row.map_or(For::Nobody, For::ReadersOf)
            }
            None => For::Everybody,
        };
        let state = match &audience {
            For::ReadersOf(row) => Some(row.state.clone()),
            For::Everybody | For::Nobody => None,
        };
        notices.push(Notice { text: text(&app.config.log_origin, event, state), audience });
    }
    Ok(notices)
}

/// An event as it is sent.
fn text(log_origin: &str, event: &StoredEvent, state: Option<String>) -> Arc<str> {
    let index = event.position.leaf_index;
    let cloud_event = CloudEvent {
        specversion: "1.0".to_owned(),
        id: index.to_string(),
        source: format!("//{log_origin}"),
        event_type: format!("chancery.{}", event.leaf.kind),
        subject: event.leaf.stream.to_string(),
        time: event.leaf.time.to_string(),
        datacontenttype: "application/json".to_owned(),
        data: EventData { version: event.leaf.version, state },
    };
    piece("event", Some(index), &cloud_event)
}

/// One server-sent event.
fn piece<T: serde::Serialize>(name: &str, id: Option<u64>, data: &T) -> Arc<str> {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    // A struct of strings and numbers always has a JSON form.
    let data = serde_json::to_string(data).unwrap_or_default();
    format!("event: {name}\n{id}data: {data}\n\n").into()
}

/// Sends heartbeats to one part of the listeners, and ends those whose session is over.
async fn beat(app: &App, part: u64) {
    let (people, now): (Arc<Snapshot>, Timestamp) = (app.people.now(), app.now());
    for some in app.feeds.part(part).chunks(AT_ONCE) {
        for listener in some {
            if listener.stands(&people, now) {
                listener.beat();
            } else {
                listener.end(End::SessionOver);
            }
        }
        yield_now().await;
    }
}
