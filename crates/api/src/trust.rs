//! The trust root, to be read, and its successor: what administrators sign, and how far it has come.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::enrolment::Progress;
use crate::passkey::{Assertion, RequestOptions};

/// `GET /api/v1/trust`. Whoever relies on it gets it from somewhere else than from this server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrustView {
    /// Version of the trust root.
    pub version: u64,
    /// SHA-256 of `trust.json`, to compare with a copy.
    pub sha256: String,
    /// When it is believed no longer.
    pub expires_at: String,
    /// `trust.json`, as it was sealed.
    pub text: String,
}

/// `GET /api/v1/trust/successor`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TrustSuccessor {
    /// The present `trust.json`, canonical text.
    pub current: String,
    /// SHA-256 of it, which the successor names.
    pub current_sha256: String,
    /// The next `trust.json`, canonical text: this very text is signed.
    pub successor: String,
    /// SHA-256 of it.
    pub successor_sha256: String,
    /// Who signed so far.
    pub signed_by: Vec<String>,
    /// How many administrators have to sign in all, at least.
    pub needed: u32,
    /// When the offer ends.
    pub expires_at: String,
    /// With which of the reader's passkeys to sign; absent when the reader may not, or did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<RequestOptions>,
}

/// `POST /api/v1/trust/successor/signatures`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrustSignature {
    /// SHA-256 of the text that was signed.
    pub successor_sha256: String,
    /// The signer's assertion over it.
    pub assertion: Assertion,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrustOutcome {
    /// Whether it is the trust root now.
    pub status: Progress,
    /// Its version.
    pub version: u64,
    /// SHA-256 of it.
    pub successor_sha256: String,
    /// Who signed so far.
    pub signed_by: Vec<String>,
    /// How many administrators have to sign in all, at least.
    pub needed: u32,
    /// Where it stands in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaf_index: Option<u64>,
}
