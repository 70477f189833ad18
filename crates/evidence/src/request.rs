//! From a submitted request to a [`SignedRequest`]: that its requester signed exactly this document, and that
//! whoever will hold the credential holds the key in it.

use chancery_canonical::json::JsonError;
use chancery_canonical::{Canonical, Sha256};
use chancery_domain::document::{MAX_SESSION_SECONDS, RequestDocument, challenge};
use chancery_domain::event::Submitted;
use chancery_domain::id::PersonId;
use chancery_domain::proof::SignedRequest;
use chancery_domain::signature::RequestSignature;
use chancery_domain::time::Timestamp;

use crate::session::{SessionRefusal, verify_session};
use crate::signer::{Context, SignerRefusal, verify_signer};
use crate::ssh_key::{SshKeyError, SshPublicKey};
use crate::sshsig::{REQUEST_NAMESPACE, SshSignature, SshSignatureError};

/// How far the clock of whoever drafted a request may run ahead of the log's.
pub const MAX_DRAFT_AHEAD_SECONDS: u64 = 300;
/// How long after it was drafted a request may be submitted: no longer than a session lasts.
pub const MAX_DRAFT_AGE_SECONDS: u64 = MAX_SESSION_SECONDS;

/// Why a request does not count as signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestRefusal {
    /// The document is not the one that the event names.
    #[error("the request document has another digest than `{0}`: submit the document that was signed")]
    Digest(Sha256),
    /// Not a request document.
    #[error("the request document cannot be read: {0}")]
    Document(JsonError),
    /// Made for another log.
    #[error("the request is for the log `{0}`: ask here")]
    OtherLog(String),
    /// The event and the signed document say different things.
    #[error("the request's event and its signed document differ in `{0}`")]
    Differs(&'static str),
    /// Drafted in the future, or long ago.
    #[error("the request was drafted at {0}, which is not close enough: draft it again")]
    DraftTime(Timestamp),
    /// The beneficiary is nobody, or out for now.
    #[error("beneficiary `{0}` is suspended or unknown")]
    Beneficiary(PersonId),
    /// The requester's passkey did not sign this.
    #[error(transparent)]
    Signer(#[from] SignerRefusal),
    /// The session under the signature does not stand.
    #[error(transparent)]
    Session(#[from] SessionRefusal),
    /// A session of somebody else.
    #[error("the session belongs to person `{0}`, not to the requester: log in as the requester")]
    OtherPersonsSession(PersonId),
    /// The session's key did not sign this, or the session has none.
    #[error("the session key did not sign this request: log in and sign it again")]
    SessionSignature,
    /// The document names a key and nobody proved to hold it.
    #[error(
        "the request names an SSH key without a proof of possession: sign with that key in `{REQUEST_NAMESPACE}`"
    )]
    PossessionMissing,
    /// A proof for a key that the document does not name.
    #[error("the request carries a proof of possession but names no SSH key")]
    PossessionUnexpected,
    /// The key in the document is none.
    #[error("the beneficiary's SSH key cannot be read: {0}")]
    SshKey(#[from] SshKeyError),
    /// More than the key, or another spelling of it: a comment names people and machines, and one key has one line.
    #[error("the beneficiary's SSH key must be the line `TYPE BASE64`, without a comment")]
    SshKeyComment,
    /// The proof is not one by this key over this request.
    #[error("the proof of possession does not stand: {0}")]
    Possession(#[from] SshSignatureError),
}

impl RequestRefusal {
    /// A stable name for logs, API answers and evidence reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Digest(_) => "request_digest",
            Self::Document(_) => "request_malformed",
            Self::OtherLog(_) => "request_other_log",
            Self::Differs(_) => "request_differs",
            Self::DraftTime(_) => "request_draft_time",
            Self::Beneficiary(_) => "beneficiary_not_active",
            Self::Signer(refusal) => refusal.code(),
            Self::Session(refusal) => refusal.code(),
            Self::OtherPersonsSession(_) => "session_other_person",
            Self::SessionSignature => "session_signature",
            Self::PossessionMissing => "possession_missing",
            Self::PossessionUnexpected => "possession_unexpected",
            Self::SshKey(_) => "ssh_key",
            Self::SshKeyComment => "ssh_key_comment",
            Self::Possession(_) => "possession",
        }
    }
}

/// Checks a request against the body of its `request.submitted` or `request.revised` event.
///
/// # Errors
/// [`RequestRefusal`], the first check that fails: content, then the requester's signature, then possession.
pub fn verify_request(
    submitted: &Submitted,
    document: &Canonical,
    context: &Context<'_>,
) -> Result<SignedRequest, RequestRefusal> {
    if document.digest() != submitted.request_sha256 {
        return Err(RequestRefusal::Digest(submitted.request_sha256));
    }
    let request: RequestDocument = document.decode().map_err(RequestRefusal::Document)?;
    check_content(submitted, &request, context)?;
    let signed = challenge::<RequestDocument>(document);
    check_requester(submitted, &signed, context)?;
    check_possession(submitted, &request, &signed)?;
    Ok(SignedRequest::verified_by_evidence(request, document.clone(), submitted.clone()))
}

fn check_content(
    submitted: &Submitted,
    request: &RequestDocument,
    context: &Context<'_>,
) -> Result<(), RequestRefusal> {
    if request.log_origin != context.log_origin {
        return Err(RequestRefusal::OtherLog(request.log_origin.clone()));
    }
    for (name, same) in [
        ("revision", request.revision == submitted.revision),
        ("requester", request.requester == submitted.requester),
        ("beneficiary", request.beneficiary.person == submitted.beneficiary),
        ("entitlement", request.entitlement.name == submitted.entitlement),
    ] {
        if !same {
            return Err(RequestRefusal::Differs(name));
        }
    }
    let ahead = request.created_at.seconds_since(context.at);
    let age = context.at.seconds_since(request.created_at);
    if ahead > MAX_DRAFT_AHEAD_SECONDS || age > MAX_DRAFT_AGE_SECONDS {
        return Err(RequestRefusal::DraftTime(request.created_at));
    }
    let beneficiary = context.directory.person(&request.beneficiary.person);
    if beneficiary.is_none_or(|person| person.suspended) {
        return Err(RequestRefusal::Beneficiary(request.beneficiary.person.clone()));
    }
    Ok(())
}

fn check_requester(
    submitted: &Submitted,
    signed: &Sha256,
    context: &Context<'_>,
) -> Result<(), RequestRefusal> {
    match &submitted.signature {
        RequestSignature::Passkey { assertion } => {
            let (site, directory) = (context.relying_party, context.directory);
            verify_signer(&submitted.requester, assertion, signed, site, directory, context.at)?;
        }
        RequestSignature::SessionKey { session, introduction, signature } => {
            let session = verify_session(session, introduction, context)?;
            if *session.person() != submitted.requester {
                return Err(RequestRefusal::OtherPersonsSession(session.person().clone()));
            }
            if !session.has_signed(signed, signature.as_bytes()) {
                return Err(RequestRefusal::SessionSignature);
            }
        }
    }
    Ok(())
}

fn check_possession(
    submitted: &Submitted,
    request: &RequestDocument,
    signed: &Sha256,
) -> Result<(), RequestRefusal> {
    match (&request.beneficiary.public_key, &submitted.possession) {
        (None, None) => Ok(()),
        (Some(_), None) => Err(RequestRefusal::PossessionMissing),
        (None, Some(_)) => Err(RequestRefusal::PossessionUnexpected),
        (Some(line), Some(proof)) => {
            let key = SshPublicKey::parse(line)?;
            if key.to_string() != *line {
                return Err(RequestRefusal::SshKeyComment);
            }
            let proof = SshSignature::from_blob(proof.as_bytes())?;
            Ok(proof.verify(&key, REQUEST_NAMESPACE, signed.as_bytes())?)
        }
    }
}
