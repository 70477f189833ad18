//! A passkey in software: makes real registrations and assertions, and every kind of wrong one.

mod maker;

use chancery_canonical::base64::encode_url;
use chancery_canonical::{Bytes, Sha256};
use chancery_evidence::cose::CosePublicKey;
use chancery_evidence::public_key::P256PublicKey;
use chancery_evidence::registration::RegistrationResponse;
use chancery_evidence::webauthn::{Assertion, CredentialId, EnrolledKey};
use minicbor::Encoder;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use maker::Maker;

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKUP_STATE: u8 = 0x10;
const ATTESTED_CREDENTIAL: u8 = 0x40;
const EXTENSIONS: u8 = 0x80;

/// A software authenticator with one P-256 credential. It can be kept in a file, private key included: for
/// tests and demonstrations only.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SoftPasskey {
    rp_id: String,
    credential_id: CredentialId,
    private_key: Bytes<256>,
    sign_count: u32,
    backup_eligible: bool,
    /// The last registration in which a maker spoke for it.
    #[serde(default)]
    registration: Option<RegistrationResponse>,
}

/// What the browser and the authenticator say. The default is what an honest pair says; each field is one way
/// to be wrong.
#[derive(Debug, Clone, Default)]
pub struct Deviation {
    /// Another `type`.
    pub ceremony: Option<String>,
    /// A relying party id other than the one of the credential.
    pub rp_id: Option<String>,
    /// `crossOrigin`; `false` is said where nothing is set.
    pub cross_origin: Option<Value>,
    /// `topOrigin`.
    pub top_origin: Option<String>,
    /// Members added to the client data.
    pub more_client_data: Map<String, Value>,
    /// The whole client data, instead of all the above.
    pub client_data_json: Option<Vec<u8>>,
    /// Nobody touched the authenticator.
    pub without_presence: bool,
    /// Nobody unlocked it.
    pub without_verification: bool,
    /// Flags that are set in addition.
    pub more_flags: u8,
    /// Flags that are cleared.
    pub fewer_flags: u8,
    /// Extension data: its flag is set and the bytes follow.
    pub extensions: Option<Vec<u8>>,
    /// Bytes after the end, with no flag for them.
    pub trailing: Vec<u8>,
    /// The counter, instead of the next one.
    pub sign_count: Option<u32>,
    /// Who speaks for the authenticator, in a registration; nobody where nothing is set.
    pub maker: Option<Maker>,
    /// The credential's own data in an assertion, where it does not belong.
    pub attested_credential: bool,
}

impl SoftPasskey {
    /// A new hardware-like passkey: not synced, counting.
    ///
    /// # Panics
    /// When the operating system has no randomness.
    pub fn new(rp_id: &str) -> Self {
        Self::create(rp_id, false)
    }

    /// A new synced passkey: backed up, not counting.
    ///
    /// # Panics
    /// When the operating system has no randomness.
    pub fn new_synced(rp_id: &str) -> Self {
        Self::create(rp_id, true)
    }

    #[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
    fn create(rp_id: &str, backup_eligible: bool) -> Self {
        let random = SystemRandom::new();
        let mut credential_id = [0; 32];
        random.fill(&mut credential_id).unwrap();
        let private_key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        Self {
            rp_id: rp_id.to_owned(),
            credential_id: CredentialId::new(credential_id).unwrap(),
            private_key: Bytes::new(private_key.as_ref()).unwrap(),
            sign_count: 0,
            backup_eligible,
            registration: None,
        }
    }

    /// The credential's id.
    pub fn credential_id(&self) -> &CredentialId {
        &self.credential_id
    }

    /// What a server stores about it after an honest registration.
    pub fn enrolled_key(&self) -> EnrolledKey {
        EnrolledKey {
            credential_id: self.credential_id.clone(),
            public_key: self.public_key(),
            backup_eligible: self.backup_eligible,
        }
    }

    /// Its public key.
    #[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
    pub fn public_key(&self) -> CosePublicKey {
        CosePublicKey::es256(P256PublicKey::of(&self.key_pair()).unwrap()).unwrap()
    }

    /// Registers honestly.
    pub fn register(&mut self, challenge: &Sha256, origin: &str) -> RegistrationResponse {
        self.register_with(challenge, origin, &Deviation::default())
    }

    /// Registers with deviations.
    #[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
    pub fn register_with(
        &mut self,
        challenge: &Sha256,
        origin: &str,
        deviation: &Deviation,
    ) -> RegistrationResponse {
        let deviation = Deviation { attested_credential: true, ..deviation.clone() };
        let authenticator_data = self.authenticator_data(&deviation);
        let client_data = client_data_json("webauthn.create", challenge, origin, &deviation);
        let object = match &deviation.maker {
            Some(maker) => maker.attest(&self.key_pair(), &authenticator_data, &client_data),
            None => unattested(&authenticator_data),
        };
        let response = RegistrationResponse {
            attestation_object: Bytes::new(object).unwrap(),
            client_data_json: Bytes::new(client_data).unwrap(),
        };
        self.registration = deviation.maker.is_some().then(|| response.clone());
        response
    }

    /// The last registration, if a maker spoke for the authenticator in it.
    pub fn registration(&self) -> Option<&RegistrationResponse> {
        self.registration.as_ref()
    }

    /// Signs a challenge honestly.
    pub fn assert(&mut self, challenge: &Sha256, origin: &str) -> Assertion {
        self.assert_with(challenge, origin, &Deviation::default())
    }

    /// Signs a challenge with deviations. The signature itself is always right.
    #[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
    pub fn assert_with(&mut self, challenge: &Sha256, origin: &str, deviation: &Deviation) -> Assertion {
        let client_data_json = client_data_json("webauthn.get", challenge, origin, deviation);
        let authenticator_data = self.authenticator_data(deviation);
        let client_data_hash = Sha256::of(&client_data_json);
        let signed = [authenticator_data.as_slice(), client_data_hash.as_bytes()].concat();
        let signature = self.key_pair().sign(&SystemRandom::new(), &signed).unwrap();
        Assertion {
            credential_id: self.credential_id.clone(),
            authenticator_data: Bytes::new(authenticator_data).unwrap(),
            client_data_json: Bytes::new(client_data_json).unwrap(),
            signature: Bytes::new(signature.as_ref()).unwrap(),
        }
    }

    #[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
    fn key_pair(&self) -> EcdsaKeyPair {
        let random = SystemRandom::new();
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, self.private_key.as_bytes(), &random)
            .unwrap()
    }

    fn authenticator_data(&mut self, deviation: &Deviation) -> Vec<u8> {
        if !self.backup_eligible {
            self.sign_count += 1;
        }
        let rp_id = deviation.rp_id.as_deref().unwrap_or(&self.rp_id);
        let mut data = Sha256::of(rp_id.as_bytes()).as_bytes().to_vec();
        data.push(self.flags(deviation));
        data.extend_from_slice(&deviation.sign_count.unwrap_or(self.sign_count).to_be_bytes());
        if deviation.attested_credential {
            data.extend_from_slice(&self.attested_credential(deviation));
        }
        data.extend_from_slice(deviation.extensions.as_deref().unwrap_or_default());
        data.extend_from_slice(&deviation.trailing);
        data
    }

    fn flags(&self, deviation: &Deviation) -> u8 {
        let mut flags = 0;
        for (flag, is_set) in [
            (USER_PRESENT, !deviation.without_presence),
            (USER_VERIFIED, !deviation.without_verification),
            (BACKUP_ELIGIBLE | BACKUP_STATE, self.backup_eligible),
            (ATTESTED_CREDENTIAL, deviation.attested_credential),
            (EXTENSIONS, deviation.extensions.is_some()),
        ] {
            if is_set {
                flags |= flag;
            }
        }
        (flags | deviation.more_flags) & !deviation.fewer_flags
    }

    #[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
    fn attested_credential(&self, deviation: &Deviation) -> Vec<u8> {
        let id = self.credential_id.as_bytes();
        let length = u16::try_from(id.len()).unwrap().to_be_bytes();
        let aaguid = deviation.maker.as_ref().map_or([0; 16], |maker| maker.aaguid);
        [aaguid.as_slice(), length.as_slice(), id, self.public_key().as_bytes()].concat()
    }
}

#[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
fn unattested(authenticator_data: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    encoder.map(3).unwrap().str("fmt").unwrap().str("none").unwrap();
    encoder.str("attStmt").unwrap().map(0).unwrap();
    encoder.str("authData").unwrap().bytes(authenticator_data).unwrap();
    encoder.into_writer()
}

fn client_data_json(ceremony: &str, challenge: &Sha256, origin: &str, deviation: &Deviation) -> Vec<u8> {
    if let Some(bytes) = &deviation.client_data_json {
        return bytes.clone();
    }
    // Members in the order in which browsers write them (section 5.8.1.1).
    let quote = |text: &str| Value::from(text).to_string();
    let mut members = vec![
        ("type".to_owned(), quote(deviation.ceremony.as_deref().unwrap_or(ceremony))),
        ("challenge".to_owned(), quote(&encode_url(challenge.as_bytes()))),
        ("origin".to_owned(), quote(origin)),
        ("crossOrigin".to_owned(), deviation.cross_origin.clone().unwrap_or(Value::Bool(false)).to_string()),
    ];
    if let Some(top_origin) = &deviation.top_origin {
        members.push(("topOrigin".to_owned(), quote(top_origin)));
    }
    members.extend(deviation.more_client_data.iter().map(|(name, value)| (name.clone(), value.to_string())));
    let members: Vec<String> =
        members.into_iter().map(|(name, value)| format!("{}:{value}", quote(&name))).collect();
    format!("{{{}}}", members.join(",")).into_bytes()
}
