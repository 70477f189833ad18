//! What policy says of a request. Typed facts in, a [`Verdict`](chancery_domain::verdict::Verdict) with reasons out.
//!
//! Rego modules of a [`Bundle`] contribute elements to a few sets; [`compose`] joins them by one fixed
//! lattice in Rust, so that another module can only tighten. Everything here is deterministic: no clock, no
//! randomness, no network; only [`fuel`](crate::bundle::Limits) bounds an evaluation, never the wall clock.
//!
//! This crate is the only user of the Rego engine, and no type of that engine leaves it.
//!
//! Reading order: `bundle` (what is evaluated), `input` (of what), `evaluate` and `rego` (how), `contribution` and
//! `compose` (what comes of it), `replay` (that it comes again), `entitlement` and `form` (what may be asked),
//! `test_run` (how a bundle is tested).

pub mod bundle;
pub mod compose;
pub mod contribution;
pub mod entitlement;
pub mod evaluate;
pub mod form;
pub mod input;
pub mod replay;
pub mod test_run;

mod fuel;
mod network;
mod rego;
mod version;

pub use bundle::{Bundle, BundleError};
pub use entitlement::{Entitlement, blast_radius};
pub use evaluate::{Engine, Judgement, PolicyFault};
pub use input::{ConcealedInput, Input};
pub use replay::{Replay, replay, replay_with};
pub use version::engine_version;
