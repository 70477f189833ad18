//! What the people of a world sign: sessions, requests, decisions.

use chancery_canonical::base64::encode_url;
use chancery_canonical::{Bytes, Canonical, Sha256};
use chancery_domain::document::{
    AskedClocks, Beneficiary, CheckpointReference, DecisionDocument, DecisionKind, DecisionType,
    EntitlementReference, GrantTerms, RequestDocument, RequestReference, RequestType, SessionDocument,
    SessionType, ShownStage, challenge,
};
use chancery_domain::event::{DecisionRecorded, Submitted};
use chancery_domain::signature::RequestSignature;
use ring::signature::KeyPair;
use serde_json::Map;

use super::{TestSession, World, ed25519, possession, request_id, ssh_line};

#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code fails by panicking")]
impl World {
    /// A session of somebody that lasts so many seconds from now.
    pub fn session(&mut self, name: &str, seconds: u64) -> TestSession {
        let document = self.session_document(name, seconds);
        self.introduce(name, &document)
    }

    /// The document of such a session.
    pub fn session_document(&mut self, name: &str, seconds: u64) -> SessionDocument {
        SessionDocument {
            document_type: SessionType::V1,
            log_origin: self.log_origin.clone(),
            person: self.id(name),
            public_key: Some(encode_url(ed25519(&format!("session {name}")).public_key().as_ref())),
            nonce: self.nonce(),
            issued_at: self.now,
            expires_at: self.now.plus(seconds),
        }
    }

    /// Signs a session document with somebody's passkey.
    pub fn introduce(&mut self, name: &str, document: &SessionDocument) -> TestSession {
        let document = Canonical::of(document).unwrap();
        let introduction = self.assert::<SessionDocument>(name, &document);
        TestSession { document, introduction, key: ed25519(&format!("session {name}")) }
    }

    /// A request by somebody for themself, bound to their SSH key.
    pub fn request_document(&self, requester: &str, id: &str) -> RequestDocument {
        let person = &self.people[requester];
        RequestDocument {
            document_type: RequestType::V1,
            log_origin: self.log_origin.clone(),
            id: request_id(id),
            revision: 1,
            entitlement: EntitlementReference {
                name: "prod-database".to_owned(),
                sha256: Sha256::of(b"prod-database"),
            },
            requester: person.id.clone(),
            beneficiary: Beneficiary {
                person: person.id.clone(),
                public_key: Some(ssh_line(&person.ssh_key)),
            },
            parameters: Map::new(),
            artifacts: Vec::new(),
            undo: Vec::new(),
            ticket: None,
            clocks: AskedClocks { grant_seconds: 900, not_before: None },
            created_at: self.now,
            concealed: Vec::new(),
        }
    }

    /// A request signed by the requester's passkey, with proof of possession when it names a key.
    pub fn sign_request(&mut self, requester: &str, document: &RequestDocument) -> (Submitted, Canonical) {
        let canonical = Canonical::of(document).unwrap();
        let assertion = self.assert::<RequestDocument>(requester, &canonical);
        let submitted = self.submitted(requester, document, RequestSignature::Passkey { assertion });
        (submitted, canonical)
    }

    /// A request signed by a session key.
    pub fn sign_request_in(
        &self,
        requester: &str,
        session: &TestSession,
        document: &RequestDocument,
    ) -> (Submitted, Canonical) {
        let canonical = Canonical::of(document).unwrap();
        let signature = session.key.sign(challenge::<RequestDocument>(&canonical).as_bytes());
        let signature = RequestSignature::SessionKey {
            session: session.document.clone(),
            introduction: session.introduction.clone(),
            signature: Bytes::new(signature.as_ref()).unwrap(),
        };
        (self.submitted(requester, document, signature), canonical)
    }

    fn submitted(
        &self,
        requester: &str,
        document: &RequestDocument,
        signature: RequestSignature,
    ) -> Submitted {
        let key = &self.people[requester].ssh_key;
        Submitted {
            revision: document.revision,
            request_sha256: Canonical::of(document).unwrap().digest(),
            requester: document.requester.clone(),
            beneficiary: document.beneficiary.person.clone(),
            entitlement: document.entitlement.name.clone(),
            signature,
            possession: document.beneficiary.public_key.as_ref().map(|_| possession(key, document)),
        }
    }

    /// A decision that somebody is offered now, for four minutes, on a stage `dba` of one seat.
    pub fn decision_document(
        &mut self,
        approver: &str,
        decision: DecisionKind,
        request: RequestReference,
    ) -> DecisionDocument {
        let credential_id = self.people[approver].passkey.credential_id().clone();
        DecisionDocument {
            document_type: DecisionType::V1,
            log_origin: self.log_origin.clone(),
            request,
            verdict_sha256: Sha256::of(b"verdict"),
            policy_sha256: Sha256::of(b"bundle"),
            decision,
            approver: self.id(approver),
            credential_id_sha256: Sha256::of(credential_id.as_bytes()),
            stages: vec![ShownStage { id: "dba".to_owned(), quorum: 1 }],
            grant: GrantTerms { max_seconds: 900, not_before: self.now, not_after: self.now.plus(90_000) },
            reason_sha256: None,
            suspicious: None,
            checkpoint: CheckpointReference { size: 5, root: Sha256::of(b"root") },
            nonce: self.nonce(),
            issued_at: self.now,
            expires_at: self.now.plus(240),
        }
    }

    /// Signs a decision with somebody's passkey.
    pub fn sign_decision(&mut self, signer: &str, document: &DecisionDocument) -> DecisionRecorded {
        let document = Canonical::of(document).unwrap();
        let assertion = self.assert::<DecisionDocument>(signer, &document);
        DecisionRecorded { document, assertion, attestation_sha256: None }
    }
}
