//! The store itself: events, leaves, tiles, signed checkpoint and its copy.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chancery_domain::leaf::Stream;
use chancery_domain::time::Timestamp;
use chancery_ledger::{KeyType, Origin, SignerKey};
use chancery_store::{Append, LogSigner, NewEvent, SqliteOptions, SqliteStore, Store, StreamAppend};
use serde_json::{Map, json};

use super::{ENTRY, Waits};

/// What a leaf has around its body, in bytes: stream, version, previous, kind, time.
const AROUND: usize = 300;

/// Writers that each append to a stream of their own, one event after the other. The store goes on from round to round.
pub async fn appends(directory: &Path, length: Duration, writers: u32, round: u32) -> Waits {
    let origin: Origin = "log.example.com".parse().unwrap();
    let key = SignerKey::from_seed(origin.key_name(), KeyType::Ed25519, &[7; 32]).unwrap();
    let place = directory.join(format!("store-{writers}"));
    let options = SqliteOptions {
        database: place.join("chancery.db"),
        checkpoint_copy: place.join("checkpoint"),
        signer: LogSigner::new(origin, key),
    };
    let store = Arc::new(SqliteStore::open(options).unwrap());
    let begin = Instant::now();
    if writers == 1 {
        // Asked on this thread, so that it is the store that is measured, and not how a runtime wakes its threads.
        let each = write(store, 0, round, begin, length).await;
        return Waits { each, whole: begin.elapsed() };
    }
    let writers: Vec<_> = (0..writers)
        .map(|number| tokio::spawn(write(Arc::clone(&store), number, round, begin, length)))
        .collect();
    let mut each = Vec::new();
    for writer in writers {
        each.extend(writer.await.unwrap());
    }
    Waits { each, whole: begin.elapsed() }
}

async fn write(
    store: Arc<SqliteStore>,
    number: u32,
    round: u32,
    begin: Instant,
    length: Duration,
) -> Vec<Duration> {
    let stream = Stream::Request(format!("01ARZ3NDEKTSV4RR{round:02}{number:08}").parse().unwrap());
    let time = Timestamp::from_unix(1_795_348_800).unwrap();
    let mut waits = Vec::new();
    while begin.elapsed() < length {
        let body = Map::from_iter([("filler".to_owned(), json!("x".repeat(ENTRY - AROUND)))]);
        let event = NewEvent { kind: "request.decided".into(), body, private: None, attestation: None };
        let expected_version = waits.len() as u64;
        let streams = vec![StreamAppend { stream: stream.clone(), expected_version, events: vec![event] }];
        let start = Instant::now();
        store.append(Append { streams, ..Append::at(time) }).await.unwrap();
        waits.push(start.elapsed());
    }
    waits
}
