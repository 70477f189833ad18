//! What the authenticator says (section 6.1).

use chancery_canonical::Sha256;
use minicbor::Decoder;

use super::{CredentialId, RelyingParty};
use crate::cbor;
use crate::cose::CosePublicKey;

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKUP_STATE: u8 = 0x10;
const ATTESTED_CREDENTIAL: u8 = 0x40;
const EXTENSIONS: u8 = 0x80;

/// Authenticator data, read to its last byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticatorData {
    relying_party_hash: Sha256,
    flags: u8,
    sign_count: u32,
    attested_credential: Option<AttestedCredential>,
}

/// A new credential inside a registration (section 6.5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestedCredential {
    /// The authenticator's model; zeros where it does not say.
    pub aaguid: [u8; 16],
    /// The id that was chosen.
    pub credential_id: CredentialId,
    /// The public key.
    pub public_key: CosePublicKey,
}

/// Why the authenticator's statement is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticatorDataRefusal {
    /// Too short, too long, or a credential that cannot be read.
    #[error("authenticator data is malformed: sign again")]
    Malformed,
    /// The extensions are not exactly one CBOR map.
    #[error("authenticator extensions are malformed: sign again")]
    MalformedExtensions,
    /// Signed for another site.
    #[error("passkey signed for another site: open the configured address")]
    WrongRelyingParty,
    /// Nobody touched the authenticator.
    #[error("no touch of the authenticator: sign again")]
    UserNotPresent,
    /// No PIN, fingerprint or face.
    #[error("authenticator did not verify who you are: unlock it with PIN, fingerprint or face")]
    UserNotVerified,
    /// A key says it is synced and cannot be.
    #[error("authenticator contradicts itself about syncing: use another one")]
    BackupStateInconsistent,
}

impl AuthenticatorDataRefusal {
    /// A stable name.
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "authenticator_data_malformed",
            Self::MalformedExtensions => "extensions_malformed",
            Self::WrongRelyingParty => "wrong_relying_party",
            Self::UserNotPresent => "user_not_present",
            Self::UserNotVerified => "user_not_verified",
            Self::BackupStateInconsistent => "backup_state_inconsistent",
        }
    }
}

impl AuthenticatorData {
    /// Reads authenticator data; every byte must belong to something.
    ///
    /// # Errors
    /// [`AuthenticatorDataRefusal::Malformed`] or [`AuthenticatorDataRefusal::MalformedExtensions`].
    pub fn parse(bytes: &[u8]) -> Result<Self, AuthenticatorDataRefusal> {
        let malformed = AuthenticatorDataRefusal::Malformed;
        let (hash, rest) = bytes.split_first_chunk::<32>().ok_or(malformed)?;
        let (flags, rest) = rest.split_first().ok_or(malformed)?;
        let (sign_count, rest) = rest.split_first_chunk::<4>().ok_or(malformed)?;
        let (attested_credential, rest) = if flags & ATTESTED_CREDENTIAL == 0 {
            (None, rest)
        } else {
            let (credential, rest) = read_attested_credential(rest).ok_or(malformed)?;
            (Some(credential), rest)
        };
        if flags & EXTENSIONS != 0 {
            if !is_one_map(rest) {
                return Err(AuthenticatorDataRefusal::MalformedExtensions);
            }
        } else if !rest.is_empty() {
            return Err(malformed);
        }
        let sign_count = u32::from_be_bytes(*sign_count);
        Ok(Self {
            relying_party_hash: Sha256::from_bytes(*hash),
            flags: *flags,
            sign_count,
            attested_credential,
        })
    }

    /// Checks for which site this was made.
    ///
    /// # Errors
    /// [`AuthenticatorDataRefusal::WrongRelyingParty`].
    pub fn check_relying_party(&self, relying_party: &RelyingParty) -> Result<(), AuthenticatorDataRefusal> {
        if self.relying_party_hash == relying_party.id_hash() {
            Ok(())
        } else {
            Err(AuthenticatorDataRefusal::WrongRelyingParty)
        }
    }

    /// Checks that a verified human was there, and that the flags are consistent.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn check_human(&self) -> Result<(), AuthenticatorDataRefusal> {
        if self.backup_state() && !self.backup_eligible() {
            Err(AuthenticatorDataRefusal::BackupStateInconsistent)
        } else if self.flags & USER_PRESENT == 0 {
            Err(AuthenticatorDataRefusal::UserNotPresent)
        } else if self.flags & USER_VERIFIED == 0 {
            Err(AuthenticatorDataRefusal::UserNotVerified)
        } else {
            Ok(())
        }
    }

    /// The counter; 0 where the authenticator does not count.
    pub fn sign_count(&self) -> u32 {
        self.sign_count
    }

    /// Whether the key may be synced to other devices.
    pub fn backup_eligible(&self) -> bool {
        self.flags & BACKUP_ELIGIBLE != 0
    }

    /// Whether the key is synced now.
    pub fn backup_state(&self) -> bool {
        self.flags & BACKUP_STATE != 0
    }

    /// The new credential, in a registration.
    pub fn attested_credential(&self) -> Option<&AttestedCredential> {
        self.attested_credential.as_ref()
    }
}

fn read_attested_credential(bytes: &[u8]) -> Option<(AttestedCredential, &[u8])> {
    let (aaguid, rest) = bytes.split_first_chunk::<16>()?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (credential_id, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let credential_id = CredentialId::new(credential_id).ok().filter(|id| !id.as_bytes().is_empty())?;
    let (public_key, length) = CosePublicKey::parse_prefix(rest).ok()?;
    let (_, rest) = rest.split_at_checked(length)?;
    Some((AttestedCredential { aaguid: *aaguid, credential_id, public_key }, rest))
}

/// Whether the bytes are exactly one CBOR map of definite length with text keys.
fn is_one_map(bytes: &[u8]) -> bool {
    let mut decoder = Decoder::new(bytes);
    let Ok(Some(count)) = decoder.map() else {
        return false;
    };
    // A false count ends with the input, so this loop is no longer than the bytes are.
    for _ in 0..count {
        if decoder.str().is_err() || cbor::skip(&mut decoder).is_err() {
            return false;
        }
    }
    decoder.position() == bytes.len()
}
