//! The trust root of a world, and the keys in it.

use std::collections::BTreeMap;

use chancery_canonical::Sha256;
use chancery_domain::time::Timestamp;
use chancery_evidence::attest::{Attestor, Predicate};
use chancery_evidence::trust::{
    Administrator, Floor, Genesis, GenesisPerson, IssuerKey, PolicyRoot, TrustDocument, TrustRoot, TrustType,
    TrustedLog,
};
use chancery_ledger::{KeyType, SignerKey};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};

use crate::passkey::Maker;

use super::{ENGINE, LOG_ORIGIN, RP_ID, WEB_ORIGIN, World, ed25519, enrolled, ssh_line};

#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code fails by panicking")]
impl World {
    /// The key with which the log signs.
    pub fn log_key(&self) -> SignerKey {
        let seed = *Sha256::of(b"log seed").as_bytes();
        SignerKey::from_seed(LOG_ORIGIN.parse().unwrap(), KeyType::Ed25519, &seed).unwrap()
    }

    /// Signs attestations with the world's key.
    pub fn attestor(&self) -> Attestor {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &self.attestation_key, &random);
        Attestor::new(key.unwrap()).unwrap()
    }

    /// The trust root of this world's genesis, with a floor for `prod-database`.
    pub fn trust(&self) -> TrustRoot {
        TrustRoot::new(self.trust_document()).unwrap()
    }

    /// The same, before it is checked.
    pub fn trust_document(&self) -> TrustDocument {
        let persons: Vec<GenesisPerson> = self.genesis.iter().map(|name| self.genesis_person(name)).collect();
        let administrates = |person: &&GenesisPerson| person.roles.contains("identity_admin");
        let sealed_with = u32::try_from(persons.iter().filter(administrates).count()).unwrap();
        let vkey = self.log_key().verifier().to_string();
        let attestation_key = *self.attestor().public_key();
        let start: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        TrustDocument {
            document_type: TrustType::V1,
            version: 1,
            previous_sha256: None,
            created_at: start,
            expires_at: start.plus(365 * 24 * 3600),
            witness_policy: format!("log {vkey}\nquorum none\n"),
            logs: vec![TrustedLog {
                origin: LOG_ORIGIN.parse().unwrap(),
                vkey,
                first_index: None,
                closed: None,
            }],
            rp_id: RP_ID.to_owned(),
            origins: vec![WEB_ORIGIN.to_owned()],
            genesis: Genesis { persons },
            administrators: Vec::new(),
            sealed_with,
            administrators_needed: sealed_with.min(2),
            recovery: self.recovery.clone(),
            directories: Vec::new(),
            policy: PolicyRoot {
                genesis_sha256: Sha256::of(b"bundle"),
                owners_needed: sealed_with.clamp(1, 2),
            },
            engines: vec![ENGINE.to_owned()],
            floors: BTreeMap::from([("prod-database".to_owned(), floor())]),
            attestation_keys: Predicate::ALL
                .into_iter()
                .map(|predicate| (predicate.name().to_owned(), vec![attestation_key]))
                .collect(),
            issuers: vec![IssuerKey::Ssh { public_key: ssh_line(&ed25519("ssh authority")) }],
            attestation_roots: self.maker.iter().map(Maker::root).collect(),
        }
    }

    /// People as a later version of the root lists those who may sign the next.
    pub fn administrators(&self, names: &[&str]) -> Vec<Administrator> {
        let of = |name: &&str| self.genesis_person(name);
        let listed = names.iter().map(of);
        listed.map(|person| Administrator { id: person.id, passkeys: person.passkeys }).collect()
    }

    fn genesis_person(&self, name: &str) -> GenesisPerson {
        let person = &self.people[name];
        GenesisPerson {
            id: person.id.clone(),
            roles: person.roles.clone(),
            attributes: BTreeMap::new(),
            passkeys: vec![enrolled(&person.passkey)],
        }
    }
}

fn floor() -> Floor {
    Floor {
        minimum_approvers: 1,
        maximum_seconds: 3600,
        allow: false,
        break_glass: false,
        override_denied: false,
        oidc: false,
    }
}
