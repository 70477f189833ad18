//! Timestamped facts about the moment of a request, from outside: who answered what, and when.
//!
//! All providers are asked at the same time, under one deadline. An answer that is late, failed or impossible
//! is `unknown`, which policy must never read as `false`. A late answer still fills the cache, for whoever asks
//! next; of several who ask the same at once, one goes out.
//!
//! Read in this order: [`gather`] (how it is asked), [`provider`] (what a source is), [`origin`] (the first
//! source), [`calendar`] (the moment where the organisation works).

pub mod gather;
pub mod provider;

pub mod origin;

pub mod calendar;
pub mod network;

pub use calendar::WorkingHours;
pub use gather::Gatherer;
pub use network::Network;
pub use origin::{Origin, TrustedProxies};
pub use provider::{Answer, Provider, ProviderError, Question};
