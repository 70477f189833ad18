//! A clock that counts steps of an evaluation instead of time, so that the engine's time limit is a fuel limit.
//!
//! regorus, built without its `std` feature, asks a registered source for the time every so many work units.
//! Ours advances by exactly those units. The limit is then reached after the same number of steps on every
//! machine, and a stalled host decides nothing.

use std::cell::Cell;
use std::num::NonZeroU32;
use std::sync::LazyLock;
use std::time::Duration;

use regorus::utils::limits::{ExecutionTimerConfig, TimeSource, set_time_source};

/// Work units between two looks at the clock: the source sits behind one lock of the process.
const UNITS_PER_TICK: u32 = 32;

thread_local! {
    static STEPS: Cell<u64> = const { Cell::new(0) };
}

struct StepClock;

impl TimeSource for StepClock {
    fn now(&self) -> Option<Duration> {
        // One step is one nanosecond of the engine's time.
        STEPS.with(|steps| {
            steps.set(steps.get().saturating_add(u64::from(UNITS_PER_TICK)));
            Some(Duration::from_nanos(steps.get()))
        })
    }
}

static REGISTERED: LazyLock<bool> = LazyLock::new(|| set_time_source(&StepClock).is_ok());

/// Makes the step clock the engine's clock. False when other code of this process registered one before.
pub fn is_metered() -> bool {
    *REGISTERED
}

/// A limit of so many steps.
pub fn limit(steps: u64) -> ExecutionTimerConfig {
    let check_interval = NonZeroU32::new(UNITS_PER_TICK).unwrap_or(NonZeroU32::MIN);
    ExecutionTimerConfig { limit: Duration::from_nanos(steps), check_interval }
}
