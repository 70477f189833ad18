//! The way of a request, from submission to revocation, with every step of the issuer's and each commit of the
//! journal failing once: "not done", and "done but reported failed". A client that repeats with the same idempotency
//! key ends with one request, one decision, one certificate and one revocation, and a stranger believes all of it.
//!
//! A binary of its own: an armed point is armed for the whole process.

#![cfg(debug_assertions)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code fails by panicking"
)]

mod world;

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chancery_faults::{Mode, arm};
use chancery_issuer::ssh::{Certificate, Krl};
use chancery_server::{Config, Server};
use serde_json::{Value, json};
use world::{Answer, Person, World, signed_decision, signed_request, ssh_draft};

/// Points that are reached on the way, and how many of their hits at most are made to fail in the short form.
const POINTS: [(&str, usize); 13] = [
    ("issuer.book.open", 9),
    ("issuer.book.read", 9),
    ("issuer.book.rename", 9),
    ("issuer.book.sync", 9),
    ("issuer.book.sync_folder", 9),
    ("issuer.book.write", 9),
    ("issuer.list.lock", 9),
    ("issuer.list.read", 9),
    ("issuer.list.rename", 9),
    ("issuer.list.stage", 9),
    ("issuer.list.sync_folder", 9),
    ("issuer.sign", 9),
    ("store.commit", 6),
];

/// Points that only a start reaches.
const AT_START: [&str; 2] = ["issuer.book.folder", "issuer.list.read"];

/// Points that only a seal reaches: `rotation_steps.rs` makes them fail.
const AT_SEAL: [&str; 5] = [
    "issuer.trust.open",
    "issuer.trust.rename",
    "issuer.trust.sync",
    "issuer.trust.sync_folder",
    "issuer.trust.write",
];

/// What the nightly run adds; the engine's own test has each of them at every hit.
const LONG: [(&str, usize); 8] = [
    ("store.begin", 40),
    ("store.claim_effects", 10),
    ("store.commit", 60),
    ("store.copy.rename", 40),
    ("store.finish_effect", 9),
    ("store.put_ticket", 9),
    ("store.read", 150),
    ("store.release", 40),
];

/// Attempts before somebody gives up.
const ATTEMPTS: usize = 4;

/// An armed point fires in whatever server of this process reaches it first, so there is one scene at a time.
static ONE_SCENE: Mutex<()> = Mutex::new(());

struct Scene {
    _alone: MutexGuard<'static, ()>,
    world: World,
    erin: Person,
    olga: Person,
    /// Requests so far.
    requests: u64,
}

impl Scene {
    fn new() -> Self {
        let alone = ONE_SCENE.lock().unwrap_or_else(PoisonError::into_inner);
        let (world, mut ada, mut ben) = World::sealed();
        let erin = world.admit("Erin", &["engineer"], &mut ada, &mut ben);
        let olga = world.admit("Olga", &["service_owner"], &mut ada, &mut ben);
        Self { _alone: alone, world, erin, olga, requests: 0 }
    }

    /// Sends the same again while the server says that it failed.
    fn insist(&self, person: &Person, path: &str, body: Option<&Value>, key: Option<&str>) -> Answer {
        let headers: Vec<(&str, &str)> = key.map(|key| ("idempotency-key", key)).into_iter().collect();
        for _ in 0..ATTEMPTS {
            let answer = self.world.call_with(person, "POST", path, body, &headers);
            if answer.status != 500 {
                return answer;
            }
            assert_eq!(answer.code(), "fault", "{}", answer.json());
        }
        panic!("`{path}` fails and fails");
    }

    fn view(&self, request: &str) -> Value {
        for _ in 0..ATTEMPTS {
            let answer = self.world.call(&self.erin, "GET", &format!("/api/v1/requests/{request}"), None);
            if answer.status != 500 {
                return answer.good();
            }
        }
        panic!("`{request}` cannot be read");
    }

    fn submit(&mut self, key: &str) -> String {
        let asked = ssh_draft(&self.erin, "staging");
        let draft = self.insist(&self.erin, "/api/v1/drafts", Some(&asked), None).good();
        let body = signed_request(&mut self.erin, &draft);
        let view = self.insist(&self.erin, "/api/v1/requests", Some(&body), Some(key)).good();
        view["id"].as_str().unwrap().to_owned()
    }

    /// Signs a decision; whoever is told that it failed looks before signing another one.
    fn approve(&mut self, request: &str) {
        let path = format!("/api/v1/requests/{request}/decisions");
        let asked = self.world.approval(request);
        for _ in 0..ATTEMPTS {
            let offer = self.insist(&self.olga, &format!("{path}/options"), Some(&asked), None).good();
            let body = signed_decision(&mut self.olga, &offer);
            let answer = self.world.call(&self.olga, "POST", &path, Some(&body));
            if answer.status != 500 {
                answer.good();
                return;
            }
            if self.view(request)["state"] == json!("approved") {
                return;
            }
        }
        panic!("`{request}` cannot be decided");
    }

    fn end(&self, request: &str) {
        let path = format!("/api/v1/grants/{request}/end");
        for _ in 0..ATTEMPTS {
            if self.view(request)["state"] != json!("active") {
                return;
            }
            let _ = self.world.call(&self.erin, "POST", &path, None);
        }
        panic!("`{request}` cannot be ended");
    }

    /// Waits until the log says that the only lease is revoked. The clock moves on, so that what failed is repeated.
    fn await_revocation(&self, request: &str) -> Value {
        for _ in 0..400 {
            let view = self.view(request);
            if view["leases"][0]["status"] == json!("revoked") {
                return view;
            }
            self.world.clock.advance(1);
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        panic!("never revoked: {:#}", self.view(request));
    }

    /// The whole way. Whatever fails once on it, what comes out is the same.
    fn whole_way(&mut self, label: &str) {
        self.requests += 1;
        let label = format!("{label}, request {}", self.requests);
        let request = self.submit(&format!("submit {label}"));
        self.approve(&request);
        let path = format!("/api/v1/grants/{request}/credentials");
        let key = format!("credential {label}");
        let credential = self.insist(&self.erin, &path, None, Some(&key)).good();
        let again = self.insist(&self.erin, &path, None, Some(&key)).good();
        assert_eq!(credential, again, "a repeat made another credential");
        self.end(&request);
        let view = self.await_revocation(&request);
        self.check(&request, &credential, &view);
    }

    fn check(&self, request: &str, credential: &Value, view: &Value) {
        let kinds: Vec<&str> =
            view["timeline"].as_array().unwrap().iter().map(|e| e["kind"].as_str().unwrap()).collect();
        for kind in [
            "request.submitted",
            "decision.recorded",
            "request.approved",
            "grant.activated",
            "lease.intended",
            "lease.issued",
            "lease.revoked",
        ] {
            let count = kinds.iter().filter(|known| **known == kind).count();
            assert_eq!(count, 1, "`{kind}` in {kinds:?}");
        }
        let certificate = Certificate::parse(credential["certificate"].as_str().unwrap()).unwrap();
        let list = self.insist_on_list();
        let list = Krl::decode(&list, certificate.authority()).unwrap();
        assert!(list.revokes(certificate.contents().serial, ""), "not on the host's list");
        // An export that failed is no zip; the second one is.
        let unread =
            |failed: &Vec<String>| failed.iter().any(|check| check.contains("this is not a zip file"));
        let mut exports = (0..ATTEMPTS).map(|_| self.world.failed_checks(&self.erin, request));
        let failed = exports.find(|failed| !unread(failed)).unwrap();
        assert_eq!(failed, Vec::<String>::new(), "a stranger does not believe it");
        let listed = self.world.call(&self.erin, "GET", "/api/v1/requests?limit=200", None).good();
        assert_eq!(listed["items"].as_array().unwrap().len() as u64, self.requests, "requests");
    }

    fn insist_on_list(&self) -> Vec<u8> {
        for _ in 0..ATTEMPTS {
            let answer = self.world.open("GET", "/api/v1/revocations/ssh", None);
            if answer.status == 200 {
                return answer.bytes;
            }
        }
        panic!("the list cannot be read");
    }
}

/// Fails a point at each of its first hits, both ways; returns how many failures that made.
fn check(scene: &mut Scene, point: &'static str, most: usize) -> usize {
    let mut failures = 0;
    for mode in [Mode::NotDone, Mode::DoneButFailed] {
        for passing in 0..most {
            let what = format!("`{point}` {mode:?}, hit {passing}");
            let armed = arm(point, mode, passing);
            let done = std::panic::catch_unwind(AssertUnwindSafe(|| scene.whole_way(&what)));
            let fired = armed.fired();
            drop(armed);
            assert!(done.is_ok(), "{what}: see above");
            assert!(fired || passing > 0, "{what}: nothing reaches it");
            if !fired {
                break;
            }
            failures += 1;
        }
    }
    failures
}

#[test]
fn the_whole_way_with_every_step_failing() {
    let mut scene = Scene::new();
    scene.whole_way("without a fault");
    let nightly = std::env::var_os("CHANCERY_NIGHTLY").is_some();
    let rows = POINTS.iter().chain(LONG.iter().filter(|_| nightly));
    let mut failures = 0;
    for (point, most) in rows {
        failures += check(&mut scene, point, *most);
        scene.world.restart();
    }
    println!("{failures} failures injected on the whole way, {} requests, 0 violations", scene.requests);
}

/// A start that fails leaves nothing behind that would hinder the next.
#[test]
fn a_start_fails_and_the_next_one_does_not() {
    let mut scene = Scene::new();
    for point in AT_START {
        for mode in [Mode::NotDone, Mode::DoneButFailed] {
            scene.world.stop();
            let config = Config::read_from(&scene.world.data()).unwrap();
            let armed = arm(point, mode, 0);
            let started = Server::start_with_clock(config, scene.world.clock.clone());
            let failed = scene.world.runtime.block_on(started).err().map(|error| error.to_string());
            assert!(armed.fired(), "`{point}`: nothing reaches it");
            drop(armed);
            assert!(failed.is_some_and(|text| text.contains("injected")), "`{point}` {mode:?}");
            scene.world.start();
        }
    }
    scene.whole_way("after the starts");
}

#[test]
fn every_point_of_the_issuer_has_a_row() {
    let mut found = BTreeSet::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../issuer/src"), &mut found);
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    let rows = POINTS.iter().map(|(point, _)| *point).chain(AT_START).chain(AT_SEAL);
    let listed: BTreeSet<String> =
        rows.filter(|point| point.starts_with("issuer.")).map(str::to_owned).collect();
    assert_eq!(found, listed, "points in the sources, and points in the table");
}

/// The names of all points in a folder of sources.
fn collect(folder: &Path, found: &mut BTreeSet<String>) {
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            collect(&path, found);
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        found.extend(text.split('"').filter(|part| part.starts_with("issuer.")).map(str::to_owned));
    }
}
