//! Ten thousand who listen, and clients that are slow on purpose: everybody else submits and decides as before.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::net::TcpSocket;

use crate::world::{Person, World};
use crate::{Flag, Site, median, site};

/// As many as the issue asks for; a short run takes fewer.
const MANY: usize = 10_000;
const FEW: usize = 2_000;
/// Files that this process needs besides.
const SPARE: usize = 1_500;
/// Streams of somebody who sees every request.
const SEEING: usize = 20;
/// Streams from one address: fewer than `limits.connections_per_address`.
const OF_ADDRESS: usize = 200;
/// Whole ways that are timed.
const ROUNDS: usize = 25;
/// How much longer the median may be with all of them there.
const RATIO: f64 = 5.0;
/// Most memory that one stream on which nothing happens may take.
const BYTES_OF_STREAM: u64 = 24 * 1024;

/// A connection from one of this machine's addresses.
fn connect_from(world: &World, address: usize) -> TcpStream {
    let (high, low) = (1 + address / 250, 1 + address % 250);
    let server = world.address();
    let stream = world.runtime.block_on(async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("127.0.{high}.{low}:0").parse().unwrap()).unwrap();
        socket.connect(server).await.unwrap()
    });
    let stream = stream.into_std().unwrap();
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

/// A stream that has begun: its first line has come.
fn follow(world: &World, person: &Person, address: usize) -> TcpStream {
    let mut stream = connect_from(world, address);
    let mut head = "GET /api/v1/events HTTP/1.1\r\nhost: localhost\r\n".to_owned();
    for (name, value) in world.credentials(&person.session, "GET", "/api/v1/events") {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    let mut piece = [0; 2048];
    while !String::from_utf8_lossy(&answer).contains("retry: 2000") {
        let length = stream.read(&mut piece).unwrap();
        assert!(length > 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&piece[..length]);
    }
    stream
}

/// One whole way: drafted, submitted, approved. How long it took, and which request it was.
fn round(world: &World, erin: &mut Person, olga: &mut Person) -> (Duration, String) {
    let began = Instant::now();
    let request = world.request(erin, "staging");
    world.decide(olga, &request, "approve", None).good();
    (began.elapsed(), request)
}

/// Opens connections and misuses them until the flag is set: heads byte by byte, bodies byte by byte, answers that
/// nobody reads.
fn slow(world: &World, erin: &Person, from: usize, done: &AtomicBool) {
    let (mut held, mut turn) = (Vec::new(), 0_usize);
    while !done.load(Ordering::Acquire) {
        if held.len() < 150 {
            let mut stream = connect_from(world, from);
            let begun: &[u8] = match held.len() % 3 {
                0 => b"GET /api/v1/server HTTP/1.1\r\nx-slow: ",
                1 => b"POST /api/v1/logins HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n{",
                _ => b"GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\n\r\n",
            };
            let _ = stream.write_all(begun);
            held.push(stream);
        }
        // Each gets a byte now and then, which is enough to look alive.
        turn += 1;
        for stream in held.iter_mut().skip(turn % 10).step_by(10) {
            let _ = stream.write_all(b" ");
        }
        // Somebody who has a session can be slow as well.
        let path = "/api/v1/drafts";
        let mut head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\n");
        for (name, value) in world.credentials(&erin.session, "POST", path) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if held.len() % 50 == 0 {
            let mut stream = connect_from(world, from);
            let body = "content-type: application/json\r\ncontent-length: 60000\r\n\r\n{";
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
            held.push(stream);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Reads what has come on a stream, until all these requests were named.
fn names_all(stream: TcpStream, requests: &[String]) -> bool {
    let mut missing: BTreeSet<&str> = requests.iter().map(String::as_str).collect();
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    while !missing.is_empty() && lines.read_line(&mut line).is_ok_and(|length| length > 0) {
        missing.retain(|request| !line.contains(request));
        line.clear();
    }
    missing.is_empty()
}

/// Lets this process open as many files as the system allows; how many that is.
fn raise_files() -> usize {
    let own = std::process::id().to_string();
    let hard = std::fs::read_to_string("/proc/self/limits").unwrap();
    let hard = hard.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let hard = hard.split_whitespace().nth(1).unwrap().to_owned();
    // Part of util-linux. Without it, or when it is refused, the soft limit is what there is.
    let _ = std::process::Command::new("prlimit")
        .args(["--pid", &own, &format!("--nofile={hard}:{hard}")])
        .status();
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap_or(usize::MAX)
}

#[test]
fn many_who_listen_and_some_who_are_slow_stop_nobody() {
    let asked = if std::env::var_os("CHANCERY_NIGHTLY").is_some() { MANY } else { FEW };
    let Site { process, world, mut erin, mut olga, others } = site(4, |config| {
        config.limits.connections = 20_000;
        config.limits.event_streams = 15_000;
        config.limits.event_streams_per_person = 5_000;
        config.limits.header_seconds = 5;
    });
    let files = raise_files().min(process.files());
    let count = asked.min(files.saturating_sub(SPARE));
    if count < asked {
        println!("only {files} files may be open: {count} streams instead of {asked}");
    }
    let mut alone: Vec<Duration> = (0..ROUNDS).map(|_| round(&world, &mut erin, &mut olga).0).collect();
    let empty = process.resident();
    let opened = Instant::now();
    let mut streams: Vec<TcpStream> = std::thread::scope(|scope| {
        let (world, others) = (&world, &others);
        let open = |thread: usize| {
            let mine = (thread..count - SEEING).step_by(8);
            mine.map(|number| follow(world, &others[number % others.len()], number / OF_ADDRESS))
                .collect::<Vec<_>>()
        };
        let started: Vec<_> = (0..8).map(|thread| scope.spawn(move || open(thread))).collect();
        started.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let each = process.resident().saturating_sub(empty) / streams.len() as u64;
    let opened = opened.elapsed();
    let seeing: Vec<TcpStream> = (0..SEEING).map(|_| follow(&world, &olga, 800)).collect();
    let done = AtomicBool::new(false);
    let (loaded, requests): (Vec<Duration>, Vec<String>) = std::thread::scope(|scope| {
        let _ends = Flag(&done);
        let slow_one = Person { session: others[0].session.clone(), ..spare(&others[0]) };
        let (world, done) = (&world, &done);
        for thread in 0..2 {
            let slow_one = Person { session: slow_one.session.clone(), ..spare(&slow_one) };
            scope.spawn(move || slow(world, &slow_one, 900 + thread, done));
        }
        // They are there before anything is timed.
        std::thread::sleep(Duration::from_millis(500));
        (0..ROUNDS).map(|_| round(world, &mut erin, &mut olga)).unzip()
    });
    for stream in seeing {
        assert!(names_all(stream, &requests), "a stream left one out");
    }
    let resident = process.resident();
    // Once more without them: the machine may have been busy with something else before.
    drop(streams.drain(..));
    alone.extend((0..ROUNDS).map(|_| round(&world, &mut erin, &mut olga).0));
    let (with, without) = (median(loaded), median(alone));
    let ratio = with.as_secs_f64() / without.as_secs_f64();
    println!(
        "{count} streams, opened in {opened:.1?}, {each} bytes each; resident {} KiB before, {} KiB with all; \
         p50 of a whole way {without:.1?} without, {with:.1?} with: {ratio:.2} times",
        empty / 1024,
        resident / 1024,
    );
    assert!(ratio < RATIO, "{ratio:.2} times as long with {count} streams");
    assert!(each < BYTES_OF_STREAM, "{each} bytes for a stream on which nothing happens");
    process.signal("TERM");
    let (status, said) = process.ended();
    assert_eq!(status.code(), Some(0), "{said}");
}

/// The same person, for another thread.
fn spare(person: &Person) -> Person {
    Person {
        id: person.id.clone(),
        name: person.name.clone(),
        passkey: chancery_testkit::passkey::SoftPasskey::new("localhost"),
        session: person.session.clone(),
        ssh_seed: person.ssh_seed,
    }
}
