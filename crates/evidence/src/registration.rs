//! Checking the registration of a passkey (W3C Web Authentication Level 3, section 7.1).
//!
//! Attestation statements are not judged here: that is [`crate::authenticator`]. The format's name is kept, so that
//! it can be said.

use chancery_canonical::{Bytes, Sha256};
use minicbor::Decoder;
use minicbor::data::Type;
use serde::{Deserialize, Serialize};

use crate::cbor;
use crate::cose::CosePublicKey;
use crate::webauthn::{
    AuthenticatorData, AuthenticatorDataRefusal, Ceremony, ClientDataRefusal, CredentialId, EnrolledKey,
    RelyingParty, check_client_data,
};

/// The longest attestation format name (RFC 8809, section 2.1).
const MAX_FORMAT_BYTES: usize = 32;

/// What an authenticator gives back when a passkey is made. In JSON, both are base64url without padding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistrationResponse {
    /// The attestation object (section 6.5.4), CBOR.
    pub attestation_object: Bytes<16384>,
    /// What the browser says (section 5.8.1).
    pub client_data_json: Bytes<2048>,
}

/// A passkey that passed every check of registration. Only [`verify_registration`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    credential_id: CredentialId,
    public_key: CosePublicKey,
    aaguid: [u8; 16],
    backup_eligible: bool,
    backup_state: bool,
    sign_count: u32,
    attestation_format: String,
}

/// Why a registration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationRefusal {
    /// Not exactly one CBOR map of `fmt`, `attStmt` and `authData`.
    #[error("attestation object is malformed: enrol again")]
    MalformedAttestation,
    /// Format `none` with a statement.
    #[error("attestation format `none` carries a statement: enrol again")]
    StatementWithoutFormat,
    /// What the browser said is wrong.
    #[error(transparent)]
    ClientData(#[from] ClientDataRefusal),
    /// What the authenticator said is wrong.
    #[error(transparent)]
    AuthenticatorData(#[from] AuthenticatorDataRefusal),
    /// There is no credential in it.
    #[error("registration carries no credential: enrol again")]
    NoCredential,
}

impl RegistrationRefusal {
    /// A stable name for logs, API answers and evidence reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MalformedAttestation => "attestation_malformed",
            Self::StatementWithoutFormat => "attestation_statement_without_format",
            Self::ClientData(refusal) => refusal.code(),
            Self::AuthenticatorData(refusal) => refusal.code(),
            Self::NoCredential => "no_credential",
        }
    }
}

/// Checks a registration: type, challenge, origin, site, a verified human, and one acceptable key.
///
/// # Errors
/// The first check that fails.
pub fn verify_registration(
    response: &RegistrationResponse,
    relying_party: &RelyingParty,
    expected_challenge: &Sha256,
) -> Result<Registered, RegistrationRefusal> {
    let client_data = response.client_data_json.as_bytes();
    check_client_data(client_data, Ceremony::Create, relying_party, expected_challenge)?;
    let attestation = AttestationObject::parse(response.attestation_object.as_bytes())?;
    let data = AuthenticatorData::parse(attestation.authenticator_data)?;
    data.check_relying_party(relying_party)?;
    data.check_human()?;
    let credential = data.attested_credential().ok_or(RegistrationRefusal::NoCredential)?;
    Ok(Registered {
        credential_id: credential.credential_id.clone(),
        public_key: credential.public_key.clone(),
        aaguid: credential.aaguid,
        backup_eligible: data.backup_eligible(),
        backup_state: data.backup_state(),
        sign_count: data.sign_count(),
        attestation_format: attestation.format.to_owned(),
    })
}

/// The parts of an attestation object (section 6.5.4).
pub(crate) struct AttestationObject<'b> {
    pub format: &'b str,
    /// One CBOR map, as it stands there.
    pub statement: &'b [u8],
    pub authenticator_data: &'b [u8],
}

impl<'b> AttestationObject<'b> {
    pub fn parse(bytes: &'b [u8]) -> Result<Self, RegistrationRefusal> {
        let mut decoder = Decoder::new(bytes);
        let (attestation, statement_members) =
            Self::read(&mut decoder, bytes).ok_or(RegistrationRefusal::MalformedAttestation)?;
        if decoder.position() != bytes.len() {
            return Err(RegistrationRefusal::MalformedAttestation);
        }
        if attestation.format == "none" && statement_members != 0 {
            return Err(RegistrationRefusal::StatementWithoutFormat);
        }
        Ok(attestation)
    }

    /// Reads the three members in any order, and says how many members the statement has.
    fn read(decoder: &mut Decoder<'b>, bytes: &'b [u8]) -> Option<(Self, u64)> {
        let (mut format, mut statement, mut authenticator_data) = (None, None, None);
        if decoder.map().ok()? != Some(3) {
            return None;
        }
        // Three members, each of which is set below or refused, cannot repeat and still all be there.
        for _ in 0..3 {
            match decoder.str().ok()? {
                "fmt" => format = Some(decoder.str().ok()?),
                "attStmt" => {
                    let (members, from) = (statement_size(decoder)?, decoder.position());
                    cbor::skip(decoder).ok()?;
                    statement = Some((bytes.get(from..decoder.position())?, members));
                }
                "authData" => authenticator_data = Some(decoder.bytes().ok()?),
                _ => return None,
            }
        }
        let format = format.filter(|name| !name.is_empty() && name.len() <= MAX_FORMAT_BYTES)?;
        let (statement, members) = statement?;
        Some((Self { format, statement, authenticator_data: authenticator_data? }, members))
    }
}

/// How many members the map that comes next has, without stepping into it.
fn statement_size(decoder: &mut Decoder<'_>) -> Option<u64> {
    if decoder.datatype().ok()? != Type::Map {
        return None;
    }
    decoder.probe().map().ok()?
}

impl Registered {
    /// What later assertions are checked against.
    pub fn enrolled_key(&self) -> EnrolledKey {
        EnrolledKey {
            credential_id: self.credential_id.clone(),
            public_key: self.public_key.clone(),
            backup_eligible: self.backup_eligible,
        }
    }

    /// The credential's id.
    pub fn credential_id(&self) -> &CredentialId {
        &self.credential_id
    }

    /// The public key.
    pub fn public_key(&self) -> &CosePublicKey {
        &self.public_key
    }

    /// The authenticator's model as it claims; zeros where it does not say. Not attested.
    pub fn aaguid(&self) -> [u8; 16] {
        self.aaguid
    }

    /// Whether the key may be synced to other devices.
    pub fn backup_eligible(&self) -> bool {
        self.backup_eligible
    }

    /// Whether the key is synced now.
    pub fn backup_state(&self) -> bool {
        self.backup_state
    }

    /// The counter's first value.
    pub fn sign_count(&self) -> u32 {
        self.sign_count
    }

    /// Name of the attestation format. Its statement was not checked here.
    pub fn attestation_format(&self) -> &str {
        &self.attestation_format
    }
}
