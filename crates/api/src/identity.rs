//! Acts on people, keys and roles: signed, and where need be signed by two.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::enrolment::Progress;
use crate::passkey::{Assertion, RequestOptions};

/// `POST /api/v1/identity/options`.
///
/// | act | body |
/// |---|---|
/// | `person.created`, `passkey.enrolled`, `person.recovered` | `{enrolment}` |
/// | `passkey.removed`, `recovery.cancelled` | `{person, credential_id}` |
/// | `role.granted`, `role.removed` | `{person, role}` |
/// | `attribute.assigned` | `{person, name, value}` |
/// | `person.suspended`, `person.reinstated` | `{person}` |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityOptionsRequest {
    /// Kind of the event.
    pub act: String,
    /// What it says.
    #[schema(value_type = Object)]
    pub body: Map<String, Value>,
}

/// What to sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IdentityOptions {
    /// The identity document, canonical text.
    pub document: String,
    /// SHA-256 of the document.
    pub document_sha256: String,
    /// How many people have to sign it in all.
    pub needed: u32,
    /// Salted disclosures of concealed values in it, such as the name.
    pub disclosures: Vec<String>,
    /// For `navigator.credentials.get`.
    pub public_key: RequestOptions,
}

/// `POST /api/v1/identity`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityRequest {
    /// The document, as offered.
    pub document: String,
    /// The signer's assertion over it.
    pub assertion: Assertion,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IdentityOutcome {
    /// Whether it stands in the log.
    pub status: Progress,
    /// SHA-256 of the document.
    pub document_sha256: String,
    /// Whom it is about.
    pub person: String,
    /// Who signed so far.
    pub signed_by: Vec<String>,
    /// How many have to sign in all.
    pub needed: u32,
    /// Where it stands in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaf_index: Option<u64>,
}

/// `GET /api/v1/identity/waiting`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WaitingActList {
    /// Those that wait.
    pub items: Vec<WaitingAct>,
}

/// An act that waits for another signature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WaitingAct {
    /// Kind of the event.
    pub act: String,
    /// Whom it is about.
    pub person: String,
    /// The document, canonical text: this very text is signed.
    pub document: String,
    /// SHA-256 of the document.
    pub document_sha256: String,
    /// Salted disclosures of concealed values in it.
    pub disclosures: Vec<String>,
    /// Who signed so far.
    pub signed_by: Vec<String>,
    /// How many have to sign in all.
    pub needed: u32,
    /// When the offer ends.
    pub expires_at: String,
    /// With which of the reader's passkeys to sign; absent when the reader may not, or did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<RequestOptions>,
}
