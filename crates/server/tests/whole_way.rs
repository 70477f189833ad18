//! The whole way of a request, over HTTP, on real parts: from an empty folder to evidence that a stranger verifies.

mod world;

use chancery_evidence::verify::{Options, verify_zip};
use chancery_issuer::issue::read_certificate;
use chancery_issuer::ssh::{Certificate, Krl};
use serde_json::json;
use world::{World, trust};

#[track_caller]
fn verifies(world: &World, zip: &[u8]) {
    let options =
        Options { require_replay: true, certificates: Some(&read_certificate), ..Options::default() };
    let verification = verify_zip(zip, &trust(&world.data().join("trust")), &options);
    let failed: Vec<_> = verification
        .checks
        .iter()
        .filter(|check| matches!(check.outcome, chancery_evidence::verify::Outcome::Fail(_)))
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn from_an_empty_folder_to_evidence() {
    let (mut world, mut ada, mut ben) = World::sealed();
    let mut erin = world.admit("Erin", &["engineer"], &mut ada, &mut ben);
    let mut olga = world.admit("Olga", &["service_owner"], &mut ada, &mut ben);
    let mut sven = world.admit("Sven", &["security"], &mut ada, &mut ben);
    let mut sara = world.admit("Sara", &["security"], &mut ada, &mut ben);

    world.log_in(&mut erin);
    let draft = world.draft(&erin, "production");
    assert_eq!(draft["preview"]["verdict"]["verdict"], json!("require_approval"), "{draft:#}");
    // The policy understands what the signal says: where Erin is, is known, and she never asked from there.
    let factors = draft["preview"]["verdict"]["risk"]["factors"].to_string();
    assert!(factors.contains("origin.first_seen") && !factors.contains("origin.unknown"), "{factors}");
    let view = world.submit(&mut erin, &draft).good();
    assert_eq!(view["state"], json!("pending"));
    // The next time she did.
    let factors = world.draft(&erin, "production")["preview"]["verdict"]["risk"]["factors"].to_string();
    assert!(!factors.contains("origin."), "{factors}");
    let request = view["id"].as_str().unwrap().to_owned();

    let mut state = json!("pending");
    for approver in [&mut olga, &mut sven, &mut sara] {
        assert_eq!(state, json!("pending"));
        let answer = world.decide(approver, &request, "approve", Some("checked with the on-call engineer"));
        let outcome = answer.good();
        state = outcome["request"]["state"].clone();
        assert!(outcome["receipt"]["proof"].as_str().unwrap().starts_with("c2sp.org/tlog-proof@v1\n"));
        if state == json!("approved") {
            break;
        }
    }
    assert_eq!(state, json!("approved"));

    let path = format!("/api/v1/grants/{request}/credentials");
    let credential = world.call_with(&erin, "POST", &path, None, &[("idempotency-key", "one")]).good();
    let line = credential["certificate"].as_str().unwrap();
    let certificate = Certificate::parse(line).unwrap();
    assert_eq!(certificate.contents().serial.to_string(), credential["serial"].as_str().unwrap());
    let again = world.call_with(&erin, "POST", &path, None, &[("idempotency-key", "one")]).good();
    assert_eq!(again, credential);
    world
        .call_with(&erin, "POST", &path, Some(&json!({})), &[("idempotency-key", "one")])
        .refused("idempotency_key_reused");

    let evidence = format!("/api/v1/requests/{request}/evidence");
    verifies(&world, &world.call(&olga, "GET", &evidence, None).bytes);

    // Revoked by one of those who approved: the list carries the serial, and the log says so.
    world.decide(&mut olga, &request, "revoke", Some("the disk is fine")).good();
    let view = world.await_state(&erin, &request, "revoked");
    assert_eq!(view["state"], json!("revoked"));
    // What is already open on the host cannot be called back, and that is said.
    let grant = world.call(&erin, "GET", &format!("/api/v1/grants/{request}"), None).good();
    let serial = credential["serial"].as_str().unwrap();
    let named = json!(format!("ID {request} (serial {serial})"));
    assert_eq!(grant["sessions_may_stay_open"][0]["named_in_log"], named, "{grant:#}");
    let mut revoked = false;
    for _ in 0..100 {
        let view = world.view(&erin, &request);
        revoked = view["leases"][0]["status"] == json!("revoked");
        if revoked {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(revoked);
    let list = world.open("GET", "/api/v1/revocations/ssh", None).bytes;
    let list = Krl::decode(&list, certificate.authority()).unwrap();
    assert!(list.revokes(certificate.contents().serial, &certificate.contents().key_id));
    world.call(&erin, "POST", &path, None).refused("wrong_state");

    let zip = world.call(&erin, "GET", &evidence, None);
    assert_eq!(zip.header("content-type"), Some("application/zip"));
    verifies(&world, &zip.bytes);

    // Everything is believed again after a restart, from the log alone.
    world.restart();
    assert_eq!(world.view(&erin, &request)["state"], json!("revoked"));
    verifies(&world, &world.call(&erin, "GET", &evidence, None).bytes);
}
