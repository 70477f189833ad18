//! The real program under crashes and faults (docs/testing.md, "Crashes and faults"). It serves real people with
//! passkeys in software, is killed, cut off from its disk or set to another time, and is started again. Afterwards
//! an auditor who trusts nothing of it holds what was promised against what is there.
//!
//! Reading order: `installation` and `process` (what is broken), `load` (who uses it), `promises` (what they were
//! told), `auditor` and `rules` (what must hold), then one module for each way to break it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code fails by panicking"
)]

mod installation;
mod person;
mod process;
mod site;

mod errand;
mod load;
mod promises;
mod random;

mod auditor;
mod examine;
mod rules;
mod scene;

mod clocks;
mod controls;
mod disk;
mod faults;
mod kill;
mod older;
mod power_cut;
mod shim;
mod strace;
