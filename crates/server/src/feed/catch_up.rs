//! What a reader missed: read from the log once for this one, a page at a time, and never by many at once.

use std::sync::Arc;

use chancery_api::event::Gap;
use chancery_store::{Fault, MAX_PAGE, Store as _};
use tokio::sync::mpsc;

use super::listener::{End, Listener};
use super::{notices, piece, visible};
use crate::app::App;

/// How many leaves back a reader may begin; what is older is skipped, and said to be.
const MAX_BACKLOG: u64 = 10_000;
/// Texts that may wait for this reader.
const WAITING: usize = 16;

/// What one reader missed.
pub struct CatchUp {
    app: Arc<App>,
    listener: Arc<Listener>,
    from: u64,
    until: u64,
    texts: mpsc::Sender<Arc<str>>,
}

impl CatchUp {
    /// Leaves from `from` up to `until`, from which on the listener is handed everything.
    pub fn new(
        app: Arc<App>,
        listener: Arc<Listener>,
        from: u64,
        until: u64,
    ) -> (Self, mpsc::Receiver<Arc<str>>) {
        let (texts, missed) = mpsc::channel(WAITING);
        (Self { app, listener, from, until, texts }, missed)
    }

    /// Sends it. What cannot be read ends the stream, so that the reader asks for it again.
    pub async fn run(mut self) {
        if let Err(fault) = self.send_all().await {
            tracing::error!(%fault, "events cannot be read for one who catches up");
            self.listener.end(End::Fault);
        }
    }

    async fn send_all(&mut self) -> Result<(), Fault> {
        let oldest = self.until.saturating_sub(MAX_BACKLOG);
        if self.from < oldest {
            let gap = Gap { from: self.from, to: oldest };
            self.from = oldest;
            if self.texts.send(piece("gap", None, &gap)).await.is_err() {
                return Ok(());
            }
        }
        while self.from < self.until && !self.listener.has_ended() {
            let page = self.page().await?;
            let Some((texts, end)) = page else { return Ok(()) };
            for text in texts {
                // The session may end between two of them; the reader does not get here what came after its end.
                if self.listener.has_ended() || self.texts.send(text).await.is_err() {
                    return Ok(());
                }
            }
            self.from = end;
        }
        Ok(())
    }

    /// The next page that this reader may see, and where it ends.
    async fn page(&self) -> Result<Option<(Vec<Arc<str>>, u64)>, Fault> {
        // Held for the reading only, not while a slow reader takes what was read.
        let _turn = self.app.feeds.catching_up.acquire().await.map_err(|_| Fault::Closed)?;
        let mut events = self.app.store.events_from(self.from, MAX_PAGE).await?;
        events.retain(|event| event.position.leaf_index < self.until);
        let Some(last) = events.last() else { return Ok(None) };
        let end = last.position.leaf_index.saturating_add(1);
        let notices = notices(&self.app, &events).await?;
        let people = self.app.people.now();
        if !self.listener.stands(&people, self.app.now()) {
            self.listener.end(End::SessionOver);
            return Ok(None);
        }
        Ok(Some((visible(&notices, self.listener.person(), &people), end)))
    }
}
