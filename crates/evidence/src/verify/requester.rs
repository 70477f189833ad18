//! The request document, who signed it, and who holds the key in it.

use chancery_canonical::{Canonical, Sha256};
use chancery_domain::document::{RequestDocument, challenge};
use chancery_domain::proof::SignedRequest;

use super::check::Finding;
use super::lifecycle::Case;
use crate::bundle::{BundleFiles, layout};
use crate::request::{RequestRefusal, verify_request};
use crate::session::SessionRefusal;
use crate::signer::Context;
use crate::ssh_key::SshPublicKey;
use crate::sshsig::{REQUEST_NAMESPACE, SshSignature};

/// The document of the current revision.
pub(super) struct Asking {
    pub document: RequestDocument,
    pub canonical: Canonical,
}

pub(super) fn request_digest(files: &BundleFiles, case: &Case) -> Finding<Asking> {
    let Some(bytes) = files.get(layout::REQUEST) else {
        return Finding::fail("`request.json` is missing");
    };
    let named = case.submitted.event.request_sha256;
    let found = Sha256::of(bytes);
    let mut problems = Vec::new();
    if found != named {
        problems.push(format!("`request.json` has the digest `{found}`, the log names `{named}`"));
    }
    let document = Canonical::parse(bytes).and_then(|canonical| Ok((canonical.decode()?, canonical)));
    let (document, canonical): (RequestDocument, Canonical) = match document {
        Ok(document) => document,
        Err(error) => {
            problems.push(format!("`request.json` cannot be read: {error}"));
            return Finding { value: None, problems };
        }
    };
    if document.id != case.id {
        problems.push(format!("`request.json` is about request `{}`", document.id));
    }
    Finding::with(Asking { document, canonical }, problems)
}

/// The request's own verification, made once for the three checks that ask for it.
pub(super) type Signed = Result<SignedRequest, RequestRefusal>;

pub(super) fn signed(case: &Case, asking: &Asking, context: &Context<'_>) -> Signed {
    verify_request(&case.submitted.event, &asking.canonical, context)
}

/// Everything about the request that is not possession, which has a check of its own and is looked at last.
pub(super) fn requester_signature(signed: &Signed) -> Finding<()> {
    match signed {
        Err(refusal) if !is_of_possession(refusal) => Finding::fail(refusal.to_string()),
        Ok(_) | Err(_) => Finding::pass(()),
    }
}

fn is_of_possession(refusal: &RequestRefusal) -> bool {
    matches!(
        refusal,
        RequestRefusal::PossessionMissing
            | RequestRefusal::PossessionUnexpected
            | RequestRefusal::SshKey(_)
            | RequestRefusal::SshKeyComment
            | RequestRefusal::Possession(_)
    )
}

/// The problem, if the requester signed with a key of a recovery that did not count.
pub(super) fn recovery_problem(case: &Case, signed: &Signed) -> Option<String> {
    let refusal = signed.as_ref().err()?;
    let (RequestRefusal::Signer(signer) | RequestRefusal::Session(SessionRefusal::Signer(signer))) = refusal
    else {
        return None;
    };
    signer.is_of_recovery().then(|| format!("leaf {}: {refusal}", case.submitted.index))
}

/// `None` when the request names no key, so that there is nothing to possess.
pub(super) fn beneficiary_possession(case: &Case, asking: &Asking, request: &Signed) -> Option<Finding<()>> {
    let finding = match (&asking.document.beneficiary.public_key, &case.submitted.event.possession) {
        (None, None) => return None,
        (Some(_), Some(_)) if request.is_ok() => Finding::pass(()),
        (Some(_), None) => Finding::fail("the request names a key, and nobody proved to hold it"),
        (None, Some(_)) => {
            Finding::fail("there is a proof of possession for a key that the request does not name")
        }
        (Some(line), Some(proof)) => {
            let signed = challenge::<RequestDocument>(&asking.canonical);
            match possessed(line, proof.as_bytes(), &signed) {
                Ok(()) => Finding::pass(()),
                Err(problem) => Finding::fail(problem),
            }
        }
    };
    Some(finding)
}

fn possessed(line: &str, proof: &[u8], signed: &Sha256) -> Result<(), String> {
    let key = SshPublicKey::parse(line).map_err(|error| error.to_string())?;
    if key.to_string() != line {
        return Err(RequestRefusal::SshKeyComment.to_string());
    }
    let proof = SshSignature::from_blob(proof).map_err(|error| error.to_string())?;
    proof.verify(&key, REQUEST_NAMESPACE, signed.as_bytes()).map_err(|error| error.to_string())
}
