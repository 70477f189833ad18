//! A person at a browser: a passkey, a cookie, an SSH key, and what they sign.

use chancery_canonical::base64::{decode_url, encode_standard, encode_url};
use chancery_canonical::{Canonical, Sha256};
use chancery_domain::document::{
    DecisionDocument, IdentityDocument, RequestDocument, SessionDocument, Signed, challenge,
};
use chancery_evidence::ssh_key::SshPublicKey;
use chancery_evidence::sshsig::{REQUEST_NAMESPACE, sign_ed25519};
use chancery_testkit::passkey::SoftPasskey;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::site::{Answer, Lost, ORIGIN, Site};

/// Somebody who is enrolled.
#[derive(Clone)]
pub struct Person {
    pub id: String,
    passkey: SoftPasskey,
    cookie: String,
    ssh_seed: [u8; 32],
}

impl Person {
    /// Makes a passkey, enrols with it by a link's token.
    pub fn enrol(site: &Site, token: &str, name: &str) -> Result<Self, Lost> {
        let asked = json!({"token": token});
        let options = site.open("POST", "/api/v1/enrolments/options", Some(&asked))?.good();
        let mut passkey = SoftPasskey::new("localhost");
        let offered = decode_url(options["public_key"]["challenge"].as_str().unwrap()).unwrap();
        let registration = passkey.register(&Sha256::try_from(offered.as_slice()).unwrap(), ORIGIN);
        let body = json!({"token": token, "name": name, "registration": registration});
        let outcome = site.open("POST", "/api/v1/enrolments", Some(&body))?.good();
        let mut ssh_seed = [0; 32];
        SystemRandom::new().fill(&mut ssh_seed).unwrap();
        let id = outcome["person"].as_str().unwrap().to_owned();
        Ok(Self { id, passkey, cookie: String::new(), ssh_seed })
    }

    /// Signs in with a cookie, which stays good over restarts.
    pub fn sign_in(&mut self, site: &Site) -> Result<(), Lost> {
        let offer = site.open("POST", "/api/v1/sessions/options", Some(&json!({"person": self.id})))?.good();
        let document = offer["document"].as_str().unwrap().to_owned();
        let assertion = self.assert::<SessionDocument>(&document);
        let body = json!({"document": document, "assertion": assertion});
        let answer = site.open("POST", "/api/v1/sessions", Some(&body))?;
        answer.good();
        let cookie = answer.header("set-cookie").unwrap();
        self.cookie = cookie.split_once(';').unwrap().0.to_owned();
        Ok(())
    }

    /// A further person with roles, let in by two administrators.
    pub fn admit(site: &Site, name: &str, roles: &[&str], by: &mut [&mut Self]) -> Result<Self, Lost> {
        let token = by[0].invite(site, roles)?;
        let mut person = Self::enrol(site, &token, name)?;
        let waiting = by[0].call(site, "GET", "/api/v1/enrolments", None)?.good();
        let item = waiting["items"].as_array().unwrap().iter().find(|one| one["person"] == json!(person.id));
        let body = json!({"enrolment": item.unwrap()["enrolment"]});
        let asked = json!({"act": "person.created", "body": body});
        let offer = by[0].call(site, "POST", "/api/v1/identity/options", Some(&asked))?.good();
        let document = offer["document"].as_str().unwrap().to_owned();
        for signer in by {
            let assertion = signer.assert::<IdentityDocument>(&document);
            let body = json!({"document": document, "assertion": assertion});
            signer.call(site, "POST", "/api/v1/identity", Some(&body))?.good();
        }
        person.sign_in(site)?;
        Ok(person)
    }

    /// The token of a one-time link.
    pub fn invite(&self, site: &Site, roles: &[&str]) -> Result<String, Lost> {
        let body = json!({"roles": roles, "attributes": {}});
        let invitation = self.call(site, "POST", "/api/v1/invitations", Some(&body))?.good();
        Ok(invitation["token"].as_str().unwrap().to_owned())
    }

    /// Sends a request as this person.
    pub fn call(&self, site: &Site, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, Lost> {
        self.call_with_key(site, method, path, body, None)
    }

    /// The same, with an idempotency key.
    pub fn call_with_key(
        &self,
        site: &Site,
        method: &str,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Result<Answer, Lost> {
        let mut headers = vec![("cookie", self.cookie.as_str()), ("origin", ORIGIN)];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        site.send(method, path, &headers, body)
    }

    /// Asks for a login to a host of staging; the answer holds the document to sign.
    pub fn draft(&self, site: &Site, grant_seconds: u64) -> Result<Answer, Lost> {
        let asked = json!({
            "entitlement": "ssh-admin",
            "parameters": {"host": "web-1.example", "principal": "deploy", "environment": "staging"},
            "justification": "the disk of the ledger service is full",
            "ticket": "OPS-1",
            "beneficiary_key": self.ssh_line(),
            "grant_seconds": grant_seconds,
        });
        self.call(site, "POST", "/api/v1/drafts", Some(&asked))
    }

    /// A submission of a draft.
    pub fn signed_request(&mut self, draft: &Value) -> Value {
        let document = draft["document"].as_str().unwrap().to_owned();
        let canonical = Canonical::parse(document.as_bytes()).unwrap();
        let signed = challenge::<RequestDocument>(&canonical);
        let proof = sign_ed25519(&self.ssh_key(), REQUEST_NAMESPACE, signed.as_bytes()).unwrap();
        json!({
            "document": document,
            "disclosures": draft["disclosures"],
            "signature": {"kind": "passkey", "assertion": self.assert::<RequestDocument>(&document)},
            "possession": encode_url(&proof.to_blob()),
        })
    }

    /// Opens a request, signs a decision and sends it.
    pub fn decide(&mut self, site: &Site, request: &str, decision: &str) -> Result<Answer, Lost> {
        let path = format!("/api/v1/requests/{request}/decisions");
        let asked = match decision {
            "approve" => site.approval(request),
            _ => json!({"decision": decision, "reason": "it is not needed"}),
        };
        let offer = self.call(site, "POST", &format!("{path}/options"), Some(&asked))?;
        if !offer.is_good() {
            return Ok(offer);
        }
        let offer = offer.json();
        let document = offer["document"].as_str().unwrap().to_owned();
        let assertion = self.assert::<DecisionDocument>(&document);
        let mut body = json!({"document": document, "assertion": assertion});
        if let Some(disclosure) = offer.get("disclosure") {
            body["disclosure"] = disclosure.clone();
        }
        self.call(site, "POST", &path, Some(&body))
    }

    fn assert<D: Signed>(&mut self, document: &str) -> Value {
        let canonical = Canonical::parse(document.as_bytes()).unwrap();
        json!(self.passkey.assert(&challenge::<D>(&canonical), ORIGIN))
    }

    fn ssh_key(&self) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&self.ssh_seed).unwrap()
    }

    fn ssh_line(&self) -> String {
        let public: [u8; 32] = self.ssh_key().public_key().as_ref().try_into().unwrap();
        format!("ssh-ed25519 {}", encode_standard(SshPublicKey::ed25519(&public).unwrap().blob()))
    }
}
