//! Whose passkey signed, at one place and moment: the question under every session, request, decision and
//! identity event.

use chancery_canonical::Sha256;
use chancery_canonical::base64::decode_url;
use chancery_domain::event::Passkey;
use chancery_domain::id::PersonId;
use chancery_domain::people::{Directory, KeyProblem, Person};
use chancery_domain::signature::Assertion;
use chancery_domain::time::Timestamp;

use crate::cose::{CoseError, CosePublicKey};
use crate::webauthn::{AssertionRefusal, EnrolledKey, RelyingParty, verify_assertion};

/// The fewest random bytes in a nonce: 128 bits.
const MINIMUM_NONCE_BYTES: usize = 16;
/// The most.
const MAXIMUM_NONCE_BYTES: usize = 64;

/// Where and when a signature is judged. The same signature is worth nothing in another log, on another site,
/// or under another directory.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Name of the log.
    pub log_origin: &'a str,
    /// The site on which passkeys are used.
    pub relying_party: &'a RelyingParty,
    /// Who exists, just before the leaf that carries the signature.
    pub directory: &'a Directory,
    /// Now, or the time in that leaf.
    pub at: Timestamp,
}

/// Why a passkey's signature is not that person's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignerRefusal {
    /// Nobody of that id at that position of the log.
    #[error("person `{0}` is unknown at this position of the log")]
    UnknownPerson(PersonId),
    /// Out for now.
    #[error("person `{0}` is suspended")]
    Suspended(PersonId),
    /// Another person's key, one that was not enrolled yet, or one that was removed before.
    #[error("the passkey is not one of person `{0}` at this position of the log: sign with an enrolled one")]
    NotTheirKey(PersonId),
    /// A key that was lost signs nothing any more.
    #[error("the passkey is one that person `{0}` lost: sign with the one that took its place")]
    Lost(PersonId),
    /// A key that came by a recovery, within the day in which it can be stopped.
    #[error("the passkey of person `{person}` came by a recovery and counts from {from} on")]
    Waits {
        /// Whose.
        person: PersonId,
        /// From when on it counts.
        from: Timestamp,
    },
    /// The enrolled key is none.
    #[error("the enrolled passkey cannot be read: {0}")]
    Key(#[from] CoseError),
    /// The signature is not one over this document.
    #[error(transparent)]
    Assertion(#[from] AssertionRefusal),
}

impl SignerRefusal {
    /// A stable name for logs, API answers and evidence reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownPerson(_) => "signer_unknown",
            Self::Suspended(_) => "signer_suspended",
            Self::NotTheirKey(_) => "passkey_not_of_person",
            Self::Lost(_) => "passkey_lost",
            Self::Waits { .. } => "passkey_waits",
            Self::Key(_) => "passkey_unreadable",
            Self::Assertion(refusal) => refusal.code(),
        }
    }

    /// Whether the key counts for nothing because of a recovery.
    pub fn is_of_recovery(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Waits { .. })
    }
}

/// A person, and the one of their passkeys that signed.
#[derive(Clone, Copy, Debug)]
pub struct Signer<'a> {
    /// Who.
    pub person: &'a Person,
    /// With which key.
    pub passkey: &'a Passkey,
}

/// Checks that an active person signed this challenge with a passkey that is theirs in this directory and counts at
/// this moment.
///
/// # Errors
/// [`SignerRefusal`], the first check that fails: person, key, then everything about the assertion.
pub fn verify_signer<'a>(
    person: &PersonId,
    assertion: &Assertion,
    challenge: &Sha256,
    relying_party: &RelyingParty,
    directory: &'a Directory,
    at: Timestamp,
) -> Result<Signer<'a>, SignerRefusal> {
    let known = active(person, directory)?;
    let passkey = known.counting_key(assertion.credential_id.as_bytes(), at);
    let passkey = passkey.map_err(|problem| match problem {
        KeyProblem::NotTheirs => SignerRefusal::NotTheirKey(person.clone()),
        KeyProblem::Lost => SignerRefusal::Lost(person.clone()),
        KeyProblem::Waits(from) => SignerRefusal::Waits { person: person.clone(), from },
    })?;
    verify_assertion(assertion, &enrolled_key(passkey)?, relying_party, challenge)?;
    Ok(Signer { person: known, passkey })
}

/// The same for whoever is merely here: a key that waits, or one that can stop a running recovery, is enough. What
/// such a signature is good for is signing in, and nothing that counts.
///
/// # Errors
/// [`SignerRefusal`], the first check that fails.
pub fn verify_present<'a>(
    person: &PersonId,
    assertion: &Assertion,
    challenge: &Sha256,
    relying_party: &RelyingParty,
    directory: &'a Directory,
    at: Timestamp,
) -> Result<Signer<'a>, SignerRefusal> {
    let known = active(person, directory)?;
    let passkey = known.present_key(assertion.credential_id.as_bytes(), at);
    let passkey = passkey.ok_or_else(|| SignerRefusal::NotTheirKey(person.clone()))?;
    verify_assertion(assertion, &enrolled_key(passkey)?, relying_party, challenge)?;
    Ok(Signer { person: known, passkey })
}

fn active<'a>(person: &PersonId, directory: &'a Directory) -> Result<&'a Person, SignerRefusal> {
    let known = directory.person(person).ok_or_else(|| SignerRefusal::UnknownPerson(person.clone()))?;
    if known.suspended { Err(SignerRefusal::Suspended(person.clone())) } else { Ok(known) }
}

/// The key that assertions of this passkey are checked against.
///
/// # Errors
/// [`CoseError`] when the public key is not an acceptable one.
pub fn enrolled_key(passkey: &Passkey) -> Result<EnrolledKey, CoseError> {
    Ok(EnrolledKey {
        credential_id: passkey.credential_id.clone(),
        public_key: CosePublicKey::parse(passkey.public_key.as_bytes())?,
        backup_eligible: passkey.backup_eligible,
    })
}

/// Whether a text is a nonce: base64url of 16 to 64 bytes.
pub(crate) fn is_nonce(text: &str) -> bool {
    decode_url(text).is_ok_and(|bytes| (MINIMUM_NONCE_BYTES..=MAXIMUM_NONCE_BYTES).contains(&bytes.len()))
}
