//! Which point fails next. One at a time, for the whole process: tests that arm points take turns.

use std::cell::RefCell;
use std::sync::{Mutex, MutexGuard, PoisonError};

static TURNS: Mutex<()> = Mutex::new(());
static PLAN: Mutex<Option<Plan>> = Mutex::new(None);

/// Decides about every point that one thread reaches.
type Chooser = Box<dyn FnMut(&'static str) -> Option<Mode>>;

thread_local! {
    static CHOOSER: RefCell<Option<Chooser>> = const { RefCell::new(None) };
}

/// The two ways in which a step fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It fails, and nothing happened.
    NotDone,
    /// It happened, and fails all the same.
    DoneButFailed,
}

/// A point that fails once.
struct Plan {
    point: &'static str,
    mode: Mode,
    /// Hits that pass before it.
    passing: usize,
    fired: bool,
}

/// A point is armed until this is dropped. Whoever arms another one meanwhile waits.
#[must_use = "the point is disarmed when this is dropped"]
pub struct Armed {
    _turn: MutexGuard<'static, ()>,
}

impl Armed {
    /// Whether the point was reached and failed.
    pub fn fired(&self) -> bool {
        plan().as_ref().is_some_and(|plan| plan.fired)
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        *plan() = None;
    }
}

/// Makes a point fail once, after it was passed so many times.
pub fn arm(point: &'static str, mode: Mode, passing: usize) -> Armed {
    let turn = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
    *plan() = Some(Plan { point, mode, passing, fired: false });
    Armed { _turn: turn }
}

/// A chooser decides on its thread until this is dropped there.
#[must_use = "the chooser goes when this is dropped"]
pub struct Chosen(());

impl Drop for Chosen {
    fn drop(&mut self) {
        CHOOSER.with_borrow_mut(|chooser| *chooser = None);
    }
}

/// Has every point that this thread reaches decided by `chooser`; it must not reach a point itself.
pub fn choose_on_this_thread(chooser: impl FnMut(&'static str) -> Option<Mode> + 'static) -> Chosen {
    CHOOSER.with_borrow_mut(|known| *known = Some(Box::new(chooser)));
    Chosen(())
}

/// How the point fails now, if it does.
pub fn fires(point: &'static str) -> Option<Mode> {
    let chosen = CHOOSER.with_borrow_mut(|chooser| chooser.as_mut().and_then(|choose| choose(point)));
    if chosen.is_some() {
        return chosen;
    }
    let mut armed = plan();
    let plan = armed.as_mut().filter(|plan| plan.point == point && !plan.fired)?;
    if plan.passing > 0 {
        plan.passing = plan.passing.saturating_sub(1);
        return None;
    }
    plan.fired = true;
    Some(plan.mode)
}

fn plan() -> MutexGuard<'static, Option<Plan>> {
    PLAN.lock().unwrap_or_else(PoisonError::into_inner)
}
