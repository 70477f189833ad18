//! From the public JSON types to the domain's: every text is parsed here, once.

use chancery_api::{decision, passkey, request};
use chancery_canonical::{Bytes, Canonical};
use chancery_domain::document::DecisionKind;
use chancery_domain::signature::{Assertion, RequestSignature};

use crate::problem::Problem;

/// Largest signed document, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 128 * 1024;

/// A signed document: its canonical text.
pub fn document(pointer: &str, text: &str) -> Result<Canonical, Problem> {
    if text.len() > MAX_DOCUMENT_BYTES {
        return Err(Problem::member(pointer, format!("has more than {MAX_DOCUMENT_BYTES} bytes")));
    }
    Canonical::parse(text.as_bytes()).map_err(|error| Problem::member(pointer, error))
}

/// Bytes within a limit.
pub fn bytes<const MAXIMUM: usize>(pointer: &str, text: &str) -> Result<Bytes<MAXIMUM>, Problem> {
    Bytes::parse(text).map_err(|error| Problem::member(pointer, error))
}

/// A passkey's assertion.
pub fn assertion(pointer: &str, from: &passkey::Assertion) -> Result<Assertion, Problem> {
    Ok(Assertion {
        credential_id: bytes(&format!("{pointer}/credential_id"), &from.credential_id)?,
        authenticator_data: bytes(&format!("{pointer}/authenticator_data"), &from.authenticator_data)?,
        client_data_json: bytes(&format!("{pointer}/client_data_json"), &from.client_data_json)?,
        signature: bytes(&format!("{pointer}/signature"), &from.signature)?,
    })
}

/// How a requester signed.
pub fn request_signature(from: &request::RequestSignature) -> Result<RequestSignature, Problem> {
    match from {
        request::RequestSignature::Passkey { assertion: from } => {
            Ok(RequestSignature::Passkey { assertion: assertion("/signature/assertion", from)? })
        }
        request::RequestSignature::SessionKey { session, introduction, signature } => {
            Ok(RequestSignature::SessionKey {
                session: document("/signature/session", session)?,
                introduction: assertion("/signature/introduction", introduction)?,
                signature: bytes("/signature/signature", signature)?,
            })
        }
    }
}

/// What a person decides.
pub fn decision_kind(from: decision::DecisionKind) -> DecisionKind {
    match from {
        decision::DecisionKind::Approve => DecisionKind::Approve,
        decision::DecisionKind::Reject => DecisionKind::Reject,
        decision::DecisionKind::Withdraw => DecisionKind::Withdraw,
        decision::DecisionKind::Revoke => DecisionKind::Revoke,
        decision::DecisionKind::Override => DecisionKind::Override,
        decision::DecisionKind::BreakGlass => DecisionKind::BreakGlass,
    }
}
