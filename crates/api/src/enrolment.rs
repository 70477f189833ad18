//! Invitations, and people who wait to be let in.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::passkey::{CreationOptions, PasskeyView, Registration};

/// `POST /api/v1/invitations`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationRequest {
    /// Roles that the person will start with.
    #[serde(default)]
    pub roles: BTreeSet<String>,
    /// Attributes that the person will start with.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
}

/// A one-time link. It is shown once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Invitation {
    /// Where the invited person enrols; the token is in its fragment.
    pub url: String,
    /// The token alone.
    pub token: String,
    /// When it ends.
    pub expires_at: String,
}

/// `POST /api/v1/enrolments/options`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentOptionsRequest {
    /// From the link.
    pub token: String,
    /// What the authenticator is to list the passkey under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What to make a passkey with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnrolmentOptions {
    /// For `navigator.credentials.create`.
    pub public_key: CreationOptions,
    /// The id that the person will have.
    pub person: String,
    /// Whether the person is enrolled at once, before trust/ is sealed.
    pub genesis: bool,
    /// Whether the person is here already and lost their keys: the new passkey takes the place of all of them.
    #[serde(default)]
    pub recovers: bool,
    /// The name of a person who is here already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Roles that the person will start with.
    pub roles: BTreeSet<String>,
    /// Attributes that the person will start with.
    pub attributes: BTreeMap<String, String>,
}

/// `POST /api/v1/enrolments`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentRequest {
    /// From the link.
    pub token: String,
    /// Name for people; it stands in the log only as a salted digest.
    pub name: String,
    /// What the authenticator gave.
    pub registration: Registration,
}

/// How far an enrolment or an identity act has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// It stands in the log.
    Recorded,
    /// Somebody else has to sign.
    Waiting,
}

/// What became of an enrolment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnrolmentOutcome {
    /// `recorded` before trust/ is sealed, else `waiting` for identity administrators.
    pub status: Progress,
    /// The person's id.
    pub person: String,
    /// Name of the waiting enrolment, for `POST /api/v1/identity/options`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrolment: Option<String>,
}

/// `GET /api/v1/enrolments`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnrolmentList {
    /// Those that wait.
    pub items: Vec<WaitingEnrolment>,
}

/// A passkey that waits for signatures: of a new person, or a further one of a known person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WaitingEnrolment {
    /// Its name.
    pub enrolment: String,
    /// `person.created`, `passkey.enrolled` or `person.recovered`.
    pub act: String,
    /// The person's id.
    pub person: String,
    /// Name as the person wrote it; not verified by anybody yet.
    pub name: String,
    /// Roles that the invitation named.
    pub roles: BTreeSet<String>,
    /// Attributes that the invitation named.
    pub attributes: BTreeMap<String, String>,
    /// The passkey.
    pub passkey: PasskeyView,
    /// Who invited.
    pub invited_by: String,
    /// When it is forgotten.
    pub expires_at: String,
}

/// `POST /api/v1/passkeys/options`: a further passkey for oneself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PasskeyOptions {
    /// For `navigator.credentials.create`.
    pub public_key: CreationOptions,
}

/// `POST /api/v1/passkeys`: what the authenticator gave. The answer is an [`EnrolmentOutcome`] that waits for
/// a signature by one of the person's own passkeys (`POST /api/v1/identity/options`, act `passkey.enrolled`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeyRequest {
    /// What the authenticator gave.
    pub registration: Registration,
}
