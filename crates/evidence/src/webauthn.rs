//! Checking a passkey's assertion (W3C Web Authentication Level 3, section 7.2).
//!
//! A decision is signed with a challenge that is the digest of the decision document, so this check is what
//! ties a human's touch to exactly one document. Nothing is fetched and no clock is read: whether the nonce is
//! fresh, the decision unexpired and the counter plausible is the caller's question.

mod authenticator_data;
mod client_data;
mod relying_party;

use chancery_canonical::{Bytes, Sha256};
use chancery_domain::signature::MAX_CREDENTIAL_ID;
use serde::{Deserialize, Serialize};

use crate::cose::CosePublicKey;

pub use authenticator_data::{AttestedCredential, AuthenticatorData, AuthenticatorDataRefusal};
pub use chancery_domain::signature::Assertion;
pub use client_data::{Ceremony, ClientDataRefusal, check_client_data};
pub use relying_party::{RelyingParty, RelyingPartyError};

/// A credential's id, as the authenticator chose it. The standard allows 1023 bytes (section 4), a leaf of the
/// log has no room for that many.
pub type CredentialId = Bytes<MAX_CREDENTIAL_ID>;

/// A passkey as it was enrolled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolledKey {
    /// Its id.
    pub credential_id: CredentialId,
    /// Its public key.
    pub public_key: CosePublicKey,
    /// Whether it may be synced to other devices. This never changes (section 6.1.3).
    pub backup_eligible: bool,
}

/// Proof that an assertion passed every check. Only [`verify_assertion`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedAssertion {
    credential_id: CredentialId,
    challenge: Sha256,
    origin: String,
    sign_count: u32,
    backup_eligible: bool,
    backup_state: bool,
}

/// Why an assertion does not count. Each has a stable code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssertionRefusal {
    /// The assertion names another credential than the enrolled one.
    #[error("assertion names another credential: sign with the passkey that was asked for")]
    WrongCredential,
    /// The signature does not verify under the enrolled key.
    #[error("passkey signature does not verify: sign again")]
    BadSignature,
    /// What the browser said is wrong.
    #[error(transparent)]
    ClientData(#[from] ClientDataRefusal),
    /// What the authenticator said is wrong.
    #[error(transparent)]
    AuthenticatorData(#[from] AuthenticatorDataRefusal),
    /// An assertion carries data that belongs only into a registration.
    #[error("assertion carries a new credential: sign again")]
    AttestedCredentialPresent,
    /// The key was enrolled as synced and now says it is not, or the reverse.
    #[error("passkey changed whether it can be synced: enrol it again")]
    BackupEligibilityChanged,
}

impl AssertionRefusal {
    /// A stable name for logs, API answers and evidence reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::WrongCredential => "wrong_credential",
            Self::BadSignature => "bad_signature",
            Self::ClientData(refusal) => refusal.code(),
            Self::AuthenticatorData(refusal) => refusal.code(),
            Self::AttestedCredentialPresent => "attested_credential_present",
            Self::BackupEligibilityChanged => "backup_eligibility_changed",
        }
    }
}

/// Checks an assertion against the key that was enrolled, the place where it is valid, and the challenge.
///
/// The signature comes first, so every later refusal is about something that the authenticator really signed.
///
/// # Errors
/// The first check that fails.
pub fn verify_assertion(
    assertion: &Assertion,
    key: &EnrolledKey,
    relying_party: &RelyingParty,
    expected_challenge: &Sha256,
) -> Result<VerifiedAssertion, AssertionRefusal> {
    if assertion.credential_id != key.credential_id {
        return Err(AssertionRefusal::WrongCredential);
    }
    check_signature(assertion, &key.public_key)?;
    let client_data = assertion.client_data_json.as_bytes();
    let origin = check_client_data(client_data, Ceremony::Get, relying_party, expected_challenge)?;
    let data = AuthenticatorData::parse(assertion.authenticator_data.as_bytes())?;
    if data.attested_credential().is_some() {
        return Err(AssertionRefusal::AttestedCredentialPresent);
    }
    data.check_relying_party(relying_party)?;
    if data.backup_eligible() != key.backup_eligible {
        return Err(AssertionRefusal::BackupEligibilityChanged);
    }
    data.check_human()?;
    Ok(VerifiedAssertion {
        credential_id: assertion.credential_id.clone(),
        challenge: *expected_challenge,
        origin,
        sign_count: data.sign_count(),
        backup_eligible: data.backup_eligible(),
        backup_state: data.backup_state(),
    })
}

fn check_signature(assertion: &Assertion, key: &CosePublicKey) -> Result<(), AssertionRefusal> {
    let client_data_hash = Sha256::of(assertion.client_data_json.as_bytes());
    let signed = [assertion.authenticator_data.as_bytes(), client_data_hash.as_bytes()].concat();
    key.verify(&signed, assertion.signature.as_bytes()).map_err(|_| AssertionRefusal::BadSignature)
}

impl VerifiedAssertion {
    /// The credential that signed.
    pub fn credential_id(&self) -> &CredentialId {
        &self.credential_id
    }

    /// The challenge that was signed.
    pub fn challenge(&self) -> &Sha256 {
        &self.challenge
    }

    /// The web origin on which it was signed.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The authenticator's counter; 0 from authenticators that do not count.
    pub fn sign_count(&self) -> u32 {
        self.sign_count
    }

    /// Whether the key may be synced to other devices.
    pub fn backup_eligible(&self) -> bool {
        self.backup_eligible
    }

    /// Whether the key is synced now.
    pub fn backup_state(&self) -> bool {
        self.backup_state
    }
}

/// How an authenticator's counter moved between two assertions (section 6.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CounterMove {
    /// Both are 0: this authenticator does not count, as synced passkeys do not.
    NotCounting,
    /// It grew, as it must.
    Grew,
    /// It stood still or fell: the key may have been copied.
    Suspicious,
}

/// Compares the counter that was stored with the one that came now.
pub fn counter_moved(previous: u32, current: u32) -> CounterMove {
    if previous == 0 && current == 0 {
        CounterMove::NotCounting
    } else if current > previous {
        CounterMove::Grew
    } else {
        CounterMove::Suspicious
    }
}
