//! One disk and whoever writes to it: what is visible, what is durable, and the steps that wait to happen.
//!
//! A server asks, and waits. Whoever drives the simulation looks at [`Disk::steps`] and lets one happen, in any
//! order and with any [`Fate`]; or cuts the power, and then nobody who waits is ever answered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chancery_ledger::SignedCheckpoint;
use chancery_store::Fault;
use tokio::sync::watch;

use crate::sabotage::Sabotage;
use crate::state::{Batch, Head, LogKey, State};
use crate::store::SimulatedStore;

/// What becomes of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It happens.
    Done,
    /// It fails, and nothing happened.
    NotDone,
    /// It happens, and fails all the same.
    DoneButFailed,
}

/// A step that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Names the step.
    pub number: u64,
    /// Which server waits for it.
    pub server: usize,
    /// Whether it writes. All writes of a server that wait are one commit.
    pub kind: StepKind,
    /// What it is, in words.
    pub what: String,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// Looks at what is visible.
    Read,
    /// Changes it.
    Write,
}

/// Something to be written.
pub(crate) trait Job: Send {
    /// Changes the state, or refuses; then the changes are undone.
    fn run(&mut self, state: &mut State, batch: &mut Batch) -> bool;

    /// Answers: with the checkpoint that covers it, or with what went wrong for the whole batch.
    fn answer(self: Box<Self>, committed: Result<&SignedCheckpoint, Fault>);
}

/// Looks at the state and answers whoever asked.
pub(crate) type Look = Box<dyn FnOnce(Result<&State, Fault>) + Send>;

/// What a step is made of.
pub(crate) enum Work {
    /// Gets the visible state, or a fault.
    Read(Look),
    /// Is part of the next commit.
    Write(Box<dyn Job>),
}

struct Waiting {
    step: Step,
    incarnation: u64,
    work: Work,
}

struct Inner {
    visible: State,
    durable: State,
    key: LogKey,
    sizes: watch::Sender<u64>,
    sabotage: Option<Sabotage>,
    /// Steps happen at once, as asked.
    free: bool,
    waiting: Vec<Waiting>,
    steps: u64,
    incarnations: u64,
    dead: BTreeSet<u64>,
    /// Where each server last saw the log end.
    remembered: BTreeMap<u64, Head>,
}

/// A disk. Clones are the same one.
#[derive(Clone)]
pub struct Disk(Arc<Mutex<Inner>>);

impl Disk {
    /// A disk on which every step happens at once.
    pub fn free(state: State, key: LogKey) -> Self {
        Self::new(state, key, true, None)
    }

    /// A disk on which every step waits until it is let happen.
    pub fn gated(state: State, key: LogKey, sabotage: Option<Sabotage>) -> Self {
        Self::new(state.sabotaged(sabotage), key, false, sabotage)
    }

    fn new(state: State, key: LogKey, free: bool, sabotage: Option<Sabotage>) -> Self {
        let (sizes, _) = watch::channel(state.head.tree.size());
        Self(Arc::new(Mutex::new(Inner {
            durable: state.clone(),
            visible: state,
            key,
            sizes,
            sabotage,
            free,
            waiting: Vec::new(),
            steps: 0,
            incarnations: 0,
            dead: BTreeSet::new(),
            remembered: BTreeMap::new(),
        })))
    }

    /// A server's way to the disk, until [`Disk::kill`].
    pub fn attach(&self, server: usize) -> SimulatedStore {
        let mut inner = self.inner();
        inner.incarnations = inner.incarnations.saturating_add(1);
        let incarnation = inner.incarnations;
        let head = inner.visible.head.clone();
        inner.remembered.insert(incarnation, head);
        SimulatedStore::new(self.clone(), server, incarnation, inner.sizes.subscribe(), inner.free)
    }

    /// What readers see.
    pub fn visible(&self) -> State {
        self.inner().visible.clone()
    }

    /// Who signs.
    pub fn key(&self) -> LogKey {
        self.inner().key.clone()
    }

    /// The steps that wait, oldest first.
    pub fn steps(&self) -> Vec<Step> {
        self.inner().waiting.iter().map(|waiting| waiting.step.clone()).collect()
    }

    /// How many steps were ever asked for. While it grows, somebody is still thinking.
    pub fn asked(&self) -> u64 {
        self.inner().steps
    }

    /// Lets a step happen; a write brings every other write of its server that waits along. Returns what happened,
    /// step by step.
    pub fn happen(&self, number: u64, fate: Fate) -> Vec<Step> {
        let mut inner = self.inner();
        let Some(place) = inner.waiting.iter().position(|waiting| waiting.step.number == number) else {
            return Vec::new();
        };
        match inner.waiting.remove(place) {
            Waiting { step, work: Work::Read(read), .. } => {
                match fate {
                    Fate::Done => read(Ok(&inner.visible)),
                    Fate::NotDone | Fate::DoneButFailed => read(Err(injected(&step))),
                }
                vec![step]
            }
            write @ Waiting { work: Work::Write(_), .. } => {
                let incarnation = write.incarnation;
                let with: Vec<Waiting> = inner
                    .waiting
                    .extract_if(.., |one| {
                        one.incarnation == incarnation && matches!(one.work, Work::Write(_))
                    })
                    .collect();
                inner.commit(std::iter::once(write).chain(with).collect(), fate)
            }
        }
    }

    /// Ends a server: it is never answered again. What it had asked for does not happen.
    pub fn kill(&self, store: &SimulatedStore) {
        let incarnation = store.incarnation();
        let mut inner = self.inner();
        inner.dead.insert(incarnation);
        inner.waiting.retain(|waiting| waiting.incarnation != incarnation);
        if inner.sabotage == Some(Sabotage::TimersForgotten) {
            inner.visible.forget_timers();
            inner.durable.forget_timers();
        }
    }

    /// Cuts the power: what is not durable is gone. The servers have to be killed as well.
    pub fn cut_power(&self) {
        let mut inner = self.inner();
        inner.visible = inner.durable.clone();
    }

    /// Takes up a step.
    pub(crate) fn ask(&self, server: usize, incarnation: u64, what: String, work: Work) {
        let mut inner = self.inner();
        if inner.dead.contains(&incarnation) {
            return;
        }
        inner.steps = inner.steps.saturating_add(1);
        let kind = if matches!(work, Work::Read(_)) { StepKind::Read } else { StepKind::Write };
        let step = Step { number: inner.steps, server, kind, what };
        let (number, free) = (step.number, inner.free);
        inner.waiting.push(Waiting { step, incarnation, work });
        drop(inner);
        if free {
            self.happen(number, Fate::Done);
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// One commit, in the order of the real writer: leaves and rows, sign, commit, answer.
    fn commit(&mut self, jobs: Vec<Waiting>, fate: Fate) -> Vec<Step> {
        let (mut steps, mut writes, mut server) = (Vec::new(), Vec::new(), 0);
        for Waiting { step, incarnation, work } in jobs {
            server = incarnation;
            steps.push(step);
            match work {
                Work::Write(job) => writes.push(job),
                Work::Read(read) => read(Ok(&self.visible)),
            }
        }
        let fault = || Fault::Database("injected".to_owned());
        if fate == Fate::NotDone {
            writes.into_iter().for_each(|job| job.answer(Err(fault())));
            return steps;
        }
        let committed = self.transact(server, &mut writes);
        let checkpoint = self.visible.head.checkpoint.clone();
        for job in writes {
            match &committed {
                Ok(()) if fate == Fate::Done => job.answer(Ok(&checkpoint)),
                Ok(()) => job.answer(Err(fault())),
                Err(failed) => job.answer(Err(failed.clone())),
            }
        }
        steps
    }

    fn transact(&mut self, server: u64, jobs: &mut [Box<dyn Job>]) -> Result<(), Fault> {
        let remembered = self.remembered.get(&server).filter(|_| self.sabotage == Some(Sabotage::NoFence));
        // INVARIANT: the log goes on from where it ends, and not from where this server last saw it end.
        let head = remembered.unwrap_or(&self.visible.head).clone();
        let (mut state, mut batch) = (self.visible.clone(), Batch::after(head));
        for job in jobs {
            let (before, leaves, announces) = (state.clone(), batch.leaves.len(), batch.announces);
            if !job.run(&mut state, &mut batch) {
                state = before;
                batch.leaves.truncate(leaves);
                batch.announces = announces;
            }
        }
        let too_early = match self.sabotage {
            Some(Sabotage::AcknowledgedTooEarly) => true,
            Some(Sabotage::MintedTooEarly) => batch.announces,
            Some(Sabotage::NoIdempotencyKeys | Sabotage::NoFence | Sabotage::TimersForgotten) | None => false,
        };
        state.sequence(batch, &self.key)?;
        self.durable = if too_early { self.visible.clone() } else { state.clone() };
        self.visible = state;
        self.remembered.insert(server, self.visible.head.clone());
        self.sizes.send_replace(self.visible.head.tree.size());
        Ok(())
    }
}

fn injected(step: &Step) -> Fault {
    Fault::Database(format!("injected into `{}`", step.what))
}
