//! Writes that are no appends: tickets, effects, private values. They share the batch and its commit.

use chancery_ledger::SignedCheckpoint;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::writer::{Batch, Job, Outcome};
use crate::error::Fault;

/// Some writes that wait for their batch.
pub(super) struct WorkJob<T, W> {
    work: Option<W>,
    result: Result<T, Fault>,
    reply: oneshot::Sender<Result<T, Fault>>,
}

impl<T, W: FnOnce(&Connection) -> Result<T, Fault>> WorkJob<T, W> {
    /// What to write and where to answer.
    pub(super) fn new(work: W, reply: oneshot::Sender<Result<T, Fault>>) -> Self {
        Self { work: Some(work), result: Err(Fault::Closed), reply }
    }
}

impl<T: Send, W: FnOnce(&Connection) -> Result<T, Fault> + Send> Job for WorkJob<T, W> {
    fn may_refuse_late(&self) -> bool {
        true
    }

    fn run(&mut self, batch: &mut Batch<'_>) -> Outcome {
        if let Some(work) = self.work.take() {
            self.result = work(batch.connection);
        }
        if self.result.is_ok() { Outcome::Keep } else { Outcome::Undo }
    }

    fn answer(self: Box<Self>, committed: &Result<SignedCheckpoint, Fault>) {
        let answer = match committed {
            Err(fault) => Err(fault.clone()),
            Ok(_) => self.result,
        };
        // Nobody listens any more when the caller has stopped waiting.
        let _ = self.reply.send(answer);
    }
}
