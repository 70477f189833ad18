//! The copy beside a running writer: written before the answer, durable a moment after it.
//!
//! Until the disk has it, the kernel has it: a process that dies loses nothing. A loss of power may take the notes of the
//! last [`PAUSE`] and of one sync; the copy is then behind the database, as after any crash between commit and publication.
//!
//! INVARIANT: one slot is always durable and never written to. A slot that is being made durable is not written to
//! either, so that the next one can take its place; what comes meanwhile goes into the third.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{CheckpointCopy, SLOTS};
use crate::error::Fault;

/// Least time between two syncs: under load one of them stands for many notes.
const PAUSE: Duration = Duration::from_millis(100);

/// Writes notes, and has a thread that makes them durable. Dropping it makes the last one durable.
pub(crate) struct Keeper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    copy: CheckpointCopy,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Absent when nothing is known of the file: the next note replaces it as a whole.
    slots: Option<Slots>,
    /// Something was written since the last sync began.
    unsynced: bool,
    /// The thread waits for that.
    idle: bool,
    closing: bool,
}

/// Which slot is for what, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slots {
    /// Written to.
    open: usize,
    /// Being made durable.
    sealed: Option<usize>,
    /// Durable.
    durable: usize,
}

impl Slots {
    /// A file in which every slot is durable.
    const WHOLE: Self = Self { open: 0, sealed: None, durable: 1 };

    /// The open slot is made durable from now on; another one is open.
    fn seal(self) -> Self {
        let free = |index: &usize| *index != self.open && *index != self.durable;
        Self { open: (0..SLOTS).find(free).unwrap_or(self.open), sealed: Some(self.open), ..self }
    }

    /// The sealed slot is durable.
    fn settle(self) -> Self {
        Self { durable: self.sealed.unwrap_or(self.durable), sealed: None, ..self }
    }
}

impl Keeper {
    /// Starts the thread.
    pub(crate) fn start(copy: CheckpointCopy) -> io::Result<Self> {
        let shared = Arc::new(Shared { copy, state: Mutex::default(), changed: Condvar::new() });
        let settling = Arc::clone(&shared);
        let thread =
            thread::Builder::new().name("checkpoint-copy".to_owned()).spawn(move || settling.run())?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Puts a newer note into the copy.
    pub(crate) fn publish(&self, note: &[u8]) -> Result<(), Fault> {
        let mut state = self.shared.lock();
        if let Some(slots) = state.slots.take() {
            let copy = &self.shared.copy;
            if copy.overwrite(slots.open, note).map_err(|error| copy.fault(&error))? {
                state.slots = Some(slots);
                state.unsynced = true;
                if state.idle {
                    self.shared.changed.notify_one();
                }
                return Ok(());
            }
        }
        self.shared.copy.publish(note)?;
        state.slots = Some(Slots::WHOLE);
        state.unsynced = false;
        Ok(())
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so; the copy is then behind, which opening mends.
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Makes durable whatever is written, until the keeper is dropped.
    fn run(&self) {
        loop {
            let mut state = self.lock();
            while !state.unsynced && !state.closing {
                state.idle = true;
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.idle = false;
            }
            if !state.unsynced {
                return;
            }
            state.unsynced = false;
            let sealed = state.slots.map(Slots::seal);
            state.slots = sealed;
            drop(state);
            let settled = self.copy.settle();
            let mut state = self.lock();
            // Unless the file was replaced meanwhile, which is durable by itself.
            if state.slots.map(|slots| slots.sealed) == sealed.map(|slots| slots.sealed) {
                // After a failure nothing is known of the file.
                state.slots = state.slots.filter(|_| matches!(settled, Ok(true))).map(Slots::settle);
            }
            let pause = self.changed.wait_timeout_while(state, PAUSE, |state| !state.closing);
            drop(pause.unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No work is done under the lock that could panic half way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Slots;

    /// The durable slot is neither open nor sealed, whatever comes next, and what was sealed becomes the durable one.
    #[test]
    fn one_slot_is_always_durable() {
        let mut slots = Slots::WHOLE;
        for _ in 0..10 {
            let sealed = slots.seal();
            assert_eq!((sealed.sealed, sealed.durable), (Some(slots.open), slots.durable));
            assert!(sealed.open != sealed.durable && sealed.sealed != Some(sealed.open), "{sealed:?}");
            slots = sealed.settle();
            assert_eq!(Some(slots.durable), sealed.sealed);
            assert_ne!(slots.open, slots.durable, "{slots:?}");
        }
    }
}
