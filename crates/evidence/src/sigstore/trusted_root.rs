//! `trusted_root.json` v0.1: which logs a Sigstore verifier believes.

use chancery_canonical::base64::encode_standard;
use chancery_canonical::json::JsonError;
use chancery_canonical::{Canonical, Sha256};
use serde::Serialize;
use serde_json::json;

use crate::public_key::ed25519_spki;

const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";
/// Signature type of Ed25519 in signed notes (c2sp.org/signed-note).
const NOTE_ED25519: u8 = 0x01;

/// A log's identity: its origin, its key, and since when the key signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogKey {
    /// The origin of its checkpoints: a bare host name, since verifiers compare it with the host of `baseUrl`.
    pub origin: String,
    /// Its Ed25519 public key.
    pub public_key: [u8; 32],
    /// Since when it signs, RFC 3339 UTC.
    pub valid_from: String,
}

/// A trusted root for verifiers of other makers. It holds no certificate authority: keys are given by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct TrustedRoot(serde_json::Value);

impl LogKey {
    /// The full key id: SHA-256 of name, newline, signature type and key. Its first four bytes stand in notes.
    pub fn key_id(&self) -> Sha256 {
        Sha256::of_parts(&[self.origin.as_bytes(), &[b'\n', NOTE_ED25519], &self.public_key])
    }
}

impl TrustedRoot {
    /// A trusted root of these logs, oldest first.
    pub fn new(logs: &[LogKey]) -> Self {
        let logs: Vec<_> = logs
            .iter()
            .map(|log| {
                json!({
                    "baseUrl": format!("https://{}", log.origin),
                    "hashAlgorithm": "SHA2_256",
                    "publicKey": {
                        "rawBytes": encode_standard(&ed25519_spki(&log.public_key)),
                        "keyDetails": "PKIX_ED25519",
                        "validFor": {"start": log.valid_from},
                    },
                    "logId": {"keyId": encode_standard(log.key_id().as_bytes())},
                })
            })
            .collect();
        Self(json!({
            "mediaType": MEDIA_TYPE,
            "tlogs": logs,
            "certificateAuthorities": [],
            "ctlogs": [],
            "timestampAuthorities": [],
        }))
    }

    /// Its JSON, canonical.
    ///
    /// # Errors
    /// None in practice; every value here has a canonical form.
    pub fn to_json(&self) -> Result<Canonical, JsonError> {
        Canonical::of(&self.0)
    }
}
