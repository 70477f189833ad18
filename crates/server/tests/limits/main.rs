//! Every limit of docs/spec/limits.md, met by somebody who wants more than their share: they are told which limit it
//! was and when to come back, and nobody else notices.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code fails by panicking"
)]

#[path = "../world/mod.rs"]
mod world;

mod configuration;
mod connections;
mod shares;
mod streams;
mod wire;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use chancery_server::Config;
use tokio::net::TcpSocket;
use world::{Answer, Person, World};

/// Longer than anything here takes, so that what hangs fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// Two administrators, an engineer and an approver, in an installation with other limits.
struct Cast {
    world: World,
    erin: Person,
    olga: Person,
    ada: Person,
}

fn cast(change: impl FnOnce(&mut Config)) -> Cast {
    let (world, mut ada, mut ben) = World::sealed_with(change);
    let erin = world.admit("Erin", &["engineer"], &mut ada, &mut ben);
    let olga = world.admit("Olga", &["service_owner"], &mut ada, &mut ben);
    Cast { world, erin, olga, ada }
}

/// Refused for now: with this status and code, the limit named, and a number of seconds after which to come back.
#[track_caller]
fn turned_away(answer: &Answer, status: u16, code: &str, limit: &str) -> u64 {
    answer.refused(code);
    assert_eq!(answer.status, status, "{code}");
    let reason = answer.json()["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains(&format!("`limits.{limit}`")), "{reason}");
    let wait = answer.header("retry-after").expect_header().parse().unwrap();
    assert!((1..=7 * 24 * 3600).contains(&wait), "{wait} seconds");
    wait
}

trait ExpectHeader<'a> {
    fn expect_header(self) -> &'a str;
}

impl<'a> ExpectHeader<'a> for Option<&'a str> {
    fn expect_header(self) -> &'a str {
        self.unwrap_or_else(|| panic!("no `Retry-After`"))
    }
}

/// A connection from one of the machine's own addresses: 127.0.0.`host`.
fn connect_from(world: &World, host: u8) -> TcpStream {
    let address = world.address();
    let stream = world.runtime.block_on(async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("127.0.0.{host}:0").parse().unwrap()).unwrap();
        socket.connect(address).await.unwrap()
    });
    let stream = stream.into_std().unwrap();
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends bytes and reads what comes until the server closes, as text.
fn exchange(world: &World, bytes: &[u8]) -> String {
    let mut stream = connect_from(world, 1);
    // The server may close before it has read everything.
    let _ = stream.write_all(bytes);
    rest(stream)
}

/// Everything until the server closes.
fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The head of a request by somebody who is signed in, without its last line.
fn head(world: &World, person: &Person, method: &str, path: &str) -> String {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n");
    for (name, value) in world.credentials(&person.session, method, path) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head
}

/// Waits until something becomes true.
#[track_caller]
fn eventually(what: &str, mut is: impl FnMut() -> bool) {
    let began = std::time::Instant::now();
    while !is() {
        assert!(began.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
