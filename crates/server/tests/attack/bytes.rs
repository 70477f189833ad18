//! Names and bodies that are not what they should be.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::world::World;
use crate::{Cast, cast, fails};
use chancery_canonical::Sha256;

/// A file is what its name says, and its name is a digest and nothing else.
#[test]
fn a_file_under_another_name() {
    let Cast { world, erin, .. } = cast();
    let digest = Sha256::of(b"safe").to_hex();
    let put = |name: &str, bytes: &[u8]| {
        let path = format!("/api/v1/artifacts/{name}");
        let own = world.credentials(&erin.session, "PUT", &path);
        let mut headers = vec![("content-type", "application/sql")];
        headers.extend(own.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        world.send("PUT", &path, &headers, Some(bytes.to_vec()))
    };
    put(&digest, b"evil").refused("member_invalid");
    put(&digest.to_uppercase(), b"safe").refused("member_invalid");
    put("..%2f..%2fkeys", b"safe").refused("member_invalid");
    put(&digest, b"safe").good();
}

/// The path of a tile is parsed, not joined to a folder: nothing but tiles comes out.
#[test]
fn a_path_out_of_the_folder() {
    let world = World::new();
    for path in [
        "/log/tile/../../../data/keys/log.key",
        "/log/tile/%2e%2e/%2e%2e/chancery.toml",
        "/log/tile/..%2f..%2fchancery.toml",
        "/log/tile//etc/passwd",
        "/log/tile/0/x001/../../../chancery.toml",
        "/log/tile/entries/000.p/1%00.txt",
        "/log/tile/0/000.p/0",
        "/log/tile/0/000.p/99999999999999999999",
        "/log/tile/64/000",
        "/log/../chancery.toml",
        "/../chancery.toml",
        "/api/v1/artifacts/../../../chancery.toml",
    ] {
        let mut connection = TcpStream::connect(world.address()).unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        connection.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = connection.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 4"), "{path}: {answer}");
        assert!(!answer.contains("public_url"), "{path}");
    }
}

/// A body within its limit costs little, however it is built; numbers of the query are held to what they are for.
#[test]
fn bodies_that_are_made_to_hurt() {
    let Cast { world, erin, .. } = cast();
    let size = world.log_size();
    let wide = format!(
        "{{\"parameters\":{{{}}}}}",
        (0..20_000).map(|at| format!("\"{at}\":0")).collect::<Vec<_>>().join(",")
    );
    let list = format!("[{}0]", "0,".repeat(120_000));
    let deep = "[".repeat(250_000);
    let text = format!("\"{}\"", "\\u0000".repeat(40_000));
    let number = format!("{{\"grant_seconds\":1e{}}}", "9".repeat(1000));
    for body in [wide, list, deep, text, number] {
        let began = Instant::now();
        let own = world.credentials(&erin.session, "POST", "/api/v1/drafts");
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(own.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let answer = world.send("POST", "/api/v1/drafts", &headers, Some(body.into_bytes()));
        assert!((400..500).contains(&answer.status), "{}", answer.status);
        fails(&world, size, &answer, &answer.code());
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    }
    for path in ["/api/v1/audit?from=18446744073709551615", "/api/v1/audit?from=9223372036854775808"] {
        let answer = world.call(&erin, "GET", path, None);
        assert!(answer.status < 500, "{path}: {}", answer.code());
    }
}
