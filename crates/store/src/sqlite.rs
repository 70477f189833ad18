//! The engine of a single machine: one SQLite file, one thread that writes, a few connections that read.

mod adopt;
mod append;
mod backlog;
mod backup;
mod connection;
mod effects;
mod events;
mod integrity;
mod journal;
mod open;
mod plan;
mod prepare;
mod private;
mod rebuild;
mod requests;
mod schema;
mod tickets;
mod tiles;
mod work;
mod writer;

#[cfg(test)]
mod tests;

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

use chancery_canonical::Sha256;
use chancery_domain::id::RequestId;
use chancery_domain::leaf::Stream;
use chancery_domain::time::Timestamp;
use chancery_faults::step;
use chancery_ledger::{SignedCheckpoint, TilePath, VerifierKey};
use rusqlite::Connection;
use serde_json::Value;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};

pub use journal::LogSigner;

use crate::adopt::{AdoptError, Adopted, Derive, Known};
use crate::append::{Append, Appended, Document, NewEffect, RequestFilter, RequestRow, Ticket, TicketKey};
use crate::checkpoint_copy::{CheckpointCopy, Keeper};
use crate::error::{AppendError, Fault, OpenError};
use crate::record::{
    AlarmedEffect, Backlog, ClaimedEffect, Finding, Past, Rebuild, RequestPage, RowDifference, StateCount,
    StoredEvent, StreamHead, WaitingEffect,
};
use crate::store::{Projection, Store};
use append::AppendJob;
use connection::Readers;
use prepare::Prepared;
use work::WorkJob;
use writer::{Job, QUEUE, Writer};

/// Every key begins with the tenant. There is one today.
const TENANT: &str = "default";

/// Where a store is, and who signs for it.
pub struct SqliteOptions {
    /// The database file. Its directory is made, for the owner only, if it is missing.
    pub database: PathBuf,
    /// The file that keeps the newest checkpoint, apart from the database: not in the same backup.
    pub checkpoint_copy: PathBuf,
    /// Signs checkpoints.
    pub signer: LogSigner,
}

/// The newest checkpoint, between the writer and whoever asks; absent when only the database knows.
type Newest = Arc<RwLock<Option<SignedCheckpoint>>>;

/// A store in one SQLite file. Dropping it finishes what is queued, then ends the writing thread.
pub struct SqliteStore {
    readers: Readers,
    key: VerifierKey,
    sizes: watch::Receiver<u64>,
    /// As the writer signed it. A store that only reads has none.
    newest: Newest,
    /// Absent in a store that only reads.
    writer: Option<WriterHandle>,
}

struct WriterHandle {
    /// Taken when the store is dropped, which closes the queue.
    queue: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for WriterHandle {
    fn drop(&mut self) {
        self.queue.take();
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has nothing more to say here; its callers have had `Fault::Closed`.
            let _ = thread.join();
        }
    }
}

impl SqliteStore {
    /// Opens a database for writing, and makes it if there is none. Blocks: it reads files and may migrate.
    ///
    /// # Errors
    /// [`OpenError`]: among them a database that is older than the newest checkpoint signed, which can still be
    /// opened by [`SqliteStore::open_read_only`].
    pub fn open(options: SqliteOptions) -> Result<Self, OpenError> {
        let SqliteOptions { database, checkpoint_copy, signer } = options;
        let copy = CheckpointCopy::at(checkpoint_copy);
        let open::Opened { connection, journal, lock } = open::open(&database, &copy, &signer)?;
        let key = signer.verifier().clone();
        let (publish, sizes) = watch::channel(journal.size());
        let newest: Newest = Arc::new(RwLock::new(Some(journal.checkpoint().clone())));
        let (queue, jobs) = mpsc::channel(QUEUE);
        let no_thread = |error: io::Error| Fault::File { path: database.clone(), reason: error.to_string() };
        let copy = Keeper::start(copy).map_err(no_thread)?;
        let writer = Writer {
            connection,
            signer,
            copy,
            journal: Some(journal),
            newest: Arc::clone(&newest),
            sizes: publish,
            truncate_due: false,
        };
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                // The lock is released after the last commit.
                let _lock = lock;
                writer.run(jobs);
            })
            .map_err(no_thread)?;
        let writer = Some(WriterHandle { queue: Some(queue), thread: Some(thread) });
        Ok(Self { readers: Readers::new(database), key, sizes, newest, writer })
    }

    /// Opens a database for reading only: it signs nothing, changes nothing and needs no private key.
    ///
    /// # Errors
    /// [`OpenError`] for a file that is no database of this schema.
    pub fn open_read_only(database: PathBuf, log_key: VerifierKey) -> Result<Self, OpenError> {
        open::check_readable(&database)?;
        let size = {
            let connection = connection::open_reader(&database).map_err(Fault::from)?;
            journal::checkpoint(&connection, &log_key)?.root().size()
        };
        let (_, sizes) = watch::channel(size);
        Ok(Self {
            readers: Readers::new(database),
            key: log_key,
            sizes,
            newest: Newest::default(),
            writer: None,
        })
    }

    /// Copies a database as of one moment to a file that does not exist yet, beside a server that runs or without
    /// one. Tickets go along only if they are of the `kept` kinds. Blocks.
    ///
    /// # Errors
    /// [`OpenError`]; what stands at `target` then is no whole copy.
    pub fn copy(database: &Path, target: &Path, kept: &[&str]) -> Result<(), OpenError> {
        backup::copy(database, target, kept)
    }

    /// Whether the database may sign, by the copy of the newest checkpoint and the mark beside it. Changes nothing,
    /// and may run beside a writer. Blocks.
    ///
    /// # Errors
    /// [`OpenError`] as [`SqliteStore::open`] has it.
    pub fn compare(database: &Path, checkpoint_copy: &Path, log_key: &VerifierKey) -> Result<(), OpenError> {
        open::compare(database, checkpoint_copy, log_key)
    }

    /// Whether a checkpoint, its signature verified, is one of this database's own history. Blocks.
    ///
    /// # Errors
    /// [`OpenError`] when the database cannot be read.
    pub fn contains(
        database: &Path,
        checkpoint: &SignedCheckpoint,
        log_key: &VerifierKey,
    ) -> Result<bool, OpenError> {
        open::contains(database, checkpoint, log_key)
    }

    /// Marks a database as restored: [`SqliteStore::open`] refuses it until it is adopted. Blocks.
    ///
    /// # Errors
    /// [`Fault::File`].
    pub fn mark_restored(checkpoint_copy: &Path) -> Result<(), Fault> {
        CheckpointCopy::at(checkpoint_copy.to_owned()).set_mark()
    }

    /// Compares a database with what is known elsewhere, takes in what it misses, and lets it sign again. Blocks.
    ///
    /// # Errors
    /// [`AdoptError`]; then nothing has changed, and it still may not sign.
    pub fn adopt(options: &SqliteOptions, known: &Known, derive: &Derive) -> Result<Adopted, AdoptError> {
        adopt::adopt(options, known, derive)
    }

    /// Version of the engine that is linked.
    pub fn engine_version() -> &'static str {
        rusqlite::version()
    }

    /// Effects of one kind that are due at `now`, oldest first, without claiming them.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn due_effects(
        &self,
        kind: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<WaitingEffect>, Fault> {
        let kind = kind.to_owned();
        self.readers.read(move |connection| backlog::due(connection, &kind, now, limit)).await
    }

    fn enqueue(&self, job: Box<dyn Job>) -> Result<(), Fault> {
        let writer = self.writer.as_ref().ok_or(Fault::ReadOnly)?;
        let queue = writer.queue.as_ref().ok_or(Fault::Closed)?;
        // Refused at once when it is full, instead of waiting in a line that no limit holds.
        queue.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) => Fault::Busy,
            TrySendError::Closed(_) => Fault::Closed,
        })
    }

    /// Runs small writes in the next batch; the answer comes after its commit.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let (reply, answer) = oneshot::channel();
        self.enqueue(Box::new(WorkJob::new(work, reply)))?;
        answer.await.map_err(|_| Fault::Closed)?
    }
}

impl Store for SqliteStore {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let prepared = Prepared::of(append)?;
        let (reply, answer) = oneshot::channel();
        self.enqueue(Box::new(AppendJob::new(prepared, reply)))?;
        answer.await.map_err(|_| Fault::Closed)?
    }

    async fn stream(&self, stream: &Stream, from_version: u64) -> Result<Vec<StoredEvent>, Fault> {
        let stream = stream.to_string();
        self.readers.look_up(move |connection| events::stream(connection, &stream, from_version)).await
    }

    async fn events_from(&self, from_index: u64, limit: usize) -> Result<Vec<StoredEvent>, Fault> {
        self.readers.read(move |connection| events::events_from(connection, from_index, limit)).await
    }

    async fn identity_events_from(&self, from_index: u64, limit: usize) -> Result<Vec<StoredEvent>, Fault> {
        self.readers.read(move |connection| events::identity_from(connection, from_index, limit)).await
    }

    async fn alert_events_from(&self, from_index: u64, limit: usize) -> Result<Vec<StoredEvent>, Fault> {
        self.readers.read(move |connection| events::alerts_from(connection, from_index, limit)).await
    }

    async fn streams_with_prefix(&self, prefix: &str) -> Result<Vec<StreamHead>, Fault> {
        let prefix = prefix.to_owned();
        self.readers.read(move |connection| events::streams_with_prefix(connection, &prefix)).await
    }

    async fn entries(&self, range: Range<u64>) -> Result<Vec<Vec<u8>>, Fault> {
        self.readers.read(move |connection| tiles::entries(connection, range)).await
    }

    async fn tile(&self, path: TilePath) -> Result<Option<Vec<u8>>, Fault> {
        self.readers.look_up(move |connection| tiles::tile(connection, &path)).await
    }

    async fn checkpoint(&self) -> Result<SignedCheckpoint, Fault> {
        let newest = self.newest.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(newest) = newest {
            return Ok(newest);
        }
        let key = self.key.clone();
        self.readers.look_up(move |connection| journal::checkpoint(connection, &key)).await
    }

    fn watch_size(&self) -> watch::Receiver<u64> {
        self.sizes.clone()
    }

    async fn newest_time(&self) -> Result<Option<Timestamp>, Fault> {
        self.readers.look_up(journal::newest_time).await
    }

    async fn document(&self, sha256: Sha256) -> Result<Option<Document>, Fault> {
        self.readers.look_up(move |connection| events::document(connection, sha256)).await
    }

    async fn request_row(&self, id: &RequestId) -> Result<Option<RequestRow>, Fault> {
        let id = id.clone();
        self.readers.look_up(move |connection| requests::row(connection, &id)).await
    }

    async fn request_rows(
        &self,
        filter: RequestFilter,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<RequestPage, Fault> {
        self.readers.read(move |connection| requests::page(connection, &filter, after.as_ref(), limit)).await
    }

    async fn count_requests(&self, filter: RequestFilter, since: Timestamp) -> Result<u64, Fault> {
        self.readers.read(move |connection| requests::count(connection, &filter, since)).await
    }

    async fn count_of_requester(
        &self,
        past: &Past,
        since: Vec<Timestamp>,
    ) -> Result<Vec<Vec<StateCount>>, Fault> {
        let past = past.clone();
        let count = move |connection: &Connection| {
            let counted = |since: &Timestamp| requests::count_of_requester(connection, &past, *since);
            since.iter().map(counted).collect()
        };
        self.readers.read(count).await
    }

    async fn ticket(&self, key: &TicketKey, now: Timestamp) -> Result<Option<Ticket>, Fault> {
        let key = key.clone();
        self.readers.look_up(move |connection| tickets::ticket(connection, &key, now)).await
    }

    async fn tickets(&self, kind: &str, now: Timestamp) -> Result<Vec<Ticket>, Fault> {
        let kind = kind.to_owned();
        self.readers.read(move |connection| tickets::tickets(connection, &kind, now)).await
    }

    async fn tickets_of(&self, kind: &str, prefix: &str, now: Timestamp) -> Result<Vec<Ticket>, Fault> {
        let (kind, prefix) = (kind.to_owned(), prefix.to_owned());
        self.readers.look_up(move |connection| tickets::tickets_of(connection, &kind, &prefix, now)).await
    }

    async fn put_ticket(&self, ticket: Ticket) -> Result<(), Fault> {
        self.write(move |connection| step("store.put_ticket", || tickets::put(connection, &ticket))).await
    }

    async fn take_ticket(&self, key: &TicketKey, now: Timestamp) -> Result<Option<Ticket>, Fault> {
        let key = key.clone();
        self.write(move |connection| step("store.take_ticket", || tickets::take(connection, &key, now))).await
    }

    async fn sweep_tickets(&self, now: Timestamp) -> Result<u64, Fault> {
        self.write(move |connection| step("store.sweep_tickets", || tickets::sweep(connection, now))).await
    }

    async fn add_effect(&self, effect: NewEffect) -> Result<(), Fault> {
        self.write(move |connection| step("store.add_effect", || effects::add(connection, &effect))).await
    }

    async fn claim_effects(
        &self,
        now: Timestamp,
        limit: usize,
        lease_seconds: u64,
    ) -> Result<Vec<ClaimedEffect>, Fault> {
        self.write(move |connection| {
            step("store.claim_effects", || effects::claim(connection, now, limit, lease_seconds))
        })
        .await
    }

    async fn finish_effect(&self, key: &str, fence: u64) -> Result<bool, Fault> {
        let key = key.to_owned();
        self.write(move |connection| step("store.finish_effect", || effects::finish(connection, &key, fence)))
            .await
    }

    async fn retry_effect(
        &self,
        key: &str,
        fence: u64,
        due_at: Timestamp,
        error: &str,
    ) -> Result<bool, Fault> {
        let (key, error) = (key.to_owned(), error.to_owned());
        self.write(move |connection| {
            step("store.retry_effect", || effects::retry(connection, &key, fence, due_at, &error))
        })
        .await
    }

    async fn release_effect(&self, key: &str, fence: u64) -> Result<bool, Fault> {
        let key = key.to_owned();
        self.write(move |connection| effects::release(connection, &key, fence)).await
    }

    async fn alarmed_effects(&self) -> Result<Vec<AlarmedEffect>, Fault> {
        self.readers.read(effects::alarmed).await
    }

    async fn backlog(&self, now: Timestamp) -> Result<Backlog, Fault> {
        self.readers.read(move |connection| backlog::backlog(connection, now)).await
    }

    async fn open_requests(&self) -> Result<Vec<(&'static str, u64)>, Fault> {
        self.readers.read(backlog::open_requests).await
    }

    async fn put_private(&self, leaf_index: u64, private: Value) -> Result<bool, Fault> {
        self.write(move |connection| {
            step("store.put_private", || private::put(connection, leaf_index, &private))
        })
        .await
    }

    async fn rebuild(&self, mode: Rebuild, projection: Projection) -> Result<Vec<RowDifference>, Fault> {
        match mode {
            Rebuild::Compare => {
                self.readers
                    .read(move |connection| {
                        let snapshot = connection.unchecked_transaction()?;
                        rebuild::rebuild(&snapshot, mode, &projection)
                    })
                    .await
            }
            Rebuild::Rewrite => {
                self.write(move |connection| {
                    step("store.rebuild", || rebuild::rebuild(connection, mode, &projection))
                })
                .await
            }
        }
    }

    async fn integrity(&self, projection: Option<Projection>) -> Result<Vec<Finding>, Fault> {
        let key = self.key.clone();
        self.readers.read(move |connection| integrity::examine(connection, &key, projection.as_ref())).await
    }
}
