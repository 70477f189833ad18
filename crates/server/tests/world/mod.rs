//! A real server on a real socket over a real store, and people with software passkeys who use it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code fails by panicking"
)]
#![allow(dead_code, reason = "each test file uses a part of it")]

mod described;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use chancery_canonical::base64::{decode_url, encode_standard, encode_url};
use chancery_canonical::{Canonical, Sha256};
use chancery_domain::document::{
    DecisionDocument, IdentityDocument, RequestDocument, SessionDocument, Signed, challenge,
};
use chancery_evidence::ssh_key::SshPublicKey;
use chancery_evidence::sshsig::{REQUEST_NAMESPACE, sign_ed25519};
use chancery_evidence::verify::{Options, Outcome, verify_zip};
use chancery_issuer::issue::read_certificate;
use chancery_ledger::{KeyType, Origin, SignerKey};
use chancery_server::{Clock, Config, InitOptions, Running, SealOptions, Server, init, seal};
use chancery_store::{LogSigner, SqliteOptions, SqliteStore};
use chancery_testkit::passkey::{Deviation, Maker, SoftPasskey};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Where browsers believe to be.
pub const ORIGIN: &str = "http://localhost:8440";

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The code of the problem that it is.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or("(no problem)").to_owned()
    }

    /// The body, of an answer that must be good.
    #[track_caller]
    pub fn good(&self) -> Value {
        assert!(self.status < 300, "{} {}", self.status, String::from_utf8_lossy(&self.bytes));
        self.json()
    }

    /// Refused as a problem with this code, a reason and a remedy.
    #[track_caller]
    pub fn refused(&self, code: &str) {
        let body = self.json();
        assert_eq!(self.code(), code, "{} {}", self.status, String::from_utf8_lossy(&self.bytes));
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(body["status"], json!(self.status));
        for member in ["reason", "remedy", "request_id", "title", "type"] {
            assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {body}");
        }
    }
}

/// How somebody is signed in.
#[derive(Clone)]
pub enum Session {
    Nobody,
    Cookie(String),
    Token { token: String, seed: [u8; 32], document: String, introduction: Value },
}

/// A person at their devices.
#[derive(Clone)]
pub struct Person {
    pub id: String,
    pub name: String,
    pub passkey: SoftPasskey,
    pub session: Session,
    pub ssh_seed: [u8; 32],
}

impl Person {
    pub fn ssh_key(&self) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&self.ssh_seed).unwrap()
    }

    pub fn ssh_line(&self) -> String {
        let public: [u8; 32] = self.ssh_key().public_key().as_ref().try_into().unwrap();
        format!("ssh-ed25519 {}", encode_standard(SshPublicKey::ed25519(&public).unwrap().blob()))
    }

    /// Signs a document of some kind.
    pub fn assert<D: Signed>(&mut self, document: &str) -> Value {
        let canonical = Canonical::parse(document.as_bytes()).unwrap();
        json!(self.passkey.assert(&challenge::<D>(&canonical), ORIGIN))
    }
}

/// A server and the folder that it lives in.
pub struct World {
    pub runtime: Runtime,
    pub folder: TempDir,
    pub clock: Clock,
    pub first_link: String,
    /// Who makes the authenticators of people who enrol from now on.
    pub maker: Option<Maker>,
    running: Option<Running>,
    /// Where another process serves this installation, while none does here.
    pub elsewhere: Option<std::net::SocketAddr>,
    agent: ureq::Agent,
    /// The two digits that requesters were shown, by request, as they would tell them.
    numbers: Mutex<BTreeMap<String, String>>,
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.shutdown());
        }
    }
}

impl World {
    /// A new installation with its server running; nobody is enrolled.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::by_clock(Clock::fixed("2026-11-24T10:00:00Z".parse().unwrap()), change)
    }

    /// The same by another clock, such as the system's when another process is to serve.
    pub fn by_clock(clock: Clock, change: impl FnOnce(&mut Config)) -> Self {
        let runtime = Runtime::new().unwrap();
        let folder = TempDir::new().unwrap();
        let options = InitOptions {
            public_url: ORIGIN.to_owned(),
            listen: "127.0.0.1:0".parse().unwrap(),
            log_origin: "log.example".to_owned(),
            policy: None,
            roles: std::collections::BTreeSet::new(),
            clock: Some(clock.clone()),
        };
        let made = runtime.block_on(init(&folder.path().join("data"), options)).unwrap();
        let mut config = Config::read_from(&folder.path().join("data")).unwrap();
        change(&mut config);
        std::fs::write(folder.path().join("data/chancery.toml"), config.to_toml()).unwrap();
        let running = runtime.block_on(Server::start_with_clock(config, clock.clone())).unwrap();
        let first_link = made.enrolment_link.split_once('#').unwrap().1.to_owned();
        Self {
            runtime,
            folder,
            clock,
            first_link,
            maker: None,
            running: Some(running),
            elsewhere: None,
            agent: agent(),
            numbers: Mutex::default(),
        }
    }

    /// A new installation in this folder whose server runs in another process, by the system's clock: `start` is given
    /// the folder of its data and says where it listens.
    pub fn beside(
        folder: TempDir,
        change: impl FnOnce(&mut Config),
        start: impl FnOnce(&Path) -> std::net::SocketAddr,
    ) -> Self {
        let runtime = Runtime::new().unwrap();
        let (clock, data) = (Clock::system().unwrap(), folder.path().join("data"));
        let options = InitOptions {
            public_url: ORIGIN.to_owned(),
            listen: "127.0.0.1:0".parse().unwrap(),
            log_origin: "log.example".to_owned(),
            policy: None,
            roles: std::collections::BTreeSet::new(),
            clock: None,
        };
        let made = runtime.block_on(init(&data, options)).unwrap();
        let mut config = made.config;
        change(&mut config);
        config.data = ".".into();
        std::fs::write(data.join("chancery.toml"), config.to_toml()).unwrap();
        let elsewhere = Some(start(&data));
        let first_link = made.enrolment_link.split_once('#').unwrap().1.to_owned();
        let (agent, numbers) = (agent(), Mutex::default());
        Self { runtime, folder, clock, first_link, maker: None, running: None, elsewhere, agent, numbers }
    }

    /// From now on its server listens there.
    pub fn moved_to(&mut self, address: std::net::SocketAddr) {
        self.elsewhere = Some(address);
    }

    pub fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    /// Stops the server and starts it again on the same folder.
    pub fn restart(&mut self) {
        self.stop();
        self.start();
    }

    pub fn stop(&mut self) {
        self.runtime.block_on(self.running.take().unwrap().shutdown());
    }

    pub fn start(&mut self) {
        let config = Config::read_from(&self.data()).unwrap();
        let started = self.runtime.block_on(Server::start_with_clock(config, self.clock.clone()));
        self.running = Some(started.unwrap());
    }

    /// The journal of a server that is stopped.
    pub fn store(&self) -> SqliteStore {
        let config = Config::read_from(&self.data()).unwrap();
        let origin = "log.example".parse::<Origin>().unwrap();
        let seed: [u8; 32] = std::fs::read(self.data().join("keys/log.seed")).unwrap().try_into().unwrap();
        let key = SignerKey::from_seed(origin.key_name(), KeyType::Ed25519, &seed).unwrap();
        let signer = LogSigner::new(origin, key);
        let (database, checkpoint_copy) = (config.database(), config.checkpoint_copy());
        SqliteStore::open(SqliteOptions { database, checkpoint_copy, signer }).unwrap()
    }

    /// What a stranger says of the evidence: the checks that fail, and why.
    pub fn failed_checks(&self, person: &Person, request: &str) -> Vec<String> {
        let zip = self.call(person, "GET", &format!("/api/v1/requests/{request}/evidence"), None).bytes;
        let options =
            Options { require_replay: true, certificates: Some(&read_certificate), ..Options::default() };
        let checks = verify_zip(&zip, &trust(&self.data().join("trust")), &options).checks;
        let failed = checks.into_iter().filter(|check| matches!(check.outcome, Outcome::Fail(_)));
        failed.map(|check| format!("{check:?}")).collect()
    }

    pub fn address(&self) -> std::net::SocketAddr {
        self.elsewhere.unwrap_or_else(|| self.running.as_ref().unwrap().address())
    }

    /// Two administrators, and the root sealed.
    pub fn sealed() -> (Self, Person, Person) {
        Self::new().enrol_and_seal()
    }

    pub fn sealed_with(change: impl FnOnce(&mut Config)) -> (Self, Person, Person) {
        Self::with(change).enrol_and_seal()
    }

    pub fn enrol_and_seal(self) -> (Self, Person, Person) {
        self.enrol_and_seal_with(SealOptions::default())
    }

    pub fn enrol_and_seal_with(self, options: SealOptions) -> (Self, Person, Person) {
        let mut world = self;
        let token = world.first_link.clone();
        let mut ada = world.enrol(&token, "Ada");
        world.sign_in(&mut ada);
        let token = world.invite(&ada, &[]);
        let mut ben = world.enrol(&token, "Ben");
        world.sign_in(&mut ben);
        world.seal_with(options);
        (world, ada, ben)
    }

    pub fn seal(&mut self) {
        self.seal_with(SealOptions::default());
    }

    pub fn seal_with(&mut self, options: SealOptions) {
        let options = SealOptions { clock: Some(self.clock.clone()), ..options };
        self.runtime.block_on(seal(&self.data(), options)).unwrap();
        assert_eq!(self.open("GET", "/api/v1/server", None).good()["sealed"], json!(true));
    }

    /// Sends a request as nobody.
    pub fn open(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let text = body.map(|body| body.to_string().into_bytes());
        self.send(method, path, &[("content-type", "application/json")], text)
    }

    /// Sends a request as a person.
    pub fn call(&self, person: &Person, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.call_with(person, method, path, body, &[])
    }

    pub fn call_with(
        &self,
        person: &Person,
        method: &str,
        path: &str,
        body: Option<&Value>,
        more: &[(&str, &str)],
    ) -> Answer {
        let text = body.map(|body| body.to_string().into_bytes());
        let signed = self.credentials(&person.session, method, path);
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(signed.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        headers.extend_from_slice(more);
        self.send(method, path, &headers, text)
    }

    /// The headers that show who is asking.
    pub fn credentials(&self, session: &Session, method: &str, path: &str) -> Vec<(String, String)> {
        match session {
            Session::Nobody => Vec::new(),
            Session::Cookie(cookie) => vec![
                ("cookie".to_owned(), format!("other=1; __Host-chancery={cookie}")),
                ("origin".to_owned(), ORIGIN.to_owned()),
            ],
            Session::Token { token, seed, .. } => {
                let proof = self.proof(seed, token, method, path, &json!({}));
                vec![("authorization".to_owned(), format!("DPoP {token}")), ("dpop".to_owned(), proof)]
            }
        }
    }

    /// A DPoP proof (RFC 9449 §4.2), with claims replaced.
    pub fn proof(&self, seed: &[u8; 32], token: &str, method: &str, path: &str, other: &Value) -> String {
        let key = Ed25519KeyPair::from_seed_unchecked(seed).unwrap();
        let x = encode_url(key.public_key().as_ref());
        let header =
            json!({"typ": "dpop+jwt", "alg": "EdDSA", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": x}});
        let path = path.split('?').next().unwrap();
        let mut claims = json!({
            "htm": method,
            "htu": format!("{ORIGIN}{path}"),
            "iat": self.clock.now().unix(),
            "jti": encode_url(&random::<16>()),
            "ath": encode_url(Sha256::of(token.as_bytes()).as_bytes()),
        });
        for (name, value) in other.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let part = |value: &Value| encode_url(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = encode_url(key.sign(signed.as_bytes()).as_ref());
        format!("{signed}.{signature}")
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<Vec<u8>>) -> Answer {
        let url = format!("http://{}{path}", self.address());
        let mut builder = ureq::http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let response = match body {
            Some(body) => self.agent.run(builder.body(body).unwrap()),
            None => self.agent.run(builder.body(()).unwrap()),
        };
        let mut response = response.unwrap();
        let pairs = response.headers().iter();
        let headers = pairs
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
            .collect();
        let bytes = response.body_mut().with_config().limit(64 * 1024 * 1024).read_to_vec().unwrap();
        let answer = Answer { status: response.status().as_u16(), headers, bytes };
        described::check(method, path, &answer);
        self.listen(&answer);
        answer
    }

    /// Keeps the digits that a requester is shown.
    fn listen(&self, answer: &Answer) {
        let body: Value = serde_json::from_slice(&answer.bytes).unwrap_or_default();
        if let (Some(id), Some(number)) = (body["id"].as_str(), body["matching_number"].as_str()) {
            self.numbers.lock().unwrap().insert(id.to_owned(), number.to_owned());
        }
    }

    /// What an approver asks with who was told the digits, where there are any.
    pub fn approval(&self, request: &str) -> Value {
        let mut asked = json!({"decision": "approve"});
        if let Some(number) = self.numbers.lock().unwrap().get(request) {
            asked["matching_number"] = json!(number);
        }
        asked
    }

    /// Makes a passkey and enrols with it.
    pub fn enrol(&self, token: &str, name: &str) -> Person {
        let options = self.open("POST", "/api/v1/enrolments/options", Some(&json!({"token": token}))).good();
        let mut passkey = SoftPasskey::new("localhost");
        let offered = decode_url(options["public_key"]["challenge"].as_str().unwrap()).unwrap();
        let deviation = Deviation { maker: self.maker.clone(), ..Deviation::default() };
        let challenge = Sha256::try_from(offered.as_slice()).unwrap();
        let registration = passkey.register_with(&challenge, ORIGIN, &deviation);
        let body = json!({"token": token, "name": name, "registration": registration});
        let outcome = self.open("POST", "/api/v1/enrolments", Some(&body)).good();
        Person {
            id: outcome["person"].as_str().unwrap().to_owned(),
            name: name.to_owned(),
            passkey,
            session: Session::Nobody,
            ssh_seed: random(),
        }
    }

    pub fn invite(&self, by: &Person, roles: &[&str]) -> String {
        let body = json!({"roles": roles, "attributes": {}});
        let invitation = self.call(by, "POST", "/api/v1/invitations", Some(&body)).good();
        invitation["token"].as_str().unwrap().to_owned()
    }

    /// A person with roles, let in by two administrators.
    pub fn admit(&self, name: &str, roles: &[&str], by: &mut Person, and: &mut Person) -> Person {
        let token = self.invite(by, roles);
        let mut person = self.enrol(&token, name);
        let waiting = self.call(by, "GET", "/api/v1/enrolments", None).good();
        let item = waiting["items"].as_array().unwrap().iter().find(|one| one["person"] == json!(person.id));
        let enrolment = item.unwrap()["enrolment"].clone();
        self.act("person.created", &json!({"enrolment": enrolment}), &mut [by, and]);
        self.sign_in(&mut person);
        person
    }

    /// An identity act, signed by as many people as are given.
    pub fn act(&self, act: &str, body: &Value, signers: &mut [&mut Person]) -> Value {
        let (first, rest) = signers.split_first_mut().unwrap();
        let asked = json!({"act": act, "body": body});
        let offer = self.call(first, "POST", "/api/v1/identity/options", Some(&asked)).good();
        let document = offer["document"].as_str().unwrap().to_owned();
        let assertion = first.assert::<IdentityDocument>(&document);
        let body = json!({"document": document, "assertion": assertion});
        let mut outcome = self.call(first, "POST", "/api/v1/identity", Some(&body)).good();
        for signer in rest {
            assert_eq!(outcome["status"], json!("waiting"), "{outcome}");
            let waiting = self.call(signer, "GET", "/api/v1/identity/waiting", None).good();
            let items = waiting["items"].as_array().unwrap().clone();
            let item = items.iter().find(|one| one["document"] == json!(document)).unwrap();
            assert!(item["public_key"].is_object(), "{item}");
            let assertion = signer.assert::<IdentityDocument>(&document);
            let body = json!({"document": document, "assertion": assertion});
            outcome = self.call(signer, "POST", "/api/v1/identity", Some(&body)).good();
        }
        assert_eq!(outcome["status"], json!("recorded"), "{outcome}");
        outcome
    }

    /// Signs in with a cookie.
    pub fn sign_in(&self, person: &mut Person) {
        let asked = json!({"person": person.id});
        let offer = self.open("POST", "/api/v1/sessions/options", Some(&asked)).good();
        let document = offer["document"].as_str().unwrap().to_owned();
        let assertion = person.assert::<SessionDocument>(&document);
        let body = json!({"document": document, "assertion": assertion});
        let answer = self.open("POST", "/api/v1/sessions", Some(&body));
        answer.good();
        let cookie = answer.header("set-cookie").unwrap();
        assert!(
            cookie.contains("HttpOnly; Secure; SameSite=Strict") && cookie.contains("Path=/;"),
            "{cookie}"
        );
        let value = cookie.split_once('=').unwrap().1.split_once(';').unwrap().0;
        person.session = Session::Cookie(value.to_owned());
    }

    /// Signs in as a command line does: a key of its own, a browser that signs, a token.
    pub fn log_in(&self, person: &mut Person) {
        let seed: [u8; 32] = random();
        let key = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
        let begun = json!({"public_key": encode_url(key.public_key().as_ref())});
        let login = self.open("POST", "/api/v1/logins", Some(&begun)).good();
        let path = format!("/api/v1/logins/{}", login["login"].as_str().unwrap());
        assert_eq!(self.open("GET", &path, None).good()["status"], json!("pending"));
        let asked = json!({"person": person.id, "login": login["login"]});
        let offer = self.open("POST", "/api/v1/sessions/options", Some(&asked)).good();
        assert_eq!(offer["code"], login["code"]);
        let document = offer["document"].as_str().unwrap().to_owned();
        let assertion = person.assert::<SessionDocument>(&document);
        let body = json!({"document": document, "assertion": assertion});
        let outcome = self.open("POST", "/api/v1/sessions", Some(&body)).good();
        assert!(outcome.get("token").is_none(), "{outcome}");
        let done = self.open("GET", &path, None).good();
        self.open("GET", &path, None).refused("login_expired");
        person.session = Session::Token {
            token: done["token"].as_str().unwrap().to_owned(),
            seed,
            document: done["session"].as_str().unwrap().to_owned(),
            introduction: done["introduction"].clone(),
        };
    }

    /// Drafts a login to a host, for ten minutes.
    pub fn draft(&self, person: &Person, environment: &str) -> Value {
        self.call(person, "POST", "/api/v1/drafts", Some(&ssh_draft(person, environment))).good()
    }

    /// Signs a draft and submits it.
    pub fn submit(&self, person: &mut Person, draft: &Value) -> Answer {
        let body = signed_request(person, draft);
        self.call(person, "POST", "/api/v1/requests", Some(&body))
    }

    /// A request that waits for approvals; its id.
    pub fn request(&self, person: &mut Person, environment: &str) -> String {
        let draft = self.draft(person, environment);
        let view = self.submit(person, &draft).good();
        assert_eq!(view["state"], json!("pending"), "{view}");
        view["id"].as_str().unwrap().to_owned()
    }

    /// Opens a request, signs a decision and sends it.
    pub fn decide(&self, person: &mut Person, request: &str, decision: &str, reason: Option<&str>) -> Answer {
        let mut asked = match decision {
            "approve" => self.approval(request),
            _ => json!({"decision": decision}),
        };
        if let Some(reason) = reason {
            asked["reason"] = json!(reason);
        }
        let path = format!("/api/v1/requests/{request}/decisions");
        let offer = self.call(person, "POST", &format!("{path}/options"), Some(&asked));
        if offer.status >= 300 {
            return offer;
        }
        let body = signed_decision(person, &offer.json());
        self.call(person, "POST", &path, Some(&body))
    }

    /// Rejects a request, and reports it as suspicious.
    pub fn report(&self, person: &mut Person, request: &str) -> Answer {
        let asked =
            json!({"decision": "reject", "reason": "they did not ask for it", "report_suspicious": true});
        let path = format!("/api/v1/requests/{request}/decisions");
        let offer = self.call(person, "POST", &format!("{path}/options"), Some(&asked));
        if offer.status >= 300 {
            return offer;
        }
        let body = signed_decision(person, &offer.json());
        self.call(person, "POST", &path, Some(&body))
    }

    pub fn view(&self, person: &Person, request: &str) -> Value {
        self.call(person, "GET", &format!("/api/v1/requests/{request}"), None).good()
    }

    /// Leaves in the log, by its checkpoint.
    pub fn log_size(&self) -> u64 {
        let note = self.open("GET", "/log/checkpoint", None);
        let text = String::from_utf8(note.bytes).unwrap();
        text.lines().nth(1).unwrap().parse().unwrap()
    }

    /// Waits until a request is in this state.
    #[track_caller]
    pub fn await_state(&self, person: &Person, request: &str, state: &str) -> Value {
        for _ in 0..100 {
            let view = self.view(person, request);
            if view["state"] == json!(state) {
                return view;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("request `{request}` did not become {state}: {}", self.view(person, request)["state"]);
    }
}

/// Whatever refuses before it has read the body closes the connection, so none is used twice.
fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).max_idle_connections(0).build().into()
}

/// What asks for a login to a host.
pub fn ssh_draft(person: &Person, environment: &str) -> Value {
    json!({
        "entitlement": "ssh-admin",
        "parameters": {"host": "web-1.example", "principal": "deploy", "environment": environment},
        "justification": "the disk of the ledger service is full",
        "ticket": "OPS-1",
        "beneficiary_key": person.ssh_line(),
        "grant_seconds": 600,
    })
}

/// A submission, signed as the person is signed in.
pub fn signed_request(person: &mut Person, draft: &Value) -> Value {
    let document = draft["document"].as_str().unwrap().to_owned();
    let canonical = Canonical::parse(document.as_bytes()).unwrap();
    let signed = challenge::<RequestDocument>(&canonical);
    assert_eq!(draft["challenge"], json!(encode_url(signed.as_bytes())));
    let signature = match &person.session {
        Session::Token { seed, document, introduction, .. } => {
            let key = Ed25519KeyPair::from_seed_unchecked(seed).unwrap();
            let signature = encode_url(key.sign(signed.as_bytes()).as_ref());
            json!({"kind": "session_key", "session": document, "introduction": introduction, "signature": signature})
        }
        Session::Nobody | Session::Cookie(_) => {
            json!({"kind": "passkey", "assertion": person.assert::<RequestDocument>(&document)})
        }
    };
    let mut body = json!({"document": document, "disclosures": draft["disclosures"], "signature": signature});
    if canonical.value()["beneficiary"].get("public_key").is_some() {
        let proof = sign_ed25519(&person.ssh_key(), REQUEST_NAMESPACE, signed.as_bytes()).unwrap();
        body["possession"] = json!(encode_url(&proof.to_blob()));
    }
    body
}

/// A signed decision.
pub fn signed_decision(person: &mut Person, offer: &Value) -> Value {
    let document = offer["document"].as_str().unwrap().to_owned();
    let assertion = person.assert::<DecisionDocument>(&document);
    let mut body = json!({"document": document, "assertion": assertion});
    if let Some(disclosure) = offer.get("disclosure") {
        body["disclosure"] = disclosure.clone();
    }
    body
}

pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).unwrap();
    bytes
}

/// Reads trust/ as a stranger does.
pub fn trust(folder: &Path) -> chancery_evidence::trust::TrustDirectory {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            for key in std::fs::read_dir(entry.path()).unwrap() {
                let key = key.unwrap();
                let path = format!("{name}/{}", key.file_name().into_string().unwrap());
                files.insert(path, std::fs::read(key.path()).unwrap());
            }
        } else {
            files.insert(name, std::fs::read(entry.path()).unwrap());
        }
    }
    chancery_evidence::trust::TrustDirectory::read(&files).unwrap()
}
