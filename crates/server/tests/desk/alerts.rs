//! A report freezes whoever asked, until an administrator has looked at it.

use crate::world::{signed_request, ssh_draft};
use crate::{Cast, cast};
use serde_json::json;

#[test]
fn a_report_freezes_the_requester() {
    let Cast { mut world, mut erin, mut fred, mut olga, udo, ada, ben, .. } = cast();
    // One that runs already, one that is approved, and one that will be reported.
    let running = world.request(&mut erin, "staging");
    world.decide(&mut olga, &running, "approve", None).good();
    let credentials = |request: &str| format!("/api/v1/grants/{request}/credentials");
    world.call(&erin, "POST", &credentials(&running), None).good();
    let approved = world.request(&mut erin, "staging");
    world.decide(&mut olga, &approved, "approve", None).good();
    let reported = world.request(&mut erin, "staging");
    let outcome = world.report(&mut olga, &reported).good();
    assert_eq!(outcome["request"]["state"], json!("rejected"));
    assert_eq!(outcome["request"]["decisions"][0]["suspicious"], json!(true));
    let document: serde_json::Value =
        serde_json::from_str(outcome["receipt"]["document"].as_str().unwrap()).unwrap();
    assert_eq!(document["suspicious"], json!(true));

    // Nothing new, nothing started, no further credential. What runs may be ended.
    let frozen = |world: &crate::world::World, erin: &mut crate::world::Person| {
        let draft = world.draft(erin, "staging");
        let missing = draft["preview"]["missing"].as_array().unwrap().clone();
        assert!(missing.iter().any(|one| one["code"] == json!("requester_frozen")), "{missing:?}");
        let answer = world.submit(erin, &draft);
        answer.refused("requester_frozen");
        assert_eq!(answer.status, 403);
        for request in [&running, &approved] {
            world.call(erin, "POST", &credentials(request), None).refused("requester_frozen");
        }
        let view = world.view(erin, &approved);
        assert_eq!(view["actions"]["credential"]["code"], json!("requester_frozen"));
    };
    frozen(&world, &mut erin);
    // Somebody else cannot ask for them either.
    let mut for_erin = ssh_draft(&fred, "staging");
    for_erin["beneficiary"] = json!(erin.id);
    let drafted = world.call(&fred, "POST", "/api/v1/drafts", Some(&for_erin)).good();
    let body = signed_request(&mut fred, &drafted);
    world.call(&fred, "POST", "/api/v1/requests", Some(&body)).refused("requester_frozen");
    world.request(&mut fred, "staging");
    // It is what the log says, not what this process remembers.
    world.restart();
    frozen(&world, &mut erin);

    let path = format!("/api/v1/alerts/{reported}/acknowledge");
    world.call(&fred, "POST", &path, None).refused("not_found");
    for person in [&erin, &olga, &udo] {
        world.call(person, "POST", &path, None).refused("not_eligible");
    }
    let alert = world.call(&ada, "POST", &path, None).good();
    assert_eq!(alert["acknowledged_by"]["person"], json!(ada.id));
    assert_eq!(alert["freezes"], json!(false));
    // Twice is once.
    let size = world.log_size();
    assert_eq!(world.call(&ben, "POST", &path, None).good()["acknowledged_by"]["person"], json!(ada.id));
    assert_eq!(world.log_size(), size);
    world.call(&erin, "POST", &credentials(&approved), None).good();
    world.request(&mut erin, "staging");
    assert_eq!(world.failed_checks(&erin, &reported), Vec::<String>::new());
    assert_eq!(world.failed_checks(&erin, &approved), Vec::<String>::new());
}

#[test]
fn alerts_are_seen_by_those_whom_they_concern() {
    let Cast { world, mut erin, mut fred, mut olga, sven, udo, ada, ben, .. } = cast();
    let first = world.request(&mut erin, "staging");
    world.report(&mut olga, &first).good();
    // Ids are in the order of their seconds.
    world.clock.advance(1);
    let second = world.request(&mut fred, "staging");
    world.report(&mut olga, &second).good();
    let listed = |person: &crate::world::Person, query: &str| {
        let list = world.call(person, "GET", &format!("/api/v1/alerts{query}"), None).good();
        let ids = list["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned());
        (ids.collect::<Vec<_>>(), list["next_cursor"].as_str().map(str::to_owned))
    };
    for watcher in [&ada, &ben, &udo, &olga] {
        assert_eq!(listed(watcher, "").0, [second.clone(), first.clone()], "{}", watcher.name);
    }
    assert_eq!(listed(&erin, "").0, std::slice::from_ref(&first));
    assert_eq!(listed(&sven, "").0, Vec::<String>::new());
    let (page, cursor) = listed(&ada, "?limit=1");
    assert_eq!(page, std::slice::from_ref(&second));
    assert_eq!(listed(&ada, &format!("?limit=1&cursor={}", cursor.unwrap())), (vec![first.clone()], None));
    world.call(&ada, "POST", &format!("/api/v1/alerts/{first}/acknowledge"), None).good();
    assert_eq!(listed(&ada, "?state=open").0, [second]);
    assert_eq!(listed(&ada, "?state=acknowledged").0, [first]);
    for (query, code) in [
        ("?state=closed", "member_invalid"),
        ("?limit=0", "member_invalid"),
        ("?limit=201", "member_invalid"),
        ("?cursor=x", "member_invalid"),
        ("?also=1", "member_invalid"),
    ] {
        world.call(&ada, "GET", &format!("/api/v1/alerts{query}"), None).refused(code);
    }
    for id in ["x", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "..%2f..%2fetc"] {
        world.call(&ada, "POST", &format!("/api/v1/alerts/{id}/acknowledge"), None).refused("not_found");
    }
}

/// Nobody can be said to have reported what they only rejected, and an approval reports nothing.
#[test]
fn a_report_is_what_was_signed() {
    let Cast { world, mut erin, mut olga, .. } = cast();
    let request = world.request(&mut erin, "staging");
    let path = format!("/api/v1/requests/{request}/decisions");
    let mut asked = world.approval(&request);
    asked["report_suspicious"] = json!(true);
    world.call(&olga, "POST", &format!("{path}/options"), Some(&asked)).refused("member_invalid");
    let asked = json!({"decision": "reject", "reason": "no"});
    let offer = world.call(&olga, "POST", &format!("{path}/options"), Some(&asked)).good();
    let document: serde_json::Value = serde_json::from_str(offer["document"].as_str().unwrap()).unwrap();
    assert!(document.get("suspicious").is_none());
    let mut body = crate::world::signed_decision(&mut olga, &offer);
    let said = body["document"].as_str().unwrap().replacen(r#""type":"#, r#""suspicious":true,"type":"#, 1);
    body["document"] = json!(said);
    assert!(world.call(&olga, "POST", &path, Some(&body)).status >= 400);
    world.decide(&mut olga, &request, "reject", Some("no")).good();
    world.request(&mut erin, "staging");
}
