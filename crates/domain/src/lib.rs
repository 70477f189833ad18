//! What may happen to a request, and what follows from it. Pure: no clock, no IO, no randomness.
//!
//! Read in this order: [`event`] (what has happened), [`state`] (where a request stands), [`decide`] (what a
//! command leads to), [`effect`] (what must follow outside). The rest serves these four: [`document`] and
//! [`signature`] are what people sign, [`proof`] are the values that only a check can make, [`people`] says
//! whom a selector means, [`count`] and [`seats`] say which approvals count and who fills which seat, [`alerts`] whom
//! an alert freezes.

pub mod decide;
pub mod effect;
pub mod event;
pub mod state;

pub mod alerts;
pub mod count;
pub mod document;
pub mod evolve;
pub mod id;
pub mod leaf;
pub mod people;
pub mod proof;
pub mod refusal;
pub mod seats;
pub mod signature;
pub mod time;
pub mod verdict;
