//! Names of files inside a bundle.

use super::{BundleFiles, BundleRefusal, MAX_FILES, MAX_PATH_BYTES, MAX_TOTAL_BYTES};

/// Whether a path is relative, of plain parts, and means the same on every file system: parts of ASCII letters,
/// digits, `.`, `_` and `-`, none of them `.` or `..`, joined by `/`.
pub fn is_plain_path(path: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    path.len() <= MAX_PATH_BYTES && path.split('/').all(plain)
}

/// Checks names, number and sizes of files.
///
/// # Errors
/// [`BundleRefusal`] for the first that breaks a limit.
pub fn check_paths(files: &BundleFiles) -> Result<(), BundleRefusal> {
    if files.len() > MAX_FILES {
        return Err(BundleRefusal::TooManyFiles);
    }
    let mut total = 0_usize;
    let mut folded = std::collections::BTreeSet::new();
    for (path, bytes) in files {
        if !is_plain_path(path) {
            return Err(BundleRefusal::path(path));
        }
        // Unpacked on a file system that folds case, one would overwrite the other.
        if !folded.insert(path.to_ascii_lowercase()) {
            return Err(BundleRefusal::Duplicate(path.clone()));
        }
        total = total.saturating_add(bytes.len());
    }
    if total > MAX_TOTAL_BYTES { Err(BundleRefusal::TooLarge) } else { Ok(()) }
}
