//! Signed attestations: DSSE v1 envelopes around in-toto Statements v1.
//!
//! What is signed is the pre-authentication encoding of the payload's bytes. Those bytes are kept as they came
//! and never written again from parsed values.

mod statement;

use chancery_canonical::base64::{decode_standard, encode_standard};
use chancery_canonical::json::{self, JsonError};
use chancery_canonical::{Canonical, Sha256};
use ring::rand::SecureRandom;
use ring::signature::EcdsaKeyPair;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::public_key::{P256PublicKey, PublicKeyError};

pub use statement::{STATEMENT_TYPE, Statement, Subject, SubjectDigest};

/// The payload type of in-toto statements.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The largest payload, in bytes.
pub const MAX_PAYLOAD_BYTES: usize = 1024 * 1024;

/// A DER signature on P-256 is never longer than this, in bytes.
const MAX_SIGNATURE_BYTES: usize = 72;

/// Why an envelope is refused or cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DsseError {
    /// The envelope is not strict JSON, or has other fields than a DSSE envelope.
    #[error("envelope is not a DSSE envelope: {0}")]
    MalformedEnvelope(String),
    /// The payload type is not [`PAYLOAD_TYPE`].
    #[error("payload type `{0}` is not `{PAYLOAD_TYPE}`")]
    WrongPayloadType(String),
    /// More or fewer than one signature.
    #[error("envelope holds {0} signatures where exactly one is expected")]
    SignatureCount(usize),
    /// The payload is larger than [`MAX_PAYLOAD_BYTES`].
    #[error("payload is larger than {MAX_PAYLOAD_BYTES} bytes")]
    PayloadTooLarge,
    /// The signature names another key.
    #[error("envelope was signed by key `{0}`: use the key of that name")]
    WrongKey(Sha256),
    /// The signature does not verify.
    #[error("attestation signature does not verify")]
    BadSignature,
    /// The signing key is not on P-256, or signing failed.
    #[error("attestation cannot be signed: use a P-256 key")]
    CannotSign,
    /// The payload is not strict JSON.
    #[error("payload holds unacceptable JSON: {0}")]
    PayloadJson(#[from] JsonError),
    /// The payload is not an in-toto Statement v1.
    #[error("payload is not an in-toto Statement v1: {0}")]
    MalformedStatement(String),
}

/// The pre-authentication encoding (DSSE protocol, section "Signature Definition"): what is signed and, hashed,
/// what the log names.
pub fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let header = format!("DSSEv1 {} {} {} ", payload_type.len(), payload_type, payload.len());
    [header.as_bytes(), payload].concat()
}

/// A DSSE envelope with an in-toto payload and exactly one signature, ECDSA P-256 with SHA-256 in DER.
///
/// In JSON it is the standard's envelope, with strict standard base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    payload: Vec<u8>,
    key_id: Sha256,
    signature: Vec<u8>,
}

impl Envelope {
    /// Signs a statement, in its canonical form.
    ///
    /// # Errors
    /// [`DsseError::CannotSign`] for a key on another curve, or a statement without canonical form.
    pub fn sign(
        statement: &Statement,
        key: &EcdsaKeyPair,
        random: &dyn SecureRandom,
    ) -> Result<Self, DsseError> {
        let public_key = P256PublicKey::of(key).map_err(|_| DsseError::CannotSign)?;
        let signed = Self::sign_as(statement, key, public_key.key_digest(), random)?;
        // A key made for fixed-length signatures signs well and verifies nowhere.
        public_key.verify(&signed.signed_bytes(), &signed.signature).map_err(|_| DsseError::CannotSign)?;
        Ok(signed)
    }

    /// The same with a key that is known to sign what verifies, and its digest.
    pub(crate) fn sign_as(
        statement: &Statement,
        key: &EcdsaKeyPair,
        key_id: Sha256,
        random: &dyn SecureRandom,
    ) -> Result<Self, DsseError> {
        let payload = Canonical::of(statement)?;
        let encoded = pre_authentication_encoding(PAYLOAD_TYPE, payload.as_bytes());
        let signature = key.sign(random, &encoded).map_err(|_| DsseError::CannotSign)?.as_ref().to_vec();
        Self::from_parts(payload.as_bytes().to_vec(), key_id, signature)
    }

    /// Reads an envelope from strict JSON.
    ///
    /// # Errors
    /// Refuses unknown and repeated members, loose base64, another payload type, and any number of signatures
    /// but one.
    pub fn parse(json: &[u8]) -> Result<Self, DsseError> {
        let value = json::parse(json).map_err(|error| DsseError::MalformedEnvelope(error.to_string()))?;
        let raw = serde_json::from_value(value);
        Self::from_raw(raw.map_err(|error| DsseError::MalformedEnvelope(error.to_string()))?)
    }

    /// Verifies the signature, and reads the statement only then.
    ///
    /// # Errors
    /// [`DsseError::WrongKey`], [`DsseError::BadSignature`], or the refusals of [`Statement::parse`].
    pub fn verify(&self, key: &P256PublicKey) -> Result<Statement, DsseError> {
        if self.key_id != key.key_digest() {
            return Err(DsseError::WrongKey(self.key_id));
        }
        key.verify(&self.signed_bytes(), &self.signature).map_err(|error| match error {
            PublicKeyError::BadSignature
            | PublicKeyError::NotP256
            | PublicKeyError::NotEd25519
            | PublicKeyError::NotPem => DsseError::BadSignature,
        })?;
        Statement::parse(&self.payload)
    }

    /// The payload's bytes, as signed.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The DER signature.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// SHA-256 of the signer's `SubjectPublicKeyInfo`. A hint until [`Envelope::verify`] has succeeded.
    pub fn key_id(&self) -> Sha256 {
        self.key_id
    }

    /// The pre-authentication encoding: what is signed.
    pub fn signed_bytes(&self) -> Vec<u8> {
        pre_authentication_encoding(PAYLOAD_TYPE, &self.payload)
    }

    /// SHA-256 of the pre-authentication encoding: how the log names this attestation.
    pub fn signed_digest(&self) -> Sha256 {
        Sha256::of(&self.signed_bytes())
    }

    fn from_parts(payload: Vec<u8>, key_id: Sha256, signature: Vec<u8>) -> Result<Self, DsseError> {
        if payload.len() > MAX_PAYLOAD_BYTES {
            return Err(DsseError::PayloadTooLarge);
        }
        if signature.len() > MAX_SIGNATURE_BYTES {
            return Err(DsseError::BadSignature);
        }
        Ok(Self { payload, key_id, signature })
    }

    fn from_raw(raw: RawEnvelope) -> Result<Self, DsseError> {
        if raw.payload_type != PAYLOAD_TYPE {
            return Err(DsseError::WrongPayloadType(raw.payload_type));
        }
        let count = raw.signatures.len();
        let Ok([signature]) = <[RawSignature; 1]>::try_from(raw.signatures) else {
            return Err(DsseError::SignatureCount(count));
        };
        let decode = |text: &str| {
            decode_standard(text).map_err(|error| DsseError::MalformedEnvelope(error.to_string()))
        };
        Self::from_parts(decode(&raw.payload)?, signature.keyid, decode(&signature.sig)?)
    }

    fn to_raw(&self) -> RawEnvelope {
        RawEnvelope {
            payload: encode_standard(&self.payload),
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: vec![RawSignature { keyid: self.key_id, sig: encode_standard(&self.signature) }],
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawEnvelope {
    payload: String,
    payload_type: String,
    signatures: Vec<RawSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSignature {
    keyid: Sha256,
    sig: String,
}

impl Serialize for Envelope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_raw().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Envelope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_raw(RawEnvelope::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
