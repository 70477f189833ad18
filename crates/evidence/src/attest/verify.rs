//! Whether an attestation says exactly what its event leads to, under a key that the trust root names for it.

use chancery_canonical::Sha256;
use serde_json::{Map, Value};

use super::{AttestedSubject, Predicate};
use crate::dsse::{DsseError, Envelope};
use crate::public_key::P256PublicKey;
use crate::trust::TrustRoot;

/// Why an attestation does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttestationRefusal {
    /// The trust root does not let this key say this.
    #[error("the trust root names no key `{key}` for attestations of `{predicate}`")]
    UnknownKey {
        /// What would be said.
        predicate: &'static str,
        /// SHA-256 of the key's `SubjectPublicKeyInfo`.
        key: Sha256,
    },
    /// The envelope does not stand.
    #[error(transparent)]
    Envelope(#[from] DsseError),
    /// It says something else than its event.
    #[error("the attestation differs from its event in its {0}")]
    Differs(&'static str),
}

impl AttestationRefusal {
    /// A stable name for logs and evidence reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownKey { .. } => "attestation_key",
            Self::Envelope(_) => "attestation_envelope",
            Self::Differs(_) => "attestation_differs",
        }
    }
}

/// Checks an envelope against the statement that it must hold, and returns the key that signed.
///
/// # Errors
/// [`AttestationRefusal`], the first check that fails.
pub fn verify_attestation(
    envelope: &Envelope,
    root: &TrustRoot,
    predicate: Predicate,
    subject: &AttestedSubject,
    body: &Map<String, Value>,
) -> Result<P256PublicKey, AttestationRefusal> {
    let keys = root.attestation_keys(predicate.name());
    let key = keys.iter().find(|key| key.key_digest() == envelope.key_id()).ok_or_else(|| {
        AttestationRefusal::UnknownKey { predicate: predicate.name(), key: envelope.key_id() }
    })?;
    let statement = envelope.verify(key)?;
    if statement.predicate_type() != predicate.predicate_type() {
        return Err(AttestationRefusal::Differs("predicate type"));
    }
    let [about] = statement.subjects() else { return Err(AttestationRefusal::Differs("subject")) };
    if about.name != subject.name() || about.digest.sha256 != subject.sha256() {
        return Err(AttestationRefusal::Differs("subject"));
    }
    if statement.predicate() != body {
        return Err(AttestationRefusal::Differs("content"));
    }
    Ok(*key)
}
