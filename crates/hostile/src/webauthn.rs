//! What browsers and authenticators send: COSE keys, authenticator data, registrations, assertions.

use std::sync::LazyLock;

use chancery_canonical::base64::encode_url;
use chancery_canonical::{Bytes, Sha256};
use chancery_evidence::cose::CosePublicKey;
use chancery_evidence::public_key::P256PublicKey;
use chancery_evidence::registration::{RegistrationResponse, verify_registration};
use chancery_evidence::webauthn::{
    Assertion, AuthenticatorData, CredentialId, EnrolledKey, RelyingParty, verify_assertion,
};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use serde_json::Value;

use crate::cbor;

const ORIGIN: &str = "https://chancery.test";
const EXTENSIONS: u8 = 0x80;
const PRESENT_AND_VERIFIED: u8 = 0x05;

/// The site that every corpus of passkeys is about.
pub fn relying_party() -> RelyingParty {
    RelyingParty::new("chancery.test", [ORIGIN]).unwrap()
}

/// What every passkey of a corpus is asked to sign.
pub fn challenge() -> Sha256 {
    Sha256::of(b"challenge")
}

/// A passkey of which the corpus has assertions. Its private key is in the repository: it is nobody's.
#[derive(Debug)]
pub struct Stranger(EcdsaKeyPair);

impl Stranger {
    /// From `fixtures/passkey.pkcs8`.
    pub fn new() -> Self {
        let key = include_bytes!("../fixtures/passkey.pkcs8");
        Self(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key, &SystemRandom::new()).unwrap())
    }

    /// As it was enrolled.
    pub fn enrolled(&self) -> EnrolledKey {
        EnrolledKey {
            credential_id: CredentialId::new(*b"stranger").unwrap(),
            public_key: CosePublicKey::es256(P256PublicKey::of(&self.0).unwrap()).unwrap(),
            backup_eligible: false,
        }
    }

    /// Its signature over whatever an authenticator and a browser say; `None` for more than an assertion holds.
    pub fn sign(&self, authenticator_data: &[u8], client_data: &[u8]) -> Option<Assertion> {
        let signed = [authenticator_data, Sha256::of(client_data).as_bytes()].concat();
        Some(Assertion {
            credential_id: self.enrolled().credential_id,
            authenticator_data: Bytes::new(authenticator_data).ok()?,
            client_data_json: Bytes::new(client_data).ok()?,
            signature: Bytes::new(self.0.sign(&SystemRandom::new(), &signed).unwrap().as_ref()).ok()?,
        })
    }
}

impl Default for Stranger {
    fn default() -> Self {
        Self::new()
    }
}

static STRANGER: LazyLock<Stranger> = LazyLock::new(Stranger::new);

pub fn cose_key(bytes: &[u8]) -> bool {
    let whole = CosePublicKey::parse(bytes);
    let Ok((key, length)) = CosePublicKey::parse_prefix(bytes) else {
        assert!(whole.is_err());
        return false;
    };
    assert_eq!(bytes.get(..length), Some(key.as_bytes()), "a key has one spelling");
    assert!(cbor::is_one_item(key.as_bytes()), "a key is one item");
    assert_eq!(whole.is_ok(), length == bytes.len(), "nothing follows a key");
    let json = serde_json::to_string(&key).unwrap();
    assert_eq!(serde_json::from_str::<CosePublicKey>(&json).ok(), Some(key.clone()));
    assert!(key.verify(b"a message", b"no signature").is_err());
    whole.is_ok()
}

pub fn authenticator_data(bytes: &[u8]) -> bool {
    let Ok(data) = AuthenticatorData::parse(bytes) else { return false };
    assert!(AuthenticatorData::parse(&[bytes, &[0]].concat()).is_err(), "nothing follows the data");
    let (head, tail) = bytes.split_at(37);
    let counter = u32::from_be_bytes(*tail_of(head));
    assert_eq!(data.sign_count(), counter);
    let credential = data.attested_credential().map_or(0, |credential| {
        let length = 18 + credential.credential_id.as_bytes().len();
        length + credential.public_key.as_bytes().len()
    });
    let extensions = tail.get(credential..).unwrap();
    let announced = head.get(32).is_some_and(|flags| flags & EXTENSIONS != 0);
    assert_eq!(announced, !extensions.is_empty(), "extensions are announced");
    assert!(extensions.is_empty() || is_map(extensions), "extensions are one map");
    true
}

fn tail_of(head: &[u8]) -> &[u8; 4] {
    head.last_chunk().unwrap()
}

fn is_map(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|head| head >> 5 == 5) && cbor::is_one_item(bytes)
}

/// An attestation object, with client data that is in order.
pub fn attestation_object(bytes: &[u8]) -> bool {
    let Some(registered) = register(bytes) else { return false };
    assert!(is_map(bytes), "an attestation object is one map");
    assert!(register(&[bytes, &[0]].concat()).is_none(), "nothing follows an attestation object");
    let key = registered.public_key.as_bytes();
    assert!(bytes.windows(key.len()).any(|window| window == key), "the key is the one that was sent");
    assert!(!registered.credential_id.as_bytes().is_empty());
    true
}

fn register(object: &[u8]) -> Option<EnrolledKey> {
    let client_data = client_data("webauthn.create");
    let response = RegistrationResponse {
        attestation_object: Bytes::new(object).ok()?,
        client_data_json: Bytes::new(client_data.as_bytes()).unwrap(),
    };
    let registered = verify_registration(&response, &relying_party(), &challenge()).ok()?;
    Some(registered.enrolled_key())
}

fn client_data(ceremony: &str) -> String {
    let challenge = encode_url(challenge().as_bytes());
    format!(r#"{{"type":"{ceremony}","challenge":"{challenge}","origin":"{ORIGIN}","crossOrigin":false}}"#)
}

/// An assertion as it stands in documents. None is signed here, so only what the stranger signed may be taken.
pub fn assertion(bytes: &[u8]) -> bool {
    let Ok(assertion) = serde_json::from_slice::<Assertion>(bytes) else { return false };
    let json = serde_json::to_vec(&assertion).unwrap();
    assert_eq!(serde_json::from_slice::<Assertion>(&json).ok().as_ref(), Some(&assertion));
    is_verified(&assertion)
}

/// Authenticator data after one byte with its length, then client data, both of which the stranger signs.
pub fn signed_assertion(bytes: &[u8]) -> bool {
    let Some((length, said)) = bytes.split_first() else { return false };
    let Some((authenticator_data, client_data)) = said.split_at_checked(usize::from(*length)) else {
        return false;
    };
    STRANGER.sign(authenticator_data, client_data).is_some_and(|assertion| is_verified(&assertion))
}

/// Whether it is taken; then it says what it must, as another reader of JSON has it.
fn is_verified(assertion: &Assertion) -> bool {
    let verified = verify_assertion(assertion, &STRANGER.enrolled(), &relying_party(), &challenge());
    let Ok(verified) = verified else { return false };
    let said: Value = serde_json::from_slice(assertion.client_data_json.as_bytes()).unwrap();
    let member = |name: &str| said.get(name).and_then(Value::as_str).map(str::to_owned);
    assert_eq!(member("type").as_deref(), Some("webauthn.get"));
    assert_eq!(member("origin").as_deref(), Some(ORIGIN));
    assert_eq!(member("challenge"), Some(encode_url(challenge().as_bytes())));
    assert!(
        matches!(said.get("crossOrigin"), None | Some(Value::Bool(false))) && said.get("topOrigin").is_none()
    );
    let data = assertion.authenticator_data.as_bytes();
    assert!(data.starts_with(Sha256::of(b"chancery.test").as_bytes()), "it is for this site");
    let flags = data.get(32).copied().unwrap_or_default();
    assert_eq!(flags & PRESENT_AND_VERIFIED, PRESENT_AND_VERIFIED, "a human was there");
    assert_eq!((verified.challenge(), verified.origin()), (&challenge(), ORIGIN));
    let elsewhere = RelyingParty::new("other.test", ["https://other.test"]).unwrap();
    assert!(verify_assertion(assertion, &STRANGER.enrolled(), &elsewhere, &challenge()).is_err());
    let another = Sha256::of(b"another challenge");
    assert!(verify_assertion(assertion, &STRANGER.enrolled(), &relying_party(), &another).is_err());
    true
}
