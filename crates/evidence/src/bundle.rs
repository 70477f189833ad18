//! The evidence bundle: one zip with everything that is needed to verify a request offline
//! (docs/spec/evidence.md).
//!
//! Reading order: [`layout`] (which file is where), [`manifest`] (what `evidence.json` says), [`pack`] and
//! [`unpack`] (the container), [`assemble()`] (from stored parts to files).

pub mod assemble;
pub mod layout;
pub mod manifest;

mod path;
mod read;
mod refusal;
mod write;

use std::collections::BTreeMap;

pub use assemble::{AssembleError, JudgedDocuments, Parts, ProvedLeaf, assemble, with_report};
pub use manifest::{FileEntry, Manifest, ManifestError};
pub use path::{check_paths, is_plain_path};
pub use read::unpack;
pub use refusal::BundleRefusal;
pub use write::pack;

/// The files of a bundle by path. No directories, no order: a path is a name.
pub type BundleFiles = BTreeMap<String, Vec<u8>>;

/// The largest bundle, unpacked, in bytes.
pub const MAX_TOTAL_BYTES: usize = 64 * 1024 * 1024;

/// The most files in a bundle.
pub const MAX_FILES: usize = 16 * 1024;

/// The longest path, in bytes.
pub const MAX_PATH_BYTES: usize = 200;

/// How many times larger a file may be than what it is packed in; zips of text reach about 20.
pub const MAX_RATIO: usize = 200;

/// How verification is done with this tool and with four others; every bundle carries it as `README.txt`.
pub const README: &str = include_str!("bundle/readme.txt");

/// The container's error detection (ISO/IEC 13239). It protects nothing; the digests in `evidence.json` do.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}
