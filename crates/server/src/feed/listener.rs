//! One who listens: what waits to be read by them, within bounds, and the body that they read it from.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use axum::body::{Body, Bytes};
use chancery_api::event::StreamEnd;
use chancery_domain::id::PersonId;
use chancery_domain::time::Timestamp;
use hyper::body::Frame;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::piece;
use crate::app::sign_in::Session;
use crate::app::{App, Snapshot};
use crate::http::admission::PersonShare;

/// Events that may wait for one reader. Whoever is further behind is let go, and comes back with `Last-Event-ID`.
const MAX_WAITING: usize = 256;

/// Why a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The server stops.
    Stopping,
    /// Signed out, expired, or the person was suspended.
    SessionOver,
    /// The reader fell too far behind.
    Behind,
    /// What was missed could not be read.
    Fault,
}

impl End {
    fn reason(self) -> &'static str {
        match self {
            Self::Stopping => "stopping",
            Self::SessionOver => "session_over",
            Self::Behind => "behind",
            Self::Fault => "fault",
        }
    }
}

/// One who listens.
pub struct Listener {
    /// What the stream ends with.
    session: Session,
    token_key: Box<str>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Texts that are shared with every other listener.
    waiting: VecDeque<Arc<str>>,
    beat: bool,
    ended: Option<End>,
    /// The end was said.
    said: bool,
    reader: Option<Waker>,
}

impl Listener {
    /// One whose stream lasts as long as this session.
    pub fn new(session: Session, token_key: String) -> Self {
        Self { session, token_key: token_key.into(), state: Mutex::default() }
    }

    /// Who.
    pub fn person(&self) -> &PersonId {
        &self.session.person
    }

    /// Whether the session is this one.
    pub fn is_of(&self, token_key: &str) -> bool {
        *self.token_key == *token_key
    }

    /// Whether the session still stands: in time, of an active person, by a passkey that is still theirs.
    pub fn stands(&self, people: &Snapshot, now: Timestamp) -> bool {
        let key = self.session.credential_id.as_bytes();
        let person = people.active(&self.session.person);
        self.session.expires_at > now && person.is_some_and(|person| person.present_key(key, now).is_some())
    }

    /// Whether the stream is to end.
    pub fn has_ended(&self) -> bool {
        self.locked().ended.is_some()
    }

    /// Hands events over. Too many, and the stream ends after those that wait already.
    pub fn hand(&self, texts: &[Arc<str>]) {
        self.change(|state| {
            if state.ended.is_some() {
                return;
            }
            let room = MAX_WAITING.saturating_sub(state.waiting.len());
            state.waiting.extend(texts.iter().take(room).cloned());
            if texts.len() > room {
                // INVARIANT: nothing follows what was left out, so the last id that is read is the one to go on from.
                state.ended = Some(End::Behind);
            }
        });
    }

    /// Something is to be sent when there is nothing else.
    pub fn beat(&self) {
        self.change(|state| state.beat = true);
    }

    /// Ends the stream. What waits is not sent any more.
    pub fn end(&self, end: End) {
        self.change(|state| {
            state.ended.get_or_insert(end);
            state.waiting = VecDeque::new();
        });
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let reader = {
            let mut state = self.locked();
            change(&mut state);
            state.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let mut state = self.locked();
        if let Some(text) = state.waiting.pop_front() {
            if state.waiting.is_empty() {
                // The room of a burst is not kept.
                state.waiting = VecDeque::new();
            }
            return Poll::Ready(Some(Bytes::copy_from_slice(text.as_bytes())));
        }
        match state.ended {
            Some(_) if state.said => Poll::Ready(None),
            Some(end) => {
                state.said = true;
                let text = piece("end", None, &StreamEnd { reason: end.reason().to_owned() });
                Poll::Ready(Some(Bytes::copy_from_slice(text.as_bytes())))
            }
            None if state.beat => {
                state.beat = false;
                Poll::Ready(Some(Bytes::from_static(b": heartbeat\n\n")))
            }
            None => {
                state.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Makes sure that this reader is woken when the stream is to end.
    fn attend(&self, context: &Context<'_>) {
        self.locked().reader = Some(context.waker().clone());
    }
}

/// The body of an event stream: first what was missed, then what happens.
pub struct Feed {
    app: Arc<App>,
    listener: Arc<Listener>,
    /// Under which it listens.
    id: u64,
    /// How it begins: the first line, and then what was missed.
    greeted: bool,
    missed: Option<mpsc::Receiver<Arc<str>>>,
    _place: OwnedSemaphorePermit,
    _share: PersonShare,
}

impl Feed {
    /// A listener that has joined.
    pub fn new(
        app: Arc<App>,
        (listener, id): (Arc<Listener>, u64),
        place: OwnedSemaphorePermit,
        share: PersonShare,
    ) -> Self {
        Self { app, listener, id, greeted: false, missed: None, _place: place, _share: share }
    }

    /// What was missed is sent first.
    pub fn begin_with(&mut self, missed: mpsc::Receiver<Arc<str>>) {
        self.missed = Some(missed);
    }

    /// As the body of an answer.
    pub fn body(self) -> Body {
        Body::new(self)
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if !self.greeted {
            self.greeted = true;
            return Poll::Ready(Some(Bytes::from_static(b"retry: 2000\n\n")));
        }
        if let Some(missed) = &mut self.missed {
            self.listener.attend(context);
            // What happens meanwhile waits; whoever takes too long for that comes back for it.
            if !self.listener.has_ended() {
                match missed.poll_recv(context) {
                    Poll::Ready(Some(text)) => {
                        return Poll::Ready(Some(Bytes::copy_from_slice(text.as_bytes())));
                    }
                    Poll::Ready(None) => {}
                    Poll::Pending => return Poll::Pending,
                }
            }
            self.missed = None;
        }
        self.listener.poll(context)
    }
}

impl hyper::body::Body for Feed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.poll(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.app.feeds.leave(self.id);
    }
}

#[cfg(test)]
mod tests;
