//! Reading what is somebody else's.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::world::{Answer, Person, World, ssh_draft};
use crate::{Cast, cast};
use serde_json::{Value, json};

/// A request of others does not exist for a stranger, by whichever of its names they ask: its id, its grant, or
/// the digests of its documents, which stand in the public log.
#[test]
fn what_a_stranger_may_not_read() {
    let Cast { world, mut erin, mallory, mut olga, .. } = cast();
    let request = world.request(&mut erin, "staging");
    world.decide(&mut olga, &request, "approve", None).good();
    let absent = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    for path in ["/api/v1/requests/ID", "/api/v1/requests/ID/evidence", "/api/v1/grants/ID"] {
        let there = world.call(&mallory, "GET", &path.replace("ID", &request), None);
        there.refused("not_found");
        let nowhere = world.call(&mallory, "GET", &path.replace("ID", absent), None);
        let text = |answer: &Answer| {
            let mut body = answer.json();
            body["request_id"] = Value::Null;
            body
        };
        assert_eq!(text(&there), text(&nowhere), "{path} says whether it exists");
    }
    for path in [
        "/api/v1/requests",
        "/api/v1/grants",
        "/api/v1/audit",
        "/api/v1/enrolments",
        "/api/v1/identity/waiting",
    ] {
        let answer = world.call(&mallory, "GET", path, None);
        answer.good();
        assert!(!String::from_utf8(answer.bytes).unwrap().contains(&request), "{path}");
    }
    for (path, body) in [
        ("decisions/options", json!({"decision": "reject"})),
        ("redactions", json!({"digests": ["AAAA"]})),
        ("cancel", json!({})),
    ] {
        let answer = world.call(&mallory, "POST", &format!("/api/v1/requests/{request}/{path}"), Some(&body));
        assert!([403, 404].contains(&answer.status), "{path}: {}", answer.status);
    }
    let mut revises = ssh_draft(&mallory, "staging");
    revises["revises"] = json!(request);
    world.call(&mallory, "POST", "/api/v1/drafts", Some(&revises)).refused("not_found");
}

/// A stream shows what lists show, from the beginning of the log on.
#[test]
fn a_stranger_who_listens() {
    let Cast { world, mut erin, mut mallory, mut olga, .. } = cast();
    let request = world.request(&mut erin, "staging");
    world.decide(&mut olga, &request, "approve", None).good();
    let own = world.request(&mut mallory, "staging");
    let heard = listen(&world, &mallory, "0", &own);
    assert!(heard.contains(&own), "{heard}");
    assert!(!heard.contains(&request), "{heard}");
    // A place that no log has reached is no way around it.
    let connection = follow(&world, &mallory, &u64::MAX.to_string());
    connection.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let mut rest = Vec::new();
    let _ = (&connection).read_to_end(&mut rest);
    assert!(!String::from_utf8_lossy(&rest).contains(&request));
}

fn follow(world: &World, person: &Person, last: &str) -> TcpStream {
    let mut connection = TcpStream::connect(world.address()).unwrap();
    let mut head = "GET /api/v1/events HTTP/1.1\r\nhost: localhost\r\n".to_owned();
    for (name, value) in world.credentials(&person.session, "GET", "/api/v1/events") {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    connection.write_all(format!("{head}last-event-id: {last}\r\n\r\n").as_bytes()).unwrap();
    connection
}

/// Everything that is heard until a text comes, or for five seconds.
fn listen(world: &World, person: &Person, last: &str, until: &str) -> String {
    let connection = follow(world, person, last);
    connection.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut heard = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(length) = (&connection).read(&mut piece) {
        heard.extend_from_slice(&piece[..length]);
        if length == 0 || String::from_utf8_lossy(&heard).contains(until) {
            break;
        }
    }
    String::from_utf8_lossy(&heard).into_owned()
}

/// A login page says no more of who exists than the public log does, and nobody's name.
#[test]
fn guessing_who_exists() {
    let Cast { world, mut ada, erin, .. } = cast();
    world.act("person.suspended", &json!({"person": erin.id}), &mut [&mut ada]);
    let ask = |person: &str| world.open("POST", "/api/v1/sessions/options", Some(&json!({"person": person})));
    let (suspended, unknown) = (ask(&erin.id), ask("01ARZ3NDEKTSV4RRFFQ69G5FAV"));
    suspended.refused("person_not_active");
    unknown.refused("person_not_active");
    let known = ask(&ada.id);
    known.good();
    assert!(!String::from_utf8(known.bytes).unwrap().contains("Ada"));
    // Without a person nothing depends on anybody.
    let anybody = world.open("POST", "/api/v1/sessions/options", Some(&json!({}))).good();
    assert_eq!(anybody["public_key"].get("allow_credentials"), None);
    for path in ["/api/v1/persons", "/api/v1/whoami", "/api/v1/audit"] {
        world.open("GET", path, None).refused("not_signed_in");
    }
}
