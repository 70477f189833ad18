//! What happens to people: who they are, with which keys, in which roles.

use std::collections::{BTreeMap, BTreeSet};

use chancery_canonical::{Bytes, Sha256};
use serde::{Deserialize, Serialize};

use crate::id::PersonId;
use crate::signature::{Authority, MAX_CREDENTIAL_ID};

/// A passkey as it was enrolled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passkey {
    /// Raw credential id.
    pub credential_id: Bytes<MAX_CREDENTIAL_ID>,
    /// COSE_Key (RFC 9052 §7), as the authenticator gave it.
    pub public_key: Bytes<640>,
    /// Model of the authenticator, 16 bytes; zeros when it does not say.
    pub aaguid: Bytes<16>,
    /// Whether it may be synced to other devices.
    pub backup_eligible: bool,
    /// SHA-256 of the registration (attestation object and client data, JCS), where the maker's statement in it was
    /// believed when the key was enrolled. Absent for a key of which nobody but itself says what it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub attestation_sha256: Option<Sha256>,
}

impl Passkey {
    /// Whether it counts as hardware: its maker says what it is, and it cannot leave its device. That the maker is
    /// believed has to be found out from the registration.
    pub fn is_hardware(&self) -> bool {
        self.attestation_sha256.is_some() && !self.backup_eligible
    }
}

/// What happens to one person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "body", deny_unknown_fields)]
pub enum IdentityEvent {
    /// Somebody joins, with a first key, roles and attributes.
    #[serde(rename = "person.created")]
    Created(PersonCreated),
    /// A further key.
    #[serde(rename = "passkey.enrolled")]
    PasskeyEnrolled(PasskeyEnrolled),
    /// A key taken away.
    #[serde(rename = "passkey.removed")]
    PasskeyRemoved(PasskeyRemoved),
    /// A role given.
    #[serde(rename = "role.granted")]
    RoleGranted(RoleChanged),
    /// A role taken away.
    #[serde(rename = "role.removed")]
    RoleRemoved(RoleChanged),
    /// An attribute set.
    #[serde(rename = "attribute.assigned")]
    AttributeAssigned(AttributeAssigned),
    /// Out, at once: may not sign in, ask or decide.
    #[serde(rename = "person.suspended")]
    Suspended(StandingChanged),
    /// Back in.
    #[serde(rename = "person.reinstated")]
    Reinstated(StandingChanged),
    /// Every key was lost: a new one takes their place, and counts a day later.
    #[serde(rename = "person.recovered")]
    Recovered(PersonRecovered),
    /// A recovery was stopped within that day; the keys before it stand again.
    #[serde(rename = "recovery.cancelled")]
    RecoveryCancelled(RecoveryCancelled),
}

impl IdentityEvent {
    /// The key that comes with it.
    pub fn passkey(&self) -> Option<&Passkey> {
        match self {
            Self::Created(created) => Some(&created.passkey),
            Self::PasskeyEnrolled(enrolled) => Some(&enrolled.passkey),
            Self::Recovered(recovered) => Some(&recovered.passkey),
            Self::PasskeyRemoved(_)
            | Self::RoleGranted(_)
            | Self::RoleRemoved(_)
            | Self::AttributeAssigned(_)
            | Self::Suspended(_)
            | Self::Reinstated(_)
            | Self::RecoveryCancelled(_) => None,
        }
    }
}

/// Body of `person.created`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonCreated {
    /// The person.
    pub person: PersonId,
    /// Their first key.
    pub passkey: Passkey,
    /// Roles they start with.
    pub roles: BTreeSet<String>,
    /// Attributes they start with.
    pub attributes: BTreeMap<String, String>,
    /// Commitment to the name.
    #[serde(rename = "_sd")]
    pub concealed: Vec<String>,
    /// Who said so.
    pub authority: Authority,
}

/// Body of `passkey.enrolled`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasskeyEnrolled {
    /// Whose.
    pub person: PersonId,
    /// The key.
    pub passkey: Passkey,
    /// Who said so: one of the person's own keys.
    pub authority: Authority,
}

/// Body of `passkey.removed`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasskeyRemoved {
    /// Whose.
    pub person: PersonId,
    /// Which key.
    pub credential_id: Bytes<MAX_CREDENTIAL_ID>,
    /// Who said so: the person, or one administrator.
    pub authority: Authority,
}

/// Body of `role.granted` and `role.removed`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleChanged {
    /// Whose.
    pub person: PersonId,
    /// Which role.
    pub role: String,
    /// Who said so.
    pub authority: Authority,
}

/// Body of `attribute.assigned`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeAssigned {
    /// Whose.
    pub person: PersonId,
    /// Which attribute.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Who said so.
    pub authority: Authority,
}

/// Body of `person.suspended` and `person.reinstated`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingChanged {
    /// Who.
    pub person: PersonId,
    /// Who said so.
    pub authority: Authority,
}

/// Body of `person.recovered`. Every key that the person has at this leaf is lost by it; none is listed, so that none
/// can be left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonRecovered {
    /// Whose keys were lost.
    pub person: PersonId,
    /// The key that takes their place.
    pub passkey: Passkey,
    /// Who said so: identity administrators other than the person, or recovery keys.
    pub authority: Authority,
}

/// Body of `recovery.cancelled`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecoveryCancelled {
    /// Whose recovery.
    pub person: PersonId,
    /// The key that it made, which never counts then.
    pub credential_id: Bytes<MAX_CREDENTIAL_ID>,
    /// Who said so: the person with a key from before, or one administrator.
    pub authority: Authority,
}
