//! What must hold after every step, whatever failed: the five sentences of ARCHITECTURE.md, held against nothing but
//! the leaves, the queue, the issuer's book and what people were promised. A model apart from the product's own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use chancery_domain::document::{DecisionDocument, DecisionKind};
use chancery_domain::event::{RequestEvent, from_parts};
use chancery_domain::leaf::Stream;
use chancery_domain::time::Timestamp;
use chancery_issuer::issue::read_certificate;
use chancery_server::embedded::Embedded;
use chancery_simulation::{LogKey, State, integrity};
use chancery_store::StoredEvent;

use crate::actions::Promise;
use crate::base::minted;

/// What is wrong, in words.
pub type Violation = String;

/// A lease as the log tells of it.
#[derive(Debug, Default)]
struct Lease {
    serial: String,
    not_after: Option<Timestamp>,
    issued: bool,
    revoked: bool,
}

/// A request as the log tells of it.
#[derive(Debug, Default)]
struct Request {
    requester: String,
    approvers: BTreeSet<String>,
    approved: bool,
    /// When the grant's clock started and when it runs out.
    active: Option<(Timestamp, Timestamp)>,
    leases: BTreeMap<String, Lease>,
    ended: Option<(&'static str, Timestamp)>,
    newest: Option<Timestamp>,
}

/// What is known so far.
#[derive(Debug, Default)]
pub struct Model {
    /// Leaves that were seen; none of them may ever change or go.
    leaves: Vec<Arc<Vec<u8>>>,
    next_index: u64,
    requests: BTreeMap<String, Request>,
    /// What people were promised since the newest check.
    pub promises: Vec<Promise>,
    /// Idempotency keys that submissions came with.
    pub submitted: BTreeSet<String>,
    /// Idempotency keys that credentials of a request were asked for with, and the leases that were handed out.
    pub asked: BTreeMap<(String, String), BTreeSet<String>>,
    /// Those who may decide.
    deciders: BTreeSet<String>,
}

impl Model {
    /// Nothing has happened, and these people may decide.
    pub fn of(deciders: BTreeSet<String>) -> Self {
        Self { deciders, ..Self::default() }
    }

    /// Requests in the order in which they were first seen.
    pub fn requests(&self) -> Vec<String> {
        self.requests.keys().cloned().collect()
    }

    /// Requests that wait for somebody to decide.
    pub fn pending(&self) -> Vec<String> {
        self.those(|request| !request.approved && request.ended.is_none())
    }

    /// Requests of this person.
    pub fn of_person(&self, person: &str) -> Vec<String> {
        self.those(|request| request.requester == person)
    }

    /// Requests of this person under which a certificate can be had.
    pub fn granted_to(&self, person: &str) -> Vec<String> {
        self.those(|request| request.requester == person && request.approved && request.ended.is_none())
    }

    fn those(&self, which: impl Fn(&Request) -> bool) -> Vec<String> {
        self.requests.iter().filter(|(_, request)| which(request)).map(|(id, _)| id.clone()).collect()
    }

    /// Whether anybody ever got a certificate under it.
    pub fn is_issued(&self, request: &str) -> bool {
        let leases = self.requests.get(request).map(|known| &known.leases);
        leases.is_some_and(|leases| leases.values().any(|lease| lease.issued))
    }

    /// How many certificates were issued.
    pub fn issued(&self) -> usize {
        let leases = self.requests.values().flat_map(|request| request.leases.values());
        leases.filter(|lease| lease.issued).count()
    }

    /// After every step: nothing went, and what came may be there.
    pub fn check_step(&mut self, state: &State) -> Result<(), Violation> {
        let known = self.leaves.len();
        if state.leaves().get(..known).is_none_or(|leaves| leaves != self.leaves) {
            return Err("the log has lost or changed leaves that were acknowledged".to_owned());
        }
        self.leaves.extend(state.leaves().iter().skip(known).cloned());
        for event in state.events_from(self.next_index) {
            self.next_index = event.position.leaf_index + 1;
            self.observe(event)?;
        }
        // What was found once stays, or the leaves would not be the same.
        for promise in std::mem::take(&mut self.promises) {
            if !holds(state, &promise) {
                let Promise { request, kind, names } = promise;
                return Err(format!("promised and not in the log: `{kind}` of {names} in {request}"));
            }
        }
        self.check_keys(state)
    }

    /// One idempotency key leads to one thing, one effect stands in the queue once.
    fn check_keys(&self, state: &State) -> Result<(), Violation> {
        if self.requests.len() > self.submitted.len() {
            return Err("there are more requests than idempotency keys they came with".to_owned());
        }
        for ((request, key), leases) in &self.asked {
            if leases.len() > 1 {
                return Err(format!("key `{key}` gave several leases under {request}: {leases:?}"));
            }
        }
        for (id, request) in &self.requests {
            let keys = self.asked.keys().filter(|(under, _)| under == id).count();
            if request.leases.len() > keys {
                return Err(format!("{} leases under {id} for {keys} keys", request.leases.len()));
            }
        }
        let mut effects = BTreeSet::new();
        for key in state.effects().keys() {
            let name = key.split('#').next().unwrap_or_default();
            if !effects.insert(name) {
                return Err(format!("the effect `{name}` is in the queue twice"));
            }
        }
        Ok(())
    }

    fn observe(&mut self, event: &StoredEvent) -> Result<(), Violation> {
        let Stream::Request(id) = &event.leaf.stream else { return Ok(()) };
        let (kind, time) = (event.leaf.kind.clone(), event.leaf.time);
        let told = from_parts::<RequestEvent>(&kind, &event.leaf.body).map_err(|error| error.to_string())?;
        let request = self.requests.entry(id.to_string()).or_default();
        if request.newest > Some(time) {
            return Err(format!("`{kind}` of {id} is dated before the event before it"));
        }
        request.newest = Some(time);
        request.take(&told, time, &self.deciders).map_err(|wrong| format!("`{kind}` of {id}: {wrong}"))
    }

    /// Now and then: everything recomputed, and the issuer's book held against the log.
    pub fn check_deeply(&self, state: &State, key: &LogKey, folder: &Path) -> Result<(), Violation> {
        let findings = integrity::examine(state, key, Some(&Embedded::projection()));
        if let Some(finding) = findings.first() {
            return Err(format!("the store finds {} things wrong: {finding:?}", findings.len()));
        }
        for (lease, certificate) in minted(folder) {
            let known =
                self.requests.values().find_map(|request| Some((request, request.leases.get(&lease)?)));
            let Some((request, known)) = known else {
                return Err(format!("lease {lease} is minted and was never announced in the log"));
            };
            let facts = read_certificate(&certificate)?;
            if facts.serial != known.serial || !request.approved {
                return Err(format!("lease {lease} is minted as something that was not approved"));
            }
            if request.active.is_none_or(|(_, ends_at)| facts.valid_before > ends_at) {
                return Err(format!("the certificate of lease {lease} outlives its grant"));
            }
        }
        Ok(())
    }

    /// When everything has had its time: whatever has a clock has ended, and what was taken back is on the list.
    pub fn check_settled(&self, now: Timestamp, revoked: impl Fn(&str) -> bool) -> Result<(), Violation> {
        for (id, request) in &self.requests {
            let Some((how, at)) = request.ended else {
                return Err(format!("{id} has not ended by {now}: its timer did not fire"));
            };
            for (lease, known) in &request.leases {
                let early = matches!(how, "grant.ended" | "grant.revoked");
                let outlives = known.not_after > Some(at);
                if early && outlives && known.issued && !(known.revoked && revoked(&known.serial)) {
                    return Err(format!("lease {lease} of {id} was never taken back ({how})"));
                }
            }
        }
        Ok(())
    }
}

impl Request {
    fn take(
        &mut self,
        told: &RequestEvent,
        now: Timestamp,
        deciders: &BTreeSet<String>,
    ) -> Result<(), String> {
        let fail = |wrong: &str| Err(wrong.to_owned());
        let runs =
            self.active.is_some_and(|(from, until)| from <= now && now < until) && self.ended.is_none();
        match told {
            RequestEvent::Submitted(body) => {
                let first = self.requester.is_empty();
                self.requester = body.requester.to_string();
                if first { Ok(()) } else { fail("submitted twice") }
            }
            RequestEvent::Revised(_) => {
                self.approvers.clear();
                self.approved = false;
                if self.active.is_some() || self.ended.is_some() { fail("edited too late") } else { Ok(()) }
            }
            RequestEvent::DecisionRecorded(body) => {
                let said: DecisionDocument = body.document.decode().map_err(|error| error.to_string())?;
                self.decided(&said, deciders)
            }
            RequestEvent::Approved(_) => {
                self.approved = true;
                if self.approvers.is_empty() { fail("nobody approved it") } else { Ok(()) }
            }
            RequestEvent::Activated(body) => self.start(body.started_at, body.ends_at),
            RequestEvent::LeaseIntended(body) => {
                let lease = Lease {
                    serial: body.serial.clone(),
                    not_after: Some(body.not_after),
                    ..Lease::default()
                };
                let doubled = self.leases.insert(body.lease.to_string(), lease).is_some();
                if runs && !doubled { Ok(()) } else { fail("announced twice, or under no running grant") }
            }
            RequestEvent::LeaseIssued(body) => match self.leases.get_mut(body.lease.as_str()) {
                Some(lease) if !lease.issued => {
                    lease.issued = true;
                    Ok(())
                }
                Some(_) | None => fail("issued twice, or never announced"),
            },
            RequestEvent::LeaseRevoked(body) => match self.leases.get_mut(body.lease.as_str()) {
                Some(lease) if !lease.revoked => {
                    lease.revoked = true;
                    Ok(())
                }
                Some(_) | None => fail("revoked twice, or never announced"),
            },
            RequestEvent::Expired(_) => {
                let due = self.active.is_some_and(|(_, until)| until <= now);
                if due { self.end("grant.expired", now) } else { fail("expired before its time") }
            }
            RequestEvent::Rejected(_) => self.end("request.rejected", now),
            RequestEvent::Mismatched(_) => self.end("request.mismatched", now),
            RequestEvent::Cancelled(_) => self.end("request.cancelled", now),
            RequestEvent::Lapsed(_) => self.end("request.lapsed", now),
            RequestEvent::Ended(_) => self.end("grant.ended", now),
            RequestEvent::Revoked(_) => self.end("grant.revoked", now),
            RequestEvent::Judged(_)
            | RequestEvent::DecisionRefused(_)
            | RequestEvent::ExecutionFinished(_)
            | RequestEvent::RollbackStarted(_)
            | RequestEvent::RollbackFinished(_)
            | RequestEvent::Redacted(_) => Ok(()),
        }
    }

    fn start(&mut self, from: Timestamp, until: Timestamp) -> Result<(), String> {
        let fine = self.approved && self.active.is_none() && self.ended.is_none();
        self.active = Some((from, until));
        let short = until.seconds_since(from) <= 600;
        if fine && short {
            Ok(())
        } else {
            Err("started without approval, twice, or for too long".to_owned())
        }
    }

    fn decided(&mut self, said: &DecisionDocument, deciders: &BTreeSet<String>) -> Result<(), String> {
        let approver = said.approver.to_string();
        if approver == self.requester {
            return Err("the requester decided".to_owned());
        }
        if !deciders.contains(&approver) {
            return Err(format!("`{approver}` has no seat"));
        }
        match said.decision {
            DecisionKind::Approve => self.approvers.insert(approver),
            DecisionKind::Withdraw => {
                // A withdrawal of an approved request ends it; of a pending one it frees the seat.
                self.approvers.remove(&approver)
            }
            DecisionKind::Reject
            | DecisionKind::Revoke
            | DecisionKind::Override
            | DecisionKind::BreakGlass => true,
        };
        Ok(())
    }

    fn end(&mut self, how: &'static str, now: Timestamp) -> Result<(), String> {
        match self.ended.replace((how, now)) {
            None => Ok(()),
            Some((before, _)) => Err(format!("it had ended already by `{before}`")),
        }
    }
}

/// Whether the log holds what was promised.
fn holds(state: &State, promise: &Promise) -> bool {
    let Ok(id) = promise.request.parse() else { return false };
    let stream = Stream::Request(id);
    let mut events = state.stream(&stream);
    events.any(|event| {
        let body = serde_json::Value::Object(event.leaf.body.clone()).to_string();
        event.leaf.kind == promise.kind && body.contains(&promise.names)
    })
}
