//! One request from its draft to its revocation, by one pair of people who come back until it is done.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::installation::Pair;
use crate::promises::Promises;
use crate::site::{Answer, Lost, Site};

/// How long the effect of a revocation may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What stands between its beginning and its end.
#[derive(Debug)]
pub enum Obstacle {
    /// The server is gone.
    Gone(#[expect(dead_code, reason = "shown when a test fails")] Lost),
    /// It says that it could not.
    Refused(Answer),
    /// The lease is not taken back.
    Unsettled,
}

impl From<Lost> for Obstacle {
    fn from(lost: Lost) -> Self {
        Self::Gone(lost)
    }
}

/// How far it has come.
#[derive(Clone)]
pub struct Errand {
    number: usize,
    pair: Pair,
    name: String,
    submission: Option<Value>,
    request: Option<String>,
    claimed: bool,
}

impl Errand {
    pub fn new(number: usize, pair: &Pair, name: &str) -> Self {
        let (pair, name) = (pair.clone(), name.to_owned());
        Self { number, pair, name, submission: None, request: None, claimed: false }
    }

    /// Goes on from where it stands, to its end or to an obstacle.
    pub fn go_on(&mut self, site: &Site, promises: &mut Promises) -> Result<(), Obstacle> {
        let begun = Instant::now();
        while !self.step(site, promises)? {
            if begun.elapsed() > PATIENCE {
                return Err(Obstacle::Unsettled);
            }
        }
        Ok(())
    }

    /// One step; whether it was the last.
    pub fn step(&mut self, site: &Site, promises: &mut Promises) -> Result<bool, Obstacle> {
        let Some(request) = self.request.clone() else {
            return self.submit(site, promises).map(|()| false);
        };
        let path = format!("/api/v1/requests/{request}");
        let view = good(self.pair.requester.call(site, "GET", &path, None)?, promises)?;
        promises.saw_request(&view);
        match view["state"].as_str().unwrap() {
            "pending" => self.decide(site, promises, &request, "approve")?,
            "approved" => self.claim(site, promises, &request)?,
            "active" if !self.claimed => self.claim(site, promises, &request)?,
            "active" => self.decide(site, promises, &request, "revoke")?,
            "revoked" => {
                let over = view["leases"].as_array().unwrap().iter().all(|one| one["status"] == "revoked");
                if !over {
                    std::thread::sleep(Duration::from_millis(25));
                }
                return Ok(over);
            }
            other => panic!("nobody did this: the request is {other}"),
        }
        Ok(false)
    }

    /// Whether it is the one of the first pair.
    pub fn is_first(&self) -> bool {
        self.number == 0
    }

    /// Whether this is the same errand, at another time.
    pub fn is_of(&self, other: &Self) -> bool {
        self.name == other.name
    }

    /// The people as they are by now: their passkeys have counted on.
    pub fn with_people_of(mut self, later: &Self) -> Self {
        self.pair = later.pair.clone();
        self
    }

    fn submit(&mut self, site: &Site, promises: &mut Promises) -> Result<(), Obstacle> {
        if self.submission.is_none() {
            let draft = good(self.pair.requester.draft(site, 600)?, promises)?;
            self.submission = Some(self.pair.requester.signed_request(&draft));
        }
        let (body, key) = (self.submission.as_ref(), format!("submit-{}", self.name));
        let requester = &self.pair.requester;
        let answer = requester.call_with_key(site, "POST", "/api/v1/requests", body, Some(&key))?;
        let view = good(answer, promises)?;
        let id = view["id"].as_str().unwrap().to_owned();
        promises.saw_made(&key, &id);
        promises.saw_request(&view);
        self.request = Some(id);
        Ok(())
    }

    fn decide(
        &mut self,
        site: &Site,
        promises: &mut Promises,
        request: &str,
        decision: &str,
    ) -> Result<(), Obstacle> {
        let outcome = good(self.pair.approver.decide(site, request, decision)?, promises)?;
        promises.saw_request(&outcome["request"]);
        promises.saw_receipt(&outcome["receipt"]);
        Ok(())
    }

    fn claim(&mut self, site: &Site, promises: &mut Promises, request: &str) -> Result<(), Obstacle> {
        let (path, key) = (format!("/api/v1/grants/{request}/credentials"), format!("claim-{}", self.name));
        let answer = self.pair.requester.call_with_key(site, "POST", &path, None, Some(&key))?;
        let credential = good(answer, promises)?;
        promises.saw_credential(self.number, request, &key, &credential);
        self.claimed = true;
        Ok(())
    }
}

/// The body of a good answer; whatever else comes has to be a problem with a remedy.
fn good(answer: Answer, promises: &mut Promises) -> Result<Value, Obstacle> {
    if answer.is_good() {
        return Ok(answer.json());
    }
    promises.saw_problem(&answer, &[answer.code().as_str()]);
    Err(Obstacle::Refused(answer))
}
