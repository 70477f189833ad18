//! Searching the log.

use crate::world::{Person, World};
use crate::{Cast, cast};
use serde_json::{Value, json};

fn search(world: &World, person: &Person, query: &str) -> Value {
    world.call(person, "GET", &format!("/api/v1/audit?{query}"), None).good()
}

fn kinds(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap().to_owned()).collect()
}

fn indices(page: &Value) -> Vec<u64> {
    page["items"].as_array().unwrap().iter().map(|item| item["leaf_index"].as_u64().unwrap()).collect()
}

#[test]
fn filters_narrow_and_pages_follow() {
    let Cast { world, mut erin, mut olga, udo, .. } = cast();
    let request = world.request(&mut erin, "staging");
    world.clock.advance(60);
    let between = world.clock.now().to_string();
    world.clock.advance(60);
    world.decide(&mut olga, &request, "approve", None).good();
    let all = search(&world, &udo, "limit=200");
    let stream = format!("stream=request/{request}");
    assert_eq!(kinds(&search(&world, &udo, &stream))[..2], ["request.submitted", "request.judged"]);
    assert_eq!(kinds(&search(&world, &udo, &format!("{stream}&until={between}"))).len(), 2);
    let since = search(&world, &udo, &format!("{stream}&since={between}"));
    assert_eq!(kinds(&since)[0], "decision.recorded");
    assert_eq!(kinds(&search(&world, &udo, "kind=decision.")), ["decision.recorded"]);
    let about = search(&world, &udo, &format!("person={}&limit=200", olga.id));
    assert!(kinds(&about).contains(&"decision.recorded".to_owned()));
    assert!(kinds(&about).contains(&"person.created".to_owned()));
    assert!(!kinds(&about).contains(&"request.submitted".to_owned()));
    // Both ways, page by page, without gap or double.
    let walk = |order: &str| {
        let (mut found, mut from) = (Vec::new(), String::new());
        loop {
            let page = search(&world, &udo, &format!("order={order}&limit=3{from}"));
            found.extend(indices(&page));
            match page["next"].as_u64() {
                Some(next) => from = format!("&from={next}"),
                None => return found,
            }
        }
    };
    assert_eq!(walk("oldest"), indices(&all));
    let mut backwards = walk("newest");
    backwards.reverse();
    assert_eq!(backwards, indices(&all));
}

/// Clear values are found by those who may see them, and by nobody else.
#[test]
fn a_search_tells_nobody_what_they_may_not_see() {
    let Cast { world, mut erin, fred, udo, .. } = cast();
    let request = world.request(&mut erin, "staging");
    let found = search(&world, &udo, "text=disk%20of%20the%20LEDGER");
    assert_eq!(kinds(&found)[0], "request.submitted");
    assert!(!found["items"][0]["disclosures"].as_array().unwrap().is_empty());
    assert_eq!(kinds(&search(&world, &erin, "text=disk%20of%20the%20ledger")), Vec::<String>::new());
    assert_eq!(kinds(&search(&world, &fred, &format!("text={request}"))), Vec::<String>::new());
    assert!(!kinds(&search(&world, &erin, &format!("text={request}"))).is_empty());
    for (query, code) in [
        ("text=", "member_invalid"),
        ("order=up", "member_invalid"),
        ("since=yesterday", "member_invalid"),
        ("until=2026-01-01", "member_invalid"),
        ("person=me", "member_invalid"),
        ("from=-1", "member_invalid"),
        ("also=1", "member_invalid"),
    ] {
        world.call(&udo, "GET", &format!("/api/v1/audit?{query}"), None).refused(code);
    }
    let long = format!("text={}", "x".repeat(201));
    world.call(&udo, "GET", &format!("/api/v1/audit?{long}"), None).refused("member_invalid");
}

#[test]
fn a_table_is_harmless_in_a_spreadsheet() {
    let Cast { world, mut erin, udo, .. } = cast();
    let mut draft = crate::world::ssh_draft(&erin, "staging");
    draft["justification"] = json!("=HYPERLINK(\"https://evil.example\")");
    let drafted = world.call(&erin, "POST", "/api/v1/drafts", Some(&draft)).good();
    world.submit(&mut erin, &drafted).good();
    let accept = [("accept", "text/csv")];
    let answer = world.call_with(&udo, "GET", "/api/v1/audit?kind=request.&limit=1", None, &accept);
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").unwrap().starts_with("text/csv"));
    assert!(answer.header("content-disposition").unwrap().starts_with("attachment"));
    assert!(answer.header("link").unwrap().contains("rel=\"next\""));
    let text = String::from_utf8(answer.bytes).unwrap();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines[0], "leaf_index,time,stream,version,kind,body,clear");
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[1].contains("request.submitted"));
    assert!(lines[1].ends_with(r#""justification: =HYPERLINK(""https://evil.example"")""#), "{}", lines[1]);
    // Asked for by name only.
    let any = world.call_with(&udo, "GET", "/api/v1/audit", None, &[("accept", "*/*")]);
    assert!(any.header("content-type").unwrap().starts_with("application/json"));
    let open = world.send("GET", "/api/v1/audit", &accept, None);
    open.refused("not_signed_in");
}
