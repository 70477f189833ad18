//! What happens to the trust root, and to the log that it names.

use chancery_canonical::Sha256;
use serde::{Deserialize, Serialize};

use crate::signature::PersonSignature;

/// What happens to the trust root.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "body", deny_unknown_fields)]
pub enum TrustEvent {
    /// A version of trust.json was sealed.
    #[serde(rename = "trust.sealed")]
    Sealed(TrustSealed),
    /// A new life of the log begins, by a version of trust.json that closed the one before.
    #[serde(rename = "log.rotated")]
    Rotated(LogRotated),
}

impl TrustEvent {
    /// The version of trust.json that counts from here on, and its digest.
    pub fn sealed(&self) -> (u64, Sha256) {
        match self {
            Self::Sealed(body) => (body.version, body.sha256),
            Self::Rotated(body) => (body.version, body.sha256),
        }
    }

    /// Who signed that version.
    pub fn signatures(&self) -> &[PersonSignature] {
        match self {
            Self::Sealed(body) => &body.signatures,
            Self::Rotated(body) => &body.signatures,
        }
    }
}

/// Body of `trust.sealed`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustSealed {
    /// Version of the trust root.
    pub version: u64,
    /// SHA-256 of its bytes.
    pub sha256: Sha256,
    /// Administrators of the version before and of this one, over this one; empty in version 1, which is believed by
    /// whoever was handed it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub signatures: Vec<PersonSignature>,
}

/// Body of `log.rotated`, the first leaf of a life of the log that follows another: where that one ended. The signatures
/// are over a trust.json that says the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogRotated {
    /// Name of the life before.
    pub origin: String,
    /// Leaves that it had.
    pub size: u64,
    /// Its root hash then, lowercase hex.
    pub root: Sha256,
    /// Version of the trust root that closed it.
    pub version: u64,
    /// SHA-256 of that.
    pub sha256: Sha256,
    /// Administrators of the version before and of this one, over this one.
    pub signatures: Vec<PersonSignature>,
}
