//! Fail points: named steps of input and output that a test makes fail, in both ways that a disk can.
//!
//! A step is written `faults::step("store.commit", || …)`. In a program that is released this is the closure and
//! nothing else. In a debug build a test in the same process can arm one point; nothing outside the process can,
//! neither by environment nor by argument.
//!
//! Debug assertions decide and not a feature, because features of test dependencies would have the whole workspace
//! compiled once for the tests and once more for the demo.

use std::io;

#[cfg(debug_assertions)]
mod armed;

#[cfg(debug_assertions)]
pub use armed::{Armed, Chosen, Mode, arm, choose_on_this_thread};

/// What a step that was made to fail reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Injected(&'static str);

impl std::fmt::Display for Injected {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "injected at `{}`", self.0)
    }
}

impl std::error::Error for Injected {}

impl From<Injected> for io::Error {
    fn from(injected: Injected) -> Self {
        Self::other(injected)
    }
}

/// One step that touches the world. Armed as "not done" it fails without running, as "done but reported failed" it
/// runs and fails all the same.
///
/// # Errors
/// Those of the work, and what a test has armed.
#[cfg(debug_assertions)]
pub fn step<T, E: From<Injected>>(point: &'static str, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    match armed::fires(point) {
        None => work(),
        Some(Mode::NotDone) => Err(Injected(point).into()),
        Some(Mode::DoneButFailed) => work().and_then(|_| Err(Injected(point).into())),
    }
}

/// One step that touches the world.
///
/// # Errors
/// Those of the work.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn step<T, E: From<Injected>>(_: &'static str, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    work()
}
