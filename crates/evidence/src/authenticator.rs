//! Which model of authenticator made a passkey: attestation statements of the format `packed` with a certificate
//! (W3C Web Authentication Level 3, sections 6.5.3 and 8.2), held against roots and models that a trust directory
//! believes.
//!
//! Only this format: it is what hardware keys give. Every other one leaves a passkey as not attested, and self
//! attestation, which names no maker, as well. Revocation of a maker's certificates is not looked up: a model
//! that is not believed any more is taken off the list of its root.

mod aaguid;
mod certificate;
mod statement;

use std::collections::BTreeSet;
use std::time::Duration;

use chancery_canonical::base64::{decode_standard, encode_standard};
use chancery_domain::event::Passkey;
use chancery_domain::time::Timestamp;
use pki_types::{CertificateDer, UnixTime};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use crate::cose::CosePublicKey;
use crate::registration::{AttestationObject, RegistrationRefusal, RegistrationResponse};
use crate::webauthn::{AttestedCredential, AuthenticatorData, AuthenticatorDataRefusal, CredentialId};

pub use aaguid::{Aaguid, AaguidError};
use certificate::AttestationCertificate;
use statement::{PackedStatement, SIGNATURES};

/// The largest certificate of a root, in bytes.
const MAX_CERTIFICATE_BYTES: usize = 8192;

/// A certificate of a maker of authenticators, and the models that are believed when it stands behind them. One
/// of `attestation_roots` in `trust.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttestationRoot {
    /// The maker's certificate.
    pub certificate: RootCertificate,
    /// Models. None other is believed, whoever signed for it.
    pub aaguids: BTreeSet<Aaguid>,
}

/// An X.509 certificate (RFC 5280) that can be a trust anchor. In JSON: standard base64 of its DER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootCertificate(CertificateDer<'static>);

/// Why bytes are not a [`RootCertificate`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an X.509 certificate in DER of at most {MAX_CERTIFICATE_BYTES} bytes: give the maker's root certificate"
)]
pub struct RootCertificateError;

impl RootCertificate {
    /// Takes the DER of a certificate.
    ///
    /// # Errors
    /// [`RootCertificateError`] when it cannot be a trust anchor.
    pub fn new(der: Vec<u8>) -> Result<Self, RootCertificateError> {
        let certificate = CertificateDer::from(der);
        if certificate.len() > MAX_CERTIFICATE_BYTES || anchor_from_trusted_cert(&certificate).is_err() {
            return Err(RootCertificateError);
        }
        Ok(Self(certificate))
    }

    /// Takes the PEM of one certificate (RFC 7468), as makers publish it.
    ///
    /// # Errors
    /// [`RootCertificateError`], also for text that holds more than one.
    pub fn from_pem(text: &str) -> Result<Self, RootCertificateError> {
        let body = text.trim().strip_prefix("-----BEGIN CERTIFICATE-----");
        let body = body.and_then(|rest| rest.strip_suffix("-----END CERTIFICATE-----"));
        let body: String = body.ok_or(RootCertificateError)?.split_ascii_whitespace().collect();
        Self::new(decode_standard(&body).map_err(|_| RootCertificateError)?)
    }
}

impl Serialize for RootCertificate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode_standard(&self.0))
    }
}

impl<'de> Deserialize<'de> for RootCertificate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let der = decode_standard(&text).map_err(D::Error::custom)?;
        Self::new(der).map_err(D::Error::custom)
    }
}

/// A passkey of which a maker says which model made it. Only [`verify_attestation`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestedPasskey {
    credential_id: CredentialId,
    public_key: CosePublicKey,
    aaguid: Aaguid,
    backup_eligible: bool,
}

impl AttestedPasskey {
    /// The model.
    pub fn aaguid(&self) -> Aaguid {
        self.aaguid
    }

    /// Whether this is the passkey that was enrolled: id, key, model and the flag about syncing.
    pub fn is(&self, passkey: &Passkey) -> bool {
        self.credential_id.as_bytes() == passkey.credential_id.as_bytes()
            && self.public_key.as_bytes() == passkey.public_key.as_bytes()
            && self.aaguid.as_bytes().as_slice() == passkey.aaguid.as_bytes()
            && self.backup_eligible == passkey.backup_eligible
    }
}

/// Why a passkey counts as not attested.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttestationRefusal {
    /// The registration cannot be read.
    #[error(transparent)]
    Registration(#[from] RegistrationRefusal),
    /// The authenticator's data cannot be read.
    #[error(transparent)]
    AuthenticatorData(#[from] AuthenticatorDataRefusal),
    /// No maker speaks for it.
    #[error(
        "attestation of format `{0}` names no maker: use a hardware key, and let the browser pass its model on"
    )]
    NoMaker(String),
    /// The statement is not one of its format.
    #[error("attestation statement is malformed: enrol again")]
    MalformedStatement,
    /// An algorithm that is not accepted.
    #[error("attestation is signed with algorithm {0}, which is not supported: use another authenticator")]
    UnsupportedAlgorithm(i64),
    /// The certificate cannot be read, or is not one for attestation (section 8.2.1).
    #[error("attestation certificate is not one of an authenticator: use another authenticator")]
    Certificate,
    /// The certificate speaks of another model than the authenticator.
    #[error(
        "attestation certificate is for another model than the authenticator says: use another authenticator"
    )]
    OtherModel,
    /// The signature does not verify.
    #[error("attestation signature does not verify: enrol again")]
    BadSignature,
    /// No root believes this model.
    #[error(
        "model {0} is not on the list of believed authenticators: use one that is, or seal a trust root with it"
    )]
    ModelNotListed(Aaguid),
    /// The model is listed, but under no root that stands behind this certificate, at this time.
    #[error("no root of the believed authenticators stands behind model {aaguid}: {reason}")]
    Untrusted {
        /// The model that it says it is.
        aaguid: Aaguid,
        /// What is wrong with the certificate.
        reason: String,
    },
}

impl AttestationRefusal {
    /// A stable name for logs, API answers and evidence reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Registration(refusal) => refusal.code(),
            Self::AuthenticatorData(refusal) => refusal.code(),
            Self::NoMaker(_) => "attestation_no_maker",
            Self::MalformedStatement => "attestation_statement_malformed",
            Self::UnsupportedAlgorithm(_) => "attestation_algorithm",
            Self::Certificate => "attestation_certificate",
            Self::OtherModel => "attestation_other_model",
            Self::BadSignature => "attestation_signature",
            Self::ModelNotListed(_) => "attestation_model_not_listed",
            Self::Untrusted { .. } => "attestation_untrusted",
        }
    }
}

/// Verifies from the bytes of a registration that a believed model made the passkey. Challenge, origin and site
/// are not looked at: whoever takes a registration does that ([`crate::registration::verify_registration`]).
///
/// # Errors
/// The first check that fails.
pub fn verify_attestation(
    response: &RegistrationResponse,
    roots: &[AttestationRoot],
    at: Timestamp,
) -> Result<AttestedPasskey, AttestationRefusal> {
    let object = AttestationObject::parse(response.attestation_object.as_bytes())?;
    if object.format != "packed" {
        return Err(AttestationRefusal::NoMaker(object.format.to_owned()));
    }
    let statement = PackedStatement::parse(object.statement).ok_or(AttestationRefusal::MalformedStatement)?;
    let (leaf, intermediates) = statement
        .certificates
        .split_first()
        .ok_or_else(|| AttestationRefusal::NoMaker("packed, self attestation".to_owned()))?;
    let data = AuthenticatorData::parse(object.authenticator_data)?;
    let credential = data.attested_credential().ok_or(RegistrationRefusal::NoCredential)?;
    let aaguid = Aaguid::new(credential.aaguid);

    let certificate = EndEntityCert::try_from(leaf).map_err(|_| AttestationRefusal::Certificate)?;
    statement.verify(&certificate, object.authenticator_data, response.client_data_json.as_bytes())?;
    let facts = AttestationCertificate::read(&certificate).ok_or(AttestationRefusal::Certificate)?;
    if facts.aaguid.is_some_and(|said| said != aaguid) {
        return Err(AttestationRefusal::OtherModel);
    }
    believed(&certificate, intermediates, roots, aaguid, at)?;
    Ok(attested(credential, aaguid, data.backup_eligible()))
}

fn attested(credential: &AttestedCredential, aaguid: Aaguid, backup_eligible: bool) -> AttestedPasskey {
    let (credential_id, public_key) = (credential.credential_id.clone(), credential.public_key.clone());
    AttestedPasskey { credential_id, public_key, aaguid, backup_eligible }
}

/// Whether a root that lists the model stands behind the certificate.
///
/// INVARIANT: a root speaks for the models on its own list only, so that one maker cannot vouch for another's.
fn believed(
    certificate: &EndEntityCert<'_>,
    intermediates: &[CertificateDer<'_>],
    roots: &[AttestationRoot],
    aaguid: Aaguid,
    at: Timestamp,
) -> Result<(), AttestationRefusal> {
    let mut last = None;
    let seconds = u64::try_from(at.unix()).unwrap_or_default();
    let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    for root in roots.iter().filter(|root| root.aaguids.contains(&aaguid)) {
        let anchor =
            anchor_from_trusted_cert(&root.certificate.0).map_err(|error| untrusted(aaguid, error))?;
        // Attestation certificates name no extended usage; one that does is not for this.
        let usage = KeyUsage::required_if_present(NO_USAGE);
        let anchors = [anchor];
        match certificate.verify_for_usage(SIGNATURES, &anchors, intermediates, time, usage, None, None) {
            Ok(_) => return Ok(()),
            Err(error) => last = Some(untrusted(aaguid, error)),
        }
    }
    Err(last.unwrap_or(AttestationRefusal::ModelNotListed(aaguid)))
}

/// An object identifier that no certificate carries (2.999 is for examples, ITU-T X.660).
const NO_USAGE: &[u8] = &[0x88, 0x37];

fn untrusted(aaguid: Aaguid, error: webpki::Error) -> AttestationRefusal {
    AttestationRefusal::Untrusted { aaguid, reason: error.to_string() }
}
