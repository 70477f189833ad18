//! Grants beside each other: two people's wishes, or one person's twice, never decide over one another.

#![expect(clippy::unwrap_used, reason = "test code fails by panicking")]

mod world;

use chancery_issuer::ssh::{Certificate, Krl};
use serde_json::{Value, json};
use world::{Person, World};

fn credential(world: &World, person: &Person, request: &str) -> Value {
    world.call(person, "POST", &format!("/api/v1/grants/{request}/credentials"), None).good()
}

/// Waits until the host's list carries the serial, or says that it never did.
fn is_revoked(world: &World, certificate: &Certificate) -> bool {
    (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        let list = world.open("GET", "/api/v1/revocations/ssh", None).bytes;
        let list = Krl::decode(&list, certificate.authority()).unwrap();
        list.revokes(certificate.contents().serial, &certificate.contents().key_id)
    })
}

#[test]
fn of_two_overlapping_grants_one_ends_without_the_other() {
    let (world, mut ada, mut ben) = World::sealed();
    let mut erin = world.admit("Erin", &["engineer"], &mut ada, &mut ben);
    let mut olga = world.admit("Olga", &["service_owner"], &mut ada, &mut ben);
    let [first, second] = [(); 2].map(|()| world.request(&mut erin, "staging"));
    for request in [&first, &second] {
        world.decide(&mut olga, request, "approve", None).good();
    }
    let [gone, kept] = [&first, &second].map(|request| {
        let line = credential(&world, &erin, request);
        Certificate::parse(line["certificate"].as_str().unwrap()).unwrap()
    });

    world.call(&erin, "POST", &format!("/api/v1/grants/{first}/end"), None).good();
    assert!(is_revoked(&world, &gone));
    let list = world.open("GET", "/api/v1/revocations/ssh", None).bytes;
    let list = Krl::decode(&list, kept.authority()).unwrap();
    assert!(
        !list.revokes(kept.contents().serial, &kept.contents().key_id),
        "the other grant's is still good"
    );
    assert_eq!(world.view(&erin, &first)["state"], json!("completed"));
    assert_eq!(world.view(&erin, &second)["state"], json!("active"));
    credential(&world, &erin, &second);

    // And the other way round: the clock of the second does not wake the first.
    world.clock.advance(900);
    world.await_state(&erin, &second, "expired");
    assert_eq!(world.view(&erin, &first)["state"], json!("completed"));
}
