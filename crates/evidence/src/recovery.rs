//! Offline recovery keys: so many of those that `trust.json` names may let one person back in when the administrators
//! cannot. They sign the same identity document as people do, under a context of their own.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use chancery_canonical::base64::{decode_url, encode_url};
use chancery_canonical::{Canonical, Sha256};
use chancery_domain::signature::RecoverySignature;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ed25519;

/// First line of what recovery keys hash and sign.
pub const RECOVERY_CONTEXT: &str = "chancery recovery v1\n";

/// The longest that an identity document may be offered to recovery keys: a week, since they lie in safes.
pub const MAX_RECOVERY_OFFER_SECONDS: u64 = 7 * 24 * 3600;

/// The public half of a recovery key. As text: its 32 bytes in base64url without padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecoveryKey([u8; 32]);

/// Not 32 bytes of base64url, or a point under which one signature verifies for many messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not an acceptable Ed25519 public key: give the one that `chancery trust recovery-key` wrote")]
pub struct RecoveryKeyError;

/// Why signatures of recovery keys do not stand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryRefusal {
    /// The root names no recovery keys.
    #[error("the trust root names no recovery keys")]
    None,
    /// Signed by a key that the root does not name.
    #[error("a signature is by `{0}`, which is no recovery key of the trust root")]
    UnknownKey(String),
    /// One key counts once.
    #[error("recovery key `{0}` signed twice: it takes distinct keys")]
    SignedTwice(RecoveryKey),
    /// Not a signature over this document.
    #[error("the signature of recovery key `{0}` is not one over this document: sign it again")]
    Signature(RecoveryKey),
    /// Too few.
    #[error("{found} recovery keys signed where {needed} are needed")]
    TooFew {
        /// How many signed.
        found: usize,
        /// How many must.
        needed: usize,
    },
}

impl RecoveryRefusal {
    /// A stable name for logs, API answers and evidence reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::None => "recovery_no_keys",
            Self::UnknownKey(_) => "recovery_unknown_key",
            Self::SignedTwice(_) => "recovery_signed_twice",
            Self::Signature(_) => "recovery_signature",
            Self::TooFew { .. } => "recovery_too_few",
        }
    }
}

/// What a recovery key signs: the 32 bytes of SHA-256(`"chancery recovery v1\n"` ‖ the identity document).
pub fn recovery_challenge(document: &Canonical) -> Sha256 {
    Sha256::of_parts(&[RECOVERY_CONTEXT.as_bytes(), document.as_bytes()])
}

/// Checks that so many distinct ones of these keys signed this document, and nobody else did.
///
/// # Errors
/// [`RecoveryRefusal`], the first check that fails.
pub fn verify_recovery(
    document: &Canonical,
    signatures: &[RecoverySignature],
    keys: &[RecoveryKey],
    threshold: u32,
) -> Result<(), RecoveryRefusal> {
    if keys.is_empty() || threshold == 0 {
        return Err(RecoveryRefusal::None);
    }
    let signed = recovery_challenge(document);
    let mut signers = BTreeSet::new();
    for RecoverySignature { public_key, signature } in signatures {
        let key = keys.iter().find(|key| key.0.as_slice() == public_key.as_bytes());
        let key = *key.ok_or_else(|| RecoveryRefusal::UnknownKey(public_key.to_string()))?;
        if !signers.insert(key) {
            return Err(RecoveryRefusal::SignedTwice(key));
        }
        let verified =
            UnparsedPublicKey::new(&ED25519, key.0).verify(signed.as_bytes(), signature.as_bytes());
        verified.map_err(|_| RecoveryRefusal::Signature(key))?;
    }
    let (found, needed) = (signers.len(), usize::try_from(threshold).unwrap_or(usize::MAX));
    if found < needed { Err(RecoveryRefusal::TooFew { found, needed }) } else { Ok(()) }
}

impl RecoveryKey {
    /// From the raw key (RFC 8032, section 5.1.5).
    ///
    /// # Errors
    /// [`RecoveryKeyError`].
    pub fn new(bytes: [u8; 32]) -> Result<Self, RecoveryKeyError> {
        if ed25519::is_acceptable(&bytes) { Ok(Self(bytes)) } else { Err(RecoveryKeyError) }
    }

    /// The raw key.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// SHA-256 of the raw key: the name under which people compare it.
    pub fn sha256(&self) -> Sha256 {
        Sha256::of(&self.0)
    }
}

impl FromStr for RecoveryKey {
    type Err = RecoveryKeyError;

    fn from_str(text: &str) -> Result<Self, RecoveryKeyError> {
        let bytes = decode_url(text).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        Self::new(bytes.ok_or(RecoveryKeyError)?)
    }
}

impl fmt::Display for RecoveryKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&encode_url(&self.0))
    }
}

impl Serialize for RecoveryKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RecoveryKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
