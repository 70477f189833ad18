//! The one spelling of a document: what is hashed and what is signed.
//!
//! Everything Chancery signs is a JSON document in the canonical form of RFC 8785, hashed with SHA-256, and
//! personal strings in it may be replaced by salted digests (RFC 9901). This crate holds those three things
//! and the strict encodings around them. It never reads a clock, never makes a random number and never
//! touches a file: salts are arguments.
//!
//! What is refused here is refused everywhere: floats, integers that other JSON readers round, duplicate
//! member names, loose base64, nesting that would exhaust a stack.

pub mod base64;
pub mod digest;
pub mod disclosure;
mod document;
pub mod json;
mod members;

pub use base64::Bytes;
pub use digest::Sha256;
pub use disclosure::Disclosure;
pub use document::Canonical;
pub use members::{not_empty, present};
