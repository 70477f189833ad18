//! What somebody may write to a socket. Each row is answered, or the connection ends; the server goes on.

use std::io::{Read as _, Write as _};

use serde_json::json;

use crate::world::{Person, World};
use crate::{Cast, PATIENCE, cast, connect_from, exchange, head, rest};

/// The status of each answer in a text.
fn statuses(text: &str) -> Vec<u16> {
    text.match_indices("HTTP/1.1 ")
        .filter_map(|(at, mark)| text[at + mark.len()..].get(..3)?.parse().ok())
        .collect()
}

/// Sends it, and expects these answers and one of these codes; an empty code is an answer without words.
#[track_caller]
fn check(world: &World, name: &str, bytes: &[u8], expected: &[u16], code: &str) {
    let answer = exchange(world, bytes);
    assert_eq!(statuses(&answer), expected, "{name}: {answer}");
    if !code.is_empty() {
        assert!(answer.contains(&format!("\"code\":\"{code}\"")), "{name}: {answer}");
        assert!(answer.contains("application/problem+json"), "{name}: {answer}");
    }
    assert_eq!(world.open("GET", "/healthz", None).status, 200, "after {name}");
}

#[test]
fn heads_of_every_size() {
    let world = World::with(|config| config.limits.header_seconds = 1);
    let get = |target: &str, headers: &str| {
        format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n")
    };
    let check = |name: &str, text: String, expected: u16, code: &str| {
        check(&world, name, text.as_bytes(), &[expected], code);
    };
    let query = |count: usize| format!("/healthz?{}", "a=1&".repeat(count));
    check("a usual one", get("/healthz", "a: b\r\n"), 200, "");
    check("100 parameters", get(&query(100), ""), 200, "");
    check("3,000 parameters", get(&query(3_000), ""), 414, "uri_too_long");
    check("20,000 parameters", get(&query(20_000), ""), 414, "");
    check("100,000 parameters", get(&query(100_000), ""), 431, "");
    check("90 headers", get("/healthz", &"a: b\r\n".repeat(90)), 200, "");
    check("150 headers", get("/healthz", &"a: b\r\n".repeat(150)), 431, "headers_too_large");
    check("300 headers", get("/healthz", &"a: b\r\n".repeat(300)), 431, "");
    check(
        "20 KiB in a header",
        get("/healthz", &format!("a: {}\r\n", "b".repeat(20_000))),
        431,
        "headers_too_large",
    );
    check("1 MiB in a header", get("/healthz", &format!("a: {}\r\n", "b".repeat(1 << 20))), 431, "");
    check(
        "a cookie of 40 KiB",
        get("/healthz", &format!("cookie: x={}\r\n", "b".repeat(40_000))),
        431,
        "headers_too_large",
    );
}

#[test]
fn heads_that_two_readers_read_differently() {
    let world = World::with(|config| config.limits.header_seconds = 1);
    let post = |headers: &str| {
        format!("POST /api/v1/logins HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{headers}\r\n")
    };
    for (name, text) in [
        ("two lengths", post("content-length: 2\r\ncontent-length: 3\r\n") + "{} "),
        ("a list of lengths", post("content-length: 2, 3\r\n") + "{} "),
        ("a signed length", post("content-length: +2\r\n") + "{}"),
        ("a negative length", post("content-length: -2\r\n") + "{}"),
        ("a length in hexadecimal", post("content-length: 0x2\r\n") + "{}"),
        ("a length beyond numbers", post("content-length: 99999999999999999999999\r\n") + "{}"),
        ("a coding that is not chunked", post("transfer-encoding: xchunked\r\n") + "0\r\n\r\n"),
        ("chunked, then another", post("transfer-encoding: chunked, gzip\r\n") + "0\r\n\r\n"),
        ("a space before the colon", post("content-length : 2\r\n") + "{}"),
        ("a folded line", post("a: b\r\n c\r\n") + ""),
        ("a zero byte", post("a: b\0c\r\n") + ""),
        ("a line end inside", post("a: b\rc\r\n") + ""),
        ("a name with a line end", "GET /heal\nthz HTTP/1.1\r\nhost: x\r\n\r\n".to_owned()),
        ("another version", "GET / HTTP/3.0\r\n\r\n".to_owned()),
        ("version 2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
        (
            "chunked in HTTP/1.0",
            "POST /api/v1/logins HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
        ),
    ] {
        let answer = exchange(&world, text.as_bytes());
        assert!(statuses(&answer).iter().all(|status| *status == 400), "{name}: {answer}");
        assert_eq!(world.open("GET", "/healthz", None).status, 200, "after {name}");
    }
}

/// Both framings: the coding counts, and nothing that follows is taken for a request (RFC 9112 §6.1, §6.3).
#[test]
fn nothing_is_smuggled_behind_a_body() {
    let world = World::with(|config| config.limits.header_seconds = 1);
    let smuggled = "GET /api/v1/server HTTP/1.1\r\nhost: x\r\n\r\n";
    for (name, framing) in [
        ("length, then coding", "content-length: 4\r\ntransfer-encoding: chunked\r\n"),
        ("coding, then length", "transfer-encoding: chunked\r\ncontent-length: 4\r\n"),
        ("coding alone", "transfer-encoding: chunked\r\n"),
        (
            "coding twice",
            "transfer-encoding: identity\r\ntransfer-encoding: chunked\r\ncontent-length: 4\r\n",
        ),
    ] {
        let text = format!(
            "POST /api/v1/logins HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{framing}\r\n0\r\n\r\n{smuggled}"
        );
        let answer = exchange(&world, text.as_bytes());
        assert!(statuses(&answer).len() <= 1, "{name}: {answer}");
        assert!(!answer.contains("log_origin"), "{name}: the second request was answered: {answer}");
        assert!(answer.is_empty() || answer.contains("400 Bad Request"), "{name}: {answer}");
    }
}

#[test]
fn requests_in_one_piece_are_answered_in_order() {
    let world = World::with(|config| config.limits.header_seconds = 1);
    let many: String =
        (0..40).map(|number| format!("GET /healthz?{number} HTTP/1.1\r\nhost: x\r\n\r\n")).collect();
    assert_eq!(statuses(&exchange(&world, many.as_bytes())), [200; 40]);

    let old = exchange(&world, b"GET /healthz HTTP/1.0\r\n\r\nGET /healthz HTTP/1.0\r\n\r\n");
    assert_eq!(old.matches("200 OK").count(), 1, "HTTP/1.0 ends with the first answer: {old}");
}

fn draft(world: &World, person: &Person, headers: &str) -> String {
    format!(
        "{}content-type: application/json\r\nconnection: close\r\n{headers}\r\n",
        head(world, person, "POST", "/api/v1/drafts")
    )
}

#[test]
fn bodies_that_are_too_large_or_packed() {
    let Cast { world, erin, .. } = cast(|_| {});
    let check = |name: &str, text: String, expected: &[u16], code: &str| {
        check(&world, name, text.as_bytes(), expected, code);
    };
    let packed = |coding: &str| {
        draft(&world, &erin, &format!("content-encoding: {coding}\r\ncontent-length: 2\r\n")) + "{}"
    };
    for coding in ["gzip", "br", "zstd", "deflate, gzip"] {
        check(coding, packed(coding), &[415], "content_encoding");
    }
    check("as it is", packed("identity"), &[422], "body_invalid");
    check(
        "1 TiB is announced",
        draft(&world, &erin, "content-length: 1099511627776\r\n"),
        &[413],
        "body_too_large",
    );
    let expecting = "expect: 100-continue\r\ncontent-length: 1099511627776\r\n";
    check("1 TiB, asking first", draft(&world, &erin, expecting), &[413], "body_too_large");
    let chunks = format!("{}0\r\n\r\n", format!("1000\r\n{}\r\n", "x".repeat(4096)).repeat(100));
    let chunked = draft(&world, &erin, "transfer-encoding: chunked\r\n");
    check("400 KiB in chunks", format!("{chunked}{chunks}"), &[413], "body_too_large");
    let extension = format!("1;{}\r\nx\r\n0\r\n\r\n", "e".repeat(100_000));
    check("a chunk with a long extension", format!("{chunked}{extension}"), &[400], "body_broken");
    let trailers = format!("2\r\n{{}}\r\n0\r\n{}\r\n", "t: u\r\n".repeat(20_000));
    check("trailers without end", format!("{chunked}{trailers}"), &[400], "body_broken");
    check("a chunk beyond numbers", format!("{chunked}fffffffffffffffff\r\n"), &[400], "body_broken");
    let large =
        |size: usize| draft(&world, &erin, &format!("content-length: {size}\r\n")) + &"x".repeat(size);
    check("300 KiB", large(300 * 1024), &[413], "body_too_large");
    check("900 KiB", large(900 * 1024), &[413], "body_too_large");
}

#[test]
fn a_body_is_asked_for_and_waited_for_only_so_long() {
    let Cast { world, erin, .. } = cast(|config| config.limits.body_seconds = 1);
    let mut stream = connect_from(&world, 1);
    let begun = draft(&world, &erin, "expect: 100-continue\r\ncontent-length: 2\r\n");
    stream.write_all(begun.as_bytes()).unwrap();
    let mut told = [0; 25];
    stream.read_exact(&mut told).unwrap();
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"{}").unwrap();
    assert_eq!(statuses(&rest(stream)), [422]);
    // One that goes on for ever: a byte now and then.
    let mut stream = connect_from(&world, 1);
    stream.write_all(draft(&world, &erin, "transfer-encoding: chunked\r\n").as_bytes()).unwrap();
    let began = std::time::Instant::now();
    let mut answer = Vec::new();
    stream.set_read_timeout(Some(std::time::Duration::from_millis(50))).unwrap();
    while !answer.ends_with(b"}") {
        assert!(began.elapsed() < PATIENCE, "it is still waited for");
        let _ = stream.write_all(b"1\r\nx\r\n");
        let mut piece = [0; 4096];
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => answer.extend_from_slice(&piece[..length]),
            Err(_) => {}
        }
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert_eq!(statuses(&answer), [408], "{answer}");
    assert!(answer.contains("\"code\":\"body_timeout\""), "{answer}");
    let view = world.call(&erin, "GET", "/api/v1/whoami", None).good();
    assert_eq!(view["person"], json!(erin.id));
}
