//! People who lost their keys, and the offline keys that let them back in when no administrators can.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::passkey::PasskeyView;

/// `POST /api/v1/recoveries`: the answer is a link that the person uses to make a new passkey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoveryRequest {
    /// Who lost their keys.
    pub person: String,
}

/// A recovery that can still be stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecoveryView {
    /// The new passkey, raw credential id, base64url.
    pub credential_id: String,
    /// From when on it counts.
    pub counts_from: String,
    /// The passkeys whose place it takes. Until then each of them can stop the recovery, and nothing else.
    pub lost: Vec<PasskeyView>,
}

/// `POST /api/v1/recoveries/documents`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoveryDocumentRequest {
    /// Name of the enrolment that waits.
    pub enrolment: String,
}

/// What recovery keys sign, away from any network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecoveryDocument {
    /// The identity document, canonical text.
    pub document: String,
    /// SHA-256 of the document.
    pub document_sha256: String,
    /// What is signed, hexadecimal: SHA-256 of the line `chancery recovery v1` and the document.
    pub challenge: String,
    /// How many distinct keys have to sign.
    pub needed: u32,
    /// Those that may, as trust.json names them.
    pub keys: Vec<String>,
    /// When the offer ends.
    pub expires_at: String,
}

/// `POST /api/v1/recoveries/signatures`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoverySubmission {
    /// The document, as offered.
    pub document: String,
    /// Signatures of distinct keys, all that are needed.
    pub signatures: Vec<RecoverySignature>,
}

/// One recovery key's signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoverySignature {
    /// Raw Ed25519 public key, base64url.
    pub public_key: String,
    /// Ed25519 signature over the 32 bytes of the challenge, base64url.
    pub signature: String,
}
