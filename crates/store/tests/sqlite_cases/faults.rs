//! IO fails in both ways: "not done", and "done but reported failed". The store recovers from each.

use std::fs;

use chancery_domain::leaf::Stream;
use chancery_store::{AppendError, Fault, Store, kept_checkpoint};
use rusqlite::Connection;

use crate::Sqlite;
use crate::conformance::{Engine, append, assert_sound, event, log_key};

/// Not done: somebody holds the database, so the batch cannot begin. Nothing of it happens.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_in_use_refuses_and_recovers() {
    let (place, store) = Sqlite::fresh().open_kept();
    store.append(append(Stream::Policy, 0, vec![event("a")])).await.unwrap();
    let intruder = Connection::open(place.database()).unwrap();
    intruder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let failed = store.append(append(Stream::Policy, 1, vec![event("b")])).await.unwrap_err();
    assert!(matches!(failed, AppendError::Fault(Fault::Database(_))), "{failed}");
    let failed = store.sweep_tickets(crate::conformance::at(0)).await.unwrap_err();
    assert!(matches!(failed, Fault::Database(_)), "{failed}");
    intruder.execute_batch("ROLLBACK").unwrap();
    let appended = store.append(append(Stream::Policy, 1, vec![event("c")])).await.unwrap();
    assert_eq!(appended.positions[0].leaf_index, 1);
    assert_sound(&store).await;
}

/// Done but reported failed: the commit stands, its checkpoint could not be published. The log goes on after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_cannot_be_published() {
    let (place, store) = Sqlite::fresh().open_kept();
    store.append(append(Stream::Policy, 0, vec![event("a")])).await.unwrap();
    let apart = place.path().join("apart");
    let away = place.path().join("away");
    fs::rename(&apart, &away).unwrap();
    let failed = store.append(append(Stream::Policy, 1, vec![event("b")])).await.unwrap_err();
    assert!(matches!(failed, AppendError::Fault(Fault::File { .. })), "{failed}");
    assert_eq!(
        store.stream(&Stream::Policy, 0).await.unwrap().len(),
        2,
        "committed, though not acknowledged"
    );
    let conflict = store.append(append(Stream::Policy, 1, vec![event("b")])).await.unwrap_err();
    assert!(matches!(conflict, AppendError::Conflict { actual: 2, .. }), "{conflict}");
    fs::rename(&away, &apart).unwrap();
    let appended = store.append(append(Stream::Policy, 2, vec![event("c")])).await.unwrap();
    assert_eq!((appended.positions[0].leaf_index, appended.checkpoint.root().size()), (2, 3));
    assert_eq!(kept_checkpoint(&place.copy(), &log_key()).unwrap(), Some(appended.checkpoint));
    assert_sound(&store).await;
    drop(store);
    assert_sound(&place.open()).await;
}

/// A leaf that somebody else put at the end of the log is never covered by a signature.
#[tokio::test(flavor = "multi_thread")]
async fn an_intruding_writer_is_noticed() {
    let (place, store) = Sqlite::fresh().open_kept();
    store.append(append(Stream::Policy, 0, vec![event("a")])).await.unwrap();
    let intruder = Connection::open(place.database()).unwrap();
    intruder.execute_batch("INSERT INTO leaves VALUES ('default', 1, x'00')").unwrap();
    let failed = store.append(append(Stream::Policy, 1, vec![event("b")])).await.unwrap_err();
    assert!(matches!(failed, AppendError::Fault(Fault::Database(_))), "{failed}");
    assert_eq!(store.checkpoint().await.unwrap().root().size(), 1, "nothing was signed over it");
}

/// A writer that stands still refuses at once what its queue does not hold, and loses nothing of what it took.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_at_once() {
    let (place, store) = Sqlite::fresh().open_kept();
    let store = std::sync::Arc::new(store);
    let intruder = Connection::open(place.database()).unwrap();
    intruder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let put = |number: usize| {
        let store = std::sync::Arc::clone(&store);
        let (kind, key) = ("nonce".to_owned(), number.to_string());
        let value = serde_json::Value::Null;
        let ticket = chancery_store::Ticket { kind, key, value, expires_at: crate::conformance::at(60) };
        tokio::spawn(async move { store.put_ticket(ticket).await })
    };
    let writes: Vec<_> = (0..5_000).map(put).collect();
    // The first that is refused is refused while the writer still stands.
    while !writes.iter().any(tokio::task::JoinHandle::is_finished) {
        tokio::task::yield_now().await;
    }
    intruder.execute_batch("ROLLBACK").unwrap();
    let (mut taken, mut busy) = (0, 0);
    for write in writes {
        match write.await.unwrap() {
            Ok(()) => taken += 1,
            Err(Fault::Busy) => busy += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(taken >= 1_024 && busy > 0, "{taken} taken, {busy} refused");
    assert_eq!(store.tickets("nonce", crate::conformance::at(0)).await.unwrap().len(), taken);
    assert_sound(&*store).await;
}
