//! Every step of input and output in the SQLite engine fails once, in both ways: "not done", and "done but reported
//! failed". A caller that reads again and repeats what is missing ends where it would have ended without the fault.
//!
//! A binary of its own: an armed point is armed for the whole process.

#![cfg(debug_assertions)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code fails by panicking")]

use std::cell::Cell;
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;

use chancery_canonical::{Disclosure, Sha256};
use chancery_domain::id::{PersonId, RequestId};
use chancery_domain::leaf::Stream;
use chancery_domain::time::Timestamp;
use chancery_faults::{Mode, arm};
use chancery_ledger::{KeyType, Origin, SignerKey, VerifierKey};
use chancery_store::{
    Append, AppendError, ClaimedEffect, Document, Erasure, Fault, LogSigner, NewAttestation, NewEffect,
    NewEvent, OpenError, Projection, Rebuild, RequestFilter, RequestRow, SqliteOptions, SqliteStore, Store,
    StreamAppend, Ticket, TicketKey, kept_checkpoint,
};
use serde_json::{Map, json};
use tokio::runtime::Runtime;

/// Every point of the engine. `every_point_has_a_row` holds the list against the sources.
const POINTS: [&str; 47] = [
    "store.add_effect",
    "store.attestation",
    "store.begin",
    "store.claim_effects",
    "store.commit",
    "store.consume",
    "store.copy.open",
    "store.copy.overwrite",
    "store.copy.read",
    "store.copy.rename",
    "store.copy.sync",
    "store.copy.sync_data",
    "store.copy.sync_folder",
    "store.copy.write",
    "store.document",
    "store.effect",
    "store.erase",
    "store.event",
    "store.finish_effect",
    "store.head",
    "store.leaf",
    "store.open.begin",
    "store.open.connect",
    "store.open.file",
    "store.open.folder",
    "store.open.load",
    "store.open.lock",
    "store.open.migrate",
    "store.open.release",
    "store.open.schema",
    "store.put_private",
    "store.put_ticket",
    "store.read",
    "store.rebuild",
    "store.release",
    "store.remember",
    "store.retry_effect",
    "store.row",
    "store.savepoint",
    "store.settle",
    "store.sign",
    "store.stream",
    "store.sweep_tickets",
    "store.take_ticket",
    "store.tile",
    "store.truncate",
    "store.undo",
];

/// Attempts of a caller before it gives up. A point fails once, so the third would show a fault that stays.
const ATTEMPTS: usize = 3;
const LEASE_SECONDS: u64 = 60;

fn at(seconds: u64) -> Timestamp {
    "2026-11-22T12:00:00Z".parse::<Timestamp>().unwrap().plus(seconds)
}

fn id() -> RequestId {
    "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap()
}

fn person() -> PersonId {
    "01ARZ3NDEKTSV4RRFFQ69G5FA1".parse().unwrap()
}

fn signer() -> LogSigner {
    let origin: Origin = "log.example.com".parse().unwrap();
    let key = SignerKey::from_seed(origin.key_name(), KeyType::Ed25519, &[7; 32]).unwrap();
    LogSigner::new(origin, key)
}

fn log_key() -> VerifierKey {
    signer().verifier().clone()
}

fn open(folder: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(SqliteOptions {
        database: folder.join("data/chancery.db"),
        checkpoint_copy: folder.join("apart/checkpoint"),
        signer: signer(),
    })
}

fn row(version: u64) -> RequestRow {
    RequestRow {
        id: id(),
        version,
        state: "pending".to_owned(),
        revision: 1,
        requester: person(),
        beneficiary: person(),
        participants: Vec::new(),
        entitlement: "prod-database".to_owned(),
        subject: "db-1".to_owned(),
        grant_seconds: 900,
        risk_score: 40,
        created_at: at(0),
        updated_at: at(0),
        due_at: Some(at(3600)),
        summary: json!({}),
    }
}

fn projection() -> Projection {
    Arc::new(|_, events| Ok(row(events.last().ok_or("no events")?.position.version)))
}

fn disclosure() -> Disclosure {
    Disclosure::new(&[3; 16], "name", json!("Ada")).unwrap()
}

fn event(kind: &str, attested: bool) -> NewEvent {
    let leaf = format!(r#"{{"kind":"hashedrekord","spec":"{kind}"}}"#).into_bytes();
    let attestation = attested.then(|| NewAttestation { leaf, envelope: b"envelope".to_vec() });
    let private = Some(json!({"disclosures": [disclosure().as_str()]}));
    NewEvent { kind: kind.to_owned(), body: Map::new(), private, attestation }
}

fn to_request(expected_version: u64, time: Timestamp, events: Vec<NewEvent>) -> Append {
    let version = expected_version + events.len() as u64;
    let streams = vec![StreamAppend { stream: Stream::Request(id()), expected_version, events }];
    Append { streams, request_rows: vec![row(version)], ..Append::at(time) }
}

fn ticket(kind: &str, expires: u64) -> Ticket {
    Ticket { kind: kind.to_owned(), key: "k".to_owned(), value: json!(1), expires_at: at(expires) }
}

fn key(kind: &str) -> TicketKey {
    TicketKey { kind: kind.to_owned(), key: "k".to_owned() }
}

fn effect(name: &str) -> NewEffect {
    NewEffect { key: name.to_owned(), kind: "test".to_owned(), due_at: at(0), payload: json!({}) }
}

/// A careful caller: after a fault it finds out what happened before it goes on.
struct Caller {
    store: SqliteStore,
    /// Faults so far.
    faults: Cell<usize>,
    /// What was acknowledged: the log is never shorter than this again.
    acknowledged: Cell<u64>,
}

impl Caller {
    fn at(folder: &Path) -> Self {
        let mut failed = 0;
        loop {
            match open(folder) {
                Ok(store) => {
                    return Self { store, faults: Cell::new(failed), acknowledged: Cell::new(0) };
                }
                Err(error) if failed < ATTEMPTS => {
                    assert!(error.to_string().contains("injected"), "{error}");
                    failed += 1;
                }
                Err(error) => panic!("it does not open any more: {error}"),
            }
        }
    }

    fn faulted(&self, fault: &Fault) {
        assert!(fault.to_string().contains("injected"), "{fault}");
        self.faults.set(self.faults.get() + 1);
        assert!(self.faults.get() <= ATTEMPTS, "the fault stays: {fault}");
    }

    async fn version(&self) -> u64 {
        loop {
            match self.store.stream(&Stream::Request(id()), 0).await {
                Ok(events) => return events.len() as u64,
                Err(fault) => self.faulted(&fault),
            }
        }
    }

    /// Appends unless it turns out to have been appended.
    async fn append(&self, append: Append) {
        let before = append.streams.first().unwrap().expected_version;
        loop {
            match self.store.append(append.clone()).await {
                Ok(appended) => {
                    self.acknowledged.set(appended.checkpoint.root().size());
                    return;
                }
                Err(AppendError::Fault(fault)) => self.faulted(&fault),
                Err(other) => panic!("{other}"),
            }
            if self.version().await > before {
                // It was done and reported to fail, and nobody repeats it: the checkpoint covers it all the same.
                let (checkpoint, _) = self.repeat(|| self.store.checkpoint()).await;
                let (leaves, _) = self.repeat(|| self.store.entries(0..1_000)).await;
                assert_eq!(checkpoint.root().size(), leaves.len() as u64, "the checkpoint is not the newest");
                return;
            }
        }
    }

    /// A refused append leaves nothing, whichever way the fault goes.
    async fn be_refused(&self, append: Append) {
        loop {
            match self.store.append(append.clone()).await {
                Err(AppendError::Fault(fault)) => self.faulted(&fault),
                Err(AppendError::Conflict { .. } | AppendError::TicketGone { .. }) => return,
                other => panic!("{other:?}"),
            }
        }
    }

    /// Repeats a call that may be repeated; says whether it had failed before.
    async fn repeat<T, F: Future<Output = Result<T, Fault>>>(&self, call: impl Fn() -> F) -> (T, bool) {
        let before = self.faults.get();
        loop {
            match call().await {
                Ok(value) => return (value, self.faults.get() > before),
                Err(fault) => self.faulted(&fault),
            }
        }
    }

    /// Claims what is due; what was claimed without an answer comes back when its lease is over.
    async fn claim(&self, now: Timestamp) -> Vec<ClaimedEffect> {
        let (claimed, failed) = self.repeat(|| self.store.claim_effects(now, 10, LEASE_SECONDS)).await;
        if !claimed.is_empty() || !failed {
            return claimed;
        }
        self.repeat(|| self.store.claim_effects(now.plus(LEASE_SECONDS), 10, LEASE_SECONDS)).await.0
    }

    async fn sound(&self) {
        let (found, _) = self.repeat(|| self.store.integrity(Some(projection()))).await;
        assert_eq!(found, [], "findings");
        let (checkpoint, _) = self.repeat(|| self.store.checkpoint()).await;
        assert!(checkpoint.root().size() >= self.acknowledged.get(), "an acknowledged append is gone");
    }
}

/// Everything that an engine is asked to write, once. Returns root and leaf count, for comparison.
async fn live(folder: &Path) -> (String, Vec<Vec<u8>>) {
    let caller = Caller::at(folder);
    let mut first = to_request(0, at(0), vec![event("a", true), event("b", false)]);
    first.documents = vec![Document {
        sha256: Sha256::of(b"bytes"),
        media_type: "text/plain".to_owned(),
        bytes: b"bytes".to_vec(),
    }];
    first.effects = vec![effect("first"), effect("second")];
    first.remember = vec![ticket("idempotency", 3600)];
    caller.append(first).await;
    caller.be_refused(to_request(0, at(0), vec![event("x", true)])).await;
    caller.repeat(|| caller.store.put_ticket(ticket("nonce", 3600))).await;
    caller.repeat(|| caller.store.put_ticket(ticket("session", 10))).await;
    let twice = Append { consume: vec![key("nonce"); 2], ..to_request(2, at(0), vec![event("x", true)]) };
    caller.be_refused(twice).await;
    let session = key("session");
    let (taken, failed) = caller.repeat(|| caller.store.take_ticket(&session, at(5))).await;
    assert!(taken.is_some() || failed, "a ticket is gone that nobody took");
    caller.repeat(|| caller.store.add_effect(effect("third"))).await;

    let claimed = caller.claim(at(10)).await;
    assert_eq!(claimed.iter().map(|one| one.key.as_str()).collect::<Vec<_>>(), ["first", "second", "third"]);
    for one in &claimed {
        let (done, failed) = match one.key.as_str() {
            "first" => caller.repeat(|| caller.store.finish_effect(&one.key, one.fence)).await,
            _ => caller.repeat(|| caller.store.retry_effect(&one.key, one.fence, at(400), "not yet")).await,
        };
        assert!(done || failed, "`{}` was lost to nobody", one.key);
    }
    let mut second = to_request(2, at(20), vec![event("c", true)]);
    second.consume = vec![key("nonce")];
    second.settle_effects = vec!["second".to_owned()];
    second.erase = vec![Erasure { leaf_index: 0, digests: vec![disclosure().digest()] }];
    second.effects = vec![effect("first")];
    caller.append(second).await;
    caller.repeat(|| caller.store.put_private(2, json!({"kept": true}))).await;
    caller.repeat(|| caller.store.rebuild(Rebuild::Rewrite, projection())).await;
    caller.repeat(|| caller.store.sweep_tickets(at(3600))).await;
    caller.sound().await;
    drop(caller);
    settled(folder).await
}

/// After a restart: the effects that are left are those that nobody finished, each once.
async fn settled(folder: &Path) -> (String, Vec<Vec<u8>>) {
    let caller = Caller::at(folder);
    caller.sound().await;
    let left = caller.claim(at(10_000)).await;
    assert_eq!(left.iter().map(|one| one.key.as_str()).collect::<Vec<_>>(), ["third"]);
    let (page, _) = caller.repeat(|| caller.store.request_rows(RequestFilter::default(), None, 10)).await;
    assert_eq!(page.rows, [row(3)]);
    let stream = Stream::Request(id());
    let (events, _) = caller.repeat(|| caller.store.stream(&stream, 1)).await;
    assert_eq!(events.first().unwrap().private, Some(json!({"disclosures": []})));
    let (checkpoint, _) = caller.repeat(|| caller.store.checkpoint()).await;
    let kept = || kept_checkpoint(&folder.join("apart/checkpoint"), &log_key());
    let copy = kept().or_else(|_| kept()).unwrap();
    assert_eq!(copy.as_ref(), Some(&checkpoint), "the copy is not the newest checkpoint");
    let (leaves, _) = caller.repeat(|| caller.store.entries(0..100)).await;
    (checkpoint.root().hash().to_string(), leaves)
}

fn run(runtime: &Runtime) -> (String, Vec<Vec<u8>>) {
    // In memory where that is possible: nothing here is about what a disk keeps, and thousands of syncs are slow.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    runtime.block_on(live(folder.path()))
}

#[test]
fn every_step_fails_both_ways() {
    let runtime = Runtime::new().unwrap();
    let expected = run(&runtime);
    let mut failures = 0;
    for point in POINTS {
        for mode in [Mode::NotDone, Mode::DoneButFailed] {
            let mut passing = 0;
            loop {
                let armed = arm(point, mode, passing);
                let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| run(&runtime)));
                let (fired, what) = (armed.fired(), format!("`{point}` {mode:?}, hit {passing}"));
                assert!(fired || passing > 0, "{what}: nothing reaches it");
                let outcome = outcome.unwrap_or_else(|_| panic!("{what}: see above"));
                assert!(outcome == expected, "{what}: another log came out of it");
                if !fired {
                    break;
                }
                (passing, failures) = (passing + 1, failures + 1);
            }
        }
    }
    println!("{failures} failures injected at {} points, 0 violations", POINTS.len());
}

#[test]
fn every_point_has_a_row() {
    let mut found = BTreeSet::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    let listed: BTreeSet<String> = POINTS.iter().map(|point| (*point).to_owned()).collect();
    assert_eq!(found, listed, "points in the sources, and points in the table");
}

/// The names of all points in a folder of sources: every string that begins with `store.`.
fn collect(folder: &Path, found: &mut BTreeSet<String>) {
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            collect(&path, found);
            continue;
        }
        for part in std::fs::read_to_string(&path).unwrap().split('"').filter(|p| p.starts_with("store.")) {
            found.insert(part.to_owned());
        }
    }
}
