//! Drafts and requests.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::grant::LeaseView;
use crate::passkey::{Assertion, RequestOptions};
use crate::person::PersonReference;

/// `POST /api/v1/drafts`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftRequest {
    /// What is asked for.
    pub entitlement: String,
    /// The filled form.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub parameters: Map<String, Value>,
    /// Why; it stands in the document only as a salted digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justification: Option<String>,
    /// Number of a ticket elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Files, put before with `PUT /api/v1/artifacts/{sha256}`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<ArtifactReference>,
    /// Names of the artifacts that undo it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undo: Vec<String>,
    /// For whom, when not for oneself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beneficiary: Option<String>,
    /// OpenSSH public key line that the grant is bound to; a comment is dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beneficiary_key: Option<String>,
    /// Length of the grant from activation.
    pub grant_seconds: u64,
    /// Not to start earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// The request that this is a new revision of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revises: Option<String>,
}

/// A content-addressed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArtifactReference {
    /// Name within the request.
    pub name: String,
    /// RFC 6838 media type.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

/// A document to be signed, and what would come of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Draft {
    /// The request document, canonical text.
    pub document: String,
    /// SHA-256 of the document: the request digest.
    pub request_sha256: String,
    /// What is signed, 32 bytes, base64url: SHA-256("chancery request v1\n" ‖ document).
    pub challenge: String,
    /// Salted disclosures of the concealed values in it.
    pub disclosures: Vec<String>,
    /// For `navigator.credentials.get`, where a passkey signs it.
    pub public_key: RequestOptions,
    /// What policy would say now. Nothing is recorded.
    pub preview: Preview,
}

/// What would come of a draft.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Preview {
    /// The verdict document (docs/spec, interfaces: Policy bundle).
    #[schema(value_type = Object)]
    pub verdict: Value,
    /// The stages, and who could approve.
    pub stages: Vec<StageView>,
    /// What still has to be mended before it can be submitted; empty when nothing.
    pub missing: Vec<Missing>,
}

/// Something that a draft lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Missing {
    /// Stable name, such as `parameter_invalid` or `stage_cannot_be_filled`.
    pub code: String,
    /// JSON pointer into the draft, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// What is missing.
    pub reason: String,
    /// What to do.
    pub remedy: String,
}

/// `POST /api/v1/requests` and `POST /api/v1/requests/{id}/revisions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitRequest {
    /// The document, as drafted.
    pub document: String,
    /// The disclosures, as drafted.
    #[serde(default)]
    pub disclosures: Vec<String>,
    /// The requester's signature.
    pub signature: RequestSignature,
    /// SSHSIG by the beneficiary's key over the 32 bytes of `challenge`, namespace `chancery-request@v1`:
    /// base64url of the binary signature blob. Needed when the document names a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub possession: Option<String>,
}

/// How a requester signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum RequestSignature {
    /// By a passkey.
    Passkey {
        /// The assertion, whose challenge is the draft's.
        assertion: Assertion,
    },
    /// By a session key that a passkey introduced.
    SessionKey {
        /// The session document, canonical text.
        session: String,
        /// The passkey's assertion over it.
        introduction: Assertion,
        /// Ed25519 signature over the 32 bytes of the challenge, base64url.
        signature: String,
    },
}

/// `GET /api/v1/requests`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RequestList {
    /// Newest first.
    pub items: Vec<RequestSummary>,
    /// For the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RequestSummary {
    /// The request.
    pub id: String,
    /// Version of its stream.
    pub version: u64,
    /// Where it stands.
    pub state: String,
    /// Revision of the document.
    pub revision: u32,
    /// What was asked for.
    pub entitlement: String,
    /// Who asked.
    pub requester: PersonReference,
    /// For whom.
    pub beneficiary: PersonReference,
    /// Title of it for people; its name, when the active bundle has it no more.
    pub title: String,
    /// What it is done to, in a few words: the main parameters.
    pub subject: String,
    /// Points of risk.
    pub risk_score: u32,
    /// Tier of the recorded verdict: `low`, `medium`, `high` or `critical`; `unknown` where it was recorded before
    /// lists had it.
    pub tier: String,
    /// Longest grant, from activation.
    pub grant_seconds: u64,
    /// Ids of the stages whose seats are not filled, while it is pending.
    pub waiting_for: Vec<String>,
    /// When it was made.
    pub created_at: String,
    /// When something last happened.
    pub updated_at: String,
    /// When its running clock ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<String>,
}

/// `GET /api/v1/requests/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RequestView {
    /// The request.
    pub id: String,
    /// Version of its stream; the `ETag` is `"<version>"`.
    pub version: u64,
    /// Where it stands.
    pub state: String,
    /// Revision of the document.
    pub revision: u32,
    /// Who asked.
    pub requester: PersonReference,
    /// For whom.
    pub beneficiary: PersonReference,
    /// What was asked for.
    pub entitlement: String,
    /// Title of it for people.
    pub title: String,
    /// What it is done to, in a few words: the main parameters.
    pub subject: String,
    /// The request document, canonical text: what was signed.
    pub document: String,
    /// SHA-256 of it.
    pub request_sha256: String,
    /// Disclosures of the concealed values in it, unless they were erased.
    pub disclosures: Vec<String>,
    /// The verdict of the request phase; of the newest phase that denied, when one did.
    #[schema(value_type = Object)]
    pub verdict: Value,
    /// SHA-256 of the canonical verdict.
    pub verdict_sha256: String,
    /// What policy was asked in the request phase, canonical text as recorded: personal values are salted digests.
    pub input: String,
    /// At most three differences from usual, as the recorded input tells them.
    pub unusual: Vec<Difference>,
    /// What it reaches, in sentences, as the entitlement's data says it.
    pub blast_radius: Vec<String>,
    /// Names of the artifacts that undo it.
    pub undo: Vec<String>,
    /// When each approver first looked at it. Not in the log, and so not proved.
    pub seen: Vec<SeenView>,
    /// For whoever may approve: whether the two digits of the requester are needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number_matching: Option<NumberMatching>,
    /// The two digits that approvers must be told; shown to the requester alone, while it is pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matching_number: Option<String>,
    /// Who must approve, who may and who did.
    pub stages: Vec<StageView>,
    /// Every decision, in the order of the log.
    pub decisions: Vec<DecisionView>,
    /// The four clocks.
    pub clocks: ClocksView,
    /// Credentials.
    pub leases: Vec<LeaseView>,
    /// What the reader may do now, and why not the rest.
    pub actions: BTreeMap<String, ActionView>,
    /// What happened, in the order of the log.
    pub timeline: Vec<TimelineEntry>,
}

/// How a request differs from what is usual.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// Stable name: `new_origin`, `refused_lately`, `first_time`, `new_subject`, `long_grant`, `off_hours` or
    /// `many_requests`.
    pub code: String,
    /// One sentence for the approver.
    pub message: String,
}

/// An approver's first look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SeenView {
    /// Who.
    pub person: PersonReference,
    /// When.
    pub time: String,
}

/// The two digits that the requester tells the approvers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NumberMatching {
    /// Whether an approval needs them.
    pub needed: bool,
    /// Wrong ones after which the request is rejected; those of all approvers count together.
    pub misses_left: u32,
}

/// A stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StageView {
    /// Its id in the verdict.
    pub id: String,
    /// Its seats.
    pub quorum: u32,
    /// Stages that come before it.
    pub after: Vec<String>,
    /// Who may take a seat, requester and beneficiary left out.
    pub eligible: Vec<PersonReference>,
    /// Who approved for it so far.
    pub approved_by: Vec<PersonReference>,
    /// Whether its seats are filled.
    pub filled: bool,
}

/// A decision that stands in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DecisionView {
    /// Who.
    pub person: PersonReference,
    /// `approve`, `reject`, `withdraw` or `revoke`.
    pub decision: String,
    /// The revision that it speaks of.
    pub revision: u32,
    /// Stages that it names.
    pub stages: Vec<String>,
    /// Whether the request was reported as suspicious by it.
    pub suspicious: bool,
    /// Why, when a reason was given and not erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was recorded.
    pub time: String,
    /// Where it stands in the log.
    pub leaf_index: u64,
}

/// The four clocks, as far as they are set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClocksView {
    /// When it lapses undecided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lapses_at: Option<String>,
    /// When it lapses unused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_by: Option<String>,
    /// Longest grant, from activation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_seconds: Option<u64>,
    /// Not to start earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// Nothing under it is valid from here on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<String>,
    /// When the grant's clock started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<String>,
}

/// Whether the reader may do something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActionView {
    /// Whether it is open to the reader now.
    pub allowed: bool,
    /// The refusal's code, when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One event of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TimelineEntry {
    /// Where it stands in the log.
    pub leaf_index: u64,
    /// Where its attestation stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation_index: Option<u64>,
    /// Version in the stream.
    pub version: u64,
    /// Kind of the event.
    pub kind: String,
    /// When it was recorded.
    pub time: String,
    /// Who caused it, when a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonReference>,
    /// What happened, in a few words.
    pub summary: String,
}

/// `POST /api/v1/requests/{id}/redactions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedactionRequest {
    /// Digests of the disclosures to erase, base64url, as they stand in `_sd`.
    pub digests: Vec<String>,
}
