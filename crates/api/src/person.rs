//! The directory.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::passkey::PasskeyView;
use crate::recovery::RecoveryView;

/// A person, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct PersonReference {
    /// Random id.
    pub person: String,
    /// Name for people, unless it was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// `GET /api/v1/persons`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonList {
    /// Everyone, by id.
    pub items: Vec<PersonView>,
}

/// `GET /api/v1/persons/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonView {
    /// Random id.
    pub person: String,
    /// Name for people, unless it was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Roles held.
    pub roles: BTreeSet<String>,
    /// Signed attributes.
    pub attributes: BTreeMap<String, String>,
    /// Passkeys.
    pub passkeys: Vec<PasskeyView>,
    /// Out for now.
    pub suspended: bool,
    /// A recovery of theirs that can still be stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<RecoveryView>,
}
