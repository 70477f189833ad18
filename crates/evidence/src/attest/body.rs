//! What each attestation says, made from its event alone, so that a verifier makes it again and compares.

use chancery_canonical::json::JsonError;
use chancery_canonical::{Canonical, Sha256};
use chancery_domain::document::DecisionDocument;
use chancery_domain::event::{
    Approved, DecisionRecorded, IdentityEvent, Judged, LeaseIssued, PolicyEvent, Redacted, RequestEvent,
    to_parts,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{AttestError, AttestedFacts, AttestedSubject, Content, Predicate};
use crate::identity::subject_of;

/// What the attestation of this event says; `None` for kinds that are not attested.
///
/// # Errors
/// [`AttestError::Missing`] when a fact that the statement repeats was not given.
pub fn predicate_of(event: &RequestEvent, facts: &AttestedFacts<'_>) -> Result<Option<Content>, AttestError> {
    Ok(match event {
        RequestEvent::Judged(body) => Some((Predicate::Verdict, verdict(body)?)),
        RequestEvent::DecisionRecorded(body) => Some((Predicate::Decision, decision(body, facts)?)),
        RequestEvent::Approved(body) => Some((Predicate::Grant, grant(body, facts)?)),
        RequestEvent::LeaseIssued(body) => Some((Predicate::Issuance, issuance(body, facts)?)),
        RequestEvent::LeaseRevoked(body) => {
            let said = json!({ "lease": body.lease, "list_number": body.list_number });
            Some((Predicate::Revocation, members(&said)?))
        }
        RequestEvent::Redacted(body) => Some((Predicate::Redaction, redaction(body)?)),
        RequestEvent::Submitted(_)
        | RequestEvent::Revised(_)
        | RequestEvent::DecisionRefused(_)
        | RequestEvent::Rejected(_)
        | RequestEvent::Mismatched(_)
        | RequestEvent::Cancelled(_)
        | RequestEvent::Lapsed(_)
        | RequestEvent::Activated(_)
        | RequestEvent::LeaseIntended(_)
        | RequestEvent::Expired(_)
        | RequestEvent::Ended(_)
        | RequestEvent::Revoked(_)
        | RequestEvent::ExecutionFinished(_)
        | RequestEvent::RollbackStarted(_)
        | RequestEvent::RollbackFinished(_) => None,
    })
}

/// The judgement as it stands in the event.
fn verdict(judged: &Judged) -> Result<Map<String, Value>, AttestError> {
    members(&Judged { attestation_sha256: None, ..judged.clone() })
}

/// The decision's signed bytes, the whole assertion, and the public key that verifies it.
fn decision(
    recorded: &DecisionRecorded,
    facts: &AttestedFacts<'_>,
) -> Result<Map<String, Value>, AttestError> {
    let document: DecisionDocument = recorded.document.decode()?;
    let person = facts.directory.person(&document.approver);
    let passkey = person.and_then(|person| person.passkeys.get(recorded.assertion.credential_id.as_bytes()));
    let passkey = passkey.ok_or(AttestError::Missing("approver's passkey"))?;
    members(&json!({
        "document": recorded.document,
        "assertion": recorded.assertion,
        "credential_public_key": passkey.public_key,
    }))
}

/// Seats and terms.
fn grant(approved: &Approved, facts: &AttestedFacts<'_>) -> Result<Map<String, Value>, AttestError> {
    let terms = facts.grant.ok_or(AttestError::Missing("grant terms"))?;
    members(&json!({
        "revision": approved.revision,
        "seats": approved.seats,
        "starts_by": approved.starts_by,
        "grant": terms,
    }))
}

/// What was announced, and the public facts of what was signed.
fn issuance(issued: &LeaseIssued, facts: &AttestedFacts<'_>) -> Result<Map<String, Value>, AttestError> {
    let intended = facts.intended.ok_or(AttestError::Missing("announcement of the lease"))?;
    let certificate = facts.certificate.ok_or(AttestError::Missing("public facts of the certificate"))?;
    if intended.lease != issued.lease {
        return Err(AttestError::OtherLease);
    }
    members(&json!({
        "lease": issued.lease,
        "credential": intended.credential,
        "serial": intended.serial,
        "to_be_signed_sha256": intended.to_be_signed_sha256,
        "not_after": intended.not_after,
        "certificate": certificate,
    }))
}

/// Who ordered which disclosures to be erased.
fn redaction(redacted: &Redacted) -> Result<Map<String, Value>, AttestError> {
    members(&Redacted { attestation_sha256: None, ..redacted.clone() })
}

/// Subject and content of the attestation of an identity event: its kind and its whole body, which holds
/// commitments and public keys only.
///
/// # Errors
/// [`AttestError::Json`] when the body has no canonical form.
pub fn enrolment(event: &IdentityEvent) -> Result<(AttestedSubject, Map<String, Value>), AttestError> {
    let (kind, body) = to_parts(event).map_err(unwritable)?;
    let digest: Sha256 = Canonical::of(&body)?.digest();
    let subject = AttestedSubject::identity(subject_of(event), digest);
    Ok((subject, members(&json!({ "event": kind, "body": body }))?))
}

/// Subject and content of the attestation of a policy's activation: its kind and its whole body.
///
/// # Errors
/// [`AttestError::Json`] when the body has no canonical form.
pub fn policy(event: &PolicyEvent) -> Result<(AttestedSubject, Map<String, Value>), AttestError> {
    let (kind, body) = to_parts(event).map_err(unwritable)?;
    let PolicyEvent::Activated(activated) = event;
    let subject = AttestedSubject::policy(activated.to);
    Ok((subject, members(&json!({ "event": kind, "body": body }))?))
}

fn members<T: Serialize>(value: &T) -> Result<Map<String, Value>, AttestError> {
    match serde_json::to_value(value).map_err(unwritable)? {
        Value::Object(members) => Ok(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(AttestError::Json(JsonError::Unrepresentable("not an object".to_owned())))
        }
    }
}

fn unwritable(error: impl ToString) -> AttestError {
    AttestError::Json(JsonError::Unrepresentable(error.to_string()))
}
