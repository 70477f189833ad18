//! Deciding: approve, reject, withdraw, revoke.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::passkey::{Assertion, RequestOptions};
use crate::request::RequestView;

/// What a person may decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    /// Yes.
    Approve,
    /// No; final.
    Reject,
    /// An approval taken back before activation.
    Withdraw,
    /// A grant ended early.
    Revoke,
    /// A policy owner overrules a `deny`. Not possible yet.
    Override,
    /// A pre-authorised bypass. Not possible yet.
    BreakGlass,
}

/// `POST /api/v1/requests/{id}/decisions/options`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionOptionsRequest {
    /// Which.
    pub decision: DecisionKind,
    /// Why; it stands in the document only as a salted digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Raw id of the passkey to sign with, base64url; the document names it. Else the first that may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_id: Option<String>,
    /// The two digits that the requester was shown; an approval of tier `high` or `critical` needs them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matching_number: Option<String>,
    /// Whether a reject says that the request is suspicious: that freezes the requester, and raises an alert.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub report_suspicious: bool,
}

/// What to sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DecisionOptions {
    /// The decision document, canonical text.
    pub document: String,
    /// Salted disclosure of the reason, when one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disclosure: Option<String>,
    /// The challenge in a form to read aloud: its first 20 hexadecimal digits in groups of four,
    /// with spaces between.
    pub fingerprint: String,
    /// For `navigator.credentials.get`.
    pub public_key: RequestOptions,
}

/// `POST /api/v1/requests/{id}/decisions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionRequest {
    /// The document, as offered.
    pub document: String,
    /// The approver's assertion over it.
    pub assertion: Assertion,
    /// The disclosure, as offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disclosure: Option<String>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DecisionOutcome {
    /// The request after it.
    pub request: RequestView,
    /// The signer's proof that it was recorded.
    pub receipt: Receipt,
}

/// Lets the signer show a decision that was suppressed later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// The decision document, canonical text.
    pub document: String,
    /// The assertion over it.
    pub assertion: Assertion,
    /// The leaf's bytes, base64url.
    pub leaf: String,
    /// Where it stands in the log.
    pub leaf_index: u64,
    /// c2sp.org/tlog-proof of that leaf, with the checkpoint.
    pub proof: String,
}
