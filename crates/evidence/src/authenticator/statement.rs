//! The statement of format `packed` (section 8.2).

use minicbor::Decoder;
use pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use webpki::{EndEntityCert, ring};

use super::AttestationRefusal;
use chancery_canonical::Sha256;

/// Most certificates in one statement: the authenticator's, and those between it and the root.
const MAX_CERTIFICATES: u64 = 4;

/// Algorithms with which makers sign certificates.
pub const SIGNATURES: &[&dyn SignatureVerificationAlgorithm] = &[
    ring::ECDSA_P256_SHA256,
    ring::ECDSA_P384_SHA384,
    ring::ED25519,
    ring::RSA_PKCS1_2048_8192_SHA256,
    ring::RSA_PKCS1_2048_8192_SHA384,
];

/// What a `packed` statement holds. Without certificates it is self attestation.
pub struct PackedStatement<'b> {
    algorithm: i64,
    signature: &'b [u8],
    pub certificates: Vec<CertificateDer<'b>>,
}

impl<'b> PackedStatement<'b> {
    /// Reads exactly one map of `alg`, `sig` and, if it is there, `x5c`.
    pub fn parse(bytes: &'b [u8]) -> Option<Self> {
        let mut decoder = Decoder::new(bytes);
        let (mut algorithm, mut signature, mut certificates) = (None, None, None);
        let members = decoder.map().ok()??;
        if !(2..=3).contains(&members) {
            return None;
        }
        // As many members as there are, none twice: those that are demanded below cannot be missing.
        for _ in 0..members {
            match decoder.str().ok()? {
                "alg" if algorithm.is_none() => algorithm = Some(decoder.i64().ok()?),
                "sig" if signature.is_none() => signature = Some(decoder.bytes().ok()?),
                "x5c" if certificates.is_none() => certificates = Some(chain(&mut decoder)?),
                _ => return None,
            }
        }
        let whole = decoder.position() == bytes.len();
        let certificates = certificates.unwrap_or_default();
        Some(Self { algorithm: algorithm?, signature: signature?, certificates }).filter(|_| whole)
    }

    /// Whether the certificate's key signed what the authenticator and the browser said.
    ///
    /// # Errors
    /// [`AttestationRefusal::UnsupportedAlgorithm`], [`AttestationRefusal::BadSignature`].
    pub fn verify(
        &self,
        certificate: &EndEntityCert<'_>,
        authenticator_data: &[u8],
        client_data_json: &[u8],
    ) -> Result<(), AttestationRefusal> {
        // COSE algorithms (RFC 9053, RFC 8812).
        let algorithm = match self.algorithm {
            -7 => ring::ECDSA_P256_SHA256,
            -8 => ring::ED25519,
            -35 => ring::ECDSA_P384_SHA384,
            -257 => ring::RSA_PKCS1_2048_8192_SHA256,
            other => return Err(AttestationRefusal::UnsupportedAlgorithm(other)),
        };
        let signed = [authenticator_data, Sha256::of(client_data_json).as_bytes().as_slice()].concat();
        certificate
            .verify_signature(algorithm, &signed, self.signature)
            .map_err(|_| AttestationRefusal::BadSignature)
    }
}

fn chain<'b>(decoder: &mut Decoder<'b>) -> Option<Vec<CertificateDer<'b>>> {
    let count = decoder.array().ok()??;
    if !(1..=MAX_CERTIFICATES).contains(&count) {
        return None;
    }
    (0..count).map(|_| decoder.bytes().ok().map(CertificateDer::from)).collect()
}
