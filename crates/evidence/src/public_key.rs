//! Public keys in the encodings that other tools read: `SubjectPublicKeyInfo` DER and PEM (RFC 5280, RFC 5480,
//! RFC 8410, RFC 7468).

use std::fmt;

use chancery_canonical::Sha256;
use chancery_canonical::base64::{decode_standard, encode_standard};
use ring::signature::{ECDSA_P256_SHA256_ASN1, EcdsaKeyPair, KeyPair, UnparsedPublicKey};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What stands before the point in the DER of every P-256 key.
const P256_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// What stands before the key in the DER of every Ed25519 key.
const ED25519_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

const PEM_HEADER: &str = "-----BEGIN PUBLIC KEY-----\n";
const PEM_FOOTER: &str = "-----END PUBLIC KEY-----\n";

/// Why bytes are not a public key, or a signature not one of this key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    /// Not the 65 bytes of an uncompressed P-256 point, or not their `SubjectPublicKeyInfo`.
    #[error("not a P-256 public key: give an uncompressed point, as `openssl ec -pubout` writes it")]
    NotP256,
    /// Not a `SubjectPublicKeyInfo` of an Ed25519 key.
    #[error("not an Ed25519 public key: give it as `openssl pkey -pubout` writes it")]
    NotEd25519,
    /// Not the PEM form of a public key.
    #[error("not a PEM public key with lines of 64 characters: give it as `openssl pkey -pubout` writes it")]
    NotPem,
    /// The signature does not verify.
    #[error("signature does not verify under this key")]
    BadSignature,
}

/// A P-256 public key. In JSON: standard base64 of its `SubjectPublicKeyInfo`.
///
/// That the point lies on the curve is found out when a signature is verified.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct P256PublicKey {
    x: [u8; 32],
    y: [u8; 32],
}

impl P256PublicKey {
    /// Takes an uncompressed point: 0x04, x, y (SEC 1, section 2.3.3).
    ///
    /// # Errors
    /// [`PublicKeyError::NotP256`].
    pub fn from_point(point: &[u8]) -> Result<Self, PublicKeyError> {
        let coordinates: &[u8; 64] =
            point.strip_prefix(&[4]).and_then(|rest| rest.try_into().ok()).ok_or(PublicKeyError::NotP256)?;
        let (x, y) = coordinates.split_at(32);
        match (x.try_into(), y.try_into()) {
            (Ok(x), Ok(y)) => Ok(Self { x, y }),
            _ => Err(PublicKeyError::NotP256),
        }
    }

    /// The public half of a signing key.
    ///
    /// # Errors
    /// [`PublicKeyError::NotP256`] for a key on another curve.
    pub fn of(key: &EcdsaKeyPair) -> Result<Self, PublicKeyError> {
        Self::from_point(key.public_key().as_ref())
    }

    /// Reads a `SubjectPublicKeyInfo` in DER.
    ///
    /// # Errors
    /// [`PublicKeyError::NotP256`] for anything but an uncompressed key on the named curve.
    pub fn from_spki(der: &[u8]) -> Result<Self, PublicKeyError> {
        Self::from_point(der.strip_prefix(&P256_PREFIX).ok_or(PublicKeyError::NotP256)?)
    }

    /// Reads the PEM form that [`to_pem`] writes.
    ///
    /// # Errors
    /// [`PublicKeyError::NotPem`] or [`PublicKeyError::NotP256`].
    pub fn from_pem(pem: &str) -> Result<Self, PublicKeyError> {
        Self::from_spki(&from_pem(pem)?)
    }

    /// Verifies an ASN.1 DER signature over `message`, which is hashed here with SHA-256.
    ///
    /// # Errors
    /// [`PublicKeyError::BadSignature`], also for a point that is not on the curve.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), PublicKeyError> {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, self.to_point())
            .verify(message, signature)
            .map_err(|_| PublicKeyError::BadSignature)
    }

    /// The uncompressed point, 65 bytes.
    pub fn to_point(&self) -> Vec<u8> {
        [&[4], self.x.as_slice(), &self.y].concat()
    }

    /// The two coordinates, big-endian.
    pub fn coordinates(&self) -> (&[u8; 32], &[u8; 32]) {
        (&self.x, &self.y)
    }

    /// The `SubjectPublicKeyInfo` in DER, 91 bytes.
    pub fn to_spki(&self) -> Vec<u8> {
        [P256_PREFIX.as_slice(), &self.to_point()].concat()
    }

    /// The PEM form.
    pub fn to_pem(&self) -> String {
        to_pem(&self.to_spki())
    }

    /// SHA-256 of the `SubjectPublicKeyInfo`: the name of this key in envelopes and bundles.
    pub fn key_digest(&self) -> Sha256 {
        Sha256::of(&self.to_spki())
    }
}

/// The `SubjectPublicKeyInfo` of an Ed25519 key, 44 bytes.
pub fn ed25519_spki(key: &[u8; 32]) -> Vec<u8> {
    [ED25519_PREFIX.as_slice(), key].concat()
}

/// Reads the `SubjectPublicKeyInfo` of an Ed25519 key.
///
/// # Errors
/// [`PublicKeyError::NotEd25519`].
pub fn ed25519_from_spki(der: &[u8]) -> Result<[u8; 32], PublicKeyError> {
    der.strip_prefix(&ED25519_PREFIX).and_then(|key| key.try_into().ok()).ok_or(PublicKeyError::NotEd25519)
}

/// The PEM form of a `SubjectPublicKeyInfo`, with lines of 64 characters and a final newline.
pub fn to_pem(spki: &[u8]) -> String {
    let mut pem = PEM_HEADER.to_owned();
    for (position, character) in encode_standard(spki).chars().enumerate() {
        if position > 0 && position % 64 == 0 {
            pem.push('\n');
        }
        pem.push(character);
    }
    pem.push('\n');
    pem.push_str(PEM_FOOTER);
    pem
}

/// Reads exactly the PEM form that [`to_pem`] writes.
///
/// # Errors
/// [`PublicKeyError::NotPem`].
pub fn from_pem(pem: &str) -> Result<Vec<u8>, PublicKeyError> {
    let body = pem.strip_prefix(PEM_HEADER).and_then(|rest| rest.strip_suffix(PEM_FOOTER));
    let body = body.ok_or(PublicKeyError::NotPem)?.replace('\n', "");
    let spki = decode_standard(&body).map_err(|_| PublicKeyError::NotPem)?;
    if to_pem(&spki) == pem { Ok(spki) } else { Err(PublicKeyError::NotPem) }
}

impl fmt::Debug for P256PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "P256PublicKey({})", self.key_digest())
    }
}

impl Serialize for P256PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode_standard(&self.to_spki()))
    }
}

impl<'de> Deserialize<'de> for P256PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let der = decode_standard(&String::deserialize(deserializer)?).map_err(D::Error::custom)?;
        Self::from_spki(&der).map_err(D::Error::custom)
    }
}
