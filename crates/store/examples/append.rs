//! Appends a second, beside what the machine could do at most: run by `make bench`.
//!
//! Four figures of one run on one disk: raw 4 KiB appends with `fdatasync`; a bare SQLite group commit of the same
//! leaves without a log; and the store with 1 and with 128 writers. Usage: `append [SECONDS]`, 3 by default.
#![allow(clippy::unwrap_used, reason = "a benchmark may stop at the first error")]

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chancery_domain::leaf::Stream;
use chancery_domain::time::Timestamp;
use chancery_ledger::{KeyType, Origin, SignerKey};
use chancery_store::{Append, LogSigner, NewEvent, SqliteOptions, SqliteStore, Store, StreamAppend};
use rusqlite::{Connection, params};
use serde_json::{Map, json};

/// Rows that share a commit in the bare measurement: as many as there are writers.
const GROUP: u64 = 128;

/// Bytes of one leaf's body, so that a leaf is about as long as a decision's.
const BODY: usize = 600;

fn main() {
    let seconds = std::env::args().nth(1).map_or(3, |text| text.parse().unwrap());
    let length = Duration::from_secs(seconds);
    let directory = tempfile::tempdir_in(".").unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!("| measured on this machine, in one run | per second | p50 / p99 ms |");
    println!("|---|---|---|");
    print("raw 4 KiB append + fdatasync", raw(directory.path(), length), length);
    print("bare SQLite, one row a commit", bare(directory.path(), length, 1), length);
    print("bare SQLite, 128 rows a commit", bare(directory.path(), length, GROUP), length);
    for writers in [1, 128] {
        let waits = runtime.block_on(appends(directory.path(), length, writers));
        print(&format!("store append, writers: {writers}"), waits, length);
    }
}

fn print(name: &str, mut waits: Vec<Duration>, length: Duration) {
    waits.sort_unstable();
    let rate = waits.len() as f64 / length.as_secs_f64();
    let at = |share: f64| {
        let index = (waits.len() as f64 * share).floor();
        let wait = waits.iter().enumerate().find(|(rank, _)| *rank as f64 >= index).map(|(_, wait)| *wait);
        wait.unwrap_or_default().as_secs_f64() * 1000.0
    };
    println!("| {name} | {rate:.0} | {:.2} / {:.2} |", at(0.5), at(0.99));
}

fn raw(directory: &Path, length: Duration) -> Vec<Duration> {
    let mut file = File::create(directory.join("raw")).unwrap();
    let (begin, mut waits) = (Instant::now(), Vec::new());
    while begin.elapsed() < length {
        let start = Instant::now();
        file.write_all(&[0x55; 4096]).unwrap();
        file.sync_data().unwrap();
        waits.push(start.elapsed());
    }
    waits
}

fn bare(directory: &Path, length: Duration, group: u64) -> Vec<Duration> {
    let connection = Connection::open(directory.join(format!("bare-{group}.db"))).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE leaves (bytes BLOB) STRICT;",
        )
        .unwrap();
    let leaf = vec![0x55_u8; BODY + 250];
    let (begin, mut waits) = (Instant::now(), Vec::new());
    while begin.elapsed() < length {
        let start = Instant::now();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        for _ in 0..group {
            let mut insert = connection.prepare_cached("INSERT INTO leaves VALUES (?1)").unwrap();
            insert.execute(params![leaf]).unwrap();
        }
        connection.execute_batch("COMMIT").unwrap();
        waits.extend((0..group).map(|_| start.elapsed()));
    }
    waits
}

async fn appends(directory: &Path, length: Duration, writers: u32) -> Vec<Duration> {
    let origin: Origin = "log.example.com".parse().unwrap();
    let key = SignerKey::from_seed(origin.key_name(), KeyType::Ed25519, &[7; 32]).unwrap();
    let place = directory.join(format!("store-{writers}"));
    let options = SqliteOptions {
        database: place.join("chancery.db"),
        checkpoint_copy: place.join("checkpoint"),
        signer: LogSigner::new(origin, key),
    };
    let store = Arc::new(SqliteStore::open(options).unwrap());
    let writers: Vec<_> =
        (0..writers).map(|number| tokio::spawn(write(Arc::clone(&store), number, length))).collect();
    let mut waits = Vec::new();
    for writer in writers {
        waits.extend(writer.await.unwrap());
    }
    waits
}

async fn write(store: Arc<SqliteStore>, number: u32, length: Duration) -> Vec<Duration> {
    let stream = Stream::Request(format!("01ARZ3NDEKTSV4RRFF{number:08}").parse().unwrap());
    let time = Timestamp::from_unix(1_795_348_800).unwrap();
    let (begin, mut waits) = (Instant::now(), Vec::new());
    while begin.elapsed() < length {
        let body = Map::from_iter([("filler".to_owned(), json!("x".repeat(BODY)))]);
        let event = NewEvent { kind: "request.decided".into(), body, private: None, attestation: None };
        let expected_version = waits.len() as u64;
        let streams = vec![StreamAppend { stream: stream.clone(), expected_version, events: vec![event] }];
        let start = Instant::now();
        store.append(Append { streams, ..Append::at(time) }).await.unwrap();
        waits.push(start.elapsed());
    }
    waits
}
