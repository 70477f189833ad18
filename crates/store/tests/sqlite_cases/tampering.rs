//! Somebody with write access to the file changes it. The integrity check, or the log itself, says what.

use chancery_canonical::{Disclosure, Sha256};
use chancery_domain::leaf::Stream;
use chancery_store::{Append, Check, Document, Erasure, NewEvent, Store};
use rusqlite::Connection;
use serde_json::json;

use crate::Sqlite;
use crate::conformance::{Engine, append, attested, event, projection, request_stream, row};

async fn filled() -> Sqlite {
    let place = Sqlite::fresh();
    let store = place.open();
    for number in 0..3 {
        let bytes = format!("artifact {number}").into_bytes();
        let document = Document { sha256: Sha256::of(&bytes), media_type: "text/plain".into(), bytes };
        let private = Some(json!({"clear": number}));
        let events = vec![attested("submitted"), NewEvent { private, ..event("pending") }];
        let next = Append {
            documents: vec![document],
            request_rows: vec![row(number, 2, "pending")],
            ..append(request_stream(number), 0, events)
        };
        store.append(next).await.unwrap();
    }
    let many = (0..300).map(|_| event("policy.activate")).collect();
    store.append(append(Stream::Policy, 0, many)).await.unwrap();
    assert_eq!(store.integrity(Some(projection())).await.unwrap(), []);
    place
}

/// Changes rows the way an intruder would: triggers and constraints out of the way first.
fn tamper(place: &Sqlite, sql: &str) {
    let connection = Connection::open(place.database()).unwrap();
    connection
        .execute_batch(&format!(
            "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;
             DROP TRIGGER leaves_never_change; DROP TRIGGER leaves_never_go;
             DROP TRIGGER events_never_change; DROP TRIGGER events_never_go; {sql}"
        ))
        .unwrap();
    assert!(connection.total_changes() > 0, "`{sql}` changes nothing");
}

#[tokio::test]
async fn every_change_is_found() {
    let flip = "CAST(replace(CAST(bytes AS TEXT), 'policy.activate', 'policy.rollback') AS BLOB)";
    for (sql, expected) in [
        (
            &*format!("UPDATE leaves SET bytes = {flip} WHERE leaf_index = 20"),
            &[Check::Tiles, Check::Checkpoint, Check::Events, Check::Streams][..],
        ),
        (
            "UPDATE leaves SET bytes = x'00' WHERE leaf_index = 20",
            &[Check::Leaves, Check::Tiles, Check::Checkpoint],
        ),
        ("UPDATE leaves SET bytes = x'00' WHERE leaf_index = 1", &[Check::Tiles, Check::Checkpoint]),
        ("DELETE FROM leaves WHERE leaf_index = 20", &[Check::Leaves, Check::Checkpoint, Check::Engine]),
        ("DELETE FROM leaves WHERE leaf_index = 308", &[Check::Checkpoint, Check::Tiles, Check::Streams]),
        ("DELETE FROM events WHERE leaf_index = 20", &[Check::Leaves, Check::Streams]),
        ("UPDATE events SET kind = 'other' WHERE leaf_index = 20", &[Check::Events]),
        ("UPDATE events SET recorded_at = 5 WHERE leaf_index = 20", &[Check::Events]),
        ("UPDATE events SET stream = 'trust' WHERE leaf_index = 20", &[Check::Events]),
        ("UPDATE events SET private = '{' WHERE leaf_index = 2", &[Check::Events]),
        ("DELETE FROM attestations WHERE event_index = 0", &[Check::Leaves]),
        ("UPDATE attestations SET event_index = 2 WHERE event_index = 0", &[Check::Events]),
        ("UPDATE streams SET version = 1 WHERE stream = 'policy'", &[Check::Streams]),
        ("UPDATE streams SET head = zeroblob(32) WHERE stream = 'policy'", &[Check::Streams]),
        ("DELETE FROM streams WHERE stream = 'policy'", &[Check::Streams]),
        ("UPDATE tiles SET hashes = zeroblob(8192) WHERE level = 0 AND number = 0", &[Check::Tiles]),
        ("DELETE FROM tiles WHERE level = 1", &[Check::Tiles]),
        ("INSERT INTO tiles VALUES ('default', 2, 0, zeroblob(32))", &[Check::Tiles]),
        ("UPDATE log_head SET size = 300", &[Check::Checkpoint]),
        ("UPDATE log_head SET note = x'41'", &[Check::Checkpoint]),
        ("UPDATE documents SET bytes = x'00' WHERE rowid = 1", &[Check::Documents]),
        ("UPDATE requests SET state = 'approved' WHERE rowid = 1", &[Check::ReadModel]),
        ("UPDATE requests SET risk_score = 0 WHERE rowid = 1", &[Check::ReadModel]),
        ("DELETE FROM requests WHERE rowid = 1", &[Check::ReadModel]),
    ] {
        let place = filled().await;
        let reader = place.open();
        drop(reader);
        tamper(&place, sql);
        let Ok(store) = place.open_read_only() else {
            assert_eq!(expected, [Check::Checkpoint], "`{sql}` does not even open");
            continue;
        };
        let findings = store.integrity(Some(projection())).await.unwrap();
        for check in expected {
            assert!(
                findings.iter().any(|found| found.check == *check),
                "`{sql}` misses {check:?}: {findings:?}"
            );
        }
    }
}

/// The plain ways to change the log are closed by the schema.
#[tokio::test]
async fn the_schema_refuses_changes() {
    let place = filled().await;
    let connection = Connection::open(place.database()).unwrap();
    for sql in [
        "UPDATE leaves SET bytes = x'00' WHERE leaf_index = 1",
        "DELETE FROM leaves WHERE leaf_index = 1",
        "UPDATE events SET kind = 'other' WHERE leaf_index = 20",
        "DELETE FROM events WHERE leaf_index = 20",
        "INSERT INTO leaves VALUES ('default', 20, x'00')",
    ] {
        assert!(connection.execute_batch(sql).is_err(), "{sql}");
    }
}

/// What is erased is gone from the files, not only from the answers.
#[tokio::test]
async fn erased_values_leave_the_disk() {
    let place = Sqlite::fresh();
    let store = place.open();
    let secret = "ada.lovelace@example.com";
    let mail = Disclosure::new(&[3; 16], "mail", json!(secret)).unwrap();
    let private = Some(json!({"disclosures": [mail.as_str()], "clear": {"mail": secret}}));
    store.append(append(Stream::Policy, 0, vec![NewEvent { private, ..event("told") }])).await.unwrap();
    assert_eq!((on_disk(&place, secret), on_disk(&place, mail.as_str())), (true, true));
    let erasure = Erasure { leaf_index: 0, digests: vec![mail.digest()] };
    let redact = Append { erase: vec![erasure], ..append(Stream::Policy, 1, vec![event("redaction")]) };
    store.append(redact).await.unwrap();
    // The write-ahead log is emptied after the answer; the next answer comes after that.
    store.sweep_tickets(crate::conformance::at(0)).await.unwrap();
    assert_eq!((on_disk(&place, secret), on_disk(&place, mail.as_str())), (false, false));
}

fn on_disk(place: &Sqlite, text: &str) -> bool {
    ["chancery.db", "chancery.db-wal"].iter().any(|name| {
        let bytes = std::fs::read(place.path().join("data").join(name)).unwrap_or_default();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}
