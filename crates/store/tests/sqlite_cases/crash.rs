//! The process is killed while it writes. What it acknowledged is there afterwards, and the log still verifies.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chancery_store::{NewEffect, SqliteOptions, SqliteStore, Store};
use serde_json::json;

use crate::Sqlite;
use crate::conformance::{Engine, append, assert_sound, at, attested, request_stream, signer};

/// Names the directory for the child; without it the child's test does nothing.
const PLACE: &str = "CHANCERY_STORE_CRASH_PLACE";
const WRITERS: u32 = 16;

/// Not a test of its own: the process that is killed. It prints a line for each acknowledged append.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn child_that_appends_until_it_is_killed() {
    let Some(place) = std::env::var_os(PLACE) else { return };
    let place = std::path::PathBuf::from(place);
    let options = SqliteOptions {
        database: place.join("data").join("chancery.db"),
        checkpoint_copy: place.join("apart").join("checkpoint"),
        signer: signer(),
    };
    let store = Arc::new(SqliteStore::open(options).unwrap());
    let writers: Vec<_> =
        (0..WRITERS).map(|number| tokio::spawn(write_on(Arc::clone(&store), number))).collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

async fn write_on(store: Arc<SqliteStore>, number: u32) {
    let mut version = store.stream(&request_stream(number), 0).await.unwrap().len() as u64;
    loop {
        let next = append(request_stream(number), version, vec![attested("e")]);
        let position = store.append(next).await.unwrap().positions.remove(0);
        version = position.version;
        println!("acknowledged {number} {version} {}", position.leaf_index);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_appends_survive_a_kill() {
    let place = Sqlite::fresh();
    let mut acknowledged = Vec::new();
    for round in 0..4 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "sqlite_cases::crash::child_that_appends_until_it_is_killed", "--nocapture"])
            .env(PLACE, place.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let seen = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&seen);
        let reader = std::thread::spawn(move || read_whole_lines(output, &count));
        // Killed in the middle of the work, wherever that happens to be.
        while seen.load(Ordering::Relaxed) < 60 + 37 * round {
            assert!(!reader.is_finished(), "the child ended by itself");
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for line in reader.join().unwrap() {
            if let ["acknowledged", writer, version, index] = line.split(' ').collect::<Vec<_>>()[..] {
                let number = |text: &str| text.parse::<u64>().unwrap();
                acknowledged.push(Acknowledged {
                    writer: writer.parse().unwrap(),
                    version: number(version),
                    leaf_index: number(index),
                });
            }
        }
        assert_nothing_lost(&place, &acknowledged).await;
    }
}

/// What a process had claimed when it died is due again as soon as another one opens the database: a revocation
/// does not wait for the lease of somebody who is gone.
#[tokio::test]
async fn claims_end_with_their_process() {
    let place = Sqlite::fresh();
    let store = place.open();
    let due = NewEffect { key: "e".into(), kind: "revoke".into(), due_at: at(0), payload: json!({}) };
    store.add_effect(due).await.unwrap();
    let before = store.claim_effects(at(1), 1, 60).await.unwrap().remove(0);
    assert_eq!(store.claim_effects(at(1), 1, 60).await.unwrap(), []);
    drop(store);
    let store = place.open();
    assert!(!store.finish_effect("e", before.fence).await.unwrap(), "the claim is over");
    let again = store.claim_effects(at(1), 1, 60).await.unwrap().remove(0);
    assert_eq!((again.attempt, again.fence > before.fence), (2, true));
    assert!(store.finish_effect("e", again.fence).await.unwrap());
    assert_sound(&store).await;
}

/// Lines until the output ends. What follows the last newline was cut off by the kill.
fn read_whole_lines(mut output: impl BufRead, count: &AtomicUsize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    while output.read_line(&mut line).unwrap() > 0 && line.ends_with('\n') {
        lines.push(line.trim_end().to_owned());
        line.clear();
        count.fetch_add(1, Ordering::Relaxed);
    }
    lines
}

/// What the child said before it died.
struct Acknowledged {
    writer: u32,
    version: u64,
    leaf_index: u64,
}

async fn assert_nothing_lost(place: &Sqlite, acknowledged: &[Acknowledged]) {
    let store = place.open();
    assert_sound(&store).await;
    for writer in 0..WRITERS {
        let events = store.stream(&request_stream(writer), 0).await.unwrap();
        for said in acknowledged.iter().filter(|said| said.writer == writer) {
            let event = &events[usize::try_from(said.version).unwrap() - 1];
            assert_eq!((event.position.version, event.position.leaf_index), (said.version, said.leaf_index));
        }
    }
}
