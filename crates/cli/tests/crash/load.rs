//! People who use the server at once: they ask, decide, claim credentials and end grants, and come back to what was
//! cut off. Each of them writes down what they were told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::installation::Pair;
use crate::promises::Promises;
use crate::random::Random;
use crate::site::{Answer, Lost, Site};

/// Refusals that people meet when a clock, another request or a death came in between.
const EXPECTED: [&str; 9] = [
    "wrong_state",
    "conflict",
    "too_late",
    "lease_lapsed",
    "issuer_refused",
    "offer_used",
    "already_decided",
    "idempotency_key_busy",
    "lease_misfit",
];

/// What all of them were told.
pub type Shared<'a> = Mutex<&'a mut Promises>;

/// A pair of people at work.
pub struct Worker {
    number: usize,
    pair: Pair,
    random: Random,
    /// Requests that wait for their next step.
    open: Vec<String>,
    /// Sent, and never answered.
    unanswered: Option<Unanswered>,
}

/// A request that is sent again, unchanged, until it is answered.
enum Unanswered {
    Submission { key: String, body: Value },
    Credential { key: String, request: String },
}

impl Worker {
    pub fn new(number: usize, pair: Pair, random: Random) -> Self {
        Self { number, pair, random, open: Vec::new(), unanswered: None }
    }

    /// Works until told to stop, or until the server is gone.
    pub fn run(&mut self, site: &Site, promises: &Shared<'_>, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            if self.step(site, promises).is_err() {
                return;
            }
        }
    }

    /// Sends again what was not answered, until it is.
    pub fn finish(&mut self, site: &Site, promises: &Shared<'_>) -> Result<(), Lost> {
        while self.unanswered.is_some() {
            self.send_again(site, promises)?;
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn step(&mut self, site: &Site, promises: &Shared<'_>) -> Result<(), Lost> {
        if self.unanswered.is_some() {
            return self.send_again(site, promises);
        }
        let answer = site.open("GET", "/log/checkpoint", None)?;
        if answer.is_good() {
            held(promises).saw_checkpoint(&answer.bytes);
        }
        if self.open.is_empty() || (self.open.len() < 4 && self.random.percent(40)) {
            self.ask(site, promises)
        } else {
            let chosen = usize::try_from(self.random.below(self.open.len() as u64)).unwrap();
            let request = self.open.swap_remove(chosen);
            let goes_on = self.advance(site, promises, &request);
            // Whoever was cut off looks again at what became of it.
            if !matches!(goes_on, Ok(false)) {
                self.open.push(request);
            }
            goes_on.map(drop)
        }
    }

    fn ask(&mut self, site: &Site, promises: &Shared<'_>) -> Result<(), Lost> {
        let seconds = [3, 5, 9, 600][usize::try_from(self.random.below(4)).unwrap()];
        let draft = self.pair.requester.draft(site, seconds)?;
        if !draft.is_good() {
            held(promises).saw_problem(&draft, &[]);
            return Ok(());
        }
        let body = self.pair.requester.signed_request(&draft.json());
        self.unanswered = Some(Unanswered::Submission { key: self.random.text(), body });
        self.send_again(site, promises)?;
        if self.random.percent(90) { Ok(()) } else { self.ask_for_a_repeat(site, promises) }
    }

    /// The same key with the same body is the same act.
    fn ask_for_a_repeat(&mut self, site: &Site, promises: &Shared<'_>) -> Result<(), Lost> {
        let known = held(promises).certificates.values().rfind(|one| one.pair == self.number).cloned();
        let Some(known) = known else { return Ok(()) };
        let key = held(promises).made.iter().find(|(_, made)| **made == known.lease).unwrap().0.clone();
        let path = format!("/api/v1/grants/{}/credentials", known.request);
        let answer = self.pair.requester.call_with_key(site, "POST", &path, None, Some(&key))?;
        let mut promises = held(promises);
        if answer.is_good() {
            promises.saw_credential(self.number, &known.request, &key, &answer.json());
        } else {
            promises.saw_problem(&answer, &[]);
        }
        Ok(())
    }

    fn send_again(&mut self, site: &Site, promises: &Shared<'_>) -> Result<(), Lost> {
        let Some(unanswered) = self.unanswered.take() else { return Ok(()) };
        let requester = &self.pair.requester;
        let sent = match &unanswered {
            Unanswered::Submission { key, body } => {
                requester.call_with_key(site, "POST", "/api/v1/requests", Some(body), Some(key))
            }
            Unanswered::Credential { key, request } => {
                let path = format!("/api/v1/grants/{request}/credentials");
                requester.call_with_key(site, "POST", &path, None, Some(key))
            }
        };
        let answer = match sent {
            Ok(answer) => answer,
            Err(lost) => {
                self.unanswered = Some(unanswered);
                return Err(lost);
            }
        };
        let mut promises = held(promises);
        match unanswered {
            Unanswered::Submission { key, .. } if answer.is_good() => {
                let view = answer.json();
                let id = view["id"].as_str().unwrap().to_owned();
                promises.saw_made(&key, &id);
                promises.saw_request(&view);
                if !self.open.contains(&id) {
                    self.open.push(id);
                }
            }
            Unanswered::Credential { key, request } if answer.is_good() => {
                promises.saw_credential(self.number, &request, &key, &answer.json());
            }
            other => {
                promises.saw_problem(&answer, &EXPECTED);
                if answer.code() == "idempotency_key_busy" {
                    self.unanswered = Some(other);
                }
            }
        }
        Ok(())
    }

    /// The next step of a request; whether there is another one after it.
    fn advance(&mut self, site: &Site, promises: &Shared<'_>, request: &str) -> Result<bool, Lost> {
        let answer = self.pair.requester.call(site, "GET", &format!("/api/v1/requests/{request}"), None)?;
        if !answer.is_good() {
            held(promises).violated(format!("`{request}` was acknowledged: {}", answer.text()));
            return Ok(false);
        }
        let view = answer.json();
        held(promises).saw_request(&view);
        let lot = self.random.below(100);
        match (view["state"].as_str().unwrap(), lot) {
            ("pending", 0..80) => self.decide(site, promises, request, "approve"),
            ("pending", 80..90) => self.decide(site, promises, request, "reject"),
            ("pending" | "approved", 90..100) => {
                self.post(site, promises, &format!("requests/{request}/cancel"))
            }
            ("approved", _) => self.claim(site, promises, request),
            ("active", 0..20) => self.claim(site, promises, request),
            ("active", 20..55) => self.decide(site, promises, request, "revoke"),
            ("active", 55..70) => self.post(site, promises, &format!("grants/{request}/end")),
            // Left to its clock.
            (_, _) => Ok(false),
        }
    }

    fn decide(
        &mut self,
        site: &Site,
        promises: &Shared<'_>,
        request: &str,
        decision: &str,
    ) -> Result<bool, Lost> {
        let answer = self.pair.approver.decide(site, request, decision)?;
        let mut promises = held(promises);
        if answer.is_good() {
            let outcome = answer.json();
            promises.saw_request(&outcome["request"]);
            promises.saw_receipt(&outcome["receipt"]);
        } else {
            promises.saw_problem(&answer, &EXPECTED);
        }
        Ok(true)
    }

    fn claim(&mut self, site: &Site, promises: &Shared<'_>, request: &str) -> Result<bool, Lost> {
        self.unanswered =
            Some(Unanswered::Credential { key: self.random.text(), request: request.to_owned() });
        self.send_again(site, promises)?;
        Ok(true)
    }

    fn post(&mut self, site: &Site, promises: &Shared<'_>, path: &str) -> Result<bool, Lost> {
        let answer: Answer = self.pair.requester.call(site, "POST", &format!("/api/v1/{path}"), None)?;
        let mut promises = held(promises);
        if !answer.is_good() {
            promises.saw_problem(&answer, &EXPECTED);
        } else if path.starts_with("requests/") {
            promises.saw_request(&answer.json());
        }
        Ok(true)
    }
}

/// The promises, whatever happened to somebody else who held them.
pub fn held<'a, 'b>(promises: &'a Shared<'b>) -> MutexGuard<'a, &'b mut Promises> {
    promises.lock().unwrap_or_else(PoisonError::into_inner)
}
