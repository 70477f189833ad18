//! What happens to the request, step by step.

use std::collections::BTreeMap;

use chancery_canonical::{Canonical, Disclosure, Sha256};
use chancery_domain::alerts::Alerts;
use chancery_domain::decide::{Command, Facts, decide};
use chancery_domain::document::{CheckpointReference, DecisionDocument, DecisionKind, ShownStage};
use chancery_domain::event::{
    DecisionRecorded, LeaseIntended, LeaseIssued, LeaseRevoked, Phase as LoggedPhase, RequestEvent,
};
use chancery_domain::evolve::evolve;
use chancery_domain::id::LeaseId;
use chancery_domain::leaf::Stream;
use chancery_domain::people::Directory;
use chancery_domain::proof::{AuthenticatedActor, VerifiedDecision};
use chancery_domain::refusal::Refusal;
use chancery_domain::state::{Judgement, State};
use chancery_domain::verdict::Verdict;
use chancery_evidence::attest::{AttestedFacts, AttestedSubject};
use chancery_evidence::decision::verify_decision;
use chancery_evidence::request::verify_request;
use chancery_evidence::verify::CertificateFacts;
use chancery_policy::ConcealedInput;
use chancery_policy::input::{Calendar, Input, PersonFacts, Phase, Signal, Weekday};
use ring::rand::SystemRandom;
use serde_json::{Map, Value, json};

use super::Scenario;
use crate::people::{ed25519, ssh_line, ulid};

#[expect(clippy::unwrap_used, clippy::panic, reason = "test code fails by panicking")]
impl Scenario {
    /// The requester asks, and policy answers.
    pub fn submit(&mut self) {
        self.ask(Command::Submit);
    }

    /// The requester asks anew, with the document as it stands now; its revision is counted up.
    pub fn revise(&mut self) {
        self.document.revision += 1;
        self.document.created_at = self.world.now;
        self.approvals.clear();
        self.ask(Command::Revise);
    }

    fn ask(&mut self, command: impl Fn(chancery_domain::proof::SignedRequest) -> Command) {
        let (submitted, canonical) = self.signed_by_requester();
        let directory = self.world.directory();
        let request = verify_request(&submitted, &canonical, &self.world.context(&directory)).unwrap();
        let verdict = self.judge(Phase::Request);
        self.standing = Some(verdict.document().clone());
        self.run(command(request), Some(&verdict)).unwrap();
        self.wait(20);
    }

    /// Asks policy, and keeps what it said for the bundle.
    pub fn judge(&mut self, phase: Phase) -> Verdict {
        let directory = self.world.directory();
        let input = self.input(phase, &directory);
        let mut salts: Vec<[u8; 16]> = (0..12).map(|_| self.salt()).collect();
        let concealed =
            ConcealedInput::conceal(&input, &self.document_disclosures, &mut || salts.pop().unwrap())
                .unwrap();
        let judgement = self.engine.judge(&concealed).unwrap();
        assert!(judgement.fault.is_none(), "{:?}", judgement.fault);
        self.judged.insert(judgement.verdict.sha256(), (judgement.verdict.clone(), concealed));
        judgement.verdict
    }

    /// What policy is asked about: a managed device at a usual origin, within working hours.
    pub fn input(&self, phase: Phase, directory: &Directory) -> Input {
        let now = self.world.now;
        let person = |id| {
            let known = directory.person(id).unwrap();
            PersonFacts {
                person: known.id.clone(),
                roles: known.roles.clone(),
                groups: std::collections::BTreeSet::new(),
                attributes: known.attributes.clone(),
                name: Some("Rita Example".to_owned()),
                mail: Some("rita@example.org".to_owned()),
            }
        };
        Input {
            phase,
            request: self.document.clone(),
            entitlement: self.engine.bundle().entitlement(super::ENTITLEMENT).unwrap().data().clone(),
            requester: person(&self.document.requester),
            beneficiary: person(&self.document.beneficiary.person),
            signals: BTreeMap::from([
                ("device".to_owned(), Signal::known(json!({"managed": true}), now, now, "posture")),
                (
                    "origin".to_owned(),
                    Signal::known(json!({"new": false, "address": "192.0.2.7"}), now, now, "network"),
                ),
            ]),
            approvals: Vec::new(),
            history: BTreeMap::from([("requests_1h".to_owned(), 1)]),
            now,
            calendar: Calendar {
                weekday: Weekday::Monday,
                hour: 12,
                timezone: "UTC".to_owned(),
                working_hours: true,
            },
        }
    }

    /// What somebody is offered to sign: all stages they are eligible for, on the terms that stand.
    pub fn offer(&mut self, approver: &str, decision: DecisionKind) -> DecisionDocument {
        let state = self.state.clone().unwrap();
        let judgement = judgement(&state);
        let reference = chancery_domain::document::RequestReference {
            id: state.asked().id.clone(),
            revision: state.asked().revision,
            sha256: state.asked().request_sha256,
        };
        let directory = self.world.directory();
        let stages = self.standing.clone().unwrap().stages;
        let eligible = chancery_domain::count::eligible_stages(
            &self.world.id(approver),
            &stages,
            state.asked(),
            &directory,
        );
        let size = self.log.size() - 1;
        let mut document = self.world.decision_document(approver, decision, reference);
        document.verdict_sha256 = judgement.verdict_sha256;
        document.policy_sha256 = judgement.policy_sha256;
        document.grant = judgement.grant;
        document.stages = stages
            .iter()
            .filter(|stage| eligible.contains(&stage.id))
            .map(|stage| ShownStage { id: stage.id.clone(), quorum: stage.quorum })
            .collect();
        let root = Sha256::from_bytes(*self.log.root(size).hash().as_bytes());
        document.checkpoint = CheckpointReference { size, root };
        document
    }

    /// Somebody approves, with a reason.
    pub fn approve(&mut self, approver: &str) {
        self.decide(approver, DecisionKind::Approve).unwrap();
    }

    /// Somebody decides.
    ///
    /// # Errors
    /// The refusal of the domain.
    pub fn decide(&mut self, approver: &str, kind: DecisionKind) -> Result<(), Refusal> {
        let mut document = self.offer(approver, kind);
        let salt = self.salt();
        let reason = Disclosure::new(&salt, "reason", format!("{approver} looked at it").into()).unwrap();
        document.reason_sha256 = Some(reason.digest());
        self.wait(7);
        let recorded = self.world.sign_decision(approver, &document);
        let verified = self.verified(&recorded);
        let verdict = (kind == DecisionKind::Approve).then(|| self.judge(Phase::Approve));
        let index = self.log.size();
        let command = Command::Decide(verified.clone(), recorded.assertion.clone());
        self.run(command, verdict.as_ref())?;
        self.disclosures.insert(index, vec![reason]);
        self.approvals.extend(verified.approval());
        self.wait(13);
        Ok(())
    }

    fn verified(&self, recorded: &DecisionRecorded) -> VerifiedDecision {
        let directory = self.world.directory();
        let decision: DecisionDocument = recorded.document.decode().unwrap();
        let context = self.world.context(&directory);
        verify_decision(&recorded.document, &recorded.assertion, &decision.request, &context).unwrap()
    }

    /// The requester starts the grant's clock.
    pub fn activate(&mut self) {
        let verdict = self.judge(Phase::Issue);
        self.run(Command::Activate(self.requester()), Some(&verdict)).unwrap();
        self.wait(2);
    }

    /// A credential is announced and made.
    pub fn issue(&mut self, name: &str) -> LeaseId {
        let lease = self.intend(name);
        self.run(Command::RecordIssued(LeaseIssued { lease: lease.clone(), attestation_sha256: None }), None)
            .unwrap();
        lease
    }

    /// A credential is announced.
    pub fn intend(&mut self, name: &str) -> LeaseId {
        let lease: LeaseId = ulid(&format!("lease {name}")).parse().unwrap();
        let text = self.certificate(name);
        let Some(State::Active(active)) = &self.state else { panic!("the grant is not active") };
        let intended = LeaseIntended {
            lease: lease.clone(),
            credential: "ssh_certificate".to_owned(),
            serial: serial(name).to_string(),
            to_be_signed_sha256: Sha256::of(text.as_bytes()),
            issuer_nonce: chancery_canonical::base64::encode_url(Sha256::of(name.as_bytes()).as_bytes()),
            not_after: active.ends_at,
        };
        self.credentials.insert(lease.clone(), text);
        self.run(Command::IntendLease(self.requester(), intended), None).unwrap();
        self.wait(1);
        lease
    }

    /// The grant's end, by the requester, and the credential on the revocation list.
    pub fn end(&mut self, lease: &LeaseId) {
        self.run(Command::End(self.requester()), None).unwrap();
        let revoked =
            LeaseRevoked { lease: lease.clone(), list_number: "1".to_owned(), attestation_sha256: None };
        self.run(Command::RecordRevoked(revoked), None).unwrap();
    }

    /// Stands in for a certificate: its facts as JSON. The crate that makes real ones depends on this one.
    fn certificate(&self, name: &str) -> String {
        let Some(State::Active(active)) = &self.state else { panic!("the grant is not active") };
        let facts = CertificateFacts {
            line: String::new(),
            to_be_signed_sha256: Sha256::of(b""),
            serial: serial(name).to_string(),
            key_id: self.document.id.to_string(),
            public_key: self.document.beneficiary.public_key.clone().unwrap(),
            principals: vec!["deploy@web-1.example".to_owned()],
            valid_after: active.started_at,
            valid_before: active.ends_at,
            source_addresses: Vec::new(),
            force_command: None,
            extensions: vec!["permit-pty".to_owned()],
            authority: ssh_line(&ed25519("ssh authority")),
        };
        Canonical::of(&facts).unwrap().to_string()
    }

    fn requester(&self) -> AuthenticatedActor {
        AuthenticatedActor::authenticated_by_the_server(self.document.requester.clone())
    }

    fn run(&mut self, command: Command, verdict: Option<&Verdict>) -> Result<(), Refusal> {
        let directory = self.world.directory();
        let facts = Facts {
            now: self.world.now,
            directory: &directory,
            verdict,
            standing_verdict: self.standing.as_ref(),
            approvals: &self.approvals,
            alerts: &Alerts::default(),
        };
        for event in decide(self.state.as_ref(), command, &facts)? {
            self.record(event);
        }
        Ok(())
    }

    /// Puts an event of the request into the log with its attestation, whatever it says, and moves the state along
    /// where the domain can follow. Returns the event's leaf.
    pub fn record(&mut self, event: RequestEvent) -> u64 {
        let directory = self.world.directory();
        let state = self.state.clone();
        let grant = state.as_ref().and_then(grant_of);
        let intended = self.intended(&event);
        let certificate = intended.as_ref().and_then(|intended| self.facts_of(&intended.lease));
        let facts = AttestedFacts {
            directory: &directory,
            grant: grant.as_ref(),
            intended: intended.as_ref(),
            certificate: certificate.as_ref(),
        };
        let asked = match &event {
            RequestEvent::Submitted(body) | RequestEvent::Revised(body) => body.request_sha256,
            _ => state.as_ref().unwrap().asked().request_sha256,
        };
        let subject = AttestedSubject::request(&self.document.id, asked);
        let attached = self.world.attestor().attach(event.clone(), &subject, &facts, &SystemRandom::new());
        // What cannot be attested any more, such as a decision by a key that is gone, stands without.
        let (event, attestation) = attached.unwrap_or((event, None));
        let stream = Stream::Request(self.document.id.clone());
        let index = self.log.push(stream.clone(), &event, self.world.now);
        if let RequestEvent::Judged(body) = &event {
            self.judged_at.insert(index, body.verdict_sha256);
            if body.phase == LoggedPhase::Request {
                self.standing = self.judged.get(&body.verdict_sha256).map(|(v, _)| v.document().clone());
            }
        }
        if let Some(attestation) = attestation {
            let leaf = self.log.push_bytes(stream, attestation.leaf.as_bytes().to_vec());
            self.envelopes.insert(leaf, attestation.envelope);
        }
        if let Ok(after) = evolve(&self.document.id, self.state.clone(), &event) {
            self.state = Some(after);
        }
        index
    }

    fn intended(&self, event: &RequestEvent) -> Option<LeaseIntended> {
        let RequestEvent::LeaseIssued(issued) = event else { return None };
        let indices = self.log.indices(&Stream::Request(self.document.id.clone()));
        indices.iter().find_map(|index| {
            let leaf = chancery_domain::leaf::EventLeaf::from_bytes(self.log.leaf(*index)?).ok()?;
            match chancery_domain::event::from_parts(&leaf.kind, &leaf.body).ok()? {
                RequestEvent::LeaseIntended(body) if body.lease == issued.lease => Some(body),
                _ => None,
            }
        })
    }

    fn facts_of(&self, lease: &LeaseId) -> Option<Map<String, Value>> {
        let text = self.credentials.get(lease)?;
        Some(super::certificate_reader(text).unwrap().public_facts())
    }
}

#[expect(clippy::panic, reason = "test code fails by panicking")]
fn judgement(state: &State) -> Judgement {
    match state {
        State::Pending(pending) => pending.judgement.clone(),
        State::Approved(approved) => approved.judgement.clone(),
        State::Active(active) => active.approved.judgement.clone(),
        other => panic!("nothing to decide while the request is {}", other.name()),
    }
}

fn grant_of(state: &State) -> Option<chancery_domain::document::GrantTerms> {
    match state {
        State::Pending(_) | State::Approved(_) | State::Active(_) => Some(judgement(state).grant),
        _ => None,
    }
}

fn serial(name: &str) -> u64 {
    let digest = Sha256::of(name.as_bytes());
    digest.as_bytes().iter().take(7).fold(1, |serial, byte| serial << 8 | u64::from(*byte))
}
