//! The files of a bundle, before they mean anything: paths and sizes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::{BundleError, MANIFEST, SETTINGS};

/// Most files in a bundle.
pub const MAX_FILES: usize = 512;

/// Largest file, in bytes.
pub const MAX_FILE_BYTES: usize = 256 * 1024;

/// Largest bundle, in bytes.
pub const MAX_BUNDLE_BYTES: usize = 4 * 1024 * 1024;

/// Deepest path, in components.
const MAX_DEPTH: usize = 8;

/// Reads every file under a directory.
pub fn read_directory(directory: &Path) -> Result<BTreeMap<String, Vec<u8>>, BundleError> {
    let mut files = BTreeMap::new();
    read_into(directory, "", &mut files)?;
    Ok(files)
}

fn read_into(
    directory: &Path,
    prefix: &str,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), BundleError> {
    let unreadable = |path: &Path, cause: std::io::Error| BundleError::Unreadable {
        path: path.display().to_string(),
        cause: cause.to_string(),
    };
    for entry in fs::read_dir(directory).map_err(|cause| unreadable(directory, cause))? {
        let entry = entry.map_err(|cause| unreadable(directory, cause))?;
        let path = entry.path();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().map_err(|cause| unreadable(&path, cause))?;
        if kind.is_dir() {
            if name.split('/').count() >= MAX_DEPTH {
                return Err(BundleError::Path { path: name, remedy: "it is nested too deep" });
            }
            read_into(&path, &format!("{name}/"), files)?;
            continue;
        }
        check_path(&name)?;
        let metadata = entry.metadata().map_err(|cause| unreadable(&path, cause))?;
        if !metadata.is_file() {
            return Err(BundleError::Path { path: name, remedy: "only plain files do, no links" });
        }
        // Before the file is read, so that a huge one is not.
        check_size(&name, usize::try_from(metadata.len()).unwrap_or(usize::MAX), MAX_FILE_BYTES)?;
        check_count(files.len() + 1)?;
        files.insert(name, fs::read(&path).map_err(|cause| unreadable(&path, cause))?);
    }
    Ok(())
}

/// Checks names, number and sizes.
pub fn check_files(files: &BTreeMap<String, Vec<u8>>) -> Result<(), BundleError> {
    check_count(files.len())?;
    let mut total = 0_usize;
    for (path, bytes) in files {
        check_path(path)?;
        check_size(path, bytes.len(), MAX_FILE_BYTES)?;
        total = total.saturating_add(bytes.len());
        if path.ends_with(".rego") && std::str::from_utf8(bytes).is_err() {
            return Err(BundleError::Rego { file: path.clone(), cause: "it is not UTF-8".to_owned() });
        }
    }
    check_size("bundle", total, MAX_BUNDLE_BYTES)
}

fn check_count(count: usize) -> Result<(), BundleError> {
    if count <= MAX_FILES {
        return Ok(());
    }
    Err(BundleError::TooLarge { what: "bundle".to_owned(), limit: format!("{MAX_FILES} files") })
}

fn check_size(what: &str, bytes: usize, limit: usize) -> Result<(), BundleError> {
    if bytes <= limit {
        return Ok(());
    }
    Err(BundleError::TooLarge { what: what.to_owned(), limit: format!("{limit} bytes") })
}

fn check_path(path: &str) -> Result<(), BundleError> {
    // It is anybody's text: no more of it is said than finds the file.
    let said = || path.escape_debug().take(80).collect();
    let refused = |remedy| Err(BundleError::Path { path: said(), remedy });
    let plain = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
            && part != "."
            && part != ".."
    };
    if path == MANIFEST || path == SETTINGS {
        return Ok(());
    }
    if path.len() > 200 || path.split('/').count() > MAX_DEPTH || !path.split('/').all(plain) {
        return refused("use relative paths of ASCII letters, digits, `.`, `_` and `-`");
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let golden =
        path.strip_prefix("tests/golden/").is_some_and(|rest| !rest.contains('/') && rest.ends_with(".json"));
    if path.ends_with(".rego") {
        // Tests and rules must not be mistaken for each other: only rules judge.
        return if is_test(path) == path.starts_with("tests/") {
            Ok(())
        } else {
            refused("tests are `tests/…_test.rego`, and nothing else is")
        };
    }
    if name == "data.yaml" || name == "data.json" || golden {
        return Ok(());
    }
    refused("only `.rego`, `data.yaml`, `data.json`, `bundle.toml`, `.manifest` and `tests/golden/….json` do")
}

/// Whether this module is a test, and so never judges.
pub fn is_test(path: &str) -> bool {
    path.ends_with("_test.rego")
}

/// The Rego modules with their texts.
pub fn modules(files: &BTreeMap<String, Vec<u8>>) -> impl Iterator<Item = (&str, &str)> {
    files.iter().filter(|(path, _)| path.ends_with(".rego")).map(|(path, bytes)| {
        // Checked to be UTF-8 in `check_files`.
        (path.as_str(), std::str::from_utf8(bytes).unwrap_or_default())
    })
}
