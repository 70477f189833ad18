//! What policy says of a request: the document that is hashed and signed over, and the value that proves
//! that the policy engine made it.

use std::collections::{BTreeMap, BTreeSet};

use chancery_canonical::{Canonical, Sha256};
use serde::{Deserialize, Serialize};

use crate::id::PersonId;

/// The three answers, weakest first, so that `max` of two answers is the stricter one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Granted by a rule that says so, on the requester's own fresh signature.
    Allow,
    /// Every stage must be filled by distinct people first.
    RequireApproval,
    /// Not granted; the reasons say which rule and how to mend it.
    Deny,
}

/// How dangerous the request is, as points that sum to the score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// Sum of all points, held to 0..=100.
    pub score: u32,
    /// The tier that the thresholds of the bundle give this score: `low`, `medium`, `high` or `critical`.
    pub tier: String,
    /// Each factor with its points; negative ones reduce the risk.
    pub factors: Vec<RiskFactor>,
}

impl Risk {
    /// Whether an approval needs the two digits that the requester was shown, so that the two have spoken.
    pub fn needs_number(&self) -> bool {
        matches!(self.tier.as_str(), "high" | "critical")
    }
}

/// One reason why a request is more or less dangerous.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskFactor {
    /// Stable name of the factor.
    pub factor: String,
    /// Points added (or, when negative, taken off).
    pub points: i32,
    /// One sentence for the approver.
    pub detail: String,
}

/// A set of eligible people and how many distinct humans of it must approve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Name, unique within the verdict.
    pub id: String,
    /// Seats: at least 1.
    pub quorum: u32,
    /// Who may sit on them.
    pub from: Selector,
    /// Stages that must be complete before a decision may fill a seat of this one.
    pub after: BTreeSet<String>,
}

/// Who is meant, resolved against signed identity events at decision time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Selector {
    /// Everyone whom all of these mean; an empty list means nobody.
    All(Vec<Selector>),
    /// Everyone whom one of these means.
    Any(Vec<Selector>),
    /// Everyone of whom it is known that this does not mean them.
    Not(Box<Selector>),
    /// Holders of a role.
    Role(String),
    /// Members of a group.
    Group(String),
    /// People with each of these attributes.
    Attribute(BTreeMap<String, String>),
    /// One person.
    Person(PersonId),
    /// The manager of the named party; the only party today is `requester`.
    ManagerOf(Party),
}

/// A party of a request that a selector may speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// Whoever asks.
    Requester,
}

/// The four clocks (architecture.md), in seconds, and the scopes that the grant is held to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constraints {
    /// How long the request may wait for decisions.
    pub pending_seconds: u64,
    /// How long after the last approval it may start.
    pub approval_validity_seconds: u64,
    /// How long the grant lasts, from activation.
    pub grant_seconds: u64,
    /// How long one session under the grant may last.
    pub session_seconds: u64,
    /// Allowed values by scope name (`principal`, `source_address`, …); a name that is absent is not restricted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scopes: BTreeMap<String, BTreeSet<String>>,
}

/// Why, in words for the requester: the rule, what it found, what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Stable name of the rule that spoke.
    pub rule: String,
    /// What it found.
    pub message: String,
    /// What the requester can do about it.
    pub remedy: String,
}

/// The verdict as it is hashed, logged and shown (interfaces.md §Policy bundle).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerdictDocument {
    /// The answer.
    pub verdict: Outcome,
    /// How dangerous.
    pub risk: Risk,
    /// Who must approve; sorted by id; empty unless the answer is `require_approval`.
    pub stages: Vec<Stage>,
    /// For how long, and within which scopes.
    pub constraints: Constraints,
    /// What must also happen (`hardware_passkey`, `post_review`, …).
    pub obligations: BTreeSet<String>,
    /// Why; sorted; each rule that denied, or that allowed.
    pub reasons: Vec<Reason>,
    /// Digest of the policy bundle.
    pub policy_sha256: Sha256,
    /// Digest of the canonical input, personal strings concealed.
    pub input_sha256: Sha256,
    /// Name, version and digest of the engine.
    pub engine: String,
}

/// A verdict that the policy engine composed, with its canonical text. No other code makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    document: VerdictDocument,
    canonical: Canonical,
}

impl Verdict {
    /// INVARIANT: called by `chancery-policy` alone, after evaluation; `tests/architecture.rs` keeps it so.
    ///
    /// # Errors
    /// When the document has no canonical form (an integer beyond 2^53).
    pub fn composed_by_the_policy_engine(
        document: VerdictDocument,
    ) -> Result<Self, chancery_canonical::json::JsonError> {
        let canonical = Canonical::of(&document)?;
        Ok(Self { document, canonical })
    }

    /// The verdict's content.
    pub fn document(&self) -> &VerdictDocument {
        &self.document
    }

    /// The bytes that are hashed.
    pub fn canonical(&self) -> &Canonical {
        &self.canonical
    }

    /// SHA-256 of the canonical bytes: the `verdict_sha256` that decisions name.
    pub fn sha256(&self) -> Sha256 {
        self.canonical.digest()
    }
}
