//! Sigstore bundle v0.3, the log entry it proves, and the trusted root that verifies it (sigstore protobuf-specs:
//! `sigstore_bundle`, `sigstore_rekor`, `sigstore_trustroot`, and `hashedrekord` 0.0.2 of Rekor v2).
//!
//! These are the shapes that verifiers which nobody here wrote accept. Protobuf's JSON mapping writes 64-bit
//! integers as strings and bytes as standard base64.

mod encoding;
mod trusted_root;

use chancery_canonical::base64::{decode_standard, encode_standard};
use chancery_canonical::json::{self, JsonError};
use chancery_canonical::{Canonical, Sha256};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::dsse::Envelope;
use crate::public_key::P256PublicKey;
use encoding::{Base64, Decimal};

pub use trusted_root::{LogKey, TrustedRoot};

/// The media type of a bundle.
pub const BUNDLE_MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

const ENTRY_KIND: &str = "hashedrekord";
const ENTRY_VERSION: &str = "0.0.2";
/// A tree with 2^64 leaves has proofs of at most this many hashes.
const MAX_PROOF_HASHES: usize = 64;

/// Why a bundle is refused or cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SigstoreError {
    /// Not strict JSON of a bundle's shape.
    #[error("not a Sigstore bundle v0.3 with one `hashedrekord` entry: {0}")]
    Malformed(String),
    /// Entry and proof name different indices, or the index is not inside the tree.
    #[error("log index {index} does not fit the proof: index {proof_index} in a tree of {tree_size}")]
    InconsistentIndex {
        /// Index of the entry.
        index: u64,
        /// Index of the proof.
        proof_index: u64,
        /// Size of the proof's tree.
        tree_size: u64,
    },
    /// The bundle's hint names another key.
    #[error("bundle names another attestation key: use the key of its envelope")]
    WrongKey,
    /// The logged entry is not about this envelope and key.
    #[error("logged entry does not describe this envelope: the log holds another attestation")]
    EntryMismatch,
    /// A value has no canonical form.
    #[error(transparent)]
    Json(#[from] JsonError),
}

/// Where an entry stands in the log, and the proof of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogInclusion {
    /// Full 32-byte key id of the log key (see [`LogKey::key_id`]).
    pub log_key_id: Sha256,
    /// The leaf's index.
    pub log_index: u64,
    /// The size of the tree that the checkpoint signs.
    pub tree_size: u64,
    /// The root of that tree.
    pub root_hash: Sha256,
    /// The inclusion proof, from leaf to root (RFC 9162, section 2.1.3).
    pub hashes: Vec<Sha256>,
    /// The signed checkpoint's text.
    pub checkpoint: String,
}

/// The bytes of the leaf that logs an envelope: `hashedrekord` 0.0.2 over its pre-authentication encoding.
///
/// # Errors
/// None in practice; every value here has a canonical form.
pub fn log_entry(envelope: &Envelope, key: &P256PublicKey) -> Result<Canonical, JsonError> {
    Canonical::of_value(&json!({
        "apiVersion": ENTRY_VERSION,
        "kind": ENTRY_KIND,
        "spec": {"hashedRekordV002": {
            "data": {"algorithm": "SHA2_256", "digest": encode_standard(envelope.signed_digest().as_bytes())},
            "signature": {
                "content": encode_standard(envelope.signature()),
                "verifier": {
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "publicKey": {"rawBytes": encode_standard(&key.to_spki())},
                },
            },
        }},
    }))
}

/// An envelope with the proof that it is in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bundle {
    media_type: String,
    verification_material: VerificationMaterial,
    dsse_envelope: Envelope,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct VerificationMaterial {
    public_key: PublicKeyIdentifier,
    tlog_entries: [LogEntry; 1],
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PublicKeyIdentifier {
    hint: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LogEntry {
    log_index: Decimal,
    log_id: LogId,
    kind_version: KindVersion,
    inclusion_proof: InclusionProof,
    canonicalized_body: Base64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LogId {
    key_id: Base64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KindVersion {
    kind: String,
    version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct InclusionProof {
    log_index: Decimal,
    root_hash: Base64,
    tree_size: Decimal,
    hashes: Vec<Base64>,
    checkpoint: Checkpoint,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Checkpoint {
    envelope: String,
}

impl Bundle {
    /// Puts an envelope and its proof together.
    ///
    /// # Errors
    /// [`SigstoreError::InconsistentIndex`] for an index outside the tree, [`SigstoreError::WrongKey`] for a key
    /// that the envelope does not name.
    pub fn new(
        envelope: Envelope,
        key: &P256PublicKey,
        inclusion: LogInclusion,
    ) -> Result<Self, SigstoreError> {
        let body = log_entry(&envelope, key)?;
        let entry = LogEntry {
            log_index: Decimal(inclusion.log_index),
            log_id: LogId { key_id: Base64::from(inclusion.log_key_id) },
            kind_version: KindVersion { kind: ENTRY_KIND.to_owned(), version: ENTRY_VERSION.to_owned() },
            inclusion_proof: InclusionProof {
                log_index: Decimal(inclusion.log_index),
                root_hash: Base64::from(inclusion.root_hash),
                tree_size: Decimal(inclusion.tree_size),
                hashes: inclusion.hashes.into_iter().map(Base64::from).collect(),
                checkpoint: Checkpoint { envelope: inclusion.checkpoint },
            },
            canonicalized_body: Base64(body.as_bytes().to_vec()),
        };
        let public_key = PublicKeyIdentifier { hint: encode_standard(key.key_digest().as_bytes()) };
        let bundle = Self {
            media_type: BUNDLE_MEDIA_TYPE.to_owned(),
            verification_material: VerificationMaterial { public_key, tlog_entries: [entry] },
            dsse_envelope: envelope,
        };
        bundle.check_shape()?;
        bundle.check_entry(key)?;
        Ok(bundle)
    }

    /// Reads a bundle from strict JSON.
    ///
    /// # Errors
    /// Refuses unknown and repeated members, loose base64, loose integers, more or fewer than one log entry,
    /// other kinds of entry, and an index that does not fit its proof.
    pub fn parse(json: &[u8]) -> Result<Self, SigstoreError> {
        let bundle: Self = serde_json::from_value(json::parse(json)?)
            .map_err(|error| SigstoreError::Malformed(error.to_string()))?;
        bundle.check_shape()?;
        Ok(bundle)
    }

    /// Checks that the hint names this key, and that the logged entry is exactly the one of this envelope under
    /// this key. Signature and inclusion proof are checked elsewhere: [`Envelope::verify`], and the ledger.
    ///
    /// # Errors
    /// [`SigstoreError::WrongKey`] or [`SigstoreError::EntryMismatch`].
    pub fn check_entry(&self, key: &P256PublicKey) -> Result<(), SigstoreError> {
        let named = decode_standard(&self.verification_material.public_key.hint).ok();
        if named.as_deref() != Some(key.key_digest().as_bytes())
            || self.dsse_envelope.key_id() != key.key_digest()
        {
            return Err(SigstoreError::WrongKey);
        }
        if log_entry(&self.dsse_envelope, key)?.as_bytes() != self.leaf() {
            return Err(SigstoreError::EntryMismatch);
        }
        Ok(())
    }

    /// The envelope.
    pub fn envelope(&self) -> &Envelope {
        &self.dsse_envelope
    }

    /// The bytes of the log's leaf.
    pub fn leaf(&self) -> &[u8] {
        &self.entry().canonicalized_body.0
    }

    /// Where the entry stands, and the proof of it.
    ///
    /// # Errors
    /// [`SigstoreError::Malformed`] where a hash is not 32 bytes long.
    pub fn inclusion(&self) -> Result<LogInclusion, SigstoreError> {
        let proof = &self.entry().inclusion_proof;
        Ok(LogInclusion {
            log_key_id: self.entry().log_id.key_id.digest()?,
            log_index: proof.log_index.0,
            tree_size: proof.tree_size.0,
            root_hash: proof.root_hash.digest()?,
            hashes: proof.hashes.iter().map(Base64::digest).collect::<Result<_, _>>()?,
            checkpoint: proof.checkpoint.envelope.clone(),
        })
    }

    /// The bundle's JSON, canonical.
    ///
    /// # Errors
    /// None in practice; every value here has a canonical form.
    pub fn to_json(&self) -> Result<Canonical, JsonError> {
        Canonical::of(self)
    }

    fn entry(&self) -> &LogEntry {
        let [entry] = &self.verification_material.tlog_entries;
        entry
    }

    fn check_shape(&self) -> Result<(), SigstoreError> {
        let malformed = |what: &str| Err(SigstoreError::Malformed(what.to_owned()));
        let (entry, inclusion) = (self.entry(), self.inclusion()?);
        if self.media_type != BUNDLE_MEDIA_TYPE {
            return malformed("`mediaType` is another");
        }
        if entry.kind_version.kind != ENTRY_KIND || entry.kind_version.version != ENTRY_VERSION {
            return malformed("`kindVersion` is another");
        }
        if inclusion.hashes.len() > MAX_PROOF_HASHES {
            return malformed("the proof is too long");
        }
        if entry.log_index.0 != inclusion.log_index || inclusion.log_index >= inclusion.tree_size {
            return Err(SigstoreError::InconsistentIndex {
                index: entry.log_index.0,
                proof_index: inclusion.log_index,
                tree_size: inclusion.tree_size,
            });
        }
        Ok(())
    }
}
