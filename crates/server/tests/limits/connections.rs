//! Sockets that are opened and then misused.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use chancery_canonical::Sha256;

use crate::world::World;
use crate::{Cast, cast, connect_from, eventually, head, rest};

const ALIVE: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

/// What a new connection from there is answered.
fn ask(world: &World, host: u8) -> String {
    let mut stream = connect_from(world, host);
    let _ = stream.write_all(ALIVE);
    rest(stream)
}

/// Some that are open and on which nothing is asked.
fn open(world: &World, host: u8, count: usize) -> Vec<TcpStream> {
    (0..count).map(|_| connect_from(world, host)).collect()
}

#[test]
fn one_address_does_not_take_all_connections() {
    let world = World::with(|config| config.limits.connections_per_address = 4);
    let held = open(&world, 2, 4);
    eventually("the fifth is refused", || ask(&world, 2).starts_with("HTTP/1.1 429 "));
    let refused = ask(&world, 2);
    for said in ["retry-after: 5", "application/problem+json", "`limits.connections_per_address`"] {
        assert!(refused.contains(said), "{refused}");
    }
    assert!(ask(&world, 3).starts_with("HTTP/1.1 200 "), "another's");
    drop(held);
    eventually("they are free again", || ask(&world, 2).starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_proxy_is_not_one_client() {
    let world = World::with(|config| {
        config.limits.connections_per_address = 2;
        config.signals.origin.trusted_proxies = vec!["127.0.0.2/32".parse().unwrap()];
    });
    let _held = open(&world, 2, 20);
    for _ in 0..3 {
        assert!(ask(&world, 2).starts_with("HTTP/1.1 200 "));
    }
}

#[test]
fn connections_in_all_are_bounded_and_come_back() {
    let world = World::with(|config| {
        config.limits.connections = 8;
        config.limits.event_streams = 4;
    });
    let held: Vec<_> = (2..10).flat_map(|host| open(&world, host, 1)).collect();
    eventually("the ninth is refused", || ask(&world, 1).starts_with("HTTP/1.1 503 "));
    let refused = ask(&world, 1);
    assert!(refused.contains("`limits.connections`") && refused.contains("retry-after: 5"), "{refused}");
    drop(held);
    eventually("they are free again", || ask(&world, 1).starts_with("HTTP/1.1 200 "));
}

/// Nothing is asked, or not to its end, or nothing more: each of them ends after `limits.header_seconds`.
#[test]
fn heads_that_never_end() {
    let world = World::with(|config| config.limits.header_seconds = 1);
    let mut answered = connect_from(&world, 1);
    answered.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let silent = connect_from(&world, 1);
    let mut dripping = connect_from(&world, 1);
    let drip = std::thread::spawn(move || {
        for byte in b"GET /healthz HTTP/1.1\r\nhost: x\r\na: ".iter().chain(std::iter::repeat_n(&b'b', 600)) {
            if dripping.write_all(&[*byte]).is_err() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    });
    assert_eq!(rest(silent), "", "closed without a word");
    assert!(rest(answered).starts_with("HTTP/1.1 200 "));
    assert!(drip.join().unwrap(), "twelve seconds, byte by byte");
}

/// A client that asks for much and reads nothing is given up on after `limits.write_seconds`.
#[test]
fn clients_that_never_read() {
    let Cast { world, mut erin, .. } = cast(|config| {
        config.limits.connections = 8;
        config.limits.event_streams = 4;
        config.limits.write_seconds = 1;
        config.limits.header_seconds = 1;
        config.limits.artifact_bytes = 32 * 1024 * 1024;
    });
    let bytes = vec![b'x'; 24 * 1024 * 1024];
    let sha256 = Sha256::of(&bytes).to_hex();
    let path = format!("/api/v1/artifacts/{sha256}");
    let mut headers = vec![("content-type".to_owned(), "text/plain".to_owned())];
    headers.extend(world.credentials(&erin.session, "PUT", &path));
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    world.send("PUT", &path, &headers, Some(bytes.clone())).good();
    let mut asked = crate::world::ssh_draft(&erin, "staging");
    asked["artifacts"] = serde_json::json!([{
        "name": "large.txt", "media_type": "text/plain", "size": bytes.len(), "sha256": sha256
    }]);
    let draft = world.call(&erin, "POST", "/api/v1/drafts", Some(&asked)).good();
    let view = world.submit(&mut erin, &draft).good();
    let path = format!("/api/v1/requests/{}/artifacts/{sha256}", view["id"].as_str().unwrap());
    let ask_for_it = format!("{}\r\n", head(&world, &erin, "GET", &path));
    let mut held = Vec::new();
    for host in 2..10 {
        let mut stream = connect_from(&world, host);
        stream.write_all(ask_for_it.as_bytes()).unwrap();
        held.push(stream);
    }
    // Each begins to be answered, so it is more than an idle connection that is in the way.
    for stream in &mut held {
        stream.read_exact(&mut [0; 12]).unwrap();
    }
    // All places are theirs, and nothing ends them but the server's patience.
    eventually("they are given up on", || {
        let _others = open(&world, 1, 6);
        ask(&world, 1).starts_with("HTTP/1.1 200 ")
    });
    let cut_off = held.into_iter().map(rest).filter(|read| read.len() < bytes.len());
    assert!(cut_off.count() >= 7, "an answer was waited for, however long nobody read it");
}
