//! What people do, one call after the other as their browser or their command line would; and what the answers were.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use chancery_server::embedded::{Answered, Asked, Embedded};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::world::{ORIGIN, Person, Session, signed_decision, signed_request, ssh_draft};

/// One thing that somebody does.
#[derive(Clone, Debug)]
pub enum Action {
    /// Asks for a login.
    Submit { environment: &'static str, key: String },
    /// Asks anew, with another length.
    Revise { request: String },
    /// Takes it back.
    Cancel { request: String },
    /// Signs a decision; cheating: on a document that was changed after it was offered.
    Decide { request: String, decision: &'static str, cheating: bool },
    /// Sends a decision again that was sent before, by whomever.
    SendAgain { request: String, body: Value },
    /// Gets a certificate.
    Credential { request: String, key: String },
    /// Is done.
    End { request: String },
}

impl Action {
    /// In words.
    pub fn told(&self, name: impl Fn(&str) -> String) -> String {
        match self {
            Self::Submit { environment, key } => format!("asks for {environment} with key `{key}`"),
            Self::Revise { request } => format!("edits {}", name(request)),
            Self::Cancel { request } => format!("cancels {}", name(request)),
            Self::Decide { request, decision, cheating: false } => format!("{decision}s {}", name(request)),
            Self::Decide { request, decision, cheating: true } => {
                format!("{decision}s {} on a changed document", name(request))
            }
            Self::SendAgain { request, .. } => {
                format!("sends somebody's decision on {} again", name(request))
            }
            Self::Credential { request, key } => {
                format!("wants a certificate under {} with key `{key}`", name(request))
            }
            Self::End { request } => format!("ends {}", name(request)),
        }
    }
}

/// Something that an answer promised: it stands in the log from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// In which request.
    pub request: String,
    /// An event of this kind.
    pub kind: &'static str,
    /// That names this person or lease.
    pub names: String,
}

/// How it went.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// In words.
    pub told: String,
    /// What was promised.
    pub promises: Vec<Promise>,
    /// A decision that went out, for somebody who listens.
    pub decision: Option<Value>,
    /// The lease of a certificate that was handed out.
    pub lease: Option<String>,
}

/// Somebody at their device. One thing at a time.
pub type Hand = Arc<Mutex<Person>>;

/// Does one thing.
pub async fn perform(server: Embedded, hand: Hand, action: Action) -> Outcome {
    let mut person = hand.lock().await;
    match action {
        Action::Submit { environment, key } => submit(&server, &mut person, environment, &key).await,
        Action::Revise { request } => revise(&server, &mut person, &request).await,
        Action::Cancel { request } => {
            let path = format!("/api/v1/requests/{request}/cancel");
            let answer = call(&server, &person, "POST", &path, None, &[]).await;
            promising(&answer, Promise { request, kind: "request.cancelled", names: String::new() })
        }
        Action::Decide { request, decision, cheating } => {
            decide(&server, &mut person, request, decision, cheating).await
        }
        Action::SendAgain { request, body } => {
            let path = format!("/api/v1/requests/{request}/decisions");
            told(&call(&server, &person, "POST", &path, Some(&body), &[]).await)
        }
        Action::Credential { request, key } => credential(&server, &person, request, &key).await,
        Action::End { request } => {
            let path = format!("/api/v1/grants/{request}/end");
            let answer = call(&server, &person, "POST", &path, None, &[]).await;
            promising(&answer, Promise { request, kind: "grant.ended", names: String::new() })
        }
    }
}

/// One call over the interface, as somebody who is signed in.
pub async fn call(
    server: &Embedded,
    person: &Person,
    method: &str,
    path: &str,
    body: Option<&Value>,
    more: &[(&str, &str)],
) -> Answered {
    let Session::Cookie(cookie) = &person.session else { panic!("{} is not signed in", person.name) };
    let mut asked = Asked::new(body.map(|body| body.to_string().into_bytes()).unwrap_or_default());
    *asked.method_mut() = method.parse().unwrap();
    *asked.uri_mut() = path.parse().unwrap();
    let cookie = format!("__Host-chancery={cookie}");
    let fixed = [("cookie", cookie.as_str()), ("origin", ORIGIN), ("content-type", "application/json")];
    for (name, value) in fixed.iter().chain(more) {
        let name: hyper::header::HeaderName = name.parse().unwrap();
        asked.headers_mut().insert(name, value.parse().unwrap());
    }
    let answer = server.call(asked).await;
    let body = json_of(&answer);
    if let (Some(id), Some(number)) = (body["id"].as_str(), body["matching_number"].as_str()) {
        NUMBERS.with_borrow_mut(|numbers| numbers.insert(id.to_owned(), number.to_owned()));
    }
    answer
}

thread_local! {
    /// The two digits that requesters were shown in the run of this thread, by request.
    static NUMBERS: RefCell<BTreeMap<String, String>> = RefCell::default();
}

/// What the requester tells an approver; a guess, where the answer that showed the digits was lost.
fn told_number(request: &str) -> String {
    NUMBERS.with_borrow(|numbers| numbers.get(request).cloned()).unwrap_or_else(|| "00".to_owned())
}

fn json_of(answer: &Answered) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

/// What a person is told, without anything that differs between two runs.
fn told(answer: &Answered) -> Outcome {
    let body = json_of(answer);
    let said = match answer.status {
        200..300 => body["state"].as_str().or(body["request"]["state"].as_str()).unwrap_or("done"),
        _ => body["code"].as_str().unwrap_or("an answer without a code"),
    };
    Outcome { told: format!("{} {said}", answer.status), ..Outcome::default() }
}

fn promising(answer: &Answered, promise: Promise) -> Outcome {
    let promises = if answer.status < 300 { vec![promise] } else { Vec::new() };
    Outcome { promises, ..told(answer) }
}

async fn submit(server: &Embedded, person: &mut Person, environment: &str, key: &str) -> Outcome {
    let asked = ssh_draft(person, environment);
    let draft = call(server, person, "POST", "/api/v1/drafts", Some(&asked), &[]).await;
    if draft.status >= 300 {
        return told(&draft);
    }
    let body = signed_request(person, &json_of(&draft));
    let key = [("idempotency-key", key)];
    let mut answer = call(server, person, "POST", "/api/v1/requests", Some(&body), &key).await;
    if answer.status == 500 {
        // As a client that insists: the same bytes under the same key.
        answer = call(server, person, "POST", "/api/v1/requests", Some(&body), &key).await;
    }
    let request = json_of(&answer)["id"].as_str().unwrap_or_default().to_owned();
    let names = person.id.clone();
    promising(&answer, Promise { request, kind: "request.submitted", names })
}

async fn revise(server: &Embedded, person: &mut Person, request: &str) -> Outcome {
    let path = format!("/api/v1/requests/{request}");
    let seen = call(server, person, "GET", &path, None, &[]).await;
    if seen.status >= 300 {
        return told(&seen);
    }
    let mut asked = ssh_draft(person, "staging");
    asked["revises"] = json!(request);
    asked["grant_seconds"] = json!(300);
    let draft = call(server, person, "POST", "/api/v1/drafts", Some(&asked), &[]).await;
    if draft.status >= 300 {
        return told(&draft);
    }
    let body = signed_request(person, &json_of(&draft));
    let version = json_of(&seen)["version"].to_string();
    let about = [("if-match", version.as_str())];
    let answer = call(server, person, "POST", &format!("{path}/revisions"), Some(&body), &about).await;
    let request = request.to_owned();
    promising(&answer, Promise { request, kind: "request.revised", names: String::new() })
}

async fn decide(
    server: &Embedded,
    person: &mut Person,
    request: String,
    decision: &str,
    cheating: bool,
) -> Outcome {
    let path = format!("/api/v1/requests/{request}/decisions");
    let mut asked = json!({"decision": decision});
    if decision == "approve" {
        asked["matching_number"] = json!(told_number(&request));
    } else {
        asked["reason"] = json!("it must not be");
    }
    let offer = call(server, person, "POST", &format!("{path}/options"), Some(&asked), &[]).await;
    if offer.status >= 300 {
        return told(&offer);
    }
    let mut offer = json_of(&offer);
    if cheating {
        let document = offer["document"].as_str().unwrap().replace("\"max_seconds\":", "\"max_seconds\":9");
        offer["document"] = json!(document);
    }
    let body = signed_decision(person, &offer);
    let answer = call(server, person, "POST", &path, Some(&body), &[]).await;
    let promise = Promise { request, kind: "decision.recorded", names: person.id.clone() };
    Outcome { decision: Some(body), ..promising(&answer, promise) }
}

async fn credential(server: &Embedded, person: &Person, request: String, key: &str) -> Outcome {
    let path = format!("/api/v1/grants/{request}/credentials");
    let answer = call(server, person, "POST", &path, None, &[("idempotency-key", key)]).await;
    let lease = json_of(&answer)["lease"].as_str().map(str::to_owned);
    let names = lease.clone().unwrap_or_default();
    Outcome { lease, ..promising(&answer, Promise { request, kind: "lease.issued", names }) }
}
