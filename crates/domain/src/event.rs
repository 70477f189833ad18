//! What has happened. Events are the truth; each becomes exactly one leaf of the log (`leaf.rs`).

mod alert;
mod identity;
mod trust;

use std::collections::{BTreeMap, BTreeSet};

use chancery_canonical::{Bytes, Canonical, Sha256};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::document::GrantTerms;
use crate::id::{AlertId, LeaseId, PersonId, RequestId};
use crate::signature::{Assertion, Authority, RequestSignature};
use crate::time::Timestamp;
use crate::verdict::Outcome;

pub use alert::{AlertAcknowledged, AlertEvent, AlertRaised, AlertReason};
pub use identity::{
    AttributeAssigned, IdentityEvent, Passkey, PasskeyEnrolled, PasskeyRemoved, PersonCreated,
    PersonRecovered, RecoveryCancelled, RoleChanged, StandingChanged,
};
pub use trust::{LogRotated, TrustEvent, TrustSealed};

/// Kinds that are kept for what comes later, so that nobody gives them another meaning.
pub const RESERVED_KINDS: [&str; 12] = [
    "activity.observed",
    "break_glass.used",
    "execution.started",
    "group.assigned",
    "identity.linked",
    "override.recorded",
    "playbook.ran",
    "probe.observed",
    "request.extended",
    "review.closed",
    "review.opened",
    "session.observed",
];

/// What happens to one request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "body", deny_unknown_fields)]
pub enum RequestEvent {
    /// Somebody asked.
    #[serde(rename = "request.submitted")]
    Submitted(Submitted),
    /// The requester asked anew, with other content; every decision so far is void.
    #[serde(rename = "request.revised")]
    Revised(Submitted),
    /// Policy spoke.
    #[serde(rename = "request.judged")]
    Judged(Judged),
    /// A person decided.
    #[serde(rename = "decision.recorded")]
    DecisionRecorded(DecisionRecorded),
    /// A person tried to decide and must not.
    #[serde(rename = "decision.refused")]
    DecisionRefused(DecisionRefused),
    /// All seats are filled, or policy allows it.
    #[serde(rename = "request.approved")]
    Approved(Approved),
    /// An eligible person said no.
    #[serde(rename = "request.rejected")]
    Rejected(EndedBy),
    /// Approvers gave wrong digits too often: it ends as rejected.
    #[serde(rename = "request.mismatched")]
    Mismatched(EndedBy),
    /// The requester took it back.
    #[serde(rename = "request.cancelled")]
    Cancelled(EndedBy),
    /// Nobody decided, or nobody started it, in time.
    #[serde(rename = "request.lapsed")]
    Lapsed(Lapsed),
    /// The grant's clock started.
    #[serde(rename = "grant.activated")]
    Activated(Activated),
    /// The issuer is about to mint exactly this.
    #[serde(rename = "lease.intended")]
    LeaseIntended(LeaseIntended),
    /// The issuer minted it.
    #[serde(rename = "lease.issued")]
    LeaseIssued(LeaseIssued),
    /// It is on the revocation list.
    #[serde(rename = "lease.revoked")]
    LeaseRevoked(LeaseRevoked),
    /// The grant's clock ran out.
    #[serde(rename = "grant.expired")]
    Expired(Expired),
    /// The requester is done.
    #[serde(rename = "grant.ended")]
    Ended(EndedBy),
    /// A person ended it.
    #[serde(rename = "grant.revoked")]
    Revoked(EndedBy),
    /// The approved change was run, with this outcome.
    #[serde(rename = "execution.finished")]
    ExecutionFinished(ExecutionFinished),
    /// What undoes the change is being applied.
    #[serde(rename = "rollback.started")]
    RollbackStarted(EndedBy),
    /// It was applied, or it failed.
    #[serde(rename = "rollback.finished")]
    RollbackFinished(RollbackFinished),
    /// Personal values were erased; every proof stays valid.
    #[serde(rename = "redaction.made")]
    Redacted(Redacted),
}

impl RequestEvent {
    /// Where the event names its attestation; `None` for a kind that is not attested.
    pub fn attestation_place(&mut self) -> Option<&mut Option<Sha256>> {
        match self {
            Self::Judged(body) => Some(&mut body.attestation_sha256),
            Self::DecisionRecorded(body) => Some(&mut body.attestation_sha256),
            Self::Approved(body) => Some(&mut body.attestation_sha256),
            Self::LeaseIssued(body) => Some(&mut body.attestation_sha256),
            Self::LeaseRevoked(body) => Some(&mut body.attestation_sha256),
            Self::Redacted(body) => Some(&mut body.attestation_sha256),
            Self::Submitted(_)
            | Self::Revised(_)
            | Self::DecisionRefused(_)
            | Self::Rejected(_)
            | Self::Mismatched(_)
            | Self::Cancelled(_)
            | Self::Lapsed(_)
            | Self::Activated(_)
            | Self::LeaseIntended(_)
            | Self::Expired(_)
            | Self::Ended(_)
            | Self::Revoked(_)
            | Self::ExecutionFinished(_)
            | Self::RollbackStarted(_)
            | Self::RollbackFinished(_) => None,
        }
    }
}

/// Body of `request.submitted` and `request.revised`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submitted {
    /// Which revision.
    pub revision: u32,
    /// SHA-256 of the canonical request document.
    pub request_sha256: Sha256,
    /// Who asks.
    pub requester: PersonId,
    /// For whom.
    pub beneficiary: PersonId,
    /// For what.
    pub entitlement: String,
    /// The requester's signature.
    pub signature: RequestSignature,
    /// SSHSIG by the beneficiary's key over the same digest, when the document names a key.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub possession: Option<Bytes<1536>>,
}

/// The moment at which policy was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// At submission; this verdict fixes the stages.
    Request,
    /// At each approval.
    Approve,
    /// At activation and before each credential.
    Issue,
    /// While the grant is used.
    Runtime,
    /// For the change of a policy bundle.
    Change,
}

/// Body of `request.judged`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// The revision judged.
    pub revision: u32,
    /// When.
    pub phase: Phase,
    /// The answer.
    pub outcome: Outcome,
    /// SHA-256 of the canonical verdict.
    pub verdict_sha256: Sha256,
    /// SHA-256 of the canonical input.
    pub input_sha256: Sha256,
    /// Digest of the bundle.
    pub policy_sha256: Sha256,
    /// What a grant may be; only in the request phase.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub grant: Option<GrantTerms>,
    /// When it lapses undecided; only in the request phase.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lapses_at: Option<Timestamp>,
    /// Points of risk, for lists.
    pub risk_score: u32,
    /// SHA-256 of the PAE of the verdict's attestation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub attestation_sha256: Option<Sha256>,
}

/// Body of `decision.recorded`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionRecorded {
    /// The decision document, as signed.
    pub document: Canonical,
    /// The approver's passkey over it.
    pub assertion: Assertion,
    /// SHA-256 of the PAE of the decision's attestation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub attestation_sha256: Option<Sha256>,
}

/// Body of `decision.refused`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionRefused {
    /// Who tried.
    pub person: PersonId,
    /// The refusal's stable code. [`NUMBER_MISMATCH`] stands once for each time that a person gave wrong digits, every
    /// other code once for each person and revision.
    pub code: String,
}

/// Code of a refusal that is counted: the digits were not those that the requester was shown.
pub const NUMBER_MISMATCH: &str = "number_mismatch";

/// So many wrong digits, of all approvers together, reject a revision.
pub const MAX_MISMATCHES: u32 = 3;

/// Body of `request.approved`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approved {
    /// The revision.
    pub revision: u32,
    /// Who fills which stage: a bipartite matching of distinct people.
    pub seats: BTreeMap<String, BTreeSet<PersonId>>,
    /// When it lapses unused.
    pub starts_by: Timestamp,
    /// SHA-256 of the PAE of the grant's attestation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub attestation_sha256: Option<Sha256>,
}

/// Body of the events that a person caused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndedBy {
    /// Who.
    pub person: PersonId,
}

/// Which of the two waiting clocks ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitingClock {
    /// Nobody decided in time.
    Pending,
    /// Nobody started it in time after the last approval.
    ApprovalValidity,
}

/// Body of `request.lapsed`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lapsed {
    /// Which clock.
    pub clock: WaitingClock,
}

/// Body of `grant.activated`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activated {
    /// When the grant's clock started.
    pub started_at: Timestamp,
    /// When it ends, whatever happens.
    pub ends_at: Timestamp,
}

/// The one kind of credential that is issued: an OpenSSH user certificate.
pub const SSH_CERTIFICATE: &str = "ssh_certificate";

/// Body of `lease.intended`: the issuer mints only what stands here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseIntended {
    /// The lease.
    pub lease: LeaseId,
    /// [`SSH_CERTIFICATE`].
    pub credential: String,
    /// Serial, decimal, since it may exceed 2^53.
    pub serial: String,
    /// SHA-256 of the bytes that the issuer will sign.
    pub to_be_signed_sha256: Sha256,
    /// Chosen by the issuer for this lease, base64url: the log that carries it is a current one.
    pub issuer_nonce: String,
    /// Nothing of it is valid from here on.
    pub not_after: Timestamp,
}

/// Body of `lease.issued`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseIssued {
    /// The lease.
    pub lease: LeaseId,
    /// SHA-256 of the PAE of the issuance's attestation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub attestation_sha256: Option<Sha256>,
}

/// Body of `lease.revoked`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseRevoked {
    /// The lease.
    pub lease: LeaseId,
    /// Number of the revocation list that first carries it, decimal.
    pub list_number: String,
    /// SHA-256 of the PAE of the revocation's attestation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub attestation_sha256: Option<Sha256>,
}

/// Body of `grant.expired`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expired {
    /// The end that was set at activation.
    pub ended_at: Timestamp,
}

/// What became of a change that was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecutionOutcome {
    /// It was applied.
    Completed,
    /// It was not applied.
    Failed,
    /// Nobody knows yet; never guessed.
    Unknown,
}

/// Body of `execution.finished`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExecutionFinished {
    /// What became of it.
    pub outcome: ExecutionOutcome,
}

/// Body of `rollback.finished`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollbackFinished {
    /// Whether the inverse was applied.
    pub applied: bool,
}

/// Body of `redaction.made`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redacted {
    /// Who ordered it.
    pub person: PersonId,
    /// Digests of the disclosures that were erased.
    pub digests: Vec<String>,
    /// SHA-256 of the PAE of the redaction's attestation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub attestation_sha256: Option<Sha256>,
}

/// What happens to the policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "body", deny_unknown_fields)]
pub enum PolicyEvent {
    /// A bundle became the active one.
    #[serde(rename = "policy.activated")]
    Activated(PolicyActivated),
}

/// Body of `policy.activated`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyActivated {
    /// 1 for the genesis.
    pub sequence: u64,
    /// Digest of the bundle before; absent in the genesis.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<Sha256>,
    /// Digest of the bundle from now on.
    pub to: Sha256,
    /// Engine that evaluates it.
    pub engine: String,
    /// Who said so.
    pub authority: Authority,
}

/// Any event, by the stream it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Of a request.
    Request(RequestId, RequestEvent),
    /// Of a person.
    Identity(PersonId, IdentityEvent),
    /// Of an alert.
    Alert(AlertId, AlertEvent),
    /// Of the policy.
    Policy(PolicyEvent),
    /// Of the trust root.
    Trust(TrustEvent),
}

/// The stored form of an event: its kind and its body.
///
/// # Errors
/// When the event has no JSON form, which none of the kinds above allows.
pub fn to_parts<E: Serialize>(event: &E) -> Result<(String, Map<String, Value>), serde_json::Error> {
    #[derive(Deserialize)]
    struct Parts {
        kind: String,
        body: Map<String, Value>,
    }
    let parts: Parts = serde_json::from_value(serde_json::to_value(event)?)?;
    Ok((parts.kind, parts.body))
}

/// Reads an event back from its kind and body; an unknown kind or field is refused.
///
/// # Errors
/// Says what is wrong with it.
pub fn from_parts<E: for<'de> Deserialize<'de>>(
    kind: &str,
    body: &Map<String, Value>,
) -> Result<E, serde_json::Error> {
    serde_json::from_value(serde_json::json!({ "kind": kind, "body": body }))
}
