//! A person with a passkey in software: does over HTTP what a browser and a command line do together.

use std::cell::RefCell;

use chancery_api::decision::{
    DecisionKind, DecisionOptions, DecisionOptionsRequest, DecisionOutcome, DecisionRequest,
};
use chancery_api::enrolment::{
    EnrolmentOptions, EnrolmentOptionsRequest, EnrolmentOutcome, EnrolmentRequest,
};
use chancery_api::identity::{IdentityOptions, IdentityOptionsRequest, IdentityOutcome, IdentityRequest};
use chancery_api::login::{Login, LoginRequest, LoginStatus};
use chancery_api::passkey::{Assertion, Registration};
use chancery_api::session::{SessionOptions, SessionOptionsRequest, SessionOutcome, SessionRequest};
use chancery_api::trust::{TrustOutcome, TrustSignature, TrustSuccessor};
use chancery_canonical::{Canonical, Sha256};
use chancery_domain::document::{DecisionDocument, IdentityDocument, SessionDocument, Signed, challenge};
use chancery_evidence::trust::{TrustRoot, trust_challenge};
use chancery_testkit::passkey::SoftPasskey;
use serde_json::{Map, Value};

use crate::client::Client;
use crate::failure::Failure;
use crate::session::NewKey;

/// Enrolled, and perhaps signed in.
pub struct Person {
    /// What people call them.
    pub name: &'static str,
    /// Their id.
    pub id: String,
    passkey: RefCell<SoftPasskey>,
    origin: String,
    client: Option<Client>,
}

impl Person {
    /// Makes a passkey on the invitation's page. Returns the name of the waiting enrolment, if it has to wait.
    pub fn enrol(site: &str, name: &'static str, token: &str) -> Result<(Self, Option<String>), Failure> {
        let client = Client::new(site, None)?;
        let asked = EnrolmentOptionsRequest { token: token.to_owned(), name: Some(name.to_owned()) };
        let options: EnrolmentOptions = client.send("/api/v1/enrolments/options", &asked)?;
        let mut passkey = SoftPasskey::new(&options.public_key.rp.id);
        let made = passkey.register(&digest(&options.public_key.challenge)?, site);
        let registration = Registration {
            attestation_object: made.attestation_object.to_string(),
            client_data_json: made.client_data_json.to_string(),
        };
        let body = EnrolmentRequest { token: token.to_owned(), name: name.to_owned(), registration };
        let outcome: EnrolmentOutcome = client.send("/api/v1/enrolments", &body)?;
        let person = Self {
            name,
            id: outcome.person,
            passkey: RefCell::new(passkey),
            origin: site.to_owned(),
            client: None,
        };
        Ok((person, outcome.enrolment))
    }

    /// The command line begins, the page signs, the command line gets its session.
    pub fn sign_in(&mut self) -> Result<(), Failure> {
        let client = Client::new(&self.origin, None)?;
        let key = NewKey::make()?;
        let begun: Login = client.send("/api/v1/logins", &LoginRequest { public_key: key.public_key() })?;
        self.sign_login(&begun.login)?;
        let status: LoginStatus = client.read(&format!("/api/v1/logins/{}", begun.login))?;
        let LoginStatus::Done(signed_in) = status else {
            return Err(Failure::Fault(format!(
                "{} signed in, and the command line was not told",
                self.name
            )));
        };
        let session = key.introduced(&self.origin, signed_in)?;
        self.client = Some(Client::new(&self.origin, Some(session))?);
        Ok(())
    }

    /// What the page does for a command line that began a login.
    pub fn sign_login(&self, login: &str) -> Result<(), Failure> {
        let client = Client::new(&self.origin, None)?;
        let asked = SessionOptionsRequest {
            person: Some(self.id.clone()),
            login: Some(login.to_owned()),
            ..SessionOptionsRequest::default()
        };
        let options: SessionOptions = client.send("/api/v1/sessions/options", &asked)?;
        let document = options.document.unwrap_or_default();
        let assertion = self.sign::<SessionDocument>(&document)?;
        let _: SessionOutcome = client.send("/api/v1/sessions", &SessionRequest { document, assertion })?;
        Ok(())
    }

    /// Their signed-in client.
    pub fn client(&self) -> Result<&Client, Failure> {
        self.client.as_ref().ok_or_else(|| Failure::SignIn(format!("{} is not signed in", self.name)))
    }

    /// Signs an act on people as its first signer.
    pub fn begin_act(&self, act: &str, body: Map<String, Value>) -> Result<IdentityOutcome, Failure> {
        let asked = IdentityOptionsRequest { act: act.to_owned(), body };
        let options: IdentityOptions = self.client()?.send("/api/v1/identity/options", &asked)?;
        self.sign_act(&options.document)
    }

    /// Signs an act's document, as it was offered to the first signer.
    pub fn sign_act(&self, document: &str) -> Result<IdentityOutcome, Failure> {
        let assertion = self.sign::<IdentityDocument>(document)?;
        let body = IdentityRequest { document: document.to_owned(), assertion };
        self.client()?.send("/api/v1/identity", &body)
    }

    /// Decides on a request, with a touch of the passkey, and the two digits that the requester told them.
    pub fn decide(
        &self,
        request: &str,
        decision: DecisionKind,
        reason: Option<&str>,
        matching_number: Option<String>,
    ) -> Result<DecisionOutcome, Failure> {
        let path = format!("/api/v1/requests/{request}/decisions");
        let asked = DecisionOptionsRequest {
            decision,
            reason: reason.map(str::to_owned),
            credential_id: None,
            matching_number,
            report_suspicious: false,
        };
        let options: DecisionOptions = self.client()?.send(&format!("{path}/options"), &asked)?;
        let assertion = self.sign::<DecisionDocument>(&options.document)?;
        let body = DecisionRequest { document: options.document, assertion, disclosure: options.disclosure };
        self.client()?.send(&path, &body)
    }

    /// Signs the trust root that waits for administrators.
    pub fn sign_trust(&self) -> Result<TrustOutcome, Failure> {
        let waiting: TrustSuccessor = self.client()?.read("/api/v1/trust/successor")?;
        let root = TrustRoot::parse(waiting.successor.as_bytes())
            .map_err(|fault| Failure::Fault(format!("the server offers an unusable trust root: {fault}")))?;
        let assertion = self.touch(&trust_challenge(&root));
        let body = TrustSignature { successor_sha256: waiting.successor_sha256, assertion };
        self.client()?.send("/api/v1/trust/successor/signatures", &body)
    }

    /// The challenge is computed from the document, as the page does; the server's is not looked at.
    fn sign<D: Signed>(&self, document: &str) -> Result<Assertion, Failure> {
        let canonical = Canonical::parse(document.as_bytes())
            .map_err(|fault| Failure::Fault(format!("the server offers an unreadable document: {fault}")))?;
        Ok(self.touch(&challenge::<D>(&canonical)))
    }

    fn touch(&self, challenge: &Sha256) -> Assertion {
        let made = self.passkey.borrow_mut().assert(challenge, &self.origin);
        Assertion {
            credential_id: made.credential_id.to_string(),
            authenticator_data: made.authenticator_data.to_string(),
            client_data_json: made.client_data_json.to_string(),
            signature: made.signature.to_string(),
        }
    }
}

fn digest(challenge: &str) -> Result<Sha256, Failure> {
    let unusable =
        |fault: &dyn std::fmt::Display| Failure::Fault(format!("the challenge cannot be used: {fault}"));
    let bytes = chancery_canonical::base64::decode_url(challenge).map_err(|fault| unusable(&fault))?;
    Sha256::try_from(bytes.as_slice()).map_err(|fault| unusable(&fault))
}
