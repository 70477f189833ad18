//! The one thread that writes: group commit.
//!
//! It takes everything that waits, runs it in one transaction, with a savepoint for each job that may have to be undone, and
//! answers when all of it is durable. The order, and what a crash leaves at each point:
//!
//! 1. *Leaves and rows* of every job, then *tiles*: nothing is visible; the transaction is rolled back on open.
//! 2. *Sign* the checkpoint: the signature exists in memory only, so no other history can have been signed.
//! 3. *Commit*: all or nothing. Nobody has been answered yet, so callers see an unknown outcome.
//! 4. *Publish* the copy of the checkpoint: before it, the copy is older than the database, which opening
//!    recognises as ours and repairs; it can never be newer than the database on the same disk.
//! 5. *Answer*. A moment later the copy is durable too.

use std::sync::PoisonError;

use rusqlite::Connection;
use tokio::sync::{mpsc, watch};

use super::Newest;
use super::journal::{self, Journal};
use crate::checkpoint_copy::Keeper;
use crate::error::Fault;
use chancery_domain::time::Timestamp;
use chancery_faults::step;
use chancery_ledger::{Hash, SignedCheckpoint};

/// How many jobs may wait. Beyond it callers are refused at once.
pub(super) const QUEUE: usize = 1_024;

/// How many jobs share one commit.
const MAX_BATCH: usize = 512;

/// What to do with the changes of one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// They belong to the batch.
    Keep,
    /// The job refused: as if it had never run.
    Undo,
    /// The database failed half way through a job without a savepoint. Nothing says how far it came, so the batch goes as a
    /// whole.
    Broken(Fault),
}

/// Something to be written.
pub(super) trait Job: Send {
    /// Whether it may refuse after it has changed something, so that it needs a savepoint to be undone.
    fn may_refuse_late(&self) -> bool;

    /// Makes the changes.
    fn run(&mut self, batch: &mut Batch<'_>) -> Outcome;

    /// Answers the caller: with the checkpoint that covers the batch, or with what went wrong for all of it.
    fn answer(self: Box<Self>, committed: &Result<SignedCheckpoint, Fault>);
}

/// The transaction that is being put together.
pub(super) struct Batch<'connection> {
    /// Where to write.
    pub(super) connection: &'connection Connection,
    /// Size of the log before this batch.
    size: u64,
    gathered: Gathered,
    leaf_hashes: Vec<Hash>,
}

/// What has to be restored when a job is undone, besides rows and leaves.
#[derive(Clone, Copy)]
struct Gathered {
    newest_time: Option<Timestamp>,
    erased: bool,
}

impl Batch<'_> {
    /// Adds a leaf at the end of the log and returns its index.
    pub(super) fn push_leaf(&mut self, bytes: &[u8], hash: Hash) -> Result<u64, Fault> {
        let index = self.size.saturating_add(self.leaf_hashes.len() as u64);
        step("store.leaf", || journal::insert_leaf(self.connection, index, bytes))?;
        self.leaf_hashes.push(hash);
        Ok(index)
    }

    /// Records that an event of this time is in the batch.
    pub(super) fn saw_time(&mut self, time: Timestamp) {
        self.gathered.newest_time = self.gathered.newest_time.max(Some(time));
    }

    /// Records that private values were erased, so that their last traces have to leave the write-ahead log.
    pub(super) fn saw_erasure(&mut self) {
        self.gathered.erased = true;
    }

    /// Runs one job, in a savepoint if it may have to be undone.
    fn run(&mut self, job: &mut dyn Job) -> Result<(), Fault> {
        if job.may_refuse_late() {
            return self.run_in_savepoint(job);
        }
        let outcome = job.run(self);
        self.require_transaction()?;
        match outcome {
            Outcome::Keep => Ok(()),
            Outcome::Undo => Err(Fault::Database("a write without a savepoint cannot be undone".to_owned())),
            Outcome::Broken(fault) => Err(fault),
        }
    }

    fn run_in_savepoint(&mut self, job: &mut dyn Job) -> Result<(), Fault> {
        let (gathered, leaves) = (self.gathered, self.leaf_hashes.len());
        execute("store.savepoint", self.connection, "SAVEPOINT job")?;
        let outcome = job.run(self);
        self.require_transaction()?;
        if let Outcome::Broken(fault) = outcome {
            return Err(fault);
        }
        if outcome == Outcome::Undo {
            execute("store.undo", self.connection, "ROLLBACK TO job")?;
            self.gathered = gathered;
            self.leaf_hashes.truncate(leaves);
        }
        execute("store.release", self.connection, "RELEASE job")?;
        Ok(())
    }

    /// A full disk makes SQLite give up the whole transaction; what follows would then commit on its own.
    fn require_transaction(&self) -> Result<(), Fault> {
        if self.connection.is_autocommit() {
            return Err(Fault::Database("the transaction ended early".to_owned()));
        }
        Ok(())
    }
}

/// One statement of the transaction's frame.
fn execute(point: &'static str, connection: &Connection, sql: &str) -> Result<(), Fault> {
    step(point, || {
        connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    })
}

/// State of the writing thread.
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) signer: super::LogSigner,
    pub(super) copy: Keeper,
    /// INVARIANT: says what the database says, or is absent, and then is read from it before the next batch.
    pub(super) journal: Option<Journal>,
    /// INVARIANT: what the database says, or absent: a commit that was reported to fail may stand all the same.
    pub(super) newest: Newest,
    pub(super) sizes: watch::Sender<u64>,
    /// Erased values may still stand in the write-ahead log.
    pub(super) truncate_due: bool,
}

impl Writer {
    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Box<dyn Job>>) {
        let mut jobs = Vec::with_capacity(MAX_BATCH);
        while queue.blocking_recv_many(&mut jobs, MAX_BATCH) > 0 {
            let committed = self.commit(&mut jobs).inspect_err(|_| self.know(None));
            for job in jobs.drain(..) {
                job.answer(&committed);
            }
            self.truncate_log();
        }
    }

    fn know(&self, newest: Option<SignedCheckpoint>) {
        *self.newest.write().unwrap_or_else(PoisonError::into_inner) = newest;
    }

    /// Commits one batch and publishes its checkpoint.
    fn commit(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<SignedCheckpoint, Fault> {
        // Taken out: on every early return below the next batch begins from what the database says.
        let before = match self.journal.take() {
            Some(journal) => journal,
            None => {
                Journal::load(&self.connection, &self.signer).map_err(|e| Fault::Damaged(e.to_string()))?
            }
        };
        let size = before.size();
        let after = match self.transact(before, jobs) {
            Ok(after) => after,
            Err(fault) => {
                // After a failed COMMIT the transaction may be over already; then there is nothing to roll back.
                if !self.connection.is_autocommit() {
                    self.connection.execute_batch("ROLLBACK")?;
                }
                return Err(fault);
            }
        };
        if after.size() > size {
            self.copy.publish(&after.note())?;
            self.know(Some(after.checkpoint().clone()));
            self.sizes.send_replace(after.size());
        }
        let checkpoint = after.checkpoint().clone();
        self.journal = Some(after);
        Ok(checkpoint)
    }

    /// One transaction, from BEGIN to COMMIT.
    fn transact(&mut self, before: Journal, jobs: &mut [Box<dyn Job>]) -> Result<Journal, Fault> {
        execute("store.begin", &self.connection, "BEGIN IMMEDIATE")?;
        let gathered = Gathered { newest_time: before.newest_time(), erased: false };
        let mut batch =
            Batch { connection: &self.connection, size: before.size(), gathered, leaf_hashes: Vec::new() };
        for job in jobs {
            batch.run(job.as_mut())?;
        }
        let Batch { leaf_hashes, gathered, .. } = batch;
        let after = if leaf_hashes.is_empty() {
            before
        } else {
            before.grow(&self.connection, &self.signer, &leaf_hashes, gathered.newest_time)?
        };
        execute("store.commit", &self.connection, "COMMIT")?;
        self.truncate_due |= gathered.erased;
        Ok(after)
    }

    /// Empties the write-ahead log after an erasure. A reader in the way only delays it to the next batch.
    fn truncate_log(&mut self) {
        if self.truncate_due {
            let busy: Result<i64, Fault> = step("store.truncate", || {
                Ok(self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?)
            });
            self.truncate_due = !matches!(busy, Ok(0));
        }
    }
}
