//! Speaks to a server: JSON in and out, errors as problems, each request proven by the session key.

mod dpop;
mod stream;

use std::fmt::Write as _;
use std::time::Duration;

use chancery_api::problem::Problem;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use ureq::http::{Request, Response};
use ureq::{Agent, Body};

use crate::commands::segment;
use crate::failure::Failure;
use crate::session::Session;

pub use stream::follow;

/// The longest answer that is read; evidence is the largest.
const MAX_ANSWER_BYTES: u64 = 64 * 1024 * 1024;
/// The most items that a server puts on one page of a list.
const PAGE: usize = 200;
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// One server, perhaps with somebody signed in.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
    server: String,
    session: Option<Session>,
}

/// What goes beside a request.
#[derive(Debug, Default, Clone, Copy)]
pub struct Extras<'a> {
    /// `Idempotency-Key`.
    pub idempotency_key: Option<&'a str>,
    /// Media type of the body.
    pub content_type: Option<&'a str>,
}

/// One page of any list.
#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

/// An answer that is not an error.
#[derive(Debug)]
pub struct Answer {
    /// The body.
    pub body: Vec<u8>,
}

impl Client {
    /// A client of `server` (`https://…`; `http://…` for this machine only) for whoever is signed in.
    ///
    /// # Errors
    /// [`Failure::Usage`] when the address is none, or would send a session in the clear.
    pub fn new(server: &str, session: Option<Session>) -> Result<Self, Failure> {
        let server = server.trim_end_matches('/');
        let local = check_address(server)?;
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT_LIMIT))
            .user_agent(concat!("chancery/", env!("CARGO_PKG_VERSION")));
        if local {
            config = config.proxy(None);
        }
        Ok(Self { agent: config.build().new_agent(), server: server.to_owned(), session })
    }

    /// The server's address, without a `/` at its end.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Who is signed in.
    ///
    /// # Errors
    /// [`Failure::SignIn`] when nobody is.
    pub fn session(&self) -> Result<&Session, Failure> {
        self.session
            .as_ref()
            .ok_or_else(|| Failure::SignIn(format!("nobody is signed in at `{}`", self.server)))
    }

    /// `GET`, read as JSON. `path` starts with `/`.
    ///
    /// # Errors
    /// The server's problem, or that it cannot be reached or understood.
    pub fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        decode(&self.bytes(path)?)
    }

    /// `GET`, the bytes.
    ///
    /// # Errors
    /// As [`Client::read`].
    pub fn bytes(&self, path: &str) -> Result<Vec<u8>, Failure> {
        Ok(self.call("GET", path, None, Extras::default())?.body)
    }

    /// `GET` of a list with some of its filters, page after page, up to `limit` items.
    ///
    /// # Errors
    /// [`Failure::Usage`] for a filter that no server has; as [`Client::read`].
    pub fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        filters: &[(&str, &str)],
        limit: usize,
    ) -> Result<Vec<T>, Failure> {
        let mut asked = String::new();
        for (name, value) in filters {
            let _ = write!(asked, "&{name}={}", segment(value)?);
        }
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let size = limit.saturating_sub(items.len()).min(PAGE);
            let page: Page<T> = self.read(&format!("{path}?limit={size}{asked}{cursor}"))?;
            items.extend(page.items);
            match page.next_cursor {
                Some(next) if items.len() < limit => cursor = format!("&cursor={}", segment(&next)?),
                Some(_) | None => return Ok(items),
            }
        }
    }

    /// `POST` JSON, read as JSON.
    ///
    /// # Errors
    /// As [`Client::read`]; [`Failure::OutcomeUnknown`] when the connection broke after the request was sent.
    pub fn send<B: Serialize, T: DeserializeOwned>(&self, path: &str, body: &B) -> Result<T, Failure> {
        self.send_with(path, body, Extras::default())
    }

    /// `POST` JSON with an idempotency key, read as JSON.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub fn send_with<B: Serialize, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
        extras: Extras<'_>,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body).map_err(|fault| Failure::Fault(fault.to_string()))?;
        decode(&self.call("POST", path, Some(body), extras)?.body)
    }

    /// `POST` without a body.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub fn post_empty(&self, path: &str) -> Result<Vec<u8>, Failure> {
        Ok(self.call("POST", path, Some(Vec::new()), Extras::default())?.body)
    }

    /// `PUT` bytes.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub fn put(&self, path: &str, body: Vec<u8>, media_type: &str) -> Result<Vec<u8>, Failure> {
        let extras = Extras { content_type: Some(media_type), ..Extras::default() };
        Ok(self.call("PUT", path, Some(body), extras)?.body)
    }

    /// `DELETE`.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub fn delete(&self, path: &str) -> Result<(), Failure> {
        self.call("DELETE", path, None, Extras::default()).map(|_| ())
    }

    fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<Vec<u8>>,
        extras: Extras<'_>,
    ) -> Result<Answer, Failure> {
        let writes = method != "GET";
        let response = self.open(method, path, body, extras, Some(ANSWER_LIMIT))?;
        let status = response.status().as_u16();
        let body = response
            .into_body()
            .into_with_config()
            .limit(MAX_ANSWER_BYTES)
            .read_to_vec()
            .map_err(|fault| self.network_failure(&fault, writes))?;
        if (200..300).contains(&status) {
            return Ok(Answer { body });
        }
        Err(problem(status, &body))
    }

    /// Sends a request and reads the head of its answer.
    fn open(
        &self,
        method: &str,
        path: &str,
        body: Option<Vec<u8>>,
        extras: Extras<'_>,
        limit: Option<Duration>,
    ) -> Result<Response<Body>, Failure> {
        let url = format!("{}{path}", self.server);
        let mut request =
            Request::builder().method(method).uri(&url).header("accept", "application/json, */*;q=0.5");
        if let Some(session) = &self.session {
            let proof = dpop::proof(session, method, &url)?;
            request =
                request.header("authorization", format!("DPoP {}", session.token())).header("dpop", proof);
        }
        if let Some(key) = extras.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        if body.as_ref().is_some_and(|body| !body.is_empty()) {
            request = request.header("content-type", extras.content_type.unwrap_or("application/json"));
        }
        let writes = method != "GET";
        let fault =
            |fault: ureq::http::Error| Failure::Fault(format!("the request cannot be written: {fault}"));
        let result = match body {
            Some(body) => {
                let request = request.body(body).map_err(fault)?;
                let request = self.agent.configure_request(request).timeout_global(limit).build();
                self.agent.run(request)
            }
            None => {
                let request = request.body(()).map_err(fault)?;
                let request = self.agent.configure_request(request).timeout_global(limit).build();
                self.agent.run(request)
            }
        };
        result.map_err(|fault| self.network_failure(&fault, writes))
    }

    /// What a broken connection means depends on whether something may have happened at the other end.
    fn network_failure(&self, fault: &ureq::Error, writes: bool) -> Failure {
        let (server, detail) = (self.server.clone(), fault.to_string());
        if writes && !is_before_sending(fault) {
            return Failure::OutcomeUnknown { server, detail };
        }
        Failure::Unreachable { server, detail }
    }
}

/// Whether the fault means that no connection stood, so that nothing can have been received.
fn is_before_sending(fault: &ureq::Error) -> bool {
    use std::io::ErrorKind;
    match fault {
        ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::Tls(_)
        | ureq::Error::Rustls(_)
        | ureq::Error::BadUri(_)
        | ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => true,
        ureq::Error::Io(fault) => matches!(
            fault.kind(),
            ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable
        ),
        _ => false,
    }
}

/// Whether the address is of this machine; refuses what is no address or would be read on the way.
fn check_address(server: &str) -> Result<bool, Failure> {
    let usage = |text: String| Err(Failure::Usage(text));
    let (scheme, rest) = server.split_once("://").unwrap_or(("", server));
    if rest.is_empty() || rest.contains(['/', '?', '#', '@']) || rest.chars().any(char::is_whitespace) {
        return usage(format!(
            "`{server}` is not a server: write its web origin, like `https://chancery.example`"
        ));
    }
    let host = if rest.starts_with('[') {
        rest.split_inclusive(']').next().unwrap_or(rest)
    } else {
        rest.split(':').next().unwrap_or(rest)
    };
    let local = matches!(host, "localhost" | "127.0.0.1" | "[::1]") || host.ends_with(".localhost");
    match scheme {
        "https" => Ok(local),
        "http" if local => Ok(true),
        "http" => usage(format!("`{server}` would be spoken to in the clear: use `https://`")),
        _ => usage(format!(
            "`{server}` is not a server: write its web origin, like `https://chancery.example`"
        )),
    }
}

/// The server's JSON.
///
/// # Errors
/// When it is another than this program knows.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|fault| {
        Failure::Fault(format!(
            "the server's answer cannot be read ({fault}); is this program older than the server?"
        ))
    })
}

fn problem(status: u16, body: &[u8]) -> Failure {
    let problem = serde_json::from_slice(body).unwrap_or_else(|_| Problem {
        problem_type: "about:blank".to_owned(),
        title: String::new(),
        status,
        code: format!("http_{status}"),
        reason: format!("the server answered with HTTP {status} and no explanation"),
        remedy: "check that `--server` is a Chancery server and not a proxy in front of it".to_owned(),
        request_id: String::new(),
        errors: Vec::new(),
    });
    Failure::Problem(Box::new(problem))
}

/// A fresh random text of 128 bits, for nonces and idempotency keys.
///
/// # Errors
/// When the operating system has no randomness.
pub fn random_text() -> Result<String, Failure> {
    Ok(chancery_canonical::base64::encode_url(&random_bytes::<16>()?))
}

/// Fresh random bytes.
///
/// # Errors
/// When the operating system has no randomness.
pub fn random_bytes<const LENGTH: usize>() -> Result<[u8; LENGTH], Failure> {
    let mut bytes = [0; LENGTH];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Failure::Fault("the operating system gives no randomness".to_owned()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::check_address;

    #[test]
    fn a_session_is_never_sent_in_the_clear() {
        for (server, good) in [
            ("https://chancery.example", Some(false)),
            ("https://chancery.example:8443", Some(false)),
            ("http://localhost:7400", Some(true)),
            ("http://127.0.0.1:7400", Some(true)),
            ("http://[::1]:7400", Some(true)),
            ("http://chancery.example", None),
            ("http://localhost.evil.example", None),
            ("http://localhost@evil.example", None),
            ("ftp://localhost", None),
            ("chancery.example", None),
            ("https://chancery.example/path", None),
            ("https://", None),
        ] {
            assert_eq!(check_address(server).ok(), good, "{server}");
        }
    }
}
