//! What a stranger needs beforehand: `trust.json`, and the files that are derived from it (docs/spec, trust.md).
//!
//! Nothing that comes in evidence is believed because evidence says so; every key, person, floor and engine is
//! held against the root that stands here.

mod check;
mod diff;
mod directory;
mod in_force;
mod lineage;
mod successor;

use std::collections::{BTreeMap, BTreeSet};

use chancery_canonical::json::JsonError;
use chancery_canonical::{Canonical, Sha256};
use chancery_domain::document::CheckpointReference;
use chancery_domain::event::Passkey;
use chancery_domain::id::PersonId;
use chancery_domain::time::Timestamp;
use chancery_domain::verdict::Outcome;
use chancery_ledger::{Origin, VerifierKey, WitnessPolicy};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::authenticator::AttestationRoot;
use crate::cose::CoseError;
use crate::public_key::P256PublicKey;
use crate::recovery::RecoveryKey;
use crate::ssh_key::SshKeyError;
use crate::webauthn::{RelyingParty, RelyingPartyError};

pub use diff::diff;
pub use directory::{TrustDirectory, TrustDirectoryError};
pub use in_force::{InForce, Versions};
pub use lineage::{Lineage, LineageError};
pub use successor::{
    MAX_SUCCESSOR_OFFER_SECONDS, SuccessorRefusal, TRUST_CONTEXT, accept_successor, check_standing,
    trust_challenge,
};

/// The most bytes that a `trust.json` may have.
pub const MAX_TRUST_BYTES: usize = 1024 * 1024;

/// The `type` of `trust.json`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TrustType {
    /// `urn:chancery:trust:v1`
    #[default]
    #[serde(rename = "urn:chancery:trust:v1")]
    V1,
}

/// `trust.json` as it is written; unknown fields are refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustDocument {
    /// Fixed.
    #[serde(rename = "type")]
    pub document_type: TrustType,
    /// 1, then one more for each successor.
    pub version: u64,
    /// SHA-256 of the version before; absent in version 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previous_sha256: Option<Sha256>,
    /// When it was sealed.
    pub created_at: Timestamp,
    /// From this moment on it is not to be used.
    pub expires_at: Timestamp,
    /// The lives of the log, oldest first.
    pub logs: Vec<TrustedLog>,
    /// c2sp.org/tlog-policy text, comments left out; it names exactly `logs`, in that order.
    pub witness_policy: String,
    /// Relying party id of the passkeys.
    pub rp_id: String,
    /// Web origins on which they may be used.
    pub origins: Vec<String>,
    /// The people with whom every chain starts.
    pub genesis: Genesis,
    /// From version 2 on, who administrated when it was made: with those of the version before they sign it, and with
    /// those of the next version they sign that. Of version 1 it is the genesis persons with the role.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub administrators: Vec<Administrator>,
    /// How many identity administrators there were when it was sealed.
    pub sealed_with: u32,
    /// How many of them it takes to change people and roles: two, or one where there was only one.
    pub administrators_needed: u32,
    /// Offline keys against lock-out.
    pub recovery: Recovery,
    /// Directory and identity-provider keys; none yet.
    pub directories: Vec<Value>,
    /// Where the chain of policies starts.
    pub policy: PolicyRoot,
    /// Engines whose verdicts are believed, by full version string.
    pub engines: Vec<String>,
    /// What no verdict gets below, by entitlement. An entitlement without one cannot be granted.
    pub floors: BTreeMap<String, Floor>,
    /// Keys that sign attestations, by predicate name such as `decision`: base64 of `SubjectPublicKeyInfo`.
    pub attestation_keys: BTreeMap<String, Vec<P256PublicKey>>,
    /// Keys that sign credentials.
    pub issuers: Vec<IssuerKey>,
    /// Makers and models of authenticators that count as hardware. Without one no passkey does.
    pub attestation_roots: Vec<AttestationRoot>,
}

/// One life of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedLog {
    /// Its name.
    pub origin: Origin,
    /// Its key (c2sp.org/signed-note).
    pub vkey: String,
    /// Index of its first leaf in the count over all lives; absent for the first life.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_index: Option<u64>,
    /// Where it ended: no checkpoint of it that is larger, or of this size and another root, is believed any more.
    /// Absent for the present life.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub closed: Option<CheckpointReference>,
}

/// The people with whom every chain starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// Each with every key, role and attribute they start with.
    pub persons: Vec<GenesisPerson>,
}

/// A person who is believed because this file names them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisPerson {
    /// Who.
    pub id: PersonId,
    /// What they may do.
    pub roles: BTreeSet<String>,
    /// What is said of them.
    pub attributes: BTreeMap<String, String>,
    /// Their keys, at least one.
    pub passkeys: Vec<Passkey>,
}

/// Somebody who may sign the next version, with the keys that they do it with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Administrator {
    /// Who.
    pub id: PersonId,
    /// Their keys, at least one.
    pub passkeys: Vec<Passkey>,
}

/// Offline recovery keys, k of n; none where threshold and keys are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovery {
    /// How many are needed.
    pub threshold: u32,
    /// The keys.
    pub keys: Vec<RecoveryKey>,
}

/// Where the chain of policies starts, and who may extend it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyRoot {
    /// Digest of the first bundle.
    pub genesis_sha256: Sha256,
    /// How many policy owners activate another.
    pub owners_needed: u32,
}

/// What no verdict gets below, for one entitlement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Floor {
    /// The fewest distinct people who must have approved, where approval is what granted it.
    pub minimum_approvers: u32,
    /// The longest grant.
    pub maximum_seconds: u64,
    /// Whether policy may allow it without anybody's approval.
    #[serde(default)]
    pub allow: bool,
    /// Whether a pre-authorised bypass may be used.
    #[serde(default)]
    pub break_glass: bool,
    /// Whether a policy owner may overrule a denial.
    #[serde(default)]
    pub override_denied: bool,
    /// Whether approvers known only through an identity provider count.
    #[serde(default)]
    pub oidc: bool,
}

/// A key that signs credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum IssuerKey {
    /// A certificate authority for SSH.
    Ssh {
        /// `OpenSSH` public key line without a comment.
        public_key: String,
    },
}

/// A `trust.json` that was read and found to be in order.
#[derive(Clone, Debug, PartialEq)]
pub struct TrustRoot {
    document: TrustDocument,
    canonical: Canonical,
    relying_party: RelyingParty,
    log_keys: Vec<VerifierKey>,
    witness_policy: WitnessPolicy,
}

/// Why a `trust.json` is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// Longer than [`MAX_TRUST_BYTES`].
    #[error("trust.json is larger than {MAX_TRUST_BYTES} bytes")]
    TooLarge,
    /// Not canonical JSON, or of another shape.
    #[error("trust.json cannot be read: {0}")]
    Json(#[from] JsonError),
    /// Something in it contradicts something else, or is not supported.
    #[error("trust.json is not in order: `{field}` {problem}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The site is none.
    #[error("trust.json is not in order: {0}")]
    RelyingParty(#[from] RelyingPartyError),
    /// A genesis passkey is none.
    #[error("a genesis passkey in trust.json cannot be read: {0}")]
    Passkey(#[from] CoseError),
    /// An issuer's key is none.
    #[error("an issuer key in trust.json cannot be read: {0}")]
    Issuer(#[from] SshKeyError),
}

impl TrustError {
    /// A stable name for logs, API answers and evidence reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "trust_too_large",
            Self::Json(_) => "trust_malformed",
            Self::Field { .. } => "trust_field",
            Self::RelyingParty(_) => "trust_relying_party",
            Self::Passkey(_) => "trust_passkey",
            Self::Issuer(_) => "trust_issuer",
        }
    }
}

impl TrustRoot {
    /// Checks a document that is about to be sealed.
    ///
    /// # Errors
    /// [`TrustError`], the first thing that is not in order.
    pub fn new(document: TrustDocument) -> Result<Self, TrustError> {
        let canonical = Canonical::of(&document)?;
        Self::checked(document, canonical)
    }

    /// Reads `trust.json`. Its bytes must be canonical, so that its digest has one meaning.
    ///
    /// # Errors
    /// [`TrustError`], the first thing that is not in order.
    pub fn parse(bytes: &[u8]) -> Result<Self, TrustError> {
        if bytes.len() > MAX_TRUST_BYTES {
            return Err(TrustError::TooLarge);
        }
        let canonical = Canonical::parse(bytes)?;
        Self::checked(canonical.decode()?, canonical)
    }

    fn checked(document: TrustDocument, canonical: Canonical) -> Result<Self, TrustError> {
        if canonical.as_bytes().len() > MAX_TRUST_BYTES {
            return Err(TrustError::TooLarge);
        }
        check::check(&document)?;
        let relying_party = RelyingParty::new(document.rp_id.clone(), document.origins.clone())?;
        let (log_keys, witness_policy) = check::logs(&document)?;
        Ok(Self { document, canonical, relying_party, log_keys, witness_policy })
    }

    /// Everything in it.
    pub fn document(&self) -> &TrustDocument {
        &self.document
    }

    /// The bytes of `trust.json`.
    pub fn canonical(&self) -> &Canonical {
        &self.canonical
    }

    /// SHA-256 of the bytes: the digest in a `trust.sealed` event.
    pub fn sha256(&self) -> Sha256 {
        self.canonical.digest()
    }

    /// The site on which passkeys are used.
    pub fn relying_party(&self) -> &RelyingParty {
        &self.relying_party
    }

    /// Keys of the log's lives, oldest first; at least one.
    pub fn log_keys(&self) -> &[VerifierKey] {
        &self.log_keys
    }

    /// The key of the log of this name.
    pub fn log_key(&self, origin: &str) -> Option<&VerifierKey> {
        self.log_keys.iter().find(|key| key.name().as_str() == origin)
    }

    /// Name of the log's present life, for which people sign now.
    pub fn log_origin(&self) -> &str {
        self.document.logs.last().map_or("", |log| log.origin.as_str())
    }

    /// Which logs are believed, and how many witnesses are demanded.
    pub fn witness_policy(&self) -> &WitnessPolicy {
        &self.witness_policy
    }

    /// Whether it may not be used any more.
    pub fn is_expired(&self, at: Timestamp) -> bool {
        at >= self.document.expires_at
    }

    /// What no verdict gets below; `None` means that the entitlement cannot be granted at all.
    pub fn floor(&self, entitlement: &str) -> Option<&Floor> {
        self.document.floors.get(entitlement)
    }

    /// Keys that may sign attestations of this predicate name, such as `decision`.
    pub fn attestation_keys(&self, predicate: &str) -> &[P256PublicKey] {
        self.document.attestation_keys.get(predicate).map_or(&[], Vec::as_slice)
    }

    /// Whether verdicts of this engine are believed.
    pub fn knows_engine(&self, engine: &str) -> bool {
        self.document.engines.iter().any(|known| known == engine)
    }

    /// The genesis person of this id.
    pub fn genesis_person(&self, id: &PersonId) -> Option<&GenesisPerson> {
        self.document.genesis.persons.iter().find(|person| person.id == *id)
    }
}

/// Why a grant is below its floor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FloorRefusal {
    /// A denial is never a grant.
    #[error("policy denied it, which no floor lets through")]
    Denied,
    /// Allowed by policy alone where people must approve.
    #[error("policy may not allow this entitlement without approvers")]
    AllowForbidden,
    /// Too few people.
    #[error("{approvers} people approved where the floor wants {minimum}")]
    TooFewApprovers {
        /// Distinct people in seats.
        approvers: usize,
        /// What the floor wants.
        minimum: u32,
    },
    /// Too long.
    #[error("the grant lasts {seconds} seconds where the floor ends at {maximum}")]
    TooLong {
        /// Longest grant under the terms.
        seconds: u64,
        /// What the floor allows.
        maximum: u64,
    },
}

impl FloorRefusal {
    /// A stable name for logs, API answers and evidence reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Denied => "floor_denied",
            Self::AllowForbidden => "floor_allow",
            Self::TooFewApprovers { .. } => "floor_approvers",
            Self::TooLong { .. } => "floor_seconds",
        }
    }
}

impl Floor {
    /// Whether a grant by this outcome, with so many distinct people in seats, may last so many seconds.
    ///
    /// # Errors
    /// [`FloorRefusal`], naming what is below the floor.
    pub fn check(&self, outcome: Outcome, approvers: usize, seconds: u64) -> Result<(), FloorRefusal> {
        let minimum = self.minimum_approvers;
        match outcome {
            Outcome::Deny => return Err(FloorRefusal::Denied),
            Outcome::Allow if !self.allow => return Err(FloorRefusal::AllowForbidden),
            Outcome::Allow => {}
            Outcome::RequireApproval if u32::try_from(approvers).is_ok_and(|count| count < minimum) => {
                return Err(FloorRefusal::TooFewApprovers { approvers, minimum });
            }
            Outcome::RequireApproval => {}
        }
        if seconds > self.maximum_seconds {
            return Err(FloorRefusal::TooLong { seconds, maximum: self.maximum_seconds });
        }
        Ok(())
    }
}
