//! The documents that people sign: what is asked, what is decided, who may act. Their canonical bytes are
//! what the digests and challenges cover (docs/spec/documents.md).

use chancery_canonical::json::JsonError;
use chancery_canonical::{Canonical, Sha256, not_empty, present};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::{PersonId, RequestId};
use crate::time::Timestamp;

/// Declares a unit type that is one fixed string in JSON, so that a document of another kind does not parse.
macro_rules! document_type {
    ($(#[$doc:meta])* $name:ident = $text:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $name {
            #[doc = concat!("`", $text, "`")]
            #[default]
            #[serde(rename = $text)]
            V1,
        }
    };
}

document_type!(
    /// The `type` of a request document.
    RequestType = "urn:chancery:request:v1"
);
document_type!(
    /// The `type` of a decision document.
    DecisionType = "urn:chancery:decision:v1"
);
document_type!(
    /// The `type` of a session document.
    SessionType = "urn:chancery:session:v1"
);
document_type!(
    /// The `type` of an identity document.
    IdentityType = "urn:chancery:identity:v1"
);

/// Everything that is being approved. Immutable: an edit is a new revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestDocument {
    /// Fixed.
    #[serde(rename = "type")]
    pub document_type: RequestType,
    /// The log that this request belongs to; a signature is worth nothing in another one.
    pub log_origin: String,
    /// The request.
    pub id: RequestId,
    /// 1, then one more for each edit.
    pub revision: u32,
    /// What is asked for.
    pub entitlement: EntitlementReference,
    /// Who asks.
    pub requester: PersonId,
    /// Who receives it.
    pub beneficiary: Beneficiary,
    /// The filled form of the entitlement.
    pub parameters: Map<String, Value>,
    /// Files that belong to it, by content.
    pub artifacts: Vec<ArtifactReference>,
    /// Names of the artifacts that undo it.
    pub undo: Vec<String>,
    /// Number of a ticket elsewhere.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "present")]
    pub ticket: Option<String>,
    /// The clocks asked for.
    pub clocks: AskedClocks,
    /// When it was drafted.
    pub created_at: Timestamp,
    /// Digests of salted personal strings (RFC 9901): the justification.
    #[serde(rename = "_sd", skip_serializing_if = "Vec::is_empty", default, deserialize_with = "not_empty")]
    pub concealed: Vec<String>,
}

/// An entitlement as it was when the request was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntitlementReference {
    /// Name in the bundle.
    pub name: String,
    /// SHA-256 of JCS of its data.
    pub sha256: Sha256,
}

/// Who receives the grant, and the key that it is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beneficiary {
    /// The person.
    pub person: PersonId,
    /// OpenSSH public key line without a comment; its private half never reaches the server.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "present")]
    pub public_key: Option<String>,
}

/// A content-addressed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArtifactReference {
    /// Name within the request.
    pub name: String,
    /// RFC 6838 media type.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of its bytes.
    pub sha256: Sha256,
}

/// For how long, and from when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedClocks {
    /// Length of the grant, from activation.
    pub grant_seconds: u64,
    /// Not to start earlier.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "present")]
    pub not_before: Option<Timestamp>,
}

/// What a person decides. Approve and reject count towards a request; the others end or bypass one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    /// Yes, to the seats named.
    Approve,
    /// No; one eligible reject is final.
    Reject,
    /// An approval taken back before activation.
    Withdraw,
    /// A grant ended early.
    Revoke,
    /// A policy owner overrules a `deny`.
    Override,
    /// A pre-authorised bypass that creates a debt.
    BreakGlass,
}

/// One person's decision, over exactly what is granted (trust.md §The decision document).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionDocument {
    /// Fixed.
    #[serde(rename = "type")]
    pub document_type: DecisionType,
    /// The log.
    pub log_origin: String,
    /// What is decided.
    pub request: RequestReference,
    /// The request-phase verdict, which fixes the stages.
    pub verdict_sha256: Sha256,
    /// The bundle that it came from.
    pub policy_sha256: Sha256,
    /// Yes, no, …
    pub decision: DecisionKind,
    /// Who decides.
    pub approver: PersonId,
    /// With which of their passkeys: SHA-256 of the raw credential id.
    pub credential_id_sha256: Sha256,
    /// The seats it may fill, as shown.
    pub stages: Vec<ShownStage>,
    /// What is granted.
    pub grant: GrantTerms,
    /// SHA-256 of the salted disclosure of the reason, when one was given.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "present")]
    pub reason_sha256: Option<Sha256>,
    /// Present in a rejection that reports the request: it freezes the requester.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "present")]
    pub suspicious: Option<Suspicious>,
    /// A checkpoint that the decision comes after.
    pub checkpoint: CheckpointReference,
    /// Single use, at least 128 bit, base64url.
    pub nonce: String,
    /// When it was offered for signing.
    pub issued_at: Timestamp,
    /// When the offer ends.
    pub expires_at: Timestamp,
}

/// `true`, the one value of a member that is left out otherwise, so that one meaning has one spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "bool", into = "bool")]
pub struct Suspicious;

impl TryFrom<bool> for Suspicious {
    type Error = &'static str;
    fn try_from(value: bool) -> Result<Self, &'static str> {
        if value { Ok(Self) } else { Err("`suspicious` is `true`, or it is left out") }
    }
}

impl From<Suspicious> for bool {
    fn from(_: Suspicious) -> bool {
        true
    }
}

/// One revision of one request, by digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestReference {
    /// The request.
    pub id: RequestId,
    /// Its revision.
    pub revision: u32,
    /// SHA-256 of the canonical request document.
    pub sha256: Sha256,
}

/// A stage as an approver saw it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShownStage {
    /// Its id in the verdict.
    pub id: String,
    /// Its seats.
    pub quorum: u32,
}

/// What a grant may be, at most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantTerms {
    /// Longest time from activation to its end.
    pub max_seconds: u64,
    /// It may not start earlier.
    pub not_before: Timestamp,
    /// Nothing under it is valid at or after this moment, whenever it started.
    pub not_after: Timestamp,
}

/// A checkpoint, by size and root hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointReference {
    /// Leaves in the tree.
    pub size: u64,
    /// Root hash, lowercase hex.
    pub root: Sha256,
}

/// Introduces a key that signs for a person for some hours, so that one touch is enough for a day's requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionDocument {
    /// Fixed.
    #[serde(rename = "type")]
    pub document_type: SessionType,
    /// The log.
    pub log_origin: String,
    /// Who signs in.
    pub person: PersonId,
    /// Raw Ed25519 public key of the session, base64url; absent for a browser, which signs each act itself.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "present")]
    pub public_key: Option<String>,
    /// Single use.
    pub nonce: String,
    /// When it was offered.
    pub issued_at: Timestamp,
    /// End of the session; at most [`MAX_SESSION_SECONDS`] after `issued_at`.
    pub expires_at: Timestamp,
}

/// The longest that a session key may sign: twelve hours.
pub const MAX_SESSION_SECONDS: u64 = 12 * 3600;

/// A change to people, keys or roles, as its signers saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityDocument {
    /// Fixed.
    #[serde(rename = "type")]
    pub document_type: IdentityType,
    /// The log.
    pub log_origin: String,
    /// Kind of the event that it authorises, such as `role.granted`.
    pub act: String,
    /// That event's whole body, without its `authority`.
    pub body: Map<String, Value>,
    /// Single use.
    pub nonce: String,
    /// When it was offered.
    pub issued_at: Timestamp,
    /// When the offer ends.
    pub expires_at: Timestamp,
}

/// A document that somebody signs, and the prefix that keeps its signature from meaning anything else.
pub trait Signed: Serialize {
    /// First line of what is hashed, so that no digest of one kind is a digest of another.
    const CONTEXT: &'static str;

    /// The canonical bytes.
    ///
    /// # Errors
    /// When a number in it has no canonical form.
    fn canonical(&self) -> Result<Canonical, JsonError> {
        Canonical::of(self)
    }
}

impl Signed for RequestDocument {
    const CONTEXT: &'static str = "chancery request v1\n";
}
impl Signed for DecisionDocument {
    const CONTEXT: &'static str = "chancery decision v1\n";
}
impl Signed for SessionDocument {
    const CONTEXT: &'static str = "chancery session v1\n";
}
impl Signed for IdentityDocument {
    const CONTEXT: &'static str = "chancery identity v1\n";
}

/// What is signed for a document of kind `D`: SHA-256(context ‖ canonical bytes). For a passkey it is the challenge.
pub fn challenge<D: Signed>(canonical: &Canonical) -> Sha256 {
    Sha256::of_parts(&[D::CONTEXT.as_bytes(), canonical.as_bytes()])
}
