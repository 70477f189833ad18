//! What must hold when clocks move, people change and processes die at the wrong moment.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code fails by panicking"
)]

mod world;

use chancery_canonical::Sha256;
use chancery_domain::document::IdentityDocument;
use chancery_domain::effect::Effect;
use chancery_domain::event::{LeaseIntended, RequestEvent, to_parts};
use chancery_domain::id::{LeaseId, RequestId};
use chancery_domain::leaf::Stream;
use chancery_domain::time::Timestamp;
use chancery_issuer::issue::{Issuer, Places};
use chancery_issuer::plan::GrantFacts;
use chancery_issuer::ssh::Krl;
use chancery_policy::Bundle;
use chancery_server::Config;
use chancery_store::{Append, NewEffect, NewEvent, Store as _, StreamAppend, Ticket};
use serde_json::{Value, json};
use world::{Person, World, signed_decision};

struct Scene {
    world: World,
    ada: Person,
    ben: Person,
    erin: Person,
    olga: Person,
}

impl Scene {
    fn new() -> Self {
        let (world, mut ada, mut ben) = World::sealed();
        let erin = world.admit("Erin", &["engineer"], &mut ada, &mut ben);
        let olga = world.admit("Olga", &["service_owner"], &mut ada, &mut ben);
        Self { world, ada, ben, erin, olga }
    }

    fn approved(&mut self) -> String {
        let request = self.world.request(&mut self.erin, "staging");
        self.world.decide(&mut self.olga, &request, "approve", None).good();
        request
    }

    fn credential(&self, request: &str, key: &str) -> world::Answer {
        let path = format!("/api/v1/grants/{request}/credentials");
        self.world.call_with(&self.erin, "POST", &path, None, &[("idempotency-key", key)])
    }

    fn kinds(&self, request: &str) -> Vec<String> {
        let view = self.world.view(&self.erin, request);
        let timeline = view["timeline"].as_array().unwrap();
        timeline.iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until the lease has this status.
    #[track_caller]
    fn await_lease(&self, request: &str, status: &str) -> Value {
        for _ in 0..100 {
            let view = self.world.view(&self.erin, request);
            if view["leases"][0]["status"] == json!(status) {
                return view;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("{:#}", self.world.view(&self.erin, request)["leases"]);
    }

    #[track_caller]
    fn verifies(&self, request: &str) {
        let failed = self.world.failed_checks(&self.erin, request);
        assert!(failed.is_empty(), "{failed:#?}");
    }
}

#[test]
fn a_clock_that_is_set_back_dates_nothing_before_what_is_logged() {
    let mut scene = Scene::new();
    scene.world.clock.advance(120);
    let request = scene.world.request(&mut scene.erin, "staging");
    let now = scene.world.clock.now();
    scene.world.clock.set(Timestamp::from_unix(now.unix() - 3600).unwrap());
    scene.world.decide(&mut scene.olga, &request, "approve", None).good();
    scene.credential(&request, "one").good();
    // A person let in meanwhile, too: streams of people are dated by the same clock.
    scene.world.admit("Fred", &["engineer"], &mut scene.ada, &mut scene.ben);
    scene.verifies(&request);
    let view = scene.world.view(&scene.erin, &request);
    let times: Vec<&str> =
        view["timeline"].as_array().unwrap().iter().map(|event| event["time"].as_str().unwrap()).collect();
    assert!(times.len() > 5 && times.is_sorted(), "{times:?}");
    assert_eq!(times.last(), Some(&now.to_string().as_str()), "{times:?}");
}

#[test]
fn nobody_is_suspended_between_a_decision_and_its_leaf() {
    let mut scene = Scene::new();
    let requests: Vec<String> = (0..10).map(|_| scene.world.request(&mut scene.erin, "staging")).collect();
    let mut decisions = Vec::new();
    for request in &requests {
        let path = format!("/api/v1/requests/{request}/decisions");
        let asked = scene.world.approval(request);
        let offer = scene.world.call(&scene.olga, "POST", &format!("{path}/options"), Some(&asked)).good();
        decisions.push((path, signed_decision(&mut scene.olga, &offer)));
    }
    let asked = json!({"act": "person.suspended", "body": {"person": scene.olga.id}});
    let offer = scene.world.call(&scene.ada, "POST", "/api/v1/identity/options", Some(&asked)).good();
    let document = offer["document"].as_str().unwrap().to_owned();
    let assertion = scene.ada.assert::<IdentityDocument>(&document);
    let act = json!({"document": document, "assertion": assertion});
    let (world, olga, ada) = (&scene.world, &scene.olga, &scene.ada);
    let recorded = std::thread::scope(|scope| {
        let started: Vec<_> = decisions
            .iter()
            .map(|(path, body)| scope.spawn(move || world.call(olga, "POST", path, Some(body)).status))
            .collect();
        std::thread::sleep(std::time::Duration::from_millis(30));
        world.call(ada, "POST", "/api/v1/identity", Some(&act)).good();
        started.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
    });
    for (request, status) in requests.iter().zip(&recorded) {
        let view = scene.world.view(&scene.erin, request);
        let state = if *status == 201 { "approved" } else { "pending" };
        assert_eq!(view["state"], json!(state), "{status} {recorded:?}");
        // Whatever was recorded, a stranger believes.
        if *status == 201 {
            scene.verifies(request);
        }
    }
}

#[test]
fn a_timer_that_fires_early_waits_for_its_deadline() {
    let mut scene = Scene::new();
    let request = scene.approved();
    scene.credential(&request, "one").good();
    scene.world.stop();
    // As after a clock that ran ahead for a moment: the timer is due, and its deadline is not.
    let due = scene.world.clock.now();
    let store = scene.world.store();
    scene.world.runtime.block_on(async {
        let claimed = store.claim_effects(due.plus(7 * 24 * 3600), 100, 1).await.unwrap();
        let timers: Vec<_> = claimed.iter().filter(|one| one.kind == "fire_clock").collect();
        assert!(!timers.is_empty(), "{claimed:?}");
        for timer in timers {
            assert!(store.retry_effect(&timer.key, timer.fence, due, "moved").await.unwrap());
        }
    });
    drop(store);
    scene.world.start();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    assert_eq!(scene.world.view(&scene.erin, &request)["state"], json!("active"));
    scene.world.clock.advance(600);
    scene.world.await_state(&scene.erin, &request, "expired");
}

#[test]
fn what_policy_says_before_each_credential_is_logged() {
    let mut scene = Scene::new();
    let request = scene.approved();
    let start = scene.kinds(&request).len();
    scene.credential(&request, "one").good();
    scene.world.clock.advance(60);
    scene.credential(&request, "two").good();
    let once = ["request.judged", "grant.activated", "lease.intended", "lease.issued"];
    let again = ["request.judged", "lease.intended", "lease.issued"];
    assert_eq!(scene.kinds(&request)[start..], [&once[..], &again[..]].concat());
    scene.verifies(&request);
}

/// Leaves on disk what a server does that announced a lease under this idempotency key and died.
fn announce_and_die(scene: &mut Scene, request: &str, lease: &LeaseId, key: &str) {
    scene.world.stop();
    let (now, config) = (scene.world.clock.now(), Config::read_from(&scene.world.data()).unwrap());
    let (authority, revocation_list) = (config.ssh_ca_key(), config.ssh_krl());
    let book = scene.world.data().join("issuer");
    let places = Places { authority: &authority, revocation_list: &revocation_list, book: &book };
    let issuer = Issuer::open(&places, now, Box::new(ring::rand::SystemRandom::new())).unwrap();
    let bundle = Bundle::read(&config.policy()).unwrap();
    let store = scene.world.store();
    let id: RequestId = request.parse().unwrap();
    scene.world.runtime.block_on(async {
        let events = store.stream(&Stream::Request(id.clone()), 1).await.unwrap();
        let body = |kind: &str| {
            let found = events.iter().find(|event| event.leaf.kind == kind).unwrap();
            Value::Object(found.leaf.body.clone())
        };
        let text = |value: &Value| serde_json::from_value::<Timestamp>(value.clone()).unwrap();
        let (activated, judged) = (body("grant.activated"), body("request.judged"));
        let read = async |sha256: &Value| {
            let sha256: Sha256 = serde_json::from_value(sha256.clone()).unwrap();
            store.document(sha256).await.unwrap().unwrap().bytes
        };
        let document =
            serde_json::from_slice(&read(&body("request.submitted")["request_sha256"]).await).unwrap();
        let verdict: chancery_domain::verdict::VerdictDocument =
            serde_json::from_slice(&read(&judged["verdict_sha256"]).await).unwrap();
        let ends_at = text(&activated["ends_at"]);
        let facts = GrantFacts {
            document: &document,
            entitlement: bundle.entitlement("ssh-admin").unwrap(),
            constraints: &verdict.constraints,
            started_at: text(&activated["started_at"]),
            ends_at,
        };
        let prepared = issuer.prepare(lease, &facts).unwrap();
        let (kind, body) = to_parts(&RequestEvent::LeaseIntended(LeaseIntended {
            lease: lease.clone(),
            credential: "ssh_certificate".to_owned(),
            serial: prepared.serial,
            to_be_signed_sha256: prepared.to_be_signed_sha256,
            issuer_nonce: prepared.issuer_nonce,
            not_after: ends_at,
        }))
        .unwrap();
        let mut append = Append::at(now);
        append.streams.push(StreamAppend {
            stream: Stream::Request(id.clone()),
            expected_version: events.len() as u64,
            events: vec![NewEvent { kind, body, private: None, attestation: None }],
        });
        let mut row = store.request_row(&id).await.unwrap().unwrap();
        (row.version, row.updated_at) = (row.version + 1, now);
        append.request_rows.push(row);
        let effect = Effect::SettleLease { request: id.clone(), lease: lease.clone() };
        let (key_of_effect, payload) = (effect.key(now), serde_json::to_value(&effect).unwrap());
        let (kind, due_at) = ("settle_lease".to_owned(), now.plus(60));
        append.effects.push(NewEffect { key: key_of_effect, kind, due_at, payload });
        let route = format!("POST /api/v1/grants/{request}/credentials");
        let parts: [&[u8]; 5] = [scene.erin.id.as_bytes(), b"\n", route.as_bytes(), b"\n", key.as_bytes()];
        append.remember.push(Ticket {
            kind: "idempotency".to_owned(),
            key: Sha256::of_parts(&parts).to_hex(),
            value: json!({"body_sha256": Sha256::of(b""), "made": lease}),
            expires_at: now.plus(24 * 3600),
        });
        store.append(append).await.unwrap();
    });
    drop(store);
    scene.world.start();
}

#[test]
fn a_lease_announced_before_a_crash_is_minted_once_after_it() {
    let mut scene = Scene::new();
    let request = scene.approved();
    scene.credential(&request, "one").good();
    let lease: LeaseId = "01ARZ3NDEKTSV4RRFFQ69G5FA1".parse().unwrap();
    announce_and_die(&mut scene, &request, &lease, "two");
    assert_eq!(scene.kinds(&request).last().map(String::as_str), Some("lease.intended"));
    scene.world.clock.advance(70);
    let credential = scene.credential(&request, "two").good();
    assert_eq!(credential["lease"], json!(lease));
    assert_eq!(scene.credential(&request, "two").good(), credential);
    scene.world.clock.advance(360);
    std::thread::sleep(std::time::Duration::from_millis(1200));
    let kinds = scene.kinds(&request);
    let count = |kind: &str| kinds.iter().filter(|known| *known == kind).count();
    assert_eq!(
        (count("lease.intended"), count("lease.issued"), count("lease.revoked")),
        (2, 2, 0),
        "{kinds:?}"
    );
    scene.verifies(&request);
}

#[test]
fn a_lease_announced_before_a_crash_and_never_minted_is_taken_back() {
    let mut scene = Scene::new();
    let request = scene.approved();
    // A grant that runs, with a lease that ends with it.
    scene.credential(&request, "one").good();
    let lease: LeaseId = "01ARZ3NDEKTSV4RRFFQ69G5FA1".parse().unwrap();
    announce_and_die(&mut scene, &request, &lease, "two");
    // Somebody may still ask for it; so nothing is settled yet.
    scene.world.clock.advance(100);
    std::thread::sleep(std::time::Duration::from_millis(1200));
    assert_eq!(scene.kinds(&request).last().map(String::as_str), Some("lease.intended"));
    scene.world.clock.advance(201);
    scene.credential(&request, "two").refused("lease_lapsed");
    scene.world.clock.advance(100);
    let view = scene.await_lease(&request, "revoked");
    assert_eq!(view["state"], json!("active"), "the grant and its other lease go on");
    let kinds = scene.kinds(&request);
    assert_eq!(kinds.iter().filter(|kind| *kind == "lease.revoked").count(), 1, "{kinds:?}");
    let answer = scene.credential(&request, "two");
    assert!(answer.status >= 400, "{}", answer.json());
    let one = scene.credential(&request, "one").good();
    let list = scene.world.open("GET", "/api/v1/revocations/ssh", None).bytes;
    let certificate = chancery_issuer::ssh::Certificate::parse(one["certificate"].as_str().unwrap()).unwrap();
    let list = Krl::decode(&list, certificate.authority()).unwrap();
    assert!(!list.revokes(certificate.contents().serial, ""));
    let mut serials =
        view["leases"].as_array().unwrap().iter().map(|lease| lease["serial"].as_str().unwrap());
    assert_eq!(serials.clone().count(), 2);
    assert!(serials.any(|serial| list.revokes(serial.parse().unwrap(), "")));
    scene.verifies(&request);
}

#[test]
fn enough_administrators_stay() {
    let mut scene = Scene::new();
    let offer = |scene: &Scene, act: &str, body: Value| {
        let asked = json!({"act": act, "body": body});
        scene.world.call(&scene.ada, "POST", "/api/v1/identity/options", Some(&asked))
    };
    let suspend = |scene: &Scene, person: &str| offer(scene, "person.suspended", json!({"person": person}));
    let (ada, ben, olga) = (scene.ada.id.clone(), scene.ben.id.clone(), scene.olga.id.clone());
    for person in [&ada, &ben] {
        suspend(&scene, person).refused("last_administrator");
        let body = json!({"person": person, "role": "identity_admin"});
        offer(&scene, "role.removed", body).refused("last_administrator");
    }
    // With a third, one of them may go, and not two, even when both were offered while they were three.
    let body = json!({"person": olga, "role": "identity_admin"});
    scene.world.act("role.granted", &body, &mut [&mut scene.ada, &mut scene.ben]);
    let offers = [suspend(&scene, &ben).good(), suspend(&scene, &olga).good()];
    let [first, second] = offers.map(|offer| {
        let document = offer["document"].as_str().unwrap().to_owned();
        let assertion = scene.ada.assert::<IdentityDocument>(&document);
        let body = json!({"document": document, "assertion": assertion});
        scene.world.call(&scene.ada, "POST", "/api/v1/identity", Some(&body))
    });
    assert_eq!(first.good()["status"], json!("recorded"));
    second.refused("last_administrator");
}
