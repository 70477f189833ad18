//! What proves that people agreed to exactly one thing, and how a stranger checks it from bytes.
//!
//! Nothing here fetches a key, reads a clock or makes a random number: keys, times and randomness are
//! arguments. Every parser refuses what two readers could understand differently.

pub mod attest;
pub mod authenticator;
pub mod bundle;
mod cbor;
pub mod cose;
pub mod decision;
pub mod dsse;
mod ed25519;
pub mod identity;
pub mod public_key;
pub mod recovery;
pub mod registration;
pub mod report;
pub mod request;
pub mod session;
pub mod signer;
pub mod sigstore;
pub mod ssh_key;
mod ssh_wire;
pub mod sshsig;
pub mod trust;
pub mod verify;
pub mod webauthn;
