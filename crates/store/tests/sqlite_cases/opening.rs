//! Which databases open, and how they look on the disk.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use chancery_domain::leaf::Stream;
use chancery_store::{AppendError, Fault, OpenError, SqliteOptions, SqliteStore, Store, kept_checkpoint};
use rusqlite::Connection;

use crate::Sqlite;
use crate::conformance::{Engine, append, event, log_key, signer};

async fn grow(store: &SqliteStore, from: u64, events: usize) {
    let events = (0..events).map(|number| event(&format!("e{number}"))).collect();
    store.append(append(Stream::Policy, from, events)).await.unwrap();
}

/// Only the owner can read what is stored.
#[tokio::test]
async fn files_belong_to_their_owner() {
    let (place, store) = Sqlite::fresh().open_kept();
    grow(&store, 0, 3).await;
    let data = place.path().join("data");
    for entry in fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
    assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
}

/// A restored backup is refused for writing and still opens for reading.
#[tokio::test]
async fn an_older_database_is_refused() {
    let place = Sqlite::fresh();
    let store = place.open();
    grow(&store, 0, 5).await;
    drop(store);
    let backup = fs::read(place.database()).unwrap();
    let store = place.open();
    grow(&store, 5, 4).await;
    drop(store);
    fs::write(place.database(), backup).unwrap();
    match place.try_open() {
        Err(OpenError::OlderThanSigned { ours, copy }) => assert_eq!((ours.size(), copy.size()), (5, 9)),
        other => panic!("{:?}", other.err()),
    }
    let store = place.open_read_only().unwrap();
    assert_eq!(store.stream(&Stream::Policy, 0).await.unwrap().len(), 5);
    assert_eq!(store.integrity(None).await.unwrap(), []);
    let refused = store.append(append(Stream::Policy, 5, vec![event("e")])).await.unwrap_err();
    assert_eq!(refused, AppendError::Fault(Fault::ReadOnly));
}

/// A database with another history than the signed one is refused, longer or not.
#[tokio::test]
async fn another_history_is_refused() {
    for length in [5, 8] {
        let (place, other) = (Sqlite::fresh(), Sqlite::fresh());
        grow(&place.open(), 0, 5).await;
        let store = other.open();
        store.append(append(Stream::Trust, 0, vec![event("other")])).await.unwrap();
        grow(&store, 0, length - 1).await;
        drop(store);
        fs::copy(other.database(), place.database()).unwrap();
        let refused = place.try_open().err().unwrap();
        assert!(matches!(refused, OpenError::Forked { .. }), "{length}: {refused}");
    }
}

/// Bytes of one of the copy's slots.
const SLOT: usize = 4096;
/// How many it has.
const SLOTS: usize = 3;

/// Size of the newest checkpoint that the copy holds.
fn kept(place: &Sqlite) -> u64 {
    kept_checkpoint(&place.copy(), &log_key()).unwrap().unwrap().root().size()
}

/// The copy with every note of this size damaged as a write that was cut off leaves it, and the note before it in a slot of
/// its own.
fn cut_off(copy: &[u8], size: u64, before: &[u8]) -> Vec<u8> {
    let mut copy = copy.to_vec();
    let says = format!("\n{size}\n");
    for slot in copy.chunks_mut(SLOT) {
        let newest = slot.windows(says.len()).any(|window| window == says.as_bytes());
        if newest {
            slot[60..].fill(0);
        } else {
            slot.copy_from_slice(before);
        }
    }
    copy
}

/// The slot of the newest note.
fn newest_slot(place: &Sqlite) -> Vec<u8> {
    let mut slot =
        kept_checkpoint(&place.copy(), &log_key()).unwrap().unwrap().note().to_string().into_bytes();
    slot.resize(SLOT, 0);
    slot
}

/// Without the copy nobody knows what was signed; a damaged or foreign one is no better.
#[tokio::test]
async fn the_copy_is_needed() {
    let place = Sqlite::fresh();
    grow(&place.open(), 0, 5).await;
    let copy = fs::read(place.copy()).unwrap();
    fs::remove_file(place.copy()).unwrap();
    let refused = place.try_open().err().unwrap();
    assert!(matches!(refused, OpenError::CopyMissing { .. }), "{refused}");
    let mut cut_off = copy.clone();
    cut_off.chunks_mut(SLOT).for_each(|slot| slot[60..].fill(0));
    for damaged in [cut_off, vec![0; SLOTS * SLOT], Vec::new(), b"a note".to_vec()] {
        fs::write(place.copy(), damaged).unwrap();
        let refused = place.try_open().err().unwrap();
        assert!(matches!(refused, OpenError::CopyUnreadable { .. }), "{refused}");
    }
    fs::write(place.copy(), copy).unwrap();
    grow(&place.open(), 5, 1).await;
}

/// A publication that was cut off leaves the note before it. The database then is ahead of that note; one that is not
/// is an older one, whichever slot it was.
#[tokio::test]
async fn a_publication_that_was_cut_off() {
    for more in [1, 2] {
        let place = Sqlite::fresh();
        let (mut before, mut note_before) = (Vec::new(), Vec::new());
        let store = place.open();
        for from in 0..=more {
            before = fs::read(place.database()).unwrap();
            note_before = newest_slot(&place);
            let wal = fs::read(place.database().with_extension("db-wal")).unwrap();
            fs::write(place.path().join("wal"), wal).unwrap();
            grow(&store, from, 1).await;
        }
        drop(store);
        let newest = more + 1;
        let copy = cut_off(&fs::read(place.copy()).unwrap(), newest, &note_before);
        fs::write(place.copy(), &copy).unwrap();
        assert_eq!(kept(&place), more, "the note before it stands");
        grow(&place.open(), newest, 0).await;
        assert_eq!(kept(&place), newest, "opening lets it catch up");
        // The same with the database as it was before the append whose publication was cut off.
        fs::write(place.copy(), &copy).unwrap();
        fs::write(place.database(), &before).unwrap();
        fs::copy(place.path().join("wal"), place.database().with_extension("db-wal")).unwrap();
        let refused = place.try_open().err().unwrap();
        assert!(matches!(refused, OpenError::CopyUnreadable { .. }), "{more}: {refused}");
    }
}

/// A file that is one bare note, as earlier versions wrote it, counts as well, and becomes one with slots.
#[tokio::test]
async fn a_bare_note_counts() {
    let place = Sqlite::fresh();
    let store = place.open();
    grow(&store, 0, 5).await;
    let note = kept_checkpoint(&place.copy(), &log_key()).unwrap().unwrap().note().to_string();
    fs::write(place.copy(), note).unwrap();
    drop(store);
    let store = place.open();
    assert_eq!(kept(&place), 5);
    grow(&store, 5, 1).await;
    assert_eq!((kept(&place), fs::read(place.copy()).unwrap().len()), (6, SLOTS * SLOT));
}

/// A copy that vanishes under a running store is made again.
#[tokio::test]
async fn a_copy_that_vanishes_is_made_again() {
    let (place, store) = Sqlite::fresh().open_kept();
    for from in 0..4 {
        grow(&store, from, 1).await;
        assert_eq!(kept(&place), from + 1);
        fs::remove_file(place.copy()).unwrap();
    }
}

/// A database that vanished is not silently begun anew.
#[tokio::test]
async fn a_vanished_database_is_missed() {
    let place = Sqlite::fresh();
    grow(&place.open(), 0, 5).await;
    fs::remove_file(place.database()).unwrap();
    let refused = place.try_open().err().unwrap();
    assert!(matches!(refused, OpenError::OlderThanSigned { .. }), "{refused}");
}

/// A crash between commit and publish leaves an older copy; opening lets it catch up.
#[tokio::test]
async fn a_copy_that_is_behind_catches_up() {
    let place = Sqlite::fresh();
    let store = place.open();
    grow(&store, 0, 300).await;
    let behind = fs::read(place.copy()).unwrap();
    grow(&store, 300, 300).await;
    drop(store);
    fs::write(place.copy(), behind).unwrap();
    assert_eq!(kept(&place), 300);
    grow(&place.open(), 600, 0).await;
    assert_eq!(kept(&place), 600);
}

/// Two writers never open the same database; the second may once the first is gone.
#[tokio::test]
async fn one_writer_at_a_time() {
    let (place, store) = Sqlite::fresh().open_kept();
    let refused = place.try_open().err().unwrap();
    assert!(matches!(refused, OpenError::InUse { .. }), "{refused}");
    assert_eq!(place.open_read_only().unwrap().stream(&Stream::Policy, 0).await.unwrap(), []);
    drop(store);
    place.open();
}

/// Another log's key does not open this log.
#[tokio::test]
async fn another_key_is_refused() {
    let place = Sqlite::fresh();
    grow(&place.open(), 0, 1).await;
    let origin: chancery_ledger::Origin = "log.example.com".parse().unwrap();
    let name = origin.key_name();
    let key =
        chancery_ledger::SignerKey::from_seed(name, chancery_ledger::KeyType::Ed25519, &[8; 32]).unwrap();
    let options = SqliteOptions {
        database: place.database(),
        checkpoint_copy: place.copy(),
        signer: chancery_store::LogSigner::new(origin, key),
    };
    let refused = SqliteStore::open(options).err().unwrap();
    assert!(matches!(refused, OpenError::Log(_)), "{refused}");
    assert_eq!(signer().verifier().name().as_str(), "log.example.com");
}

/// Newer schemas and other programs' files are left alone.
#[tokio::test]
async fn foreign_files_are_left_alone() {
    let place = Sqlite::fresh();
    grow(&place.open(), 0, 1).await;
    let connection = Connection::open(place.database()).unwrap();
    connection.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(connection);
    let refused = place.try_open().err().unwrap();
    assert_eq!(refused, OpenError::NewerSchema { found: 99, known: 6 });
    let other = Sqlite::fresh();
    fs::create_dir(other.path().join("data")).unwrap();
    Connection::open(other.database()).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let before = fs::read(other.database()).unwrap();
    let refused = other.try_open().err().unwrap();
    assert!(matches!(refused, OpenError::NotOurs { .. }), "{refused}");
    assert_eq!(fs::read(other.database()).unwrap(), before);
    fs::write(other.database(), "a shopping list, and long enough to be looked at".repeat(30)).unwrap();
    let refused = other.try_open().err().unwrap();
    assert!(matches!(refused, OpenError::NotOurs { .. }), "{refused}");
}
