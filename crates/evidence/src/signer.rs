//! Whose passkey signed, at one place and moment: the question under every session, request, decision and
//! identity event.

use chancery_canonical::Sha256;
use chancery_canonical::base64::decode_url;
use chancery_domain::event::Passkey;
use chancery_domain::id::PersonId;
use chancery_domain::people::{Directory, Person};
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
            Self::Key(_) => "passkey_unreadable",
            Self::Assertion(refusal) => refusal.code(),
        }
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

/// Checks that an active person signed this challenge with a passkey that is theirs in this directory.
///
/// # Errors
/// [`SignerRefusal`], the first check that fails: person, key, then everything about the assertion.
pub fn verify_signer<'a>(
    person: &PersonId,
    assertion: &Assertion,
    challenge: &Sha256,
    relying_party: &RelyingParty,
    directory: &'a Directory,
) -> Result<Signer<'a>, SignerRefusal> {
    let known = directory.person(person).ok_or_else(|| SignerRefusal::UnknownPerson(person.clone()))?;
    if known.suspended {
        return Err(SignerRefusal::Suspended(person.clone()));
    }
    let passkey = known.passkeys.get(assertion.credential_id.as_bytes());
    let passkey = passkey.ok_or_else(|| SignerRefusal::NotTheirKey(person.clone()))?;
    verify_assertion(assertion, &enrolled_key(passkey)?, relying_party, challenge)?;
    Ok(Signer { person: known, passkey })
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
