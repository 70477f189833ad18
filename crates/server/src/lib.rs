//! The server: HTTP outside, the journal inside, and between them one use case a file.
//!
//! Read in this order: [`setup`] and [`seal`] (how an installation begins), [`config`], [`app`] (what a running
//! server holds) and its use cases (load, gather, decide, record), `routes` (what is offered to whom),
//! `effects` (what happens by itself), `feed` (who listens to it), `http` (how bytes become values).
//!
//! What is deliberately absent: no rule about requests (that is `chancery-domain`), no policy, no cryptography of
//! its own, no SQL.

pub mod adopt;
pub mod backup;
pub mod config;
pub mod doctor;
pub mod held;
pub mod recovery_link;
pub mod restore;
pub mod rotate_ca;
pub mod rotate_log;
pub mod seal;
pub mod setup;
pub mod successor;

#[cfg(debug_assertions)]
pub mod embedded;

pub mod app;
mod effects;
mod feed;
mod http;
mod routes;

mod clock;
mod keys;
mod leases;
mod metrics;
mod policy;
mod problem;
mod random;
mod trust;

pub use app::StartError;
pub use clock::Clock;
pub use config::{Config, ConfigError, Limits};
pub use http::proof;
pub use http::serve::{Ended, Running, Server, ServerError};
pub use recovery_link::{RecoveryLink, RecoveryLinkError, RecoveryLinkOptions, recovery_link};
pub use rotate_ca::{RotatedAuthority, retire_ca, rotate_ca};
pub use rotate_log::{RotateError, RotateOptions, Rotated, Rotation, rotate_log};
pub use routes::{listed, openapi};
pub use seal::{SealError, SealOptions, Sealed, seal};
pub use setup::{InitError, InitOptions, Initialised, init};
pub use successor::{Change, ProposeError, ProposeOptions, Proposed, propose};
