//! Mints and takes back credentials; the only holder of the keys that sign them.
//!
//! It does not trust the server. [`issue::Issuer::mint`] takes the files of an evidence bundle and a trust
//! directory of its own, runs the verification that any stranger runs, finds the nonce that it chose itself under
//! a checkpoint, and only then signs exactly the bytes whose digest stands in the log.
//!
//! One module for each kind of credential: [`ssh`].

pub mod book;
pub mod issue;
pub mod plan;
pub mod ssh;
