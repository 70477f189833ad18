//! The server's signed statements about what happened: DSSE envelopes around in-toto statements, one leaf each,
//! in the shape that verifiers know which nobody here wrote (docs/spec/events.md).
//!
//! A statement proves nothing that its event does not: it repeats the event's content for tools that cannot
//! read events. What it holds are digests, signed documents, public keys and times; never a clear personal string.

mod body;
mod verify;

use std::sync::OnceLock;

use chancery_canonical::json::JsonError;
use chancery_canonical::{Canonical, Sha256};
use chancery_domain::document::GrantTerms;
use chancery_domain::event::{LeaseIntended, RequestEvent};
use chancery_domain::id::{PersonId, RequestId};
use chancery_domain::people::Directory;
use ring::rand::SecureRandom;
use ring::signature::EcdsaKeyPair;
use serde_json::{Map, Value};

use crate::dsse::{DsseError, Envelope, Statement};
use crate::public_key::P256PublicKey;
use crate::sigstore;

pub use body::{enrolment, policy, predicate_of};
pub use verify::{AttestationRefusal, verify_attestation};

/// What is said in an attestation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Predicate {
    /// A person or a key joined or left.
    Enrolment,
    /// A policy bundle became active.
    Policy,
    /// What policy said.
    Verdict,
    /// What a person decided.
    Decision,
    /// A denial was overruled.
    Override,
    /// A bypass was used.
    BreakGlass,
    /// Who fills the seats, and on which terms.
    Grant,
    /// A credential was signed.
    Issuance,
    /// A credential is on the revocation list.
    Revocation,
    /// A change was run.
    Execution,
    /// A change was undone.
    Rollback,
    /// Personal values were erased.
    Redaction,
}

impl Predicate {
    /// Every one, in the order of a request's life.
    pub const ALL: [Self; 12] = [
        Self::Enrolment,
        Self::Policy,
        Self::Verdict,
        Self::Decision,
        Self::Override,
        Self::BreakGlass,
        Self::Grant,
        Self::Issuance,
        Self::Revocation,
        Self::Execution,
        Self::Rollback,
        Self::Redaction,
    ];

    /// Its short name, as in `trust.json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enrolment => "enrolment",
            Self::Policy => "policy",
            Self::Verdict => "verdict",
            Self::Decision => "decision",
            Self::Override => "override",
            Self::BreakGlass => "break_glass",
            Self::Grant => "grant",
            Self::Issuance => "issuance",
            Self::Revocation => "revocation",
            Self::Execution => "execution",
            Self::Rollback => "rollback",
            Self::Redaction => "redaction",
        }
    }

    /// The one of this short name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|predicate| predicate.name() == name)
    }

    /// The `predicateType`: `urn:chancery:attestation:<name>:v1`.
    pub fn predicate_type(self) -> String {
        format!("urn:chancery:attestation:{}:v1", self.name())
    }

    /// The one of this `predicateType`.
    pub fn of_type(predicate_type: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|predicate| predicate.predicate_type() == predicate_type)
    }
}

/// What an attestation is about: a name and a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestedSubject {
    name: String,
    sha256: Sha256,
}

impl AttestedSubject {
    /// A revision of a request: `request/<id>` with the request digest.
    pub fn request(id: &RequestId, request_sha256: Sha256) -> Self {
        Self { name: format!("request/{id}"), sha256: request_sha256 }
    }

    /// A change to a person: `identity/<person>` with the SHA-256 of the canonical body of its event.
    pub fn identity(person: &PersonId, body_sha256: Sha256) -> Self {
        Self { name: format!("identity/{person}"), sha256: body_sha256 }
    }

    /// A policy bundle: `policy` with the bundle's digest.
    pub fn policy(bundle_sha256: Sha256) -> Self {
        Self { name: "policy".to_owned(), sha256: bundle_sha256 }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its digest.
    pub fn sha256(&self) -> Sha256 {
        self.sha256
    }
}

/// What stands beside a request's event and is repeated in its attestation.
#[derive(Clone, Copy, Debug)]
pub struct AttestedFacts<'a> {
    /// Who exists at the event: the approver's public key comes from here.
    pub directory: &'a Directory,
    /// The grant terms that the request-phase verdict fixed; needed for `request.approved`.
    pub grant: Option<&'a GrantTerms>,
    /// What was announced for this lease; needed for `lease.issued`.
    pub intended: Option<&'a LeaseIntended>,
    /// Public facts of the certificate (key id, principals, validity, authority); needed for `lease.issued`.
    pub certificate: Option<&'a Map<String, Value>>,
}

/// What an attestation says: which predicate, and its members.
pub type Content = (Predicate, Map<String, Value>);

/// A signed statement, and the leaf that logs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// What it says.
    pub predicate: Predicate,
    /// The envelope.
    pub envelope: Envelope,
    /// SHA-256 of the pre-authentication encoding: what its event names it by.
    pub pae_sha256: Sha256,
    /// Bytes of the `hashedrekord` 0.0.2 leaf that stands directly after the event's.
    pub leaf: Canonical,
}

impl Attestation {
    /// The envelope's JSON, canonical.
    ///
    /// # Errors
    /// None in practice; an envelope has a canonical form.
    pub fn envelope_json(&self) -> Result<Canonical, JsonError> {
        Canonical::of(&self.envelope)
    }
}

/// Why an attestation cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttestError {
    /// Something that the statement repeats was not given.
    #[error("the attestation needs the {0}, which is not there")]
    Missing(&'static str),
    /// The facts given are of another lease.
    #[error("the facts given belong to another lease than the event")]
    OtherLease,
    /// It cannot be signed.
    #[error(transparent)]
    Dsse(#[from] DsseError),
    /// A value has no canonical form.
    #[error(transparent)]
    Json(#[from] JsonError),
}

impl AttestError {
    /// A stable name for logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "attestation_facts_missing",
            Self::OtherLease => "attestation_other_lease",
            Self::Dsse(_) => "attestation_unsigned",
            Self::Json(_) => "attestation_unwritable",
        }
    }
}

/// Signs attestations with the server's key.
#[derive(Debug)]
pub struct Attestor {
    key: EcdsaKeyPair,
    public_key: P256PublicKey,
    key_id: Sha256,
    /// Set once a signature of this key was verified.
    signs_well: OnceLock<()>,
}

impl Attestor {
    /// Takes an ECDSA P-256 key that signs in DER (`ECDSA_P256_SHA256_ASN1_SIGNING`).
    ///
    /// # Errors
    /// [`DsseError::CannotSign`] for a key on another curve.
    pub fn new(key: EcdsaKeyPair) -> Result<Self, AttestError> {
        let public_key = P256PublicKey::of(&key).map_err(|_| DsseError::CannotSign)?;
        Ok(Self { key, public_key, key_id: public_key.key_digest(), signs_well: OnceLock::new() })
    }

    /// The public half, as it stands in `trust.json`.
    pub fn public_key(&self) -> &P256PublicKey {
        &self.public_key
    }

    /// Signs one statement.
    ///
    /// # Errors
    /// [`AttestError`] when a value has no canonical form or the key does not sign.
    pub fn attest(
        &self,
        predicate: Predicate,
        subject: &AttestedSubject,
        body: Map<String, Value>,
        random: &dyn SecureRandom,
    ) -> Result<Attestation, AttestError> {
        let statement = Statement::new(subject.name(), subject.sha256(), predicate.predicate_type(), body);
        let envelope = match self.signs_well.get() {
            Some(()) => Envelope::sign_as(&statement, &self.key, self.key_id, random)?,
            None => Envelope::sign(&statement, &self.key, random)?,
        };
        self.signs_well.get_or_init(|| ());
        let leaf = sigstore::log_entry(&envelope, &self.public_key)?;
        Ok(Attestation { predicate, pae_sha256: envelope.signed_digest(), envelope, leaf })
    }

    /// Attests an event of a kind that is attested, and writes the attestation's name into it. Other events
    /// come back as they were.
    ///
    /// # Errors
    /// [`AttestError::Missing`] when a fact that the statement repeats was not given, or as [`Attestor::attest`].
    pub fn attach(
        &self,
        event: RequestEvent,
        subject: &AttestedSubject,
        facts: &AttestedFacts<'_>,
        random: &dyn SecureRandom,
    ) -> Result<(RequestEvent, Option<Attestation>), AttestError> {
        let Some((predicate, body)) = predicate_of(&event, facts)? else { return Ok((event, None)) };
        let attestation = self.attest(predicate, subject, body, random)?;
        Ok((named(event, attestation.pae_sha256), Some(attestation)))
    }
}

/// The name of the attestation that an event carries.
pub fn attestation_named(event: &RequestEvent) -> Option<Sha256> {
    event.clone().attestation_place().and_then(|place| *place)
}

/// The event with the attestation's name in it, where its kind has a place for one.
fn named(mut event: RequestEvent, pae_sha256: Sha256) -> RequestEvent {
    if let Some(place) = event.attestation_place() {
        *place = Some(pae_sha256);
    }
    event
}
