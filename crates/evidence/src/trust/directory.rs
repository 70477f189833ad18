//! The folder `trust/`: `trust.json`, and beside it the same truth in the formats of other tools.

use std::collections::BTreeMap;

use chancery_canonical::Canonical;
use chancery_canonical::json::JsonError;
use chancery_domain::signature::PersonSignature;

use super::{Lineage, LineageError, TrustError, TrustRoot};
use crate::sigstore::{LogKey, TrustedRoot};

/// Name of the root itself.
const TRUST: &str = "trust.json";
/// Signatures that accepted this version as a successor; only from version 2 on.
const SIGNATURES: &str = "signatures.json";
/// The versions before this one; only from version 2 on.
const HISTORY: &str = "history.json";
/// Sigstore wants a start. The log's own proofs say when something was logged, so all of time will do.
const VALID_FROM: &str = "1970-01-01T00:00:00Z";

/// A `trust/` whose files all say the same, and whose version was followed from the first one on.
#[derive(Clone, Debug, PartialEq)]
pub struct TrustDirectory {
    lineage: Lineage,
}

/// Why a `trust/` is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustDirectoryError {
    /// `trust.json` is not in order.
    #[error(transparent)]
    Root(#[from] TrustError),
    /// A file is not there.
    #[error("`{0}` is missing from the trust directory: fetch the whole of it again")]
    Missing(String),
    /// A file that does not belong there.
    #[error("`{0}` does not belong into a trust directory: remove it")]
    Unexpected(String),
    /// A file that says something else than `trust.json`.
    #[error("`{0}` disagrees with trust.json: fetch the whole directory again")]
    Disagrees(String),
    /// The signatures cannot be read.
    #[error("`{SIGNATURES}` cannot be read: {0}")]
    Signatures(String),
    /// Its version does not follow from the first one.
    #[error("`{HISTORY}`: {0}")]
    History(#[from] LineageError),
    /// A derived file has no canonical form.
    #[error("the trust directory cannot be written: {0}")]
    Json(#[from] JsonError),
}

impl TrustDirectoryError {
    /// A stable name for logs, API answers and evidence reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Root(error) => error.code(),
            Self::Missing(_) => "trust_file_missing",
            Self::Unexpected(_) => "trust_file_unexpected",
            Self::Disagrees(_) => "trust_file_disagrees",
            Self::Signatures(_) => "trust_signatures",
            Self::History(error) => error.code(),
            Self::Json(_) => "trust_unwritable",
        }
    }
}

impl From<Lineage> for TrustDirectory {
    fn from(lineage: Lineage) -> Self {
        Self { lineage }
    }
}

impl TrustDirectory {
    /// Reads the files of `trust/`, by path relative to it with `/` between parts. Every derived file must be
    /// there and be exactly the one that `trust.json` leads to.
    ///
    /// # Errors
    /// [`TrustDirectoryError`], naming the file.
    pub fn read(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, TrustDirectoryError> {
        let bytes = files.get(TRUST).ok_or_else(|| TrustDirectoryError::Missing(TRUST.into()))?;
        let root = TrustRoot::parse(bytes)?;
        let derived = Self::render(&root)?;
        for (path, expected) in &derived {
            match files.get(path) {
                None => return Err(TrustDirectoryError::Missing(path.clone())),
                Some(found) if found != expected => {
                    return Err(TrustDirectoryError::Disagrees(path.clone()));
                }
                Some(_) => {}
            }
        }
        let known =
            |path: &&String| derived.contains_key(*path) || [SIGNATURES, HISTORY].contains(&path.as_str());
        if let Some(path) = files.keys().find(|path| !known(path)) {
            return Err(TrustDirectoryError::Unexpected(path.clone()));
        }
        let signatures = match files.get(SIGNATURES) {
            None => Vec::new(),
            Some(bytes) => {
                let malformed = |error: JsonError| TrustDirectoryError::Signatures(error.to_string());
                Canonical::parse(bytes).and_then(|text| text.decode()).map_err(malformed)?
            }
        };
        let earlier = files.get(HISTORY).map(Vec::as_slice);
        if earlier.is_none() && root.document().version > 1 {
            return Err(TrustDirectoryError::Missing(HISTORY.to_owned()));
        }
        Ok(Self { lineage: Lineage::read(earlier, root, signatures)? })
    }

    /// Every file of the folder: those of [`Self::render`], and from version 2 on `signatures.json` and `history.json`,
    /// with which whoever trusts an earlier version follows to this one.
    ///
    /// # Errors
    /// None in practice; every value here has a canonical form.
    pub fn files(&self) -> Result<BTreeMap<String, Vec<u8>>, TrustDirectoryError> {
        let mut files = Self::render(self.root())?;
        if let Some(earlier) = self.lineage.earlier()? {
            files.insert(HISTORY.to_owned(), earlier.as_bytes().to_vec());
            let signatures = Canonical::of(self.signatures())?;
            files.insert(SIGNATURES.to_owned(), signatures.as_bytes().to_vec());
        }
        Ok(files)
    }

    /// The files of `trust/` for this root: `trust.json`, `log.vkey` (one line for each life of the log),
    /// `policy.txt` (tlog-policy), `trusted_root.json` (Sigstore), and `keys/<predicate>.pem`, with `-2` and so
    /// on for further keys.
    ///
    /// # Errors
    /// None in practice; every value here has a canonical form.
    pub fn render(root: &TrustRoot) -> Result<BTreeMap<String, Vec<u8>>, TrustDirectoryError> {
        let vkeys: String = root.log_keys().iter().map(|key| format!("{key}\n")).collect();
        let logs: Vec<LogKey> = root
            .log_keys()
            .iter()
            .map(|key| LogKey {
                origin: key.name().as_str().to_owned(),
                public_key: *key.public_key(),
                valid_from: VALID_FROM.to_owned(),
            })
            .collect();
        let mut files = BTreeMap::from([
            (TRUST.to_owned(), root.canonical().as_bytes().to_vec()),
            ("log.vkey".to_owned(), vkeys.into_bytes()),
            ("policy.txt".to_owned(), root.witness_policy().to_string().into_bytes()),
            ("trusted_root.json".to_owned(), TrustedRoot::new(&logs).to_json()?.as_bytes().to_vec()),
        ]);
        for (predicate, keys) in &root.document().attestation_keys {
            for (position, key) in keys.iter().enumerate() {
                let number = if position == 0 { String::new() } else { format!("-{}", position + 1) };
                files.insert(format!("keys/{predicate}{number}.pem"), key.to_pem().into_bytes());
            }
        }
        Ok(files)
    }

    /// What is believed now.
    pub fn root(&self) -> &TrustRoot {
        self.lineage.newest()
    }

    /// Who signed it, from version 2 on.
    pub fn signatures(&self) -> &[PersonSignature] {
        self.lineage.signatures()
    }

    /// It and every version before it.
    pub fn lineage(&self) -> &Lineage {
        &self.lineage
    }
}
