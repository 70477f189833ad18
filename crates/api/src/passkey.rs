//! What goes to and comes from an authenticator. The options are the JSON forms of WebAuthn Level 3 (§5.1.8,
//! §5.1.9), so `PublicKeyCredential.parseCreationOptionsFromJSON` and its sibling take them unchanged.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An assertion (WebAuthn §5.2.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Assertion {
    /// Raw credential id, base64url.
    pub credential_id: String,
    /// `authenticatorData`, base64url.
    pub authenticator_data: String,
    /// `clientDataJSON`, base64url of the bytes that were hashed.
    pub client_data_json: String,
    /// Signature, base64url.
    pub signature: String,
}

/// A new credential (WebAuthn §5.2.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// `attestationObject`, base64url.
    pub attestation_object: String,
    /// `clientDataJSON`, base64url.
    pub client_data_json: String,
}

/// `PublicKeyCredentialRequestOptionsJSON`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestOptions {
    /// base64url of the 32 bytes to be signed: the digest of a document.
    pub challenge: String,
    /// How long the page may wait, in milliseconds.
    pub timeout: u32,
    /// Relying party id.
    pub rp_id: String,
    /// The passkeys that may sign; empty for any discoverable one.
    pub allow_credentials: Vec<CredentialDescriptor>,
    /// Always `required`.
    pub user_verification: String,
}

/// `PublicKeyCredentialDescriptorJSON`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CredentialDescriptor {
    /// Always `public-key`.
    #[serde(rename = "type")]
    pub credential_type: String,
    /// Raw credential id, base64url.
    pub id: String,
}

/// `PublicKeyCredentialCreationOptionsJSON`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreationOptions {
    /// This server.
    pub rp: RelyingPartyEntity,
    /// The person to be.
    pub user: UserEntity,
    /// base64url of 32 random bytes.
    pub challenge: String,
    /// Algorithms taken, in order of preference.
    pub pub_key_cred_params: Vec<CredentialParameters>,
    /// How long the page may wait, in milliseconds.
    pub timeout: u32,
    /// Passkeys that are enrolled already.
    pub exclude_credentials: Vec<CredentialDescriptor>,
    /// What the authenticator must be able to do.
    pub authenticator_selection: AuthenticatorSelection,
    /// `direct` where makers of authenticators are believed, else `none`.
    pub attestation: String,
}

/// `PublicKeyCredentialRpEntity`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RelyingPartyEntity {
    /// Relying party id.
    pub id: String,
    /// Name for people.
    pub name: String,
}

/// `PublicKeyCredentialUserEntityJSON`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserEntity {
    /// base64url of the ASCII text of the person's id; comes back as `userHandle`.
    pub id: String,
    /// What the authenticator lists the passkey under.
    pub name: String,
    /// Name for people.
    pub display_name: String,
}

/// `PublicKeyCredentialParameters`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CredentialParameters {
    /// Always `public-key`.
    #[serde(rename = "type")]
    pub credential_type: String,
    /// COSE algorithm: -7, -8 or -257.
    pub alg: i32,
}

/// `AuthenticatorSelectionCriteria`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthenticatorSelection {
    /// Always `required`: a passkey is found without typing a name.
    pub resident_key: String,
    /// Always `true`, for older browsers.
    pub require_resident_key: bool,
    /// Always `required`.
    pub user_verification: String,
}

/// A passkey as others see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PasskeyView {
    /// Raw credential id, base64url.
    pub credential_id: String,
    /// SHA-256 of the raw credential id, as decisions name it.
    pub credential_id_sha256: String,
    /// Model of the authenticator, 32 hexadecimal digits; zeros when it does not say.
    pub aaguid: String,
    /// Whether it may be synced to other devices.
    pub backup_eligible: bool,
    /// Whether its maker says which model it is, and was believed when it was enrolled.
    pub attested: bool,
}
