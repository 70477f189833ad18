//! Attestations repeat their events, under a key that the trust root names, and nothing personal.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use chancery_canonical::{Canonical, Sha256};
use chancery_domain::document::{DecisionKind, GrantTerms, RequestDocument};
use chancery_domain::event::{
    Approved, EndedBy, IdentityEvent, Judged, LeaseIntended, LeaseIssued, LeaseRevoked, Phase,
    PolicyActivated, PolicyEvent, Redacted, RequestEvent,
};
use chancery_domain::people::Directory;
use chancery_domain::signature::Authority;
use chancery_domain::verdict::Outcome;
use chancery_evidence::attest::{
    self, AttestedFacts, AttestedSubject, Predicate, attestation_named, predicate_of, verify_attestation,
};
use chancery_evidence::sigstore;
use chancery_testkit::people::{World, identity_event, reference, ulid};
use ring::rand::SystemRandom;
use serde_json::{Map, Value, json};

struct Scene {
    world: World,
    directory: Directory,
    request: RequestDocument,
    terms: GrantTerms,
    intended: LeaseIntended,
    certificate: Map<String, Value>,
}

fn scene() -> Scene {
    let mut world = World::with_two_administrators();
    world.add_member("dan", &["dba"], &["ada", "bob"]);
    let request = world.request_document("ada", "one");
    let terms = GrantTerms { max_seconds: 900, not_before: world.now, not_after: world.now.plus(9000) };
    let intended = LeaseIntended {
        lease: ulid("lease").parse().unwrap(),
        credential: "ssh_certificate".into(),
        serial: "18446744073709551615".into(),
        to_be_signed_sha256: Sha256::of(b"certificate"),
        issuer_nonce: "AAAAAAAAAAAAAAAAAAAAAA".into(),
        not_after: world.now.plus(900),
    };
    let certificate =
        json!({ "key_id": "request/one", "principals": ["deploy"] }).as_object().unwrap().clone();
    Scene { directory: world.directory(), world, request, terms, intended, certificate }
}

impl Scene {
    fn facts(&self) -> AttestedFacts<'_> {
        AttestedFacts {
            directory: &self.directory,
            grant: Some(&self.terms),
            intended: Some(&self.intended),
            certificate: Some(&self.certificate),
        }
    }

    fn subject(&self) -> AttestedSubject {
        let reference = reference(&self.request);
        AttestedSubject::request(&reference.id, reference.sha256)
    }

    /// One event of each kind that is attested, with the predicate it must have.
    fn attested(&mut self) -> Vec<(RequestEvent, Predicate)> {
        let document = self.world.decision_document("dan", DecisionKind::Approve, reference(&self.request));
        let recorded = self.world.sign_decision("dan", &document);
        let lease = self.intended.lease.clone();
        let judged = Judged {
            revision: 1,
            phase: Phase::Request,
            outcome: Outcome::RequireApproval,
            verdict_sha256: Sha256::of(b"verdict"),
            input_sha256: Sha256::of(b"input"),
            policy_sha256: Sha256::of(b"bundle"),
            grant: Some(self.terms.clone()),
            lapses_at: Some(self.world.now.plus(60)),
            risk_score: 7,
            attestation_sha256: None,
        };
        let seats = BTreeMap::from([("dba".to_owned(), BTreeSet::from([self.world.id("dan")]))]);
        let approved =
            Approved { revision: 1, seats, starts_by: self.world.now.plus(60), attestation_sha256: None };
        let issued = LeaseIssued { lease: lease.clone(), attestation_sha256: None };
        let revoked = LeaseRevoked { lease, list_number: "4".into(), attestation_sha256: None };
        vec![
            (RequestEvent::Judged(judged), Predicate::Verdict),
            (RequestEvent::DecisionRecorded(recorded), Predicate::Decision),
            (RequestEvent::Approved(approved), Predicate::Grant),
            (RequestEvent::LeaseIssued(issued), Predicate::Issuance),
            (RequestEvent::LeaseRevoked(revoked), Predicate::Revocation),
        ]
    }
}

#[test]
fn every_attested_event_names_a_statement_that_can_be_made_again() {
    let mut scene = scene();
    let (root, attestor) = (scene.world.trust(), scene.world.attestor());
    for (event, predicate) in scene.attested() {
        let (subject, facts) = (scene.subject(), scene.facts());
        let (named, made) = attestor.attach(event, &subject, &facts, &SystemRandom::new()).unwrap();
        let made = made.expect("this kind is attested");
        assert_eq!((made.predicate, attestation_named(&named)), (predicate, Some(made.pae_sha256)));
        assert_eq!(made.pae_sha256, made.envelope.signed_digest());
        assert_eq!(made.leaf, sigstore::log_entry(&made.envelope, attestor.public_key()).unwrap());
        assert!(made.leaf.as_bytes().len() <= 4096);
        // The name in the event is no part of the statement, so the event as logged leads to the same one.
        let (again, body) = predicate_of(&named, &facts).unwrap().unwrap();
        assert_eq!(again, predicate);
        let key = verify_attestation(&made.envelope, &root, again, &subject, &body).unwrap();
        assert_eq!(key, *attestor.public_key());
    }
}

#[test]
fn what_says_something_else_is_refused() {
    let mut scene = scene();
    let (root, attestor) = (scene.world.trust(), scene.world.attestor());
    let (event, _) = scene.attested().remove(4);
    let (subject, facts) = (scene.subject(), scene.facts());
    let (predicate, body) = predicate_of(&event, &facts).unwrap().unwrap();
    let made = attestor.attest(predicate, &subject, body.clone(), &SystemRandom::new()).unwrap();
    let code = |root, predicate, subject: &AttestedSubject, body: &Map<String, Value>| {
        verify_attestation(&made.envelope, root, predicate, subject, body)
            .map_or_else(|refusal| refusal.code(), |_| "verified")
    };
    let mut other = body.clone();
    other.insert("list_number".into(), json!("5"));
    let elsewhere = AttestedSubject::request(&scene.request.id, Sha256::of(b"x"));
    let mut unnamed = scene.world.trust_document();
    unnamed.attestation_keys.remove("revocation");
    let unnamed = chancery_evidence::trust::TrustRoot::new(unnamed).unwrap();
    let stranger = World::with_two_administrators().trust();
    assert_eq!(code(&root, predicate, &subject, &body), "verified");
    assert_eq!(code(&root, predicate, &subject, &other), "attestation_differs");
    assert_eq!(code(&root, predicate, &elsewhere, &body), "attestation_differs");
    assert_eq!(code(&root, Predicate::Issuance, &subject, &body), "attestation_differs");
    assert_eq!(code(&unnamed, predicate, &subject, &body), "attestation_key");
    assert_eq!(code(&stranger, predicate, &subject, &body), "attestation_key");
}

#[test]
fn a_decision_carries_all_that_another_tool_needs() {
    let mut scene = scene();
    let (event, _) = scene.attested().remove(1);
    let (_, body) = predicate_of(&event, &scene.facts()).unwrap().unwrap();
    let RequestEvent::DecisionRecorded(recorded) = &event else { panic!("a decision") };
    assert_eq!(body["document"], json!(recorded.document.as_str()));
    assert_eq!(body["assertion"], serde_json::to_value(&recorded.assertion).unwrap());
    let key = scene.world.person("dan").passkey.public_key();
    assert_eq!(body["credential_public_key"], serde_json::to_value(key).unwrap());
}

#[test]
fn missing_facts_are_named() {
    let mut scene = scene();
    let events = scene.attested();
    let nobody = Directory::default();
    let full = scene.facts();
    let other = LeaseIntended { lease: ulid("other lease").parse().unwrap(), ..scene.intended.clone() };
    for (position, facts, expected) in [
        (1, AttestedFacts { directory: &nobody, ..full }, "attestation_facts_missing"),
        (2, AttestedFacts { grant: None, ..full }, "attestation_facts_missing"),
        (3, AttestedFacts { intended: None, ..full }, "attestation_facts_missing"),
        (3, AttestedFacts { certificate: None, ..full }, "attestation_facts_missing"),
        (3, AttestedFacts { intended: Some(&other), ..full }, "attestation_other_lease"),
    ] {
        assert_eq!(predicate_of(&events[position].0, &facts).unwrap_err().code(), expected);
    }
}

#[test]
fn other_events_come_back_as_they_were() {
    let scene = scene();
    let event = RequestEvent::Cancelled(EndedBy { person: scene.world.id("ada") });
    let attestor = scene.world.attestor();
    let (same, made) =
        attestor.attach(event.clone(), &scene.subject(), &scene.facts(), &SystemRandom::new()).unwrap();
    assert_eq!((same, made), (event, None));
}

#[test]
fn people_and_policies_have_statements_too() {
    let scene = scene();
    let (_, leaf) = scene.world.leaves().last().unwrap();
    let event: IdentityEvent = identity_event(leaf).unwrap();
    let (subject, body) = attest::enrolment(&event).unwrap();
    assert_eq!(subject.name(), format!("identity/{}", scene.world.id("dan")));
    assert_eq!(subject.sha256(), Canonical::of(&leaf.body).unwrap().digest());
    assert_eq!(body["event"], json!("person.created"));

    let activated = PolicyActivated {
        sequence: 1,
        from: None,
        to: Sha256::of(b"bundle"),
        engine: "regorus".into(),
        authority: Authority::Genesis,
    };
    let (subject, body) = attest::policy(&PolicyEvent::Activated(activated)).unwrap();
    assert_eq!((subject.name(), subject.sha256()), ("policy", Sha256::of(b"bundle")));
    assert_eq!(body["body"]["sequence"], json!(1));
}

#[test]
fn a_redaction_is_attested_and_named() {
    let scene = scene();
    let redacted =
        Redacted { person: scene.world.id("ada"), digests: vec!["x".into()], attestation_sha256: None };
    let (named, made) = scene
        .world
        .attestor()
        .attach(RequestEvent::Redacted(redacted), &scene.subject(), &scene.facts(), &SystemRandom::new())
        .unwrap();
    let made = made.unwrap();
    assert_eq!(attestation_named(&named), Some(made.pae_sha256));
    assert_eq!(made.predicate, Predicate::Redaction);
}

#[test]
fn predicates_have_one_name_each() {
    let names: BTreeSet<&str> = Predicate::ALL.into_iter().map(Predicate::name).collect();
    assert_eq!(names.len(), Predicate::ALL.len());
    for predicate in Predicate::ALL {
        assert_eq!(Predicate::of_name(predicate.name()), Some(predicate));
        assert_eq!(Predicate::of_type(&predicate.predicate_type()), Some(predicate));
    }
    assert_eq!(Predicate::Decision.predicate_type(), "urn:chancery:attestation:decision:v1");
    assert_eq!(Predicate::of_type("urn:chancery:attestation:decision:v2"), None);
}
