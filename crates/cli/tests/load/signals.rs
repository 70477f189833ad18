//! A signal in the middle of work: whatever was acknowledged is there.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::world::{Person, World, signed_request};
use crate::{Flag, Site, site};

/// How many submissions are prepared for each of the writers.
const PREPARED: usize = 60;
const WRITERS: usize = 4;

/// Sends a request and reads the whole answer, or says why there is none.
fn post(world: &World, person: &Person, path: &str, body: &Value) -> std::io::Result<(u16, Value)> {
    let body = body.to_string();
    let mut head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
    for (name, value) in world.credentials(&person.session, "POST", path) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len()));
    let mut stream = TcpStream::connect(world.address())?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let cut_off = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(cut_off)?;
    let status = head.get(9..12).and_then(|status| status.parse().ok()).ok_or_else(cut_off)?;
    Ok((status, serde_json::from_str(body).map_err(|_| cut_off())?))
}

/// Submits as fast as it can until the server is gone; the requests that were acknowledged.
fn write(world: &World, erin: &Person, bodies: &[Value], acknowledged: &Mutex<Vec<String>>) {
    for body in bodies {
        let Ok((status, answer)) = post(world, erin, "/api/v1/requests", body) else { return };
        if status == 503 || status == 429 {
            continue;
        }
        assert_eq!(status, 201, "{answer}");
        acknowledged.lock().unwrap().push(answer["id"].as_str().unwrap().to_owned());
    }
}

fn check(signal: &str) {
    let Site { process, mut world, mut erin, olga, .. } = site(0, |config| {
        config.limits.drain_seconds = 30;
    });
    let mut bodies: Vec<Value> = Vec::new();
    for _ in 0..PREPARED * WRITERS {
        let draft = world.draft(&erin, "staging");
        bodies.push(signed_request(&mut erin, &draft));
    }
    let acknowledged = Mutex::new(Vec::new());
    let enough = AtomicBool::new(false);
    let (status, said) = std::thread::scope(|scope| {
        let _ends = Flag(&enough);
        for bodies in bodies.chunks(PREPARED) {
            scope.spawn(|| write(&world, &erin, bodies, &acknowledged));
        }
        // In the middle of it: some are acknowledged, and most are still to come.
        while acknowledged.lock().unwrap().len() < 20 && !enough.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(1));
        }
        process.signal(signal);
        process.ended()
    });
    assert_eq!(status.code(), Some(0), "{said}");
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!((20..PREPARED * WRITERS).contains(&acknowledged.len()), "{}", acknowledged.len());
    // The same folder, served again: every one of them is there, and the log verifies.
    world.elsewhere = None;
    let findings =
        world.runtime.block_on(async { chancery_store::Store::integrity(&world.store(), None).await });
    assert_eq!(findings.unwrap(), []);
    world.start();
    for request in &acknowledged {
        assert_eq!(world.view(&erin, request)["state"], json!("pending"));
    }
    let waiting =
        world.call(&olga, "GET", "/api/v1/requests?role=approver&state=pending&limit=200", None).good();
    let listed = waiting["items"].as_array().unwrap().len();
    assert!(listed >= acknowledged.len().min(200), "{listed} of {}", acknowledged.len());
    println!("{signal}: {} acknowledged, all there", acknowledged.len());
}

#[test]
fn what_was_acknowledged_stands_after_sigterm() {
    check("TERM");
}

#[test]
fn what_was_acknowledged_stands_after_sigint() {
    check("INT");
}

/// A client that takes its time holds a server up as long as the limit says, and no longer; a second signal is
/// not held up at all.
#[test]
fn a_slow_client_delays_the_end_and_a_second_signal_does_not_wait() {
    for (drain_seconds, second, code) in [(1, None, 0), (60, Some("TERM"), 130), (60, Some("INT"), 130)] {
        let Site { process, world, erin, .. } = site(0, |config| {
            config.limits.drain_seconds = drain_seconds;
            config.limits.body_seconds = 120;
        });
        let path = "/api/v1/drafts";
        let mut head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\n");
        for (name, value) in world.credentials(&erin.session, "POST", path) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut slow = TcpStream::connect(world.address()).unwrap();
        let expecting = "content-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n";
        slow.write_all(format!("{head}{expecting}").as_bytes()).unwrap();
        // The server waits for the body from here on.
        slow.read_exact(&mut [0; 25]).unwrap();
        process.signal("TERM");
        let began = Instant::now();
        if let Some(second) = second {
            while TcpStream::connect(world.address()).is_ok() {
                std::thread::sleep(Duration::from_millis(5));
            }
            process.signal(second);
        }
        let (status, said) = process.ended();
        assert_eq!(status.code(), Some(code), "{said}");
        assert!(began.elapsed() < Duration::from_secs(30), "after {:?}", began.elapsed());
        assert_eq!(said.contains("still under way"), code == 0, "{said}");
    }
}
