//! People who lost their keys, and offline keys that let them back in.

use chancery_canonical::{Bytes, Canonical};
use chancery_domain::document::IdentityDocument;
use chancery_domain::id::PersonId;
use chancery_domain::signature::{Authority, RecoverySignature};
use chancery_evidence::recovery::{RecoveryKey, recovery_challenge};
use chancery_evidence::trust::Recovery;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use super::{RP_ID, World, ed25519, enrolled};
use crate::passkey::SoftPasskey;

/// A recovery key that is always the same for the same name.
pub fn recovery_key(name: &str) -> Ed25519KeyPair {
    ed25519(&format!("recovery {name}"))
}

/// Its public half.
#[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
pub fn recovery_public_key(name: &str) -> RecoveryKey {
    RecoveryKey::new(recovery_key(name).public_key().as_ref().try_into().unwrap()).unwrap()
}

/// A recovery key's signature under a document.
#[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
pub fn recovery_signature(name: &str, document: &Canonical) -> RecoverySignature {
    let key = recovery_key(name);
    RecoverySignature {
        public_key: Bytes::new(key.public_key().as_ref()).unwrap(),
        signature: Bytes::new(key.sign(recovery_challenge(document).as_bytes()).as_ref()).unwrap(),
    }
}

#[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
impl World {
    /// From now on the trust root names these recovery keys.
    pub fn seal_recovery_keys(&mut self, threshold: u32, names: &[&str]) {
        let keys = names.iter().map(|name| recovery_public_key(name)).collect();
        self.recovery = Recovery { threshold, keys };
    }

    /// The signatures of recovery keys under an identity document.
    pub fn authorise_by_keys(&self, document: &IdentityDocument, names: &[&str]) -> Authority {
        let document = Canonical::of(document).unwrap();
        let signatures = names.iter().map(|name| recovery_signature(name, &document)).collect();
        Authority::RecoveryKeys { document, signatures }
    }

    /// Body of `person.recovered` for a new passkey, without its authority.
    pub fn recovered_body(&self, name: &str, passkey: &SoftPasskey) -> Value {
        json!({ "person": self.id(name), "passkey": enrolled(passkey) })
    }

    /// Puts a recovery that these people signed into the log. The person holds the new passkey from now on; the one
    /// that was lost comes back.
    pub fn recover(&mut self, name: &str, signers: &[&str]) -> SoftPasskey {
        let new = SoftPasskey::new(RP_ID);
        let (id, body) = (self.id(name), self.recovered_body(name, &new));
        self.change(&id, "person.recovered", body, signers);
        std::mem::replace(&mut self.person_mut(name).passkey, new)
    }

    /// Body of `recovery.cancelled` for the passkey that somebody holds now.
    pub fn cancelled_body(&self, name: &str) -> (PersonId, Value) {
        let person = self.person(name);
        let id = person.passkey.credential_id();
        (person.id.clone(), json!({ "person": person.id, "credential_id": id }))
    }
}
