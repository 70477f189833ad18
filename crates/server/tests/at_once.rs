//! Several people at the same moment: each act happens once, or is refused, and nothing is lost.

#![expect(clippy::unwrap_used, reason = "test code fails by panicking")]

mod world;

use serde_json::{Value, json};
use world::{World, signed_decision, signed_request};

/// Sends the same bytes to the same address from many threads; what each was answered.
fn storm(world: &World, calls: &[(&world::Person, String, Value)]) -> Vec<world::Answer> {
    std::thread::scope(|scope| {
        let started: Vec<_> = calls
            .iter()
            .map(|(person, path, body)| scope.spawn(move || world.call(person, "POST", path, Some(body))))
            .collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn approvals_at_the_same_moment_approve_once() {
    let (world, mut ada, mut ben) = World::sealed();
    let mut erin = world.admit("Erin", &["engineer"], &mut ada, &mut ben);
    let mut people = vec![world.admit("Olga", &["service_owner"], &mut ada, &mut ben)];
    for name in ["Sven", "Sara"] {
        people.push(world.admit(name, &["security"], &mut ada, &mut ben));
    }
    for _ in 0..3 {
        let request = world.request(&mut erin, "production");
        let path = format!("/api/v1/requests/{request}/decisions");
        let mut signed = Vec::new();
        for person in &mut people {
            let asked = world.approval(&request);
            let offer = world.call(person, "POST", &format!("{path}/options"), Some(&asked)).good();
            signed.push(signed_decision(person, &offer));
        }
        let calls: Vec<_> =
            people.iter().zip(signed).map(|(person, body)| (person, path.clone(), body)).collect();
        let answers = storm(&world, &calls);
        let view = world.view(&erin, &request);
        assert_eq!(view["state"], json!("approved"), "{view:#}");
        let count = |kind: &str| {
            let entries = view["timeline"].as_array().unwrap();
            entries.iter().filter(|entry| entry["kind"] == json!(kind)).count()
        };
        assert_eq!(count("request.approved"), 1);
        // One who came after the last seat was filled is told so; nobody's decision vanished.
        let good = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(count("decision.recorded"), good);
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            answer.refused("wrong_state");
        }
    }
}

#[test]
fn one_signature_sent_many_times_counts_once() {
    let (world, mut ada, mut ben) = World::sealed();
    let mut erin = world.admit("Erin", &["engineer"], &mut ada, &mut ben);
    let mut olga = world.admit("Olga", &["service_owner"], &mut ada, &mut ben);
    let draft = world.draft(&erin, "staging");
    let body = signed_request(&mut erin, &draft);
    let calls = vec![(&erin, "/api/v1/requests".to_owned(), body); 6];
    let answers = storm(&world, &calls);
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.refused("request_exists");
    }
    let list = world.call(&erin, "GET", "/api/v1/requests", None).good();
    let request = list["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/requests/{request}/decisions");
    let offer = world.call(&olga, "POST", &format!("{path}/options"), Some(&world.approval(&request))).good();
    let body = signed_decision(&mut olga, &offer);
    let calls = vec![(&olga, path, body); 6];
    let answers = storm(&world, &calls);
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    let view = world.view(&erin, &request);
    assert_eq!(view["decisions"].as_array().unwrap().len(), 1, "{view:#}");
}

#[test]
fn repeats_with_a_key_at_the_same_moment_are_one_request() {
    let (world, mut ada, mut ben) = World::sealed();
    let mut erin = world.admit("Erin", &["engineer"], &mut ada, &mut ben);
    world.admit("Olga", &["service_owner"], &mut ada, &mut ben);
    let draft = world.draft(&erin, "staging");
    let body = signed_request(&mut erin, &draft);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let send =
            || world.call_with(&erin, "POST", "/api/v1/requests", Some(&body), &[("idempotency-key", "k")]);
        let started: Vec<_> = (0..6).map(|_| scope.spawn(send)).collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for answer in answers {
        assert_eq!(
            answer.good()["id"],
            serde_json::from_str::<Value>(draft["document"].as_str().unwrap()).unwrap()["id"]
        );
    }
}

#[test]
fn one_link_lets_one_person_in() {
    let world = World::new();
    let token = world.first_link.clone();
    let ada = world.enrol(&token, "Ada");
    let options = world.open("POST", "/api/v1/enrolments/options", Some(&json!({"token": token})));
    options.refused("link_expired");
    assert_eq!(world.log_size(), 2);
    assert!(!ada.id.is_empty());
}
