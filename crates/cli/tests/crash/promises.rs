//! What clients were told. Whatever stands here must be true for ever.

use std::collections::{BTreeMap, BTreeSet};

use chancery_canonical::base64::decode_url;
use chancery_ledger::{Checkpoint, Hash, LogProof, VerifierKey};
use serde_json::Value;

use crate::site::Answer;

/// An event that somebody was shown, and where it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub stream: String,
    pub version: u64,
    pub kind: String,
}

/// A credential that somebody holds.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Number of the pair whose requester holds it.
    pub pair: usize,
    pub request: String,
    pub lease: String,
    pub serial: u64,
    /// Line of a `-cert.pub` file.
    pub line: String,
}

/// What clients were told, in one place for all of them.
#[derive(Clone)]
pub struct Promises {
    key: VerifierKey,
    /// Events by the index of their leaf.
    pub events: BTreeMap<u64, Event>,
    /// Bytes of leaves that came with a proof.
    pub leaves: BTreeMap<u64, Vec<u8>>,
    /// Indices of both that no auditor has looked up yet.
    pub unchecked: BTreeSet<u64>,
    /// Roots of the checkpoints that were seen, by size.
    pub roots: BTreeMap<u64, Hash>,
    /// By lease.
    pub certificates: BTreeMap<String, Certificate>,
    /// What each idempotency key made.
    pub made: BTreeMap<String, String>,
    /// The newest revocation list that was seen.
    pub list_number: u64,
    /// How often each code of a problem came.
    pub problems: BTreeMap<String, u64>,
    /// How often somebody was answered.
    pub answers: u64,
    /// Promises that contradict each other.
    pub violations: Vec<String>,
}

impl Promises {
    pub fn of_log(key: VerifierKey) -> Self {
        Self {
            key,
            events: BTreeMap::new(),
            leaves: BTreeMap::new(),
            unchecked: BTreeSet::new(),
            roots: BTreeMap::new(),
            certificates: BTreeMap::new(),
            made: BTreeMap::new(),
            list_number: 0,
            problems: BTreeMap::new(),
            answers: 0,
            violations: Vec::new(),
        }
    }

    pub fn violated(&mut self, what: impl Into<String>) {
        self.violations.push(what.into());
    }

    /// A request as it was shown; whoever sees an event may act on it.
    pub fn saw_request(&mut self, view: &Value) {
        self.answers += 1;
        let id = view["id"].as_str().unwrap();
        for entry in view["timeline"].as_array().unwrap() {
            let index = entry["leaf_index"].as_u64().unwrap();
            let event = Event {
                stream: format!("request/{id}"),
                version: entry["version"].as_u64().unwrap(),
                kind: entry["kind"].as_str().unwrap().to_owned(),
            };
            match self.events.insert(index, event.clone()) {
                None => drop(self.unchecked.insert(index)),
                Some(before) if before == event => {}
                Some(before) => {
                    self.violated(format!("leaf {index} was shown as {before:?} and as {event:?}"));
                }
            }
        }
    }

    /// A decision's receipt: the leaf itself, with its proof.
    pub fn saw_receipt(&mut self, receipt: &Value) {
        self.answers += 1;
        let leaf = decode_url(receipt["leaf"].as_str().unwrap()).unwrap();
        let index = receipt["leaf_index"].as_u64().unwrap();
        let proof = LogProof::parse(receipt["proof"].as_str().unwrap().as_bytes());
        match proof.map(|proof| (proof.index(), proof.verify_with_key(&leaf, &self.key))) {
            Ok((proved, Ok(entry))) if proved == index => {
                let root = *entry.checkpoint().root();
                self.saw_root(root.size(), root.hash());
                self.unchecked.insert(index);
                self.leaves.insert(index, leaf);
            }
            other => self.violated(format!("the receipt of leaf {index} proves nothing: {other:?}")),
        }
    }

    /// A signed checkpoint; its size, when it is one.
    pub fn saw_checkpoint(&mut self, note: &[u8]) -> Option<(u64, Hash)> {
        match Checkpoint::open(note, &self.key) {
            Ok(signed) => {
                let (size, hash) = (signed.root().size(), signed.root().hash());
                self.saw_root(size, hash);
                Some((size, hash))
            }
            Err(fault) => {
                self.violated(format!("a checkpoint that does not verify: {fault}"));
                None
            }
        }
    }

    fn saw_root(&mut self, size: u64, hash: Hash) {
        if self.roots.insert(size, hash).is_some_and(|before| before != hash) {
            self.violated(format!("two roots of {size} leaves were signed"));
        }
    }

    /// A credential, and the idempotency key that it came with.
    pub fn saw_credential(&mut self, pair: usize, request: &str, key: &str, credential: &Value) {
        self.answers += 1;
        let text = |member: &str| credential[member].as_str().unwrap().to_owned();
        let certificate = Certificate {
            pair,
            request: request.to_owned(),
            lease: text("lease"),
            serial: text("serial").parse().unwrap(),
            line: text("certificate"),
        };
        self.saw_made(key, &certificate.lease);
        let same = |before: &Certificate| before.line == certificate.line;
        if self.certificates.get(&certificate.lease).is_some_and(|before| !same(before)) {
            self.violated(format!("lease `{}` has two certificates", certificate.lease));
        }
        self.certificates.insert(certificate.lease.clone(), certificate);
    }

    /// What an idempotency key made.
    pub fn saw_made(&mut self, key: &str, what: &str) {
        if let Some(before) =
            self.made.insert(key.to_owned(), what.to_owned()).filter(|before| before != what)
        {
            self.violated(format!("one idempotency key made `{before}` and `{what}`"));
        }
    }

    /// The number of a revocation list.
    pub fn saw_list(&mut self, number: u64) {
        if number < self.list_number {
            self.violated(format!("revocation list {number} came after {}", self.list_number));
        }
        self.list_number = self.list_number.max(number);
    }

    /// An answer that is none of the above: what it must be all the same.
    pub fn saw_problem(&mut self, answer: &Answer, expected: &[&str]) {
        let code = answer.code();
        if !answer.is_problem() {
            self.violated(format!("not a problem with a remedy: {}", answer.text()));
        } else if !expected.contains(&code.as_str()) {
            self.violated(format!("unexpected: {}", answer.text()));
        }
        *self.problems.entry(code).or_default() += 1;
    }
}
