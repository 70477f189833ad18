//! A copy out of a backup signs nothing before it was shown that nothing is missing in it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use chancery_domain::leaf::Stream;
use chancery_ledger::SignedCheckpoint;
use chancery_store::{
    AdoptError, Adopted, Derive, Derived, Known, NewEffect, OpenError, SqliteOptions, SqliteStore, Store,
    Ticket, TicketKey, kept_checkpoint,
};
use serde_json::json;

use crate::Sqlite;
use crate::conformance::{
    Engine, append, assert_sound, at, attested, event, log_key, projection, request, request_stream, row,
    signer,
};

const KEPT: &str = "counter";

/// A place whose database is a copy of another one's, marked as restored.
fn restore_from(original: &Sqlite) -> Sqlite {
    let place = Sqlite::fresh();
    fs::create_dir_all(place.database().parent().unwrap()).unwrap();
    fs::create_dir_all(place.copy().parent().unwrap()).unwrap();
    SqliteStore::copy(&original.database(), &place.database(), &[KEPT]).unwrap();
    SqliteStore::mark_restored(&place.copy()).unwrap();
    place
}

fn options(place: &Sqlite) -> SqliteOptions {
    SqliteOptions { database: place.database(), checkpoint_copy: place.copy(), signer: signer() }
}

fn derive() -> Derive {
    Arc::new(|id, events, _| {
        let row = projection()(id, events)?;
        let effect = NewEffect {
            key: format!("clock/{id}"),
            kind: "clock".to_owned(),
            due_at: at(0),
            payload: json!({}),
        };
        Ok(Derived { row, effects: vec![effect], settle_effects: Vec::new(), erase: Vec::new() })
    })
}

fn newest(place: &Sqlite) -> SignedCheckpoint {
    kept_checkpoint(&place.copy(), &log_key()).unwrap().unwrap()
}

async fn entries(place: &Sqlite, from: u64) -> Vec<Vec<u8>> {
    place.open_read_only().unwrap().entries(from..u64::MAX).await.unwrap()
}

async fn grow(store: &SqliteStore, from: u64, events: usize) {
    let events = (0..events).map(|number| event(&format!("e{number}"))).collect();
    store.append(append(Stream::Policy, from, events)).await.unwrap();
}

/// The first request's stream of two events with their attestations, and its row.
async fn ask(store: &SqliteStore, from: u64) {
    let mut asked = append(request_stream(1), from, vec![attested("submitted"), attested("judged")]);
    asked.request_rows.push(row(1, from + 2, "judged"));
    store.append(asked).await.unwrap();
}

#[tokio::test]
async fn a_copy_is_whole_private_and_without_what_is_good_once() {
    let (place, store) = Sqlite::fresh().open_kept();
    grow(&store, 0, 300).await;
    for kind in [KEPT, "session"] {
        let value = json!(format!("value of {kind}"));
        let ticket = Ticket { kind: kind.to_owned(), key: "k".to_owned(), value, expires_at: at(1000) };
        store.put_ticket(ticket).await.unwrap();
    }
    // Beside the writer, which goes on meanwhile.
    let copy = restore_from(&place);
    grow(&store, 300, 1).await;
    assert_eq!(fs::metadata(copy.database()).unwrap().permissions().mode() & 0o777, 0o600);
    let bytes = fs::read(copy.database()).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("value of counter") && !holds("value of session"));
    let read = copy.open_read_only().unwrap();
    assert_sound(&read).await;
    assert_eq!(read.checkpoint().await.unwrap().root().size(), 300);
    let session = TicketKey { kind: "session".to_owned(), key: "k".to_owned() };
    assert_eq!(read.ticket(&session, at(0)).await.unwrap(), None);
    // Never over something that is there.
    let refused = SqliteStore::copy(&place.database(), &copy.database(), &[]).unwrap_err();
    assert!(refused.to_string().contains("exists"), "{refused}");
}

#[tokio::test]
async fn nothing_is_signed_before_it_is_compared() {
    let (place, store) = Sqlite::fresh().open_kept();
    grow(&store, 0, 5).await;
    let restored = restore_from(&place);
    let refused = restored.try_open().err().unwrap();
    assert!(matches!(refused, OpenError::Restored { .. }), "{refused}");
    let nothing = Known { checkpoints: Vec::new(), entries: Vec::new() };
    let refused = SqliteStore::adopt(&options(&restored), &nothing, &derive()).unwrap_err();
    assert!(matches!(refused, AdoptError::NothingKnown { .. }), "{refused}");
    // The same size and root: nothing was lost.
    let known = Known { checkpoints: vec![newest(&place)], entries: Vec::new() };
    let adopted = SqliteStore::adopt(&options(&restored), &known, &derive()).unwrap();
    assert_eq!(adopted, Adopted { before: 5, size: 5 });
    let store = restored.open();
    grow(&store, 5, 1).await;
    assert_sound(&store).await;
}

#[tokio::test]
async fn what_is_known_must_not_be_older() {
    let (place, store) = Sqlite::fresh().open_kept();
    grow(&store, 0, 3).await;
    let known = Known { checkpoints: vec![newest(&place)], entries: Vec::new() };
    grow(&store, 3, 2).await;
    let restored = restore_from(&place);
    let refused = SqliteStore::adopt(&options(&restored), &known, &derive()).unwrap_err();
    assert!(matches!(refused, AdoptError::Behind { .. }), "{refused}");
    assert!(restored.try_open().is_err());
}

#[tokio::test]
async fn what_is_missing_is_named_and_taken_in_from_a_mirror() {
    let (place, store) = Sqlite::fresh().open_kept();
    grow(&store, 0, 254).await;
    ask(&store, 0).await;
    let restored = restore_from(&place);
    ask(&store, 2).await;
    grow(&store, 254, 300).await;
    let (checkpoint, missing) = (newest(&place), entries(&place, 258).await);
    let mut known = Known { checkpoints: vec![checkpoint.clone()], entries: Vec::new() };
    let refused = SqliteStore::adopt(&options(&restored), &known, &derive()).unwrap_err();
    assert_eq!(refused, AdoptError::Missing { from: 258, to: 562 });
    assert!(refused.to_string().contains("entries 258 to 561"), "{refused}");
    // Too few, too many, another one: none of them makes what was signed.
    for spoil in [0, 1, 2] {
        known.entries = missing.clone();
        match spoil {
            0 => drop(known.entries.pop()),
            1 => known.entries.push(b"{}".to_vec()),
            _ => known.entries[7] = b"{}".to_vec(),
        }
        let refused = SqliteStore::adopt(&options(&restored), &known, &derive()).unwrap_err();
        assert!(matches!(refused, AdoptError::Entries(_)), "{spoil}: {refused}");
        assert_eq!(restored.open_read_only().unwrap().checkpoint().await.unwrap().root().size(), 258);
    }
    known.entries = missing;
    let adopted = SqliteStore::adopt(&options(&restored), &known, &derive()).unwrap();
    assert_eq!(adopted, Adopted { before: 258, size: 562 });
    let again = restored.open();
    assert_eq!(again.integrity(Some(projection())).await.unwrap(), []);
    assert_eq!(again.checkpoint().await.unwrap().root(), checkpoint.root());
    assert_eq!(again.request_row(&request(1)).await.unwrap().unwrap().version, 4);
    assert_eq!(again.claim_effects(at(0), 9, 1).await.unwrap().len(), 1);
    // It goes on where the other one would have: the same leaves, the same root.
    grow(&again, 554, 3).await;
    grow(&store, 554, 3).await;
    assert_eq!(again.checkpoint().await.unwrap().root(), newest(&place).root());
}

#[tokio::test]
async fn another_history_is_never_adopted() {
    let (place, store) = Sqlite::fresh().open_kept();
    grow(&store, 0, 5).await;
    let other = Sqlite::fresh();
    let fork = other.open();
    fork.append(append(Stream::Trust, 0, vec![event("other")])).await.unwrap();
    grow(&fork, 0, 4).await;
    let restored = restore_from(&place);
    for more in [0, 4] {
        grow(&fork, 4, more).await;
        let known =
            Known { checkpoints: vec![newest(&place), newest(&other)], entries: entries(&other, 5).await };
        let refused = SqliteStore::adopt(&options(&restored), &known, &derive()).unwrap_err();
        let loud = matches!(refused, AdoptError::Forked { .. } | AdoptError::Entries(_));
        assert!(loud, "{more}: {refused}");
        assert!(restored.try_open().is_err());
    }
}

/// Whoever removes the mark by hand gets a log that contradicts what was signed, which anybody sees.
#[tokio::test]
async fn a_fork_by_hand_is_seen_by_everybody_who_kept_a_checkpoint() {
    let (place, store) = Sqlite::fresh().open_kept();
    grow(&store, 0, 5).await;
    let restored = restore_from(&place);
    fs::copy(place.copy(), restored.copy()).unwrap();
    grow(&store, 5, 2).await;
    fs::remove_file(restored.copy().with_file_name("restored")).unwrap();
    let fork = restored.open();
    fork.append(append(Stream::Trust, 0, vec![event("forked"), event("on"), event("and on")])).await.unwrap();
    drop(fork);
    fs::copy(place.copy(), restored.copy()).unwrap();
    let refused = restored.try_open().err().unwrap();
    assert!(matches!(refused, OpenError::Forked { .. }), "{refused}");
}
