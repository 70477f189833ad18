//! The transparency log: tree arithmetic, tiles, signed notes, checkpoints, cosignatures and proofs.
//!
//! Read in this order:
//!
//! | module | what it is | source |
//! |---|---|---|
//! | [`tree`] | hashes, inclusion and consistency proofs | RFC 6962 section 2.1, RFC 9162 section 2.1 |
//! | [`tile`] | the static layout a log is published in | c2sp.org/tlog-tiles |
//! | [`growth`] | the right edge of a tree, and what an append writes | ours, over the two above |
//! | [`note`] | a text with Ed25519 signatures under it | c2sp.org/signed-note |
//! | [`checkpoint`] | a note that states a log's size and root | c2sp.org/tlog-checkpoint |
//! | [`cosignature`] | a witness saying "I saw this checkpoint then" | c2sp.org/tlog-cosignature |
//! | [`witness_policy`] | which logs and how many witnesses a verifier demands | c2sp.org/tlog-policy |
//! | [`proof`] | one entry's inclusion, in a text file that verifies offline | c2sp.org/tlog-proof |
//!
//! What this crate never does: it knows no request, person or policy rule; a leaf is bytes. It performs no
//! input or output, reads no clock and draws no randomness: tiles come through closures, times and key seeds
//! are arguments, and Ed25519 signing is deterministic. It panics on no input.
//!
//! Two types are proof of work done, not data: [`checkpoint::SignedCheckpoint`] exists only after a log's
//! signature was made or verified, [`proof::LoggedEntry`] only after a leaf was proved under one.

mod decimal;

pub mod tree;

pub mod tile;

pub mod growth;

pub mod note;

pub mod checkpoint;

pub mod cosignature;

pub mod witness_policy;

pub mod proof;

pub use checkpoint::{Checkpoint, Origin, SignedCheckpoint};
pub use cosignature::Cosignature;
pub use growth::{Edge, Growth, Tree};
pub use note::{KeyName, KeyType, Note, SignerKey, VerifierKey};
pub use proof::{LogProof, LoggedEntry};
pub use tile::TilePath;
pub use tree::{Hash, Root, leaf_hash, node_hash};
pub use witness_policy::WitnessPolicy;
