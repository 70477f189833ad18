//! A store in memory whose every step somebody else decides: when it happens, whether it fails, whether it fails
//! after it happened, and what a loss of power leaves. Tests only; `tests/simulation` drives a whole server on it.
//!
//! Read in this order: [`state`] (what is stored), [`disk`] (what of it is durable, and what waits to be
//! written), [`store`] (the interface that a server sees), [`sabotage`] (what is taken away so that a test can show
//! that it would be missed).
//!
//! What is deliberately absent: no thread, no file, no clock, no chance.

pub mod chance;
pub mod disk;
pub mod integrity;
pub mod sabotage;
pub mod state;
pub mod store;

pub use chance::Chance;
pub use disk::{Disk, Fate, Step, StepKind};
pub use sabotage::Sabotage;
pub use state::{EffectState, EffectStatus, LogKey, State};
pub use store::SimulatedStore;
