//! Those who listen: how many, for how long, and that nothing is lost between two streams.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::world::{Person, World};
use crate::{Cast, PATIENCE, cast, connect_from, eventually, head, turned_away};

/// Opens a stream; reads up to the end of its head.
fn follow(world: &World, person: &Person, last: Option<u64>) -> BufReader<TcpStream> {
    let mut stream = connect_from(world, 1);
    let mut asked = head(world, person, "GET", "/api/v1/events");
    if let Some(last) = last {
        asked.push_str(&format!("last-event-id: {last}\r\n"));
    }
    stream.write_all(format!("{asked}\r\n").as_bytes()).unwrap();
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    assert!(line.starts_with("HTTP/1.1 200 "), "{line}");
    while line != "\r\n" {
        line.clear();
        lines.read_line(&mut line).unwrap();
    }
    lines
}

/// The next line that begins with this, and what follows there; `None` at the end, or when nothing comes.
fn next(lines: &mut BufReader<TcpStream>, beginning: &str) -> Option<String> {
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).unwrap_or(0) == 0 {
            return None;
        }
        if let Some(rest) = line.strip_prefix(beginning) {
            return Some(rest.trim_end().to_owned());
        }
    }
}

/// Until the stream is over: how it says so, and whether its last chunk is there.
fn end(lines: &mut BufReader<TcpStream>) -> (Option<String>, bool) {
    let said = next(lines, "event: end").and_then(|_| next(lines, "data: "));
    let mut rest = Vec::new();
    while lines.read_until(b'\n', &mut rest).unwrap() > 0 {}
    (said, rest.ends_with(b"0\r\n\r\n"))
}

#[test]
fn streams_of_one_person_and_of_all() {
    let Cast { world, erin, olga, ada, .. } = cast(|config| {
        config.limits.event_streams_per_person = 2;
        config.limits.event_streams = 3;
    });
    let ask = |person: &Person| world.call(person, "GET", "/api/v1/events", None);
    let held = [follow(&world, &erin, None), follow(&world, &erin, None)];
    turned_away(&ask(&erin), 429, "too_many_streams", "event_streams_per_person");
    let more = follow(&world, &olga, None);
    turned_away(&ask(&ada), 503, "busy", "event_streams");
    // Whoever goes away makes room, without anything having to happen first.
    drop((held, more));
    eventually("room again", || {
        let mut stream = connect_from(&world, 1);
        stream.write_all(format!("{}\r\n", head(&world, &ada, "GET", "/api/v1/events")).as_bytes()).unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line.starts_with("HTTP/1.1 200 ")
    });
}

#[test]
fn a_stream_ends_with_its_session_and_says_so() {
    let Cast { world, mut erin, .. } = cast(|config| config.limits.session_seconds = 3600);
    let mut signed_out = follow(&world, &erin, None);
    let old = erin.session.clone();
    world.sign_in(&mut erin);
    let mut other = follow(&world, &erin, None);
    let new = std::mem::replace(&mut erin.session, old);
    world.call(&erin, "DELETE", "/api/v1/sessions/current", None);
    let over = Some("{\"reason\":\"session_over\"}".to_owned());
    assert_eq!(end(&mut signed_out), (over.clone(), true));
    erin.session = new;
    // The other session's goes on.
    let request = world.request(&mut erin, "staging");
    assert!(next(&mut other, "data: ").unwrap().contains(&request));
    // Time: noticed with the next thing that happens, or with a heartbeat.
    world.clock.advance(3600);
    world.sign_in(&mut erin);
    world.request(&mut erin, "staging");
    assert_eq!(end(&mut other), (over, true));
}

/// What is written while a reader comes and goes: each event comes once, in order, and none is left out.
#[test]
fn nothing_is_lost_between_two_streams() {
    let Cast { world, mut erin, .. } = cast(|config| config.limits.pending_requests_per_person = 200);
    let start = world.log_size();
    let reader_of = Person { session: erin.session.clone(), ..spare(&erin) };
    let done = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen: Vec<u64> = Vec::new();
            let mut turn = 0_usize;
            loop {
                let last = seen.last().copied().or(start.checked_sub(1));
                // An event's attestation is a leaf after it, which has no event of its own.
                if done.load(Ordering::Acquire)
                    && seen.last().is_some_and(|last| last + 2 >= world.log_size())
                {
                    return seen;
                }
                let mut lines = follow(&world, &reader_of, last);
                turn += 1;
                // A few, then away in the middle of it; or when nothing more comes for a while.
                lines.get_ref().set_read_timeout(Some(Duration::from_millis(500))).unwrap();
                for _ in 0..turn % 7 {
                    let Some(id) = next(&mut lines, "id: ") else { break };
                    seen.push(id.parse().unwrap());
                }
            }
        });
        for _ in 0..40 {
            let request = world.request(&mut erin, "staging");
            world.call(&erin, "POST", &format!("/api/v1/requests/{request}/cancel"), None).good();
        }
        done.store(true, Ordering::Release);
        reader.join().unwrap()
    });
    assert!(seen.is_sorted_by(|one, next| one < next), "in order, once: {seen:?}");
    let leaves = world.call(&erin, "GET", &format!("/api/v1/audit?from={start}&limit=200"), None).good();
    let visible: BTreeSet<u64> = leaves["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|leaf| leaf["stream"].is_string())
        .filter_map(|leaf| leaf["leaf_index"].as_u64().or(leaf["index"].as_u64()))
        .collect();
    assert!(visible.len() >= 120, "{leaves:#}");
    assert_eq!(seen.iter().copied().collect::<BTreeSet<_>>(), visible);
}

/// The same person, for a second thread.
fn spare(person: &Person) -> Person {
    Person {
        id: person.id.clone(),
        name: person.name.clone(),
        passkey: chancery_testkit::passkey::SoftPasskey::new("localhost"),
        session: person.session.clone(),
        ssh_seed: person.ssh_seed,
    }
}

/// A server that stops: streams end in good order, a connection on which nothing is asked does not delay it, and a
/// request whose body is on its way is answered.
#[test]
fn a_server_that_stops() {
    let Cast { mut world, erin, .. } = cast(|config| config.limits.drain_seconds = 15);
    let mut stream = follow(&world, &erin, None);
    let _silent = connect_from(&world, 1);
    let mut begun = connect_from(&world, 1);
    begun.write_all(b"GET /healthz HT").unwrap();
    let mut asking = connect_from(&world, 1);
    let head = head(&world, &erin, "POST", "/api/v1/drafts");
    asking
        .write_all(format!("{head}content-type: application/json\r\ncontent-length: 2\r\n\r\n{{").as_bytes())
        .unwrap();
    // It is known to the server once it counts.
    std::thread::sleep(Duration::from_millis(200));
    let began = std::time::Instant::now();
    let address = world.address();
    let ended = std::thread::scope(|scope| {
        let stopping = scope.spawn(|| world.stop());
        assert_eq!(end(&mut stream), (Some("{\"reason\":\"stopping\"}".to_owned()), true));
        eventually("nobody is let in any more", || TcpStream::connect(address).is_err());
        asking.write_all(b"}").unwrap();
        let answer = crate::rest(asking);
        assert!(answer.starts_with("HTTP/1.1 422 ") && answer.contains("connection: close"), "{answer}");
        stopping.join().unwrap();
        began.elapsed()
    });
    assert!(ended < PATIENCE / 2, "nothing else was waited for: {ended:?}");
    world.start();
    assert_eq!(world.call(&erin, "GET", "/api/v1/whoami", None).status, 200);
}

/// A passkey that is taken away takes its sessions with it, and their streams.
#[test]
fn a_stream_ends_with_its_passkey() {
    let Cast { world, erin, mut ada, .. } = cast(|_| {});
    let mut stream = follow(&world, &erin, None);
    let credential_id = chancery_canonical::base64::encode_url(erin.passkey.credential_id().as_bytes());
    let removed = json!({"person": erin.id, "credential_id": credential_id});
    world.act("passkey.removed", &removed, &mut [&mut ada]);
    assert_eq!(end(&mut stream), (Some("{\"reason\":\"session_over\"}".to_owned()), true));
    assert_eq!(world.call(&erin, "GET", "/api/v1/whoami", None).status, 401);
}
