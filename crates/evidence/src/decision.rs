//! From a decision document and an assertion to a [`VerifiedDecision`]: that this person, with a passkey that
//! was theirs at that moment, decided exactly this. Whether it counts is the domain's question (`count.rs`).

use chancery_canonical::json::JsonError;
use chancery_canonical::{Canonical, Sha256};
use chancery_domain::document::{DecisionDocument, DecisionKind, RequestReference, challenge};
use chancery_domain::event::DecisionRecorded;
use chancery_domain::proof::VerifiedDecision;
use chancery_domain::signature::Assertion;
use chancery_domain::time::Timestamp;

use crate::signer::{Context, SignerRefusal, is_nonce, verify_signer};

/// The longest that a decision may be offered for signing: five minutes.
pub const MAX_DECISION_OFFER_SECONDS: u64 = 300;

/// Why a decision does not count as signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecisionRefusal {
    /// Not a decision document.
    #[error("the decision document cannot be read: {0}")]
    Document(JsonError),
    /// Made for another log.
    #[error("the decision is for the log `{0}`: decide here")]
    OtherLog(String),
    /// About another request, revision or content.
    #[error("the decision is about another request or revision: open the request and decide again")]
    OtherRequest,
    /// A nonce of less than 128 bits, or not base64url.
    #[error("the decision's nonce is not base64url of 16 to 64 bytes")]
    Nonce,
    /// Offered for longer than five minutes, or for no time.
    #[error("a decision is offered for at most {MAX_DECISION_OFFER_SECONDS} seconds")]
    Window,
    /// Signed before it was offered, by the times in the log.
    #[error("the decision was not offered before {0}")]
    NotYet(Timestamp),
    /// Signed too late.
    #[error("the offer to sign this decision ended at {0}: open the request and decide again")]
    Expired(Timestamp),
    /// Reported, and yet no rejection.
    #[error("only a rejection can report a request as suspicious")]
    Suspicious,
    /// The assertion is by another credential than the document names.
    #[error("the decision names another passkey than the one that signed")]
    OtherCredential,
    /// The passkey is not this approver's, or signed something else.
    #[error(transparent)]
    Signer(#[from] SignerRefusal),
}

impl DecisionRefusal {
    /// A stable name for logs, API answers and evidence reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Document(_) => "decision_malformed",
            Self::OtherLog(_) => "decision_other_log",
            Self::OtherRequest => "decision_other_request",
            Self::Nonce => "decision_nonce",
            Self::Window => "decision_window",
            Self::NotYet(_) => "decision_not_yet",
            Self::Expired(_) => "decision_expired",
            Self::Suspicious => "decision_suspicious",
            Self::OtherCredential => "decision_other_credential",
            Self::Signer(refusal) => refusal.code(),
        }
    }
}

/// Checks a decision as it stands in the log; `context` is that of its leaf.
///
/// # Errors
/// [`DecisionRefusal`], the first check that fails.
pub fn verify_recorded_decision(
    recorded: &DecisionRecorded,
    request: &RequestReference,
    context: &Context<'_>,
) -> Result<VerifiedDecision, DecisionRefusal> {
    verify_decision(&recorded.document, &recorded.assertion, request, context)
}

/// Checks a decision on `request`, the revision that stands at `context.at`.
///
/// That its nonce was not used before is for the caller to check, who has the stream: the signed bytes of a
/// request's decisions must all differ.
///
/// # Errors
/// [`DecisionRefusal`], the first check that fails.
pub fn verify_decision(
    document: &Canonical,
    assertion: &Assertion,
    request: &RequestReference,
    context: &Context<'_>,
) -> Result<VerifiedDecision, DecisionRefusal> {
    let decision: DecisionDocument = document.decode().map_err(DecisionRefusal::Document)?;
    if decision.log_origin != context.log_origin {
        return Err(DecisionRefusal::OtherLog(decision.log_origin));
    }
    if decision.request != *request {
        return Err(DecisionRefusal::OtherRequest);
    }
    if !is_nonce(&decision.nonce) {
        return Err(DecisionRefusal::Nonce);
    }
    if decision.suspicious.is_some() && decision.decision != DecisionKind::Reject {
        return Err(DecisionRefusal::Suspicious);
    }
    check_window(&decision, context.at)?;
    if decision.credential_id_sha256 != Sha256::of(assertion.credential_id.as_bytes()) {
        return Err(DecisionRefusal::OtherCredential);
    }
    let signed = challenge::<DecisionDocument>(document);
    // INVARIANT: the key counted when the offer was made, not only when the decision was recorded.
    let (site, directory, at) = (context.relying_party, context.directory, decision.issued_at);
    verify_signer(&decision.approver, assertion, &signed, site, directory, at)?;
    Ok(VerifiedDecision::verified_by_evidence(decision, document.clone()))
}

fn check_window(decision: &DecisionDocument, at: Timestamp) -> Result<(), DecisionRefusal> {
    let length = decision.expires_at.seconds_since(decision.issued_at);
    if !(1..=MAX_DECISION_OFFER_SECONDS).contains(&length) {
        return Err(DecisionRefusal::Window);
    }
    if at < decision.issued_at {
        return Err(DecisionRefusal::NotYet(decision.issued_at));
    }
    if at >= decision.expires_at {
        return Err(DecisionRefusal::Expired(decision.expires_at));
    }
    Ok(())
}
