//! Signing in and out.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::passkey::{Assertion, PasskeyView, RequestOptions};
use crate::recovery::RecoveryView;

/// `POST /api/v1/sessions/options`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionOptionsRequest {
    /// Who signs in. The document names the person, so a page that does not know them first asks any
    /// discoverable passkey (leave this out), reads the id from `userHandle`, and asks again with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// Raw Ed25519 public key of the session, base64url; absent for a browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// A login that a command line began; its key is introduced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
}

/// What to sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionOptions {
    /// The session document, canonical text; absent while the person is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// The code that the command line shows, to compare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// For `navigator.credentials.get`.
    pub public_key: RequestOptions,
}

/// `POST /api/v1/sessions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionRequest {
    /// The document, as offered.
    pub document: String,
    /// The person's assertion over it.
    pub assertion: Assertion,
}

/// Signed in. A document without a key sets the cookie `__Host-chancery`; one with a key gives a token, or hands
/// it to the login that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionOutcome {
    /// Who.
    pub person: String,
    /// When the session ends.
    pub expires_at: String,
    /// For `Authorization: DPoP`, bound to the session key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// `GET /api/v1/whoami`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WhoAmI {
    /// Who.
    pub person: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Roles held.
    pub roles: BTreeSet<String>,
    /// Signed attributes.
    pub attributes: BTreeMap<String, String>,
    /// Passkeys.
    pub passkeys: Vec<PasskeyView>,
    /// How the session is held: `cookie` or `session_key`.
    pub session: String,
    /// When it ends.
    pub expires_at: String,
    /// A recovery of this person that can still be stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<RecoveryView>,
    /// Whether this session may only look, and stop the recovery: its passkey was lost, or does not count yet.
    #[serde(default)]
    pub held: bool,
}

/// `GET /api/v1/sessions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionList {
    /// Those of the reader that have not ended; the one that ends last comes first.
    pub items: Vec<SessionView>,
}

/// A session of the reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionView {
    /// Digest of its token, to end it by.
    pub id: String,
    /// How it is held: `cookie` or `session_key`.
    pub session: String,
    /// SHA-256 of the raw id of the passkey that introduced it.
    pub credential_id_sha256: String,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When it ends.
    pub expires_at: String,
    /// Whether it is the one that asks.
    pub current: bool,
}
