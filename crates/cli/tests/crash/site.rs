//! HTTP to a server that may die at any moment: an answer, or nobody knows.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};

/// Where browsers believe to be, wherever the server really listens.
pub const ORIGIN: &str = "http://localhost:8440";

/// How long an answer may take before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(20);

/// No answer came: whether anything happened is not known.
#[derive(Debug)]
pub struct Lost(#[expect(dead_code, reason = "shown when a test fails")] pub String);

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub bytes: Vec<u8>,
}

impl Answer {
    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn is_good(&self) -> bool {
        self.status < 300
    }

    /// The code of the problem that it is.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or("(no problem)").to_owned()
    }

    /// The body, of an answer that must be good.
    #[track_caller]
    pub fn good(&self) -> Value {
        assert!(self.is_good(), "{}", self.text());
        self.json()
    }

    /// Whether it says what went wrong as an API must: problem+json with a code, a reason and a remedy.
    pub fn is_problem(&self) -> bool {
        let body = self.json();
        let said = |member: &str| body[member].as_str().is_some_and(|text| !text.is_empty());
        self.header("content-type") == Some("application/problem+json")
            && body["status"] == json!(self.status)
            && ["code", "reason", "remedy", "request_id"].into_iter().all(said)
    }

    /// For messages.
    pub fn text(&self) -> String {
        format!("{} {}", self.status, String::from_utf8_lossy(&self.bytes))
    }
}

/// The two digits that requesters were shown, by request. A server that is killed is another site afterwards, and its
/// requests are the same.
static NUMBERS: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

/// One server, where it listens now.
#[derive(Debug)]
pub struct Site {
    address: SocketAddr,
    agent: ureq::Agent,
}

impl Site {
    pub fn at(address: SocketAddr) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build()
            .into();
        Self { address, agent }
    }

    /// Sends a request as nobody.
    pub fn open(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, Lost> {
        self.send(method, path, &[], body)
    }

    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer, Lost> {
        let url = format!("http://{}{path}", self.address);
        let mut builder = ureq::http::Request::builder().method(method).uri(url);
        builder = builder.header("content-type", "application/json");
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let lost = |error: ureq::Error| Lost(error.to_string());
        let response = match body {
            Some(body) => self.agent.run(builder.body(body.to_string()).unwrap()),
            None => self.agent.run(builder.body(()).unwrap()),
        };
        let mut response = response.map_err(lost)?;
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
            .collect();
        let bytes = response.body_mut().with_config().limit(64 * 1024 * 1024).read_to_vec().map_err(lost)?;
        let answer = Answer { status: response.status().as_u16(), headers, bytes };
        let body: Value = serde_json::from_slice(&answer.bytes).unwrap_or_default();
        if let (Some(id), Some(number)) = (body["id"].as_str(), body["matching_number"].as_str()) {
            NUMBERS.lock().unwrap().insert(id.to_owned(), number.to_owned());
        }
        Ok(answer)
    }

    /// What an approver asks with who was told the digits, where there are any.
    pub fn approval(&self, request: &str) -> Value {
        let mut asked = json!({"decision": "approve"});
        if let Some(number) = NUMBERS.lock().unwrap().get(request) {
            asked["matching_number"] = json!(number);
        }
        asked
    }
}
