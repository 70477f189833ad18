//! Makers of authenticators: they sign for the passkeys that their models make (`fixtures/authenticator`).

use std::collections::BTreeSet;

use chancery_canonical::Sha256;
use chancery_evidence::authenticator::{Aaguid, AttestationRoot, RootCertificate};
use minicbor::Encoder;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};

const KEY: &[u8] = include_bytes!("../../fixtures/authenticator/attestation.pkcs8");
const ROOT: &str = include_str!("../../fixtures/authenticator/root.pem");

/// A model of authenticator, with the key and the certificates with which its maker speaks for it.
#[derive(Debug, Clone)]
pub struct Maker {
    /// What its authenticators say that they are.
    pub aaguid: [u8; 16],
    /// The certificate of the signing key, and those above it. None: self attestation, by the passkey's own key.
    pub certificates: Vec<Vec<u8>>,
    /// The algorithm as the statement names it (RFC 9053).
    pub algorithm: i64,
    /// Signs something else than was said.
    pub lies: bool,
}

impl Maker {
    /// An honest one.
    pub fn new() -> Self {
        Self::with_certificate(include_bytes!("../../fixtures/authenticator/attestation.der"))
    }

    /// With another certificate of the same key.
    pub fn with_certificate(der: &[u8]) -> Self {
        let aaguid = *b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff";
        Self { aaguid, certificates: vec![der.to_vec()], algorithm: -7, lies: false }
    }

    /// What a trust directory says of it.
    #[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
    pub fn root(&self) -> AttestationRoot {
        let aaguids = BTreeSet::from([Aaguid::new(self.aaguid)]);
        AttestationRoot { certificate: RootCertificate::from_pem(ROOT).unwrap(), aaguids }
    }

    /// An attestation object of format `packed` (W3C Web Authentication Level 3, section 8.2).
    #[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
    pub(super) fn attest(
        &self,
        own: &EcdsaKeyPair,
        authenticator_data: &[u8],
        client_data: &[u8],
    ) -> Vec<u8> {
        let random = SystemRandom::new();
        let said = if self.lies { b"something else" } else { client_data };
        let signed = [authenticator_data, Sha256::of(said).as_bytes().as_slice()].concat();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, KEY, &random).unwrap();
        let signer = if self.certificates.is_empty() { own } else { &key };
        let signature = signer.sign(&random, &signed).unwrap();
        let mut encoder = Encoder::new(Vec::new());
        encoder.map(3).unwrap().str("fmt").unwrap().str("packed").unwrap().str("attStmt").unwrap();
        encoder.map(if self.certificates.is_empty() { 2 } else { 3 }).unwrap();
        encoder.str("alg").unwrap().i64(self.algorithm).unwrap();
        encoder.str("sig").unwrap().bytes(signature.as_ref()).unwrap();
        if !self.certificates.is_empty() {
            encoder.str("x5c").unwrap().array(self.certificates.len() as u64).unwrap();
            for certificate in &self.certificates {
                encoder.bytes(certificate).unwrap();
            }
        }
        encoder.str("authData").unwrap().bytes(authenticator_data).unwrap();
        encoder.into_writer()
    }
}

impl Default for Maker {
    fn default() -> Self {
        Self::new()
    }
}
