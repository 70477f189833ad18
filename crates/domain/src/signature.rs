//! Signatures as they stand in events. Data only: what they prove is decided by `chancery-evidence`.

use chancery_canonical::{Bytes, Canonical};
use serde::{Deserialize, Serialize};

use crate::id::PersonId;

/// Longest credential id taken, in bytes; WebAuthn allows 1023, which would leave a leaf no room for the rest.
pub const MAX_CREDENTIAL_ID: usize = 255;

/// A WebAuthn assertion (WebAuthn Level 3 §5.2.2), as the authenticator returned it. Not redactable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assertion {
    /// Raw credential id.
    pub credential_id: Bytes<MAX_CREDENTIAL_ID>,
    /// Authenticator data (§6.1).
    pub authenticator_data: Bytes<512>,
    /// Client data (§5.8.1), exactly as it was signed.
    pub client_data_json: Bytes<1024>,
    /// Signature over `authenticator_data ‖ SHA-256(client_data_json)`.
    pub signature: Bytes<512>,
}

/// How a requester signed: SHA-256("chancery request v1\n" ‖ JCS(request document)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum RequestSignature {
    /// By a passkey whose challenge is that digest.
    Passkey {
        /// The assertion.
        assertion: Assertion,
    },
    /// By a session key that a passkey introduced at sign-in.
    SessionKey {
        /// The session document, as signed.
        session: Canonical,
        /// The passkey's assertion over it.
        introduction: Assertion,
        /// Ed25519 signature over the 32 bytes of the digest.
        signature: Bytes<64>,
    },
}

/// One administrator's or owner's signature under a shared document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonSignature {
    /// Who signed.
    pub person: PersonId,
    /// With which passkey, and how.
    pub assertion: Assertion,
}

/// An offline recovery key's signature under an identity document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecoverySignature {
    /// Raw Ed25519 public key, 32 bytes.
    pub public_key: Bytes<32>,
    /// Over the 32 bytes of SHA-256("chancery recovery v1\n" ‖ document).
    pub signature: Bytes<64>,
}

/// Why an identity event is allowed to stand (trust.md §Persons and keys are chained).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Authority {
    /// It was there when trust.json was sealed, and trust.json names its person and key.
    Genesis,
    /// Signed by people: one of the person's own keys, or identity administrators.
    People {
        /// The identity document, as all of them signed it.
        document: Canonical,
        /// Who did.
        signatures: Vec<PersonSignature>,
    },
    /// Signed by offline recovery keys that trust.json names.
    RecoveryKeys {
        /// The identity document, as all of them signed it.
        document: Canonical,
        /// By which keys.
        signatures: Vec<RecoverySignature>,
    },
}
