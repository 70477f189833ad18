//! `evidence.json`: what the bundle holds, and which leaves it needs.

use std::collections::{BTreeMap, BTreeSet};

use chancery_canonical::json::JsonError;
use chancery_canonical::{Canonical, Sha256};
use chancery_domain::id::{PersonId, RequestId};
use serde::{Deserialize, Serialize};

use super::{BundleFiles, layout};

/// The `type` of a manifest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ManifestType {
    /// `urn:chancery:evidence:v1`
    #[default]
    #[serde(rename = "urn:chancery:evidence:v1")]
    V1,
}

/// The whole of `evidence.json`, in its canonical form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Fixed.
    #[serde(rename = "type")]
    pub document_type: ManifestType,
    /// Name of the log.
    pub origin: String,
    /// The request that the bundle is about.
    pub request: RequestId,
    /// Digest of its current revision's document.
    pub request_sha256: Sha256,
    /// Every leaf of the request's stream, with the attestation leaves between them; ascending.
    pub leaves: Vec<u64>,
    /// For each person who counted, and each whose signature made them count, their stream's leaves; ascending.
    pub identity: BTreeMap<PersonId, Vec<u64>>,
    /// Leaves of the policy's stream up to the last verdict; ascending.
    pub policy: Vec<u64>,
    /// Leaves of the trust root's stream; ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trust: Vec<u64>,
    /// Every other file, by path in ascending order.
    pub files: Vec<FileEntry>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Where it is.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: Sha256,
    /// Its bytes.
    pub size: u64,
}

/// Why `evidence.json` cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// There is none.
    #[error("`evidence.json` is missing: this is not an evidence bundle")]
    Missing,
    /// Not canonical, or of another shape.
    #[error("`evidence.json`: {0}")]
    Json(#[from] JsonError),
}

impl Manifest {
    /// Reads the manifest of a bundle. Nothing it says is checked yet.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn read(files: &BundleFiles) -> Result<Self, ManifestError> {
        let bytes = files.get(layout::MANIFEST).ok_or(ManifestError::Missing)?;
        Ok(Canonical::parse(bytes)?.decode()?)
    }

    /// Lists the files and puts the manifest beside them.
    ///
    /// # Errors
    /// When an index is beyond 2^53, which has no canonical form.
    pub fn seal(mut self, files: &mut BundleFiles) -> Result<Self, JsonError> {
        files.remove(layout::MANIFEST);
        self.files = files.iter().map(|(path, bytes)| FileEntry::of(path, bytes)).collect();
        files.insert(layout::MANIFEST.to_owned(), Canonical::of(&self)?.as_bytes().to_vec());
        Ok(self)
    }

    /// All leaves of the bundle.
    pub fn all_leaves(&self) -> BTreeSet<u64> {
        let identity = self.identity.values().flatten();
        self.leaves.iter().chain(identity).chain(&self.policy).chain(&self.trust).copied().collect()
    }

    /// What is wrong with the lists themselves: order, repetition, and which files stand there.
    pub fn problems(&self, files: &BundleFiles) -> Vec<String> {
        let mut problems = Vec::new();
        let paths: Vec<&str> = self.files.iter().map(|file| file.path.as_str()).collect();
        if !ascending(&paths) {
            problems.push("`files` is not in ascending order, or lists a path twice".to_owned());
        }
        let listed: BTreeSet<&str> = paths.into_iter().collect();
        for path in files.keys().filter(|path| *path != layout::MANIFEST && !listed.contains(path.as_str())) {
            problems.push(format!("`{path}` is in the zip and not listed in `evidence.json`"));
        }
        for path in listed.iter().filter(|path| !files.contains_key(**path)) {
            problems.push(format!("`{path}` is listed in `evidence.json` and missing"));
        }
        if listed.contains(layout::MANIFEST) {
            problems.push("`evidence.json` lists itself".to_owned());
        }
        let mut seen = BTreeSet::new();
        for list in self.identity.values().chain([&self.leaves, &self.policy, &self.trust]) {
            if !ascending(list) || !list.iter().all(|index| seen.insert(*index)) {
                problems.push("a list of leaves is not ascending, or a leaf stands in two lists".to_owned());
            }
        }
        if self.leaves.is_empty() {
            problems.push("no leaf of the request is listed".to_owned());
        }
        problems
    }

    /// Files whose bytes are not those that were listed.
    pub fn changed_files(&self, files: &BundleFiles) -> Vec<String> {
        let changed = |entry: &&FileEntry| {
            files.get(&entry.path).is_some_and(|bytes| FileEntry::of(&entry.path, bytes) != **entry)
        };
        self.files.iter().filter(changed).map(|entry| entry.path.clone()).collect()
    }
}

impl FileEntry {
    fn of(path: &str, bytes: &[u8]) -> Self {
        Self { path: path.to_owned(), sha256: Sha256::of(bytes), size: bytes.len() as u64 }
    }
}

fn ascending<T: Ord>(list: &[T]) -> bool {
    list.windows(2).all(|pair| matches!(pair, [left, right] if left < right))
}
