//! What a request tells besides what was signed.

use crate::{Cast, cast};
use chancery_canonical::Sha256;
use serde_json::{Value, json};

#[test]
fn the_recorded_input_is_shown_and_what_is_unusual_in_it() {
    let Cast { world, mut erin, mut olga, .. } = cast();
    let request = world.request(&mut erin, "production");
    let view = world.view(&olga, &request);
    let input = view["input"].as_str().unwrap();
    assert_eq!(view["verdict"]["input_sha256"], json!(Sha256::of(input.as_bytes()).to_hex()));
    let said: Value = serde_json::from_str(input).unwrap();
    assert_eq!(said["phase"], json!("request"));
    // Names and addresses stand in it as digests.
    assert!(!input.contains("Erin") && !input.contains("127.0.0.1"), "{input}");
    let codes = |view: &Value| {
        let codes =
            view["unusual"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap().to_owned());
        codes.collect::<Vec<_>>()
    };
    assert_eq!(codes(&view), ["new_origin", "first_time"]);
    // To ask, or to be rejected, makes nothing usual; to be granted does, for the same host.
    world.decide(&mut olga, &request, "reject", Some("not now")).good();
    let granted = world.request(&mut erin, "staging");
    assert_eq!(codes(&world.view(&olga, &granted)), ["refused_lately", "first_time"]);
    world.decide(&mut olga, &granted, "approve", None).good();
    world.call(&erin, "POST", &format!("/api/v1/grants/{granted}/credentials"), None).good();
    world.clock.advance(25 * 3600);
    world.log_in(&mut erin);
    world.sign_in(&mut olga);
    let again = world.request(&mut erin, "staging");
    assert_eq!(codes(&world.view(&olga, &again)), Vec::<String>::new());
    let elsewhere = world.request(&mut erin, "production");
    assert_eq!(codes(&world.view(&olga, &elsewhere)), ["new_subject"]);
}

#[test]
fn the_blast_radius_is_filled_in() {
    let Cast { world, mut erin, olga, .. } = cast();
    let request = world.request(&mut erin, "production");
    let view = world.view(&olga, &request);
    let sentence = "A shell as deploy on web-1.example (production), and everything that this account reaches from there.";
    assert_eq!(view["blast_radius"], json!([sentence]));
    assert_eq!(view["undo"], json!([]));
}

#[test]
fn a_first_look_is_kept_once_and_only_of_approvers() {
    let Cast { world, mut erin, mut olga, sven, udo, fred, .. } = cast();
    let request = world.request(&mut erin, "staging");
    let path = format!("/api/v1/requests/{request}/seen");
    // To fetch it is not to look at it.
    world.view(&olga, &request);
    assert_eq!(world.view(&erin, &request)["seen"], json!([]));
    world.call(&fred, "POST", &path, None).refused("not_found");
    world.call(&sven, "POST", &path, None).refused("not_found");
    for person in [&erin, &udo] {
        assert_eq!(world.call(person, "POST", &path, None).status, 204);
    }
    assert_eq!(world.view(&erin, &request)["seen"], json!([]));
    let size = world.log_size();
    assert_eq!(world.call(&olga, "POST", &path, None).status, 204);
    let seen = world.view(&erin, &request)["seen"].clone();
    assert_eq!(seen[0]["person"]["person"], json!(olga.id));
    world.clock.advance(60);
    assert_eq!(world.call(&olga, "POST", &path, None).status, 204);
    assert_eq!(world.view(&erin, &request)["seen"], seen, "the first look stands");
    assert_eq!(world.log_size(), size, "nothing of it is in the log");
    world.decide(&mut olga, &request, "reject", Some("no")).good();
    let later = world.call(&olga, "POST", "/api/v1/requests/01ARZ3NDEKTSV4RRFFQ69G5FAV/seen", None);
    later.refused("not_found");
}
