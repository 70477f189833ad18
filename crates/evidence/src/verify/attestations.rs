//! Attestations: signed by a key for their kind, logged where their bundle says, saying what their event says.

use std::collections::BTreeMap;

use chancery_canonical::json::{Map, Value};
use chancery_canonical::{Canonical, Sha256};
use chancery_domain::document::GrantTerms;
use chancery_domain::event::{LeaseIntended, Phase, RequestEvent};
use chancery_domain::id::LeaseId;
use chancery_ledger::{LogProof, VerifierKey};

use super::directories::Directories;
use super::lease::CertificateFacts;
use super::lifecycle::Case;
use super::log::{Content, Contents};
use super::streams::{Recorded, Streams};
use crate::attest::{
    AttestationRefusal, AttestedFacts, AttestedSubject, Predicate, attestation_named, policy, predicate_of,
    verify_attestation,
};
use crate::bundle::{BundleFiles, layout};
use crate::dsse::DsseError;
use crate::sigstore::Bundle;
use crate::trust::{TrustRoot, Versions};

/// Problems of the three checks.
#[derive(Default)]
pub(super) struct Problems {
    pub signatures: Vec<String>,
    pub log_entries: Vec<String>,
    pub contents: Vec<String>,
    /// How many attestations there are.
    pub count: usize,
}

impl Problems {
    /// Sorts what was found of an envelope.
    fn attested(&mut self, path: &str, refusal: Option<AttestationRefusal>) {
        let Some(refusal) = refusal else { return };
        let said = format!("`{path}`: {refusal}");
        match refusal {
            AttestationRefusal::UnknownKey { .. }
            | AttestationRefusal::Envelope(DsseError::BadSignature | DsseError::WrongKey(_)) => {
                self.signatures.push(said);
            }
            AttestationRefusal::Differs(_) | AttestationRefusal::Envelope(_) => self.contents.push(said),
        }
    }
}

/// What an attestation must say, and of what.
type Said = (Predicate, AttestedSubject, Map<String, Value>);

/// What an attestation of one event must be.
struct Expected {
    named: Option<Sha256>,
    leaf: Option<u64>,
    said: Result<Option<Said>, String>,
}

/// Which revision, on which terms, an event of the request is about.
#[derive(Default)]
struct Standing {
    request_sha256: Option<Sha256>,
    grant: Option<GrantTerms>,
}

impl Standing {
    fn take_in(&mut self, event: &RequestEvent) {
        if let RequestEvent::Submitted(body) | RequestEvent::Revised(body) = event {
            *self = Self { request_sha256: Some(body.request_sha256), grant: None };
        }
        if let RequestEvent::Judged(body) = event
            && body.phase == Phase::Request
        {
            self.grant.clone_from(&body.grant);
        }
    }
}

/// Everything that attestations are held against.
pub(super) struct Attested<'a> {
    pub files: &'a BundleFiles,
    pub versions: &'a Versions<'a>,
    pub key: &'a VerifierKey,
    pub contents: &'a Contents,
    pub directories: &'a Directories,
    pub certificates: &'a BTreeMap<LeaseId, CertificateFacts>,
    pub case: &'a Case,
}

impl Attested<'_> {
    pub fn check(&self, streams: &Streams) -> Problems {
        let mut problems = Problems::default();
        let mut leaves = Vec::new();
        let mut standing = Standing::default();
        for recorded in &streams.request {
            standing.take_in(&recorded.event);
            let expected = self.of_request(recorded, &standing);
            self.one(recorded.index, expected, &mut leaves, &mut problems);
        }
        for recorded in &streams.policy {
            let said =
                policy(&recorded.event).map(|(subject, body)| Some((Predicate::Policy, subject, body)));
            let said = said.map_err(|error| error.to_string());
            let expected = Expected { named: None, leaf: recorded.attestation, said };
            self.one(recorded.index, expected, &mut leaves, &mut problems);
        }
        for recorded in &streams.identity {
            let said = crate::attest::enrolment(&recorded.event.1);
            let said = said.map(|(subject, body)| Some((Predicate::Enrolment, subject, body)));
            let said = said.map_err(|error| error.to_string());
            let expected = Expected { named: None, leaf: recorded.attestation, said };
            self.one(recorded.index, expected, &mut leaves, &mut problems);
        }
        for path in self.files.keys().filter(|path| path.starts_with("attestations/")) {
            if !leaves.iter().any(|leaf| layout::attestation(*leaf) == *path) {
                problems.log_entries.push(format!("`{path}` is of no attestation in these streams"));
            }
        }
        problems
    }

    fn of_request(&self, recorded: &Recorded<RequestEvent>, standing: &Standing) -> Expected {
        let (named, leaf) = (attestation_named(&recorded.event), recorded.attestation);
        let Some(request_sha256) = standing.request_sha256 else {
            return Expected { named, leaf, said: Ok(None) };
        };
        let (intended, certificate) = self.lease_of(recorded, leaf);
        let facts = AttestedFacts {
            directory: self.directories.before(recorded.index),
            grant: standing.grant.as_ref(),
            intended,
            certificate: certificate.as_ref(),
        };
        let subject = AttestedSubject::request(&self.case.id, request_sha256);
        let said = match predicate_of(&recorded.event, &facts) {
            Ok(said) => Ok(said.map(|(predicate, body)| (predicate, subject, body))),
            Err(error) => Err(error.to_string()),
        };
        // An event that names no attestation needs none.
        let said = if named.is_none() && leaf.is_none() { Ok(None) } else { said };
        Expected { named, leaf, said }
    }

    /// What was announced for an issued lease, and what its certificate says: as read from the certificate in the
    /// bundle, or else as the attestation itself claims, whose signature is checked beside it.
    fn lease_of(
        &self,
        recorded: &Recorded<RequestEvent>,
        leaf: Option<u64>,
    ) -> (Option<&LeaseIntended>, Option<Map<String, Value>>) {
        let RequestEvent::LeaseIssued(issued) = &recorded.event else { return (None, None) };
        let intended = self.case.intended.iter().find(|intended| intended.event.lease == issued.lease);
        let read = self.certificates.get(&issued.lease).map(CertificateFacts::public_facts);
        let claimed = || {
            let bundle = Bundle::parse(self.files.get(&layout::attestation(leaf?))?).ok()?;
            let payload = chancery_canonical::json::parse(bundle.envelope().payload()).ok()?;
            payload.pointer("/predicate/certificate")?.as_object().cloned()
        };
        (intended.map(|intended| &intended.event), read.or_else(claimed))
    }

    fn one(&self, event: u64, expected: Expected, leaves: &mut Vec<u64>, problems: &mut Problems) {
        let Some(leaf) = expected.leaf else {
            if expected.named.is_some() {
                problems
                    .log_entries
                    .push(format!("leaf {event}: it names an attestation that does not follow it"));
            }
            return;
        };
        leaves.push(leaf);
        problems.count += 1;
        let path = layout::attestation(leaf);
        let bundle = match self.files.get(&path).map(|bytes| (bytes, Bundle::parse(bytes))) {
            Some((bytes, Ok(bundle))) => {
                // Loose JSON would be evidence of the same thing in other bytes.
                if Canonical::parse(bytes).is_err() {
                    problems.log_entries.push(format!("`{path}` is not in canonical form"));
                }
                bundle
            }
            Some((_, Err(error))) => return problems.log_entries.push(format!("`{path}`: {error}")),
            None => return problems.log_entries.push(format!("`{path}` is missing")),
        };
        let trust = self.trust_at(event);
        if let Err(problem) = self.logged(leaf, &bundle, expected.named, trust) {
            problems.log_entries.push(format!("`{path}`: {problem}"));
        }
        match expected.said {
            Ok(Some((predicate, subject, body))) => {
                let verified = verify_attestation(bundle.envelope(), trust, predicate, &subject, &body);
                problems.attested(&path, verified.err());
            }
            Ok(None) => problems.contents.push(format!("`{path}`: events of this kind are not attested")),
            Err(problem) => problems.contents.push(format!("`{path}`: {problem}")),
        }
    }

    /// The root that was in force at an event.
    fn trust_at(&self, event: u64) -> &TrustRoot {
        match self.contents.get(&event) {
            Some(Content::Event(leaf)) => self.versions.at(event, leaf.time),
            Some(Content::Attestation(_)) | None => self.versions.newest(),
        }
    }

    /// The Sigstore bundle agrees with leaf, proof and checkpoint, and with the name in the event.
    fn logged(
        &self,
        leaf: u64,
        bundle: &Bundle,
        named: Option<Sha256>,
        trust: &TrustRoot,
    ) -> Result<(), String> {
        let Some(Content::Attestation(bytes)) = self.contents.get(&leaf) else {
            return Err("its leaf is no attestation".to_owned());
        };
        if bundle.leaf() != bytes.as_slice() {
            return Err("it is about another leaf than the log has there".to_owned());
        }
        if named.is_some_and(|named| named != bundle.envelope().signed_digest()) {
            return Err("its event names another attestation".to_owned());
        }
        let keys = Predicate::ALL.iter().flat_map(|predicate| trust.attestation_keys(predicate.name()));
        if let Some(key) = keys.into_iter().find(|key| key.key_digest() == bundle.envelope().key_id()) {
            bundle.check_entry(key).map_err(|error| error.to_string())?;
        }
        let inclusion = bundle.inclusion().map_err(|error| error.to_string())?;
        let proof = self.files.get(&layout::proof(leaf)).ok_or("its proof is missing")?;
        let proof = LogProof::parse(proof).map_err(|error| error.to_string())?;
        let path = proof.path().iter().map(|hash| *hash.as_bytes());
        let same = inclusion.log_index == leaf
            && inclusion.log_key_id.as_bytes() == self.key.key_hash().as_bytes()
            && inclusion.checkpoint == proof.checkpoint().to_string()
            && inclusion.hashes.iter().map(|hash| *hash.as_bytes()).eq(path);
        if !same {
            return Err("its proof is another than the leaf's".to_owned());
        }
        let root =
            chancery_ledger::Checkpoint::parse_text(proof.checkpoint().text()).map_err(|e| e.to_string())?;
        if inclusion.tree_size != root.size()
            || inclusion.root_hash.as_bytes() != root.root().hash().as_bytes()
        {
            return Err("its tree is another than the checkpoint's".to_owned());
        }
        Ok(())
    }
}
