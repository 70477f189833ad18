//! Two digits that the requester tells the approvers.

use crate::world::{Answer, Person, World};
use crate::{Cast, cast};
use chancery_domain::leaf::Stream;
use chancery_store::Store as _;
use serde_json::{Value, json};

fn guess(world: &World, person: &Person, request: &str, digits: &Value) -> Answer {
    let path = format!("/api/v1/requests/{request}/decisions/options");
    let asked = json!({"decision": "approve", "matching_number": digits});
    world.call(person, "POST", &path, Some(&asked))
}

/// Other digits than the right ones.
fn wrong(world: &World, request: &str) -> Value {
    let right = world.approval(request)["matching_number"].as_str().unwrap().to_owned();
    json!(if right == "00" { "01" } else { "00" })
}

#[test]
fn a_dangerous_request_is_approved_with_the_digits_alone() {
    let Cast { world, mut erin, mut olga, .. } = cast();
    let request = world.request(&mut erin, "staging");
    let own = world.view(&erin, &request);
    assert_eq!(own["verdict"]["risk"]["tier"], json!("high"));
    let digits = own["matching_number"].as_str().unwrap();
    assert!(digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{digits}");
    // Approvers are asked for them and not told.
    let theirs = world.view(&olga, &request);
    assert!(theirs.get("matching_number").is_none());
    assert_eq!(theirs["number_matching"], json!({"needed": true, "misses_left": 3}));
    assert!(own.get("number_matching").is_none());
    let size = world.log_size();
    let path = format!("/api/v1/requests/{request}/decisions/options");
    world.call(&olga, "POST", &path, Some(&json!({"decision": "approve"}))).refused("number_needed");
    for slip in ["", "1", "123", "ab", "१२", " 1"] {
        guess(&world, &olga, &request, &json!(slip)).refused("member_invalid");
    }
    assert_eq!(world.log_size(), size, "a slip is no guess");
    // A rejection needs none.
    world.call(&olga, "POST", &path, Some(&json!({"decision": "reject", "reason": "no"}))).good();
    world.decide(&mut olga, &request, "approve", None).good();
    assert!(world.view(&erin, &request).get("matching_number").is_none(), "it waits no longer");
}

#[test]
fn wrong_digits_are_logged_and_the_third_ends_it() {
    let Cast { mut world, mut erin, mut olga, sven, ada, .. } = cast();
    let request = world.request(&mut erin, "staging");
    let digits = wrong(&world, &request);
    for left in [2, 1] {
        let answer = guess(&world, &olga, &request, &digits);
        answer.refused("number_mismatch");
        assert_eq!(answer.status, 403);
        let view = world.view(&olga, &request);
        assert_eq!(view["number_matching"]["misses_left"], json!(left));
        assert_eq!(view["state"], json!("pending"));
    }
    // Whoever is not eligible burns none, and does not learn whether the digits were right.
    for (person, code) in [(&erin, "self_approval"), (&sven, "not_found"), (&ada, "not_eligible")] {
        guess(&world, person, &request, &digits).refused(code);
        guess(&world, person, &request, &world.approval(&request)["matching_number"]).refused(code);
    }
    guess(&world, &olga, &request, &digits).refused("number_mismatch");
    let view = world.view(&erin, &request);
    assert_eq!(view["state"], json!("rejected"));
    let kinds = |kind: &str| {
        view["timeline"].as_array().unwrap().iter().filter(|entry| entry["kind"] == json!(kind)).count()
    };
    assert_eq!((kinds("decision.refused"), kinds("request.mismatched")), (4, 1), "{view:#}");
    world.decide(&mut olga, &request, "approve", None).refused("wrong_state");
    let alerts = world.call(&ada, "GET", "/api/v1/alerts?state=open", None).good();
    assert_eq!(alerts["items"][0]["reason"], json!("number_mismatch"));
    assert_eq!(alerts["items"][0]["freezes"], json!(false));
    assert_eq!(alerts["items"][0]["raised_by"]["person"], json!(olga.id));
    // Nobody is frozen by what approvers mistype.
    world.request(&mut erin, "staging");
    assert_eq!(world.failed_checks(&erin, &request), Vec::<String>::new());
    // The digits stand nowhere in the log, nor beside it.
    world.stop();
    let store = world.store();
    let stream = Stream::Request(request.parse().unwrap());
    let events = world.runtime.block_on(store.stream(&stream, 1)).unwrap();
    let right = world.approval(&request)["matching_number"].as_str().unwrap().to_owned();
    for event in events {
        let beside = event.private.unwrap_or_default().to_string();
        assert!(!beside.contains("matching_number") && !beside.contains(&format!("\"{right}\"")));
        assert!(!serde_json::to_string(&event.leaf.body).unwrap().contains("matching_number"));
    }
}

/// Of a hundred guesses at once at most three are compared.
#[test]
fn all_pairs_at_the_same_moment() {
    let Cast { world, mut erin, olga, .. } = cast();
    let request = world.request(&mut erin, "staging");
    let right = world.approval(&request)["matching_number"].as_str().unwrap().to_owned();
    let pairs: Vec<String> = (0..24).map(|pair| format!("{pair:02}")).filter(|pair| *pair != right).collect();
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let (world, olga, request) = (&world, &olga, &request);
        let ask = |pair: &String| {
            let pair = json!(pair);
            scope.spawn(move || guess(world, olga, request, &pair))
        };
        let running: Vec<_> = pairs.iter().map(ask).collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let missed = answers.iter().filter(|answer| answer.code() == "number_mismatch").count();
    assert_eq!(missed, 3);
    assert!(answers.iter().all(|answer| answer.status >= 400));
    assert_eq!(world.view(&erin, &request)["state"], json!("rejected"));
    guess(&world, &olga, &request, &json!(right)).refused("wrong_state");
}

#[test]
fn a_revision_draws_new_digits() {
    let Cast { world, mut erin, olga, .. } = cast();
    let request = world.request(&mut erin, "staging");
    let digits = wrong(&world, &request);
    guess(&world, &olga, &request, &digits).refused("number_mismatch");
    let mut draft = crate::world::ssh_draft(&erin, "production");
    draft["revises"] = json!(request);
    let drafted = world.call(&erin, "POST", "/api/v1/drafts", Some(&draft)).good();
    let body = crate::world::signed_request(&mut erin, &drafted);
    let path = format!("/api/v1/requests/{request}");
    let etag = world.call(&erin, "GET", &path, None).header("etag").unwrap().to_owned();
    let revisions = format!("{path}/revisions");
    let view = world.call_with(&erin, "POST", &revisions, Some(&body), &[("if-match", &etag)]).good();
    assert!(view["matching_number"].is_string(), "{}", view["verdict"]["risk"]);
    assert_eq!(world.view(&olga, &request)["number_matching"]["misses_left"], json!(3));
}
