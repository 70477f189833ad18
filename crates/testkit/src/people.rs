//! Signed worlds: a log's name, people with soft passkeys, and everything they sign. Each piece is made in
//! steps (document, signature, event, leaf), so that a test can be wrong in any one of them.

mod documents;
mod recovery;
mod trust;

use std::collections::{BTreeMap, BTreeSet};

use chancery_canonical::base64::encode_url;
use chancery_canonical::{Bytes, Canonical, Sha256};
use chancery_domain::document::{
    IdentityDocument, IdentityType, RequestDocument, RequestReference, Signed, challenge,
};
use chancery_domain::event::{IdentityEvent, Passkey, from_parts, to_parts};
use chancery_domain::id::{PersonId, RequestId};
use chancery_domain::leaf::{EventLeaf, Stream};
use chancery_domain::people::Directory;
use chancery_domain::signature::{Assertion, Authority, PersonSignature};
use chancery_domain::time::Timestamp;
pub use recovery::{recovery_key, recovery_public_key, recovery_signature};

use chancery_evidence::identity::{Chain, IdentityRefusal};
use chancery_evidence::signer::Context;
use chancery_evidence::ssh_key::SshPublicKey;
use chancery_evidence::sshsig::{REQUEST_NAMESPACE, sign_ed25519};
use chancery_evidence::trust::Recovery;
use chancery_evidence::webauthn::RelyingParty;
use chancery_ledger::leaf_hash;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use serde::Serialize;
use serde_json::{Value, json};

use crate::passkey::{Deviation, Maker, SoftPasskey};

/// Name of the world's log.
pub const LOG_ORIGIN: &str = "log.chancery.test";
/// Relying party id of its passkeys.
pub const RP_ID: &str = "chancery.test";
/// Web origin on which they are used.
pub const WEB_ORIGIN: &str = "https://chancery.test";
/// The engine that its trust root names.
pub const ENGINE: &str = "regorus 0.14.1 sha256:test";

/// A log's name, a clock, and the people. Every signature is real; keys of people are random, all else is the
/// same in every run.
#[derive(Debug)]
pub struct World {
    /// Now; tests move it.
    pub now: Timestamp,
    /// The log for which documents are made.
    pub log_origin: String,
    relying_party: RelyingParty,
    people: BTreeMap<String, TestPerson>,
    genesis: Vec<String>,
    leaves: Vec<(u64, EventLeaf)>,
    nonces: u64,
    attestation_key: Vec<u8>,
    /// Who makes the authenticators of people that are added from now on.
    pub maker: Option<Maker>,
    /// Offline keys that the trust root names; none unless a test sets them.
    pub recovery: Recovery,
}

/// Somebody with a passkey, a session key and an SSH key.
#[derive(Debug)]
pub struct TestPerson {
    /// Who.
    pub id: PersonId,
    /// Their passkey.
    pub passkey: SoftPasskey,
    /// Roles they start with.
    pub roles: BTreeSet<String>,
    /// Their SSH key.
    pub ssh_key: Ed25519KeyPair,
}

/// A session as a person introduced it.
#[derive(Debug)]
pub struct TestSession {
    /// The session document.
    pub document: Canonical,
    /// The passkey's assertion over it.
    pub introduction: Assertion,
    /// The session's key.
    pub key: Ed25519KeyPair,
}

/// A ULID that is always the same for the same name.
#[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
pub fn ulid(name: &str) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let digest = Sha256::of(name.as_bytes());
    let digits = digest.as_bytes().iter().take(24);
    let text: String = digits.map(|byte| char::from(*DIGITS.get(usize::from(byte % 32)).unwrap())).collect();
    format!("01{text}")
}

/// An Ed25519 key that is always the same for the same name.
#[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
pub fn ed25519(name: &str) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(Sha256::of(name.as_bytes()).as_bytes()).unwrap()
}

/// A passkey as its enrolment event holds it.
#[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
pub fn enrolled(passkey: &SoftPasskey) -> Passkey {
    let registered = passkey.registration();
    Passkey {
        credential_id: passkey.credential_id().clone(),
        public_key: Bytes::new(passkey.public_key().as_bytes()).unwrap(),
        aaguid: Bytes::new(registered.map_or([0; 16], |_| Maker::new().aaguid)).unwrap(),
        backup_eligible: passkey.enrolled_key().backup_eligible,
        attestation_sha256: registered.map(|response| Canonical::of(response).unwrap().digest()),
    }
}

/// The OpenSSH line of a key, without a comment.
#[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
pub fn ssh_line(key: &Ed25519KeyPair) -> String {
    let key = SshPublicKey::ed25519(key.public_key().as_ref().try_into().unwrap()).unwrap();
    format!("{} {}", key.key_type(), chancery_canonical::base64::encode_standard(key.blob()))
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code fails by panicking")]
impl World {
    /// Nobody yet, at noon on 22 November 2026.
    pub fn new() -> Self {
        let key =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new()).unwrap();
        Self {
            now: "2026-11-22T12:00:00Z".parse().unwrap(),
            log_origin: LOG_ORIGIN.to_owned(),
            relying_party: RelyingParty::new(RP_ID, [WEB_ORIGIN]).unwrap(),
            people: BTreeMap::new(),
            genesis: Vec::new(),
            leaves: Vec::new(),
            nonces: 0,
            attestation_key: key.as_ref().to_vec(),
            maker: None,
            recovery: Recovery::default(),
        }
    }

    /// A world with two identity administrators (`ada`, `bob`), in its log.
    pub fn with_two_administrators() -> Self {
        Self::new().and_two_administrators()
    }

    /// The same in a world that is there already.
    pub fn and_two_administrators(self) -> Self {
        let mut world = self;
        for name in ["ada", "bob"] {
            world.add_genesis(name, &["identity_admin", "policy_owner"]);
        }
        world
    }

    /// Makes a person with keys, whom nobody has heard of yet.
    pub fn add_person(&mut self, name: &str, roles: &[&str]) -> PersonId {
        let id: PersonId = ulid(&format!("person {name}")).parse().unwrap();
        let mut passkey = SoftPasskey::new(RP_ID);
        let by_maker = Deviation { maker: self.maker.clone(), ..Deviation::default() };
        passkey.register_with(&Sha256::of(b"challenge"), WEB_ORIGIN, &by_maker);
        let person = TestPerson {
            id: id.clone(),
            passkey,
            roles: roles.iter().map(ToString::to_string).collect(),
            ssh_key: ed25519(&format!("ssh {name}")),
        };
        self.people.insert(name.to_owned(), person);
        id
    }

    /// Makes a genesis person, and the leaf that says so.
    pub fn add_genesis(&mut self, name: &str, roles: &[&str]) -> PersonId {
        let id = self.add_person(name, roles);
        self.genesis.push(name.to_owned());
        let body = self.created_body(name);
        let leaf = self.identity_leaf(&id, "person.created", body, &Authority::Genesis);
        self.push(leaf);
        id
    }

    /// Makes a person whom these administrators create, and the leaf that says so.
    pub fn add_member(&mut self, name: &str, roles: &[&str], signers: &[&str]) -> PersonId {
        let id = self.add_person(name, roles);
        let body = self.created_body(name);
        self.change(&id, "person.created", body, signers);
        id
    }

    /// Puts a change that these people sign into the log.
    pub fn change(&mut self, person: &PersonId, act: &str, body: Value, signers: &[&str]) -> u64 {
        let leaf = self.signed_leaf(person, act, body, signers);
        self.push(leaf)
    }

    /// A leaf that these people sign, not in the log yet.
    pub fn signed_leaf(&mut self, person: &PersonId, act: &str, body: Value, signers: &[&str]) -> EventLeaf {
        let document = self.identity_document(act, &body);
        let authority = self.authorise(&document, signers);
        self.identity_leaf(person, act, body, &authority)
    }

    /// Body of `person.created`, without its authority.
    pub fn created_body(&self, name: &str) -> Value {
        let person = &self.people[name];
        json!({
            "person": person.id, "passkey": enrolled(&person.passkey), "roles": person.roles,
            "attributes": {}, "_sd": [],
        })
    }

    /// Somebody by name.
    pub fn person(&self, name: &str) -> &TestPerson {
        &self.people[name]
    }

    /// Somebody by name.
    pub fn person_mut(&mut self, name: &str) -> &mut TestPerson {
        self.people.get_mut(name).unwrap()
    }

    /// The id of somebody.
    pub fn id(&self, name: &str) -> PersonId {
        self.people[name].id.clone()
    }

    /// The registration of somebody's passkey, if a maker spoke in it.
    pub fn registration(&self, id: &PersonId) -> Option<Canonical> {
        let person = self.people.values().find(|person| person.id == *id)?;
        person.passkey.registration().map(|response| Canonical::of(response).unwrap())
    }

    /// A fresh nonce of 128 bits.
    pub fn nonce(&mut self) -> String {
        self.nonces += 1;
        let digest = Sha256::of(format!("nonce {}", self.nonces).as_bytes());
        encode_url(&digest.as_bytes()[..16])
    }

    /// Signs a document with somebody's passkey.
    pub fn assert<D: Signed>(&mut self, name: &str, document: &Canonical) -> Assertion {
        self.assert_challenge(name, &challenge::<D>(document))
    }

    /// Signs a challenge with somebody's passkey.
    pub fn assert_challenge(&mut self, name: &str, challenge: &Sha256) -> Assertion {
        self.person_mut(name).passkey.assert(challenge, WEB_ORIGIN)
    }

    /// An offer to authorise an event, open for ten minutes.
    pub fn identity_document(&mut self, act: &str, body: &Value) -> IdentityDocument {
        IdentityDocument {
            document_type: IdentityType::V1,
            log_origin: self.log_origin.clone(),
            act: act.to_owned(),
            body: body.as_object().unwrap().clone(),
            nonce: self.nonce(),
            issued_at: self.now,
            expires_at: self.now.plus(600),
        }
    }

    /// Everybody's signature under an identity document.
    pub fn authorise(&mut self, document: &IdentityDocument, signers: &[&str]) -> Authority {
        let document = Canonical::of(document).unwrap();
        let mut signatures = Vec::new();
        for name in signers {
            let assertion = self.assert::<IdentityDocument>(name, &document);
            signatures.push(PersonSignature { person: self.id(name), assertion });
        }
        Authority::People { document, signatures }
    }

    /// The next leaf of a person's stream.
    pub fn identity_leaf(
        &self,
        person: &PersonId,
        act: &str,
        mut body: Value,
        authority: &Authority,
    ) -> EventLeaf {
        body["authority"] = serde_json::to_value(authority).unwrap();
        let stream = Stream::Identity(person.clone());
        let before = self.leaves.iter().rev().find(|(_, leaf)| leaf.stream == stream);
        let previous =
            before.map(|(_, leaf)| Sha256::from_bytes(*leaf_hash(&leaf.to_bytes().unwrap()).as_bytes()));
        EventLeaf {
            stream,
            version: before.map_or(1, |(_, leaf)| leaf.version + 1),
            previous,
            kind: act.to_owned(),
            time: self.now,
            body: body.as_object().unwrap().clone(),
        }
    }

    /// Puts a leaf into the log, unchecked, and says at which index.
    pub fn push(&mut self, leaf: EventLeaf) -> u64 {
        let index = self.next_index();
        self.leaves.push((index, leaf));
        index
    }

    /// The index of the next leaf. Indices leave gaps, as in a log that holds more than people.
    pub fn next_index(&self) -> u64 {
        self.leaves.last().map_or(3, |(index, _)| index + 2)
    }

    /// The identity leaves with their indices.
    pub fn leaves(&self) -> &[(u64, EventLeaf)] {
        &self.leaves
    }

    /// The chain of all leaves in the log.
    ///
    /// # Errors
    /// The refusal of the first leaf that is not admitted.
    pub fn chain(&self) -> Result<Chain, IdentityRefusal> {
        let mut chain = Chain::from_trust(&self.trust());
        for (index, leaf) in &self.leaves {
            chain.admit(*index, leaf)?;
        }
        Ok(chain)
    }

    /// Everyone, after all leaves.
    pub fn directory(&self) -> Directory {
        self.chain().unwrap().directory().clone()
    }

    /// The site.
    pub fn relying_party(&self) -> &RelyingParty {
        &self.relying_party
    }

    /// Where and when signatures are judged: this log, this site, now.
    pub fn context<'a>(&'a self, directory: &'a Directory) -> Context<'a> {
        Context { log_origin: &self.log_origin, relying_party: &self.relying_party, directory, at: self.now }
    }

    /// A leaf of a request's stream; versions and hashes are the caller's.
    pub fn request_leaf<E: Serialize>(
        &self,
        id: &RequestId,
        version: u64,
        previous: Option<Sha256>,
        event: &E,
    ) -> EventLeaf {
        let (kind, body) = to_parts(event).unwrap();
        EventLeaf { stream: Stream::Request(id.clone()), version, previous, kind, time: self.now, body }
    }
}

/// The id of a request, the same for the same name.
#[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
pub fn request_id(name: &str) -> RequestId {
    ulid(&format!("request {name}")).parse().unwrap()
}

/// A request's revision as decisions name it.
#[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
pub fn reference(document: &RequestDocument) -> RequestReference {
    let sha256 = Canonical::of(document).unwrap().digest();
    RequestReference { id: document.id.clone(), revision: document.revision, sha256 }
}

/// The proof that the holder of this key asks for this request.
#[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
pub fn possession(key: &Ed25519KeyPair, document: &RequestDocument) -> Bytes<1536> {
    let signed = challenge::<RequestDocument>(&Canonical::of(document).unwrap());
    let signature = sign_ed25519(key, REQUEST_NAMESPACE, signed.as_bytes()).unwrap();
    Bytes::new(signature.to_blob()).unwrap()
}

/// An identity event of these parts, to see that they are one.
///
/// # Errors
/// When they are none.
pub fn identity_event(leaf: &EventLeaf) -> Result<IdentityEvent, serde_json::Error> {
    from_parts(&leaf.kind, &leaf.body)
}
