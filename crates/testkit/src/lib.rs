//! Test doubles that behave like the real thing, and the ways in which the real thing goes wrong.

pub mod corpus;
pub mod passkey;
pub mod people;
pub mod scenario;
pub mod sshd;
