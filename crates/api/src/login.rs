//! A command line signs in through a browser.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::passkey::Assertion;

/// `POST /api/v1/logins`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    /// Raw Ed25519 public key of the session to be, base64url.
    pub public_key: String,
}

/// Where to sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Login {
    /// Names the login; a secret of the command line and the browser.
    pub login: String,
    /// What to open in a browser.
    pub url: String,
    /// What the browser must show as well, derived from the key.
    pub code: String,
    /// When it ends.
    pub expires_at: String,
}

/// `GET /api/v1/logins/{login}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum LoginStatus {
    /// Nobody signed yet.
    Pending {
        /// When the login ends.
        expires_at: String,
    },
    /// Signed in; said once.
    Done(SignedIn),
}

/// A session key that a passkey introduced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignedIn {
    /// For `Authorization: DPoP`, bound to the session key.
    pub token: String,
    /// The session document, canonical text; goes into every request that the key signs.
    pub session: String,
    /// The passkey's assertion over it; goes there as well.
    pub introduction: Assertion,
    /// Who.
    pub person: String,
    /// When the session ends.
    pub expires_at: String,
}
