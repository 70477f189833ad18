//! A small office: who works there, what policy says, and values that only a check may make elsewhere.
#![allow(dead_code, reason = "each test file uses its part of the office")]

use std::collections::{BTreeMap, BTreeSet};

use chancery_canonical::{Bytes, Canonical, Sha256};
use chancery_domain::alerts::{self, Alerts};
use chancery_domain::decide::{Command, Facts, decide};
use chancery_domain::document::{
    AskedClocks, Beneficiary, CheckpointReference, DecisionDocument, DecisionKind, DecisionType,
    EntitlementReference, GrantTerms, RequestDocument, RequestReference, RequestType, ShownStage,
};
use chancery_domain::event::{
    IdentityEvent, LeaseIntended, Passkey, PasskeyRemoved, PersonCreated, PersonRecovered, RequestEvent,
    StandingChanged, Submitted,
};
use chancery_domain::evolve::{event_name, evolve};
use chancery_domain::id::{LeaseId, PersonId, RequestId};
use chancery_domain::people::Directory;
use chancery_domain::proof::{AuthenticatedActor, SignedRequest, VerifiedApproval, VerifiedDecision};
use chancery_domain::refusal::Refusal;
use chancery_domain::signature::{Assertion, Authority, RequestSignature};
use chancery_domain::state::State;
use chancery_domain::time::Timestamp;
use chancery_domain::verdict::{Constraints, Outcome, Risk, Selector, Stage, Verdict, VerdictDocument};

/// Who works here, and what they are.
pub const PEOPLE: [(&str, &[&str]); 8] = [
    ("requester", &["engineer", "dba"]),
    ("beneficiary", &["engineer", "owner"]),
    ("dba", &["dba"]),
    ("both", &["dba", "owner"]),
    ("owner", &["owner"]),
    ("admin", &["identity_admin"]),
    ("stranger", &[]),
    ("auditor", &["auditor"]),
];

pub const PENDING_SECONDS: u64 = 1000;
pub const APPROVAL_SECONDS: u64 = 300;
pub const GRANT_SECONDS: u64 = 100;

pub fn person(name: &str) -> PersonId {
    let index = PEOPLE.iter().position(|(known, _)| *known == name).expect("works here");
    format!("01ARZ3NDEKTSV4RRFFQ69G5FA{index}").parse().unwrap()
}

pub fn actor(name: &str) -> AuthenticatedActor {
    AuthenticatedActor::authenticated_by_the_server(person(name))
}

pub fn request_id() -> RequestId {
    "01ARZ3NDEKTSV4RRFFQ69G5FZZ".parse().unwrap()
}

pub fn lease_id(n: u32) -> LeaseId {
    format!("01ARZ3NDEKTSV4RRFFQ69G5F{n:02}").parse().unwrap()
}

pub fn stages() -> Vec<Stage> {
    let stage = |id: &str| Stage {
        id: id.into(),
        quorum: 1,
        from: Selector::Role(id.into()),
        after: BTreeSet::new(),
    };
    vec![stage("dba"), stage("owner")]
}

pub fn recovered_credential(name: &str) -> Bytes<255> {
    Bytes::new(format!("recovered {name}").as_bytes()).unwrap()
}

fn credential(name: &str) -> Bytes<255> {
    Bytes::new(name.as_bytes()).unwrap()
}

fn assertion(name: &str) -> Assertion {
    Assertion {
        credential_id: credential(name),
        authenticator_data: Bytes::new([0; 37]).unwrap(),
        client_data_json: Bytes::new(*b"{}").unwrap(),
        signature: Bytes::new([0; 8]).unwrap(),
    }
}

pub struct Office {
    pub now: Timestamp,
    pub directory: Directory,
    pub state: Option<State>,
    pub history: Vec<RequestEvent>,
    pub verdict: VerdictDocument,
    pub approvals: Vec<VerifiedApproval>,
    pub alerts: Alerts,
    nonce: u32,
}

impl Office {
    pub fn open(outcome: Outcome, stages: Vec<Stage>) -> Self {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let mut directory = Directory::default();
        for (name, roles) in PEOPLE {
            let created = PersonCreated {
                person: person(name),
                passkey: Passkey {
                    credential_id: credential(name),
                    public_key: Bytes::new(*b"key").unwrap(),
                    aaguid: Bytes::new([0; 16]).unwrap(),
                    backup_eligible: name == "both",
                    attestation_sha256: (name != "finance").then(|| Sha256::of(b"registration")),
                },
                roles: roles.iter().map(ToString::to_string).collect(),
                attributes: BTreeMap::new(),
                concealed: Vec::new(),
                authority: Authority::Genesis,
            };
            directory.evolve(&IdentityEvent::Created(created), now).unwrap();
        }
        let constraints = Constraints {
            pending_seconds: PENDING_SECONDS,
            approval_validity_seconds: APPROVAL_SECONDS,
            grant_seconds: GRANT_SECONDS,
            session_seconds: GRANT_SECONDS,
            scopes: BTreeMap::new(),
        };
        let verdict = VerdictDocument {
            verdict: outcome,
            risk: Risk { score: 10, tier: "low".into(), factors: Vec::new() },
            stages,
            constraints,
            obligations: BTreeSet::new(),
            reasons: Vec::new(),
            policy_sha256: Sha256::of(b"policy"),
            input_sha256: Sha256::of(b"input"),
            engine: "test".into(),
        };
        Self {
            now,
            directory,
            state: None,
            history: Vec::new(),
            verdict,
            approvals: Vec::new(),
            alerts: Alerts::default(),
            nonce: 0,
        }
    }

    pub fn run(&mut self, command: Command) -> Result<Vec<RequestEvent>, Refusal> {
        let said = Verdict::composed_by_the_policy_engine(self.verdict.clone()).unwrap();
        let facts = Facts {
            now: self.now,
            directory: &self.directory,
            verdict: Some(&said),
            standing_verdict: Some(&self.verdict),
            approvals: &self.approvals,
            alerts: &self.alerts,
        };
        let added = match command {
            Command::Decide(ref decision, _) => decision.clone().approval(),
            _ => None,
        };
        let events = decide(self.state.as_ref(), command, &facts)?;
        for event in &events {
            let next = evolve(&request_id(), self.state.take(), event);
            let next = next.expect("what is decided can happen");
            if let Some((id, alert)) = alerts::raised(&request_id(), event, &next) {
                self.alerts.evolve(&id, &alert, self.now).expect("a request raises one alert");
            }
            self.state = Some(next);
            self.history.push(event.clone());
        }
        self.approvals.extend(added);
        Ok(events)
    }

    /// Runs a command and draws what came of it: the events' names, or the refusal's code.
    pub fn tell(&mut self, command: Command) -> String {
        let told = match self.run(command) {
            Ok(events) => events.iter().map(event_name).collect::<Vec<_>>().join(" "),
            Err(refusal) => format!("refused: {}", refusal.code()),
        };
        let state = self.state.as_ref().map_or("none", State::name);
        format!("{told} → {state}").trim_start().to_owned()
    }

    pub fn pass(&mut self, seconds: u64) -> String {
        self.now = self.now.plus(seconds);
        self.tell(Command::ClockFired)
    }

    pub fn suspend(&mut self, name: &str) {
        let body = StandingChanged { person: person(name), authority: Authority::Genesis };
        self.directory.evolve(&IdentityEvent::Suspended(body), self.now).unwrap();
    }

    pub fn remove_passkey(&mut self, name: &str) {
        let body = PasskeyRemoved {
            person: person(name),
            credential_id: credential(name),
            authority: Authority::Genesis,
        };
        self.directory.evolve(&IdentityEvent::PasskeyRemoved(body), self.now).unwrap();
    }

    /// A new key takes the place of all that this person had.
    pub fn recover(&mut self, name: &str) {
        let passkey = Passkey {
            credential_id: recovered_credential(name),
            public_key: Bytes::new(*b"new key").unwrap(),
            aaguid: Bytes::new([0; 16]).unwrap(),
            backup_eligible: false,
            attestation_sha256: None,
        };
        let body = PersonRecovered { person: person(name), passkey, authority: Authority::Genesis };
        self.directory.evolve(&IdentityEvent::Recovered(body), self.now).unwrap();
    }

    pub fn request(&self, revision: u32) -> SignedRequest {
        let document = RequestDocument {
            document_type: RequestType::V1,
            log_origin: "log.test".into(),
            id: request_id(),
            revision,
            entitlement: EntitlementReference { name: "db-change".into(), sha256: Sha256::of(b"e") },
            requester: person("requester"),
            beneficiary: Beneficiary { person: person("beneficiary"), public_key: None },
            parameters: serde_json::Map::new(),
            artifacts: Vec::new(),
            undo: Vec::new(),
            ticket: None,
            clocks: AskedClocks { grant_seconds: GRANT_SECONDS, not_before: None },
            created_at: "2026-11-22T12:00:00Z".parse().unwrap(),
            concealed: Vec::new(),
        };
        let canonical = Canonical::of(&document).unwrap();
        let submitted = Submitted {
            revision,
            request_sha256: canonical.digest(),
            requester: document.requester.clone(),
            beneficiary: document.beneficiary.person.clone(),
            entitlement: "db-change".into(),
            signature: RequestSignature::Passkey { assertion: assertion("requester") },
            possession: None,
        };
        SignedRequest::verified_by_evidence(document, canonical, submitted)
    }

    pub fn submit(&mut self) -> String {
        let request = self.request(1);
        self.tell(Command::Submit(request))
    }

    pub fn revise(&mut self) -> String {
        let next = self.state.as_ref().map_or(1, |state| state.asked().revision + 1);
        let request = self.request(next);
        self.tell(Command::Revise(request))
    }

    pub fn document(&mut self, name: &str, decision: DecisionKind, stages: &[&str]) -> DecisionDocument {
        self.nonce += 1;
        let asked = self.state.as_ref().expect("submitted").asked().clone();
        let quorum = |id: &str| self.verdict.stages.iter().find(|s| s.id == id).map_or(1, |s| s.quorum);
        DecisionDocument {
            document_type: DecisionType::V1,
            log_origin: "log.test".into(),
            request: RequestReference {
                id: asked.id,
                revision: asked.revision,
                sha256: asked.request_sha256,
            },
            verdict_sha256: Canonical::of(&self.verdict).unwrap().digest(),
            policy_sha256: self.verdict.policy_sha256,
            decision,
            approver: person(name),
            credential_id_sha256: Sha256::of(name.as_bytes()),
            stages: stages.iter().map(|id| ShownStage { id: (*id).into(), quorum: quorum(id) }).collect(),
            grant: self.grant(),
            reason_sha256: None,
            suspicious: None,
            checkpoint: CheckpointReference { size: 1, root: Sha256::of(b"root") },
            nonce: format!("nonce-{}", self.nonce),
            issued_at: self.now,
            expires_at: self.now.plus(300),
        }
    }

    fn grant(&self) -> GrantTerms {
        match self.state.as_ref().expect("submitted") {
            State::Pending(pending) => pending.judgement.grant.clone(),
            State::Approved(approved) => approved.judgement.grant.clone(),
            State::Active(active) | State::Unknown(active) => active.approved.judgement.grant.clone(),
            State::Evaluating(_) | State::Denied(_) | State::RollingBack(_) | State::Ended(_) => {
                GrantTerms { max_seconds: 1, not_before: self.now, not_after: self.now }
            }
        }
    }

    pub fn sign(document: DecisionDocument, name: &str) -> Command {
        let canonical = Canonical::of(&document).unwrap();
        Command::Decide(VerifiedDecision::verified_by_evidence(document, canonical), assertion(name))
    }

    pub fn decide(&mut self, name: &str, decision: DecisionKind, stages: &[&str]) -> String {
        let document = self.document(name, decision, stages);
        self.tell(Self::sign(document, name))
    }

    pub fn approve(&mut self, name: &str, stages: &[&str]) -> String {
        self.decide(name, DecisionKind::Approve, stages)
    }

    pub fn lease(&self, n: u32, seconds: u64) -> LeaseIntended {
        LeaseIntended {
            lease: lease_id(n),
            credential: "ssh_certificate".into(),
            serial: n.to_string(),
            to_be_signed_sha256: Sha256::of(&n.to_be_bytes()),
            issuer_nonce: "nonce".into(),
            not_after: self.now.plus(seconds),
        }
    }
}
