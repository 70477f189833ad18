//! Faults inside one batch, which only the engine's own parts can bring about.

use std::path::Path;
use std::sync::{Arc, mpsc};

use chancery_canonical::Sha256;
use chancery_domain::leaf::Stream;
use chancery_domain::time::Timestamp;
use chancery_ledger::{KeyType, Origin, SignerKey};
use serde_json::Map;

use super::{LogSigner, SqliteOptions, SqliteStore};
use crate::{
    Append, AppendError, Appended, Document, Fault, NewEvent, Store, StreamAppend, Ticket, TicketKey,
};

fn open(directory: &Path) -> Arc<SqliteStore> {
    let origin: Origin = "log.example.com".parse().unwrap();
    let key = SignerKey::from_seed(origin.key_name(), KeyType::Ed25519, &[7; 32]).unwrap();
    let signer = LogSigner::new(origin, key);
    let (database, checkpoint_copy) = (directory.join("chancery.db"), directory.join("checkpoint"));
    Arc::new(SqliteStore::open(SqliteOptions { database, checkpoint_copy, signer }).unwrap())
}

fn now() -> Timestamp {
    Timestamp::from_unix(1_795_348_800).unwrap()
}

fn append(number: u32, expected_version: u64) -> Append {
    let stream = Stream::Request(format!("01ARZ3NDEKTSV4RRFF{number:08}").parse().unwrap());
    let event = NewEvent { kind: "e".into(), body: Map::new(), private: None, attestation: None };
    let streams = vec![StreamAppend { stream, expected_version, events: vec![event] }];
    Append { streams, ..Append::at(now()) }
}

/// Holds the writer until the guard is dropped, so that what is queued meanwhile becomes one batch.
struct Held(Option<mpsc::Sender<()>>);

impl Held {
    async fn hold(store: &Arc<SqliteStore>) -> Self {
        let (release, released) = mpsc::channel::<()>();
        let (reached, running) = tokio::sync::oneshot::channel();
        let store = Arc::clone(store);
        tokio::spawn(async move {
            let wait = move |_: &rusqlite::Connection| {
                let _ = reached.send(());
                let _ = released.recv();
                Ok(())
            };
            store.write(wait).await
        });
        running.await.unwrap();
        Self(Some(release))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.take();
    }
}

type Appending = tokio::task::JoinHandle<Result<Appended, AppendError>>;

/// Queues an append behind whatever is queued already.
async fn queue(store: &Arc<SqliteStore>, append: Append) -> Appending {
    let (mine, before) = (Arc::clone(store), room(store));
    let task = tokio::spawn(async move { mine.append(append).await });
    queued_after(store, before).await;
    task
}

/// How many jobs the queue would still take.
fn room(store: &SqliteStore) -> usize {
    store.writer.as_ref().unwrap().queue.as_ref().unwrap().capacity()
}

/// Waits until one more job is queued; the writer is held, so it stays there.
async fn queued_after(store: &SqliteStore, before: usize) {
    while room(store) >= before {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

/// COMMIT fails: every caller of the batch hears of it, nothing of it stands, and the next batch is as if it
/// had never been.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_commit_fails_the_whole_batch() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.append(append(1, 0)).await.unwrap();
    let published = std::fs::read(directory.path().join("checkpoint")).unwrap();
    let held = Held::hold(&store).await;
    let first = queue(&store, append(1, 1)).await;
    let conflicting = queue(&store, append(1, 1)).await;
    let before = room(&store);
    let poison = {
        let store = Arc::clone(&store);
        // A violated foreign key, its check put off until COMMIT.
        let sql = "PRAGMA defer_foreign_keys = ON;
                   INSERT INTO attestations VALUES ('default', 777, 778, x'00');";
        tokio::spawn(async move { store.write(move |connection| Ok(connection.execute_batch(sql)?)).await })
    };
    queued_after(&store, before).await;
    let last = queue(&store, append(2, 0)).await;
    drop(held);
    for appending in [first, conflicting, last] {
        let failed = appending.await.unwrap().unwrap_err();
        assert!(matches!(failed, AppendError::Fault(Fault::Database(_))), "{failed}");
    }
    assert!(poison.await.unwrap().is_err());
    assert_eq!(store.checkpoint().await.unwrap().root().size(), 1);
    assert_eq!(std::fs::read(directory.path().join("checkpoint")).unwrap(), published);
    let appended = store.append(append(1, 1)).await.unwrap();
    assert_eq!(appended.positions.first().unwrap().leaf_index, 1);
    assert_eq!(store.integrity(None).await.unwrap(), []);
}

/// A full disk makes SQLite end the whole transaction in the middle of the batch. Nothing of it stands; above
/// all, what came after the failure in the batch is not committed on its own, beside the log.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_fails_the_whole_batch() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.append(append(1, 0)).await.unwrap();
    let limit = |pages: &'static str| {
        let store = Arc::clone(&store);
        async move { store.write(move |connection| Ok(connection.execute_batch(pages)?)).await.unwrap() }
    };
    limit("PRAGMA max_page_count = 80").await;
    let bytes = vec![0x55; 4096 * 200];
    let document = Document { sha256: Sha256::of(&bytes), media_type: "text/plain".into(), bytes };
    let ticket = Ticket { kind: "n".into(), key: "k".into(), value: true.into(), expires_at: now().plus(9) };
    let large = Append { documents: vec![document], remember: vec![ticket], ..append(2, 0) };
    let held = Held::hold(&store).await;
    let before = queue(&store, append(3, 0)).await;
    let large = queue(&store, large).await;
    let after = queue(&store, append(4, 0)).await;
    drop(held);
    for appending in [before, large, after] {
        let failed = appending.await.unwrap().unwrap_err();
        assert_eq!(failed, Fault::Database("the transaction ended early".into()).into());
    }
    let key = TicketKey { kind: "n".into(), key: "k".into() };
    assert_eq!(store.ticket(&key, now()).await.unwrap(), None);
    assert_eq!(store.entries(0..9).await.unwrap().len(), 1);
    limit("PRAGMA max_page_count = 100000").await;
    for number in [3, 2, 4] {
        store.append(append(number, 0)).await.unwrap();
    }
    assert_eq!(store.integrity(None).await.unwrap(), []);
}

/// A checkpoint that somebody else stored meanwhile is never overwritten.
#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_is_signed_over_the_one_before() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.append(append(1, 0)).await.unwrap();
    let intruder = rusqlite::Connection::open(directory.path().join("chancery.db")).unwrap();
    intruder.execute_batch("UPDATE log_head SET size = 5").unwrap();
    for _ in 0..2 {
        let failed = store.append(append(1, 1)).await.unwrap_err();
        assert!(matches!(failed, AppendError::Fault(Fault::Damaged(_))), "{failed}");
    }
    intruder.execute_batch("UPDATE log_head SET size = 1").unwrap();
    store.append(append(1, 1)).await.unwrap();
    assert_eq!(store.integrity(None).await.unwrap(), []);
}

/// Whoever stops waiting changes nothing: the append happens, and the writer goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_leaves_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let held = Held::hold(&store).await;
    let left = queue(&store, append(1, 0)).await;
    left.abort();
    drop(held);
    let conflict = store.append(append(1, 0)).await.unwrap_err();
    assert!(matches!(conflict, AppendError::Conflict { actual: 1, .. }), "{conflict}");
    store.append(append(1, 1)).await.unwrap();
}
