//! A session key: introduced by one touch of a passkey, it signs a person's requests for at most twelve hours.

use chancery_canonical::json::JsonError;
use chancery_canonical::{Canonical, Sha256, base64};
use chancery_domain::document::{MAX_SESSION_SECONDS, SessionDocument, challenge};
use chancery_domain::id::PersonId;
use chancery_domain::people::Directory;
use chancery_domain::signature::Assertion;
use chancery_domain::time::Timestamp;
use ring::signature::{ED25519, UnparsedPublicKey};

use crate::ed25519;
use crate::signer::{Context, Signer, SignerRefusal, is_nonce, verify_present, verify_signer};
use crate::webauthn::RelyingParty;

/// A session whose introduction was verified. Only [`verify_session`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedSession {
    person: PersonId,
    public_key: Option<[u8; 32]>,
    expires_at: Timestamp,
}

/// Why a session's introduction does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionRefusal {
    /// Not a session document.
    #[error("the session document cannot be read: {0}")]
    Document(JsonError),
    /// Made for another log.
    #[error("the session is for the log `{0}`: log in here")]
    OtherLog(String),
    /// A nonce of less than 128 bits, or not base64url.
    #[error("the session's nonce is not base64url of 16 to 64 bytes")]
    Nonce,
    /// Longer than twelve hours, or without a length.
    #[error("a session lasts from one second to {MAX_SESSION_SECONDS} seconds: log in for a shorter time")]
    Length,
    /// Its time has not come.
    #[error("the session starts at {0}")]
    NotYet(Timestamp),
    /// Its time is over.
    #[error("the session ended at {0}: log in again")]
    Expired(Timestamp),
    /// Not 32 bytes of base64url, or a point of small order.
    #[error("the session's key is not an acceptable Ed25519 key: log in again")]
    Key,
    /// The passkey under it is not this person's.
    #[error(transparent)]
    Signer(#[from] SignerRefusal),
}

impl SessionRefusal {
    /// A stable name for logs, API answers and evidence reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Document(_) => "session_malformed",
            Self::OtherLog(_) => "session_other_log",
            Self::Nonce => "session_nonce",
            Self::Length => "session_too_long",
            Self::NotYet(_) => "session_not_yet",
            Self::Expired(_) => "session_expired",
            Self::Key => "session_key",
            Self::Signer(refusal) => refusal.code(),
        }
    }
}

/// Checks that a passkey of the person named in the document introduced this session and counts, and that
/// `context.at` lies within it.
///
/// # Errors
/// [`SessionRefusal`], the first check that fails.
pub fn verify_session(
    document: &Canonical,
    introduction: &Assertion,
    context: &Context<'_>,
) -> Result<VerifiedSession, SessionRefusal> {
    verify(document, introduction, context, verify_signer)
}

/// The same for signing in alone, for which a passkey need not count: one that waits after a recovery, or one that
/// can stop it, opens a session that may look and stop the recovery. What is signed by such a session's key is held
/// to [`verify_session`].
///
/// # Errors
/// [`SessionRefusal`], the first check that fails.
pub fn verify_sign_in(
    document: &Canonical,
    introduction: &Assertion,
    context: &Context<'_>,
) -> Result<VerifiedSession, SessionRefusal> {
    verify(document, introduction, context, verify_present)
}

/// Whose passkey signed, by one of the two measures.
type VerifySigner = for<'a> fn(
    &PersonId,
    &Assertion,
    &Sha256,
    &RelyingParty,
    &'a Directory,
    Timestamp,
) -> Result<Signer<'a>, SignerRefusal>;

fn verify(
    document: &Canonical,
    introduction: &Assertion,
    context: &Context<'_>,
    verify_signer: VerifySigner,
) -> Result<VerifiedSession, SessionRefusal> {
    let session: SessionDocument = document.decode().map_err(SessionRefusal::Document)?;
    if session.log_origin != context.log_origin {
        return Err(SessionRefusal::OtherLog(session.log_origin));
    }
    if !is_nonce(&session.nonce) {
        return Err(SessionRefusal::Nonce);
    }
    let length = session.expires_at.seconds_since(session.issued_at);
    if !(1..=MAX_SESSION_SECONDS).contains(&length) {
        return Err(SessionRefusal::Length);
    }
    if context.at < session.issued_at {
        return Err(SessionRefusal::NotYet(session.issued_at));
    }
    if context.at >= session.expires_at {
        return Err(SessionRefusal::Expired(session.expires_at));
    }
    let public_key = session.public_key.as_deref().map(session_key).transpose()?;
    let signed = challenge::<SessionDocument>(document);
    let (site, directory) = (context.relying_party, context.directory);
    verify_signer(&session.person, introduction, &signed, site, directory, context.at)?;
    Ok(VerifiedSession { person: session.person, public_key, expires_at: session.expires_at })
}

fn session_key(text: &str) -> Result<[u8; 32], SessionRefusal> {
    let bytes = base64::decode_url(text).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    bytes.filter(ed25519::is_acceptable).ok_or(SessionRefusal::Key)
}

impl VerifiedSession {
    /// Whose session it is.
    pub fn person(&self) -> &PersonId {
        &self.person
    }

    /// Raw Ed25519 key of the session; `None` for a browser's, which signs each act with the passkey itself.
    pub fn public_key(&self) -> Option<&[u8; 32]> {
        self.public_key.as_ref()
    }

    /// From this moment on it is worth nothing.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Whether the session's key signed the 32 bytes of this digest.
    pub fn has_signed(&self, digest: &Sha256, signature: &[u8]) -> bool {
        self.public_key.is_some_and(|key| {
            UnparsedPublicKey::new(&ED25519, key).verify(digest.as_bytes(), signature).is_ok()
        })
    }
}
