//! The parts of the inbox, and what a line of it says.

use crate::world::{Person, World};
use crate::{Cast, cast};
use serde_json::{Value, json};

fn listed(world: &World, person: &Person, view: &str) -> Vec<String> {
    let list = world.call(person, "GET", &format!("/api/v1/requests?view={view}"), None).good();
    list["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_request_moves_through_the_inbox() {
    let Cast { world, mut erin, mut fred, mut olga, mut sven, .. } = cast();
    let one = world.request(&mut erin, "production");
    // Ids are in the order of their seconds.
    world.clock.advance(1);
    let two = world.request(&mut fred, "staging");
    let nothing = Vec::<String>::new();
    assert_eq!(listed(&world, &olga, "needs_me"), [two.clone(), one.clone()]);
    assert_eq!(listed(&world, &sven, "needs_me"), std::slice::from_ref(&one));
    assert_eq!(listed(&world, &erin, "needs_me"), nothing);
    assert_eq!(listed(&world, &erin, "waiting_others"), std::slice::from_ref(&one));
    assert_eq!(listed(&world, &erin, "mine"), std::slice::from_ref(&one));
    world.decide(&mut olga, &one, "approve", None).good();
    assert_eq!(listed(&world, &olga, "needs_me"), std::slice::from_ref(&two));
    assert_eq!(listed(&world, &olga, "waiting_others"), std::slice::from_ref(&one));
    assert_eq!(listed(&world, &olga, "decided_today"), std::slice::from_ref(&one));
    assert_eq!(listed(&world, &sven, "needs_me"), std::slice::from_ref(&one));
    // Taken back, it needs her again.
    world.decide(&mut olga, &one, "withdraw", None).good();
    assert_eq!(listed(&world, &olga, "needs_me"), [two.clone(), one.clone()]);
    world.decide(&mut sven, &one, "reject", Some("no")).good();
    assert_eq!(listed(&world, &olga, "needs_me"), [two]);
    assert_eq!(listed(&world, &sven, "decided_today"), std::slice::from_ref(&one));
    assert_eq!(listed(&world, &sven, "waiting_others"), nothing);
    assert_eq!(listed(&world, &erin, "mine"), std::slice::from_ref(&one));
    world.clock.advance(24 * 3600 + 1);
    world.sign_in(&mut sven);
    assert_eq!(listed(&world, &sven, "decided_today"), nothing);
}

/// Who has the last say is not asked before it is their turn.
#[test]
fn a_seat_that_is_filled_needs_nobody() {
    let Cast { world, mut erin, mut olga, sven, mut ada, mut ben, .. } = cast();
    let oscar = world.admit("Oscar", &["service_owner"], &mut ada, &mut ben);
    let request = world.request(&mut erin, "production");
    assert_eq!(listed(&world, &oscar, "needs_me"), std::slice::from_ref(&request));
    world.decide(&mut olga, &request, "approve", None).good();
    assert_eq!(listed(&world, &oscar, "needs_me"), Vec::<String>::new());
    let line = &world.call(&sven, "GET", "/api/v1/requests?view=needs_me", None).good()["items"][0];
    assert_eq!(line["waiting_for"], json!(["security"]));
}

/// Whoever asks for a view and a state gets what is in both.
#[test]
fn a_view_is_narrowed_by_a_state() {
    let Cast { world, mut erin, olga, .. } = cast();
    let request = world.request(&mut erin, "production");
    let nothing = Vec::<String>::new();
    for (reader, view) in [(&olga, "needs_me"), (&erin, "waiting_others")] {
        assert_eq!(listed(&world, reader, &format!("{view}&state=pending")), std::slice::from_ref(&request));
        assert_eq!(listed(&world, reader, &format!("{view}&state=approved")), nothing);
    }
}

#[test]
fn a_line_says_what_it_is_about() {
    let Cast { world, mut erin, olga, .. } = cast();
    let request = world.request(&mut erin, "production");
    let list = world.call(&olga, "GET", "/api/v1/requests?view=needs_me&state=pending&role=approver", None);
    let line = list.good()["items"][0].clone();
    assert_eq!(line["id"], json!(request));
    assert_eq!(line["title"], json!("Log in to a server"));
    assert_eq!(line["subject"], json!("web-1.example · deploy · production"));
    assert_eq!(line["grant_seconds"], json!(600));
    assert_eq!(line["waiting_for"], json!(["security", "service_owner"]));
    let view = world.view(&erin, &request);
    assert_eq!(line["tier"], view["verdict"]["risk"]["tier"]);
    assert_eq!((&view["title"], &view["subject"]), (&line["title"], &line["subject"]));
}

#[test]
fn views_are_refused_by_name() {
    let Cast { world, erin, .. } = cast();
    for query in ["view=all", "view=", "view=needs_me&view=mine", "view=needs_me&limit=0"] {
        let answer = world.call(&erin, "GET", &format!("/api/v1/requests?{query}"), None);
        answer.refused("member_invalid");
    }
    let list: Value = world.call(&erin, "GET", "/api/v1/requests?view=mine", None).good();
    assert_eq!(list, json!({"items": []}));
}

/// The lists are what the events make, also after everything that can happen to them.
#[test]
fn the_read_model_is_rebuilt_the_same() {
    let Cast { mut world, mut erin, mut olga, .. } = cast();
    let one = world.request(&mut erin, "production");
    world.decide(&mut olga, &one, "approve", None).good();
    let two = world.request(&mut erin, "staging");
    world.report(&mut olga, &two).good();
    world.stop();
    let store = world.store();
    use chancery_store::{Rebuild, Store as _};
    let projection = chancery_server::embedded::Embedded::projection();
    let differences = world.runtime.block_on(store.rebuild(Rebuild::Compare, projection)).unwrap();
    assert_eq!(differences, []);
}
