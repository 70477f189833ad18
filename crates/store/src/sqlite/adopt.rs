//! Taking in what a restored database has missed, and lifting the mark that keeps it from signing.
//!
//! The order, and what a crash leaves at each point: (1) one transaction takes in entries, tiles, rows and the
//! newest checkpoint: all or nothing, and the mark still stands; (2) the copy of the checkpoint is published: the
//! mark still stands, and the next call finds nothing missing; (3) the mark is removed.

use std::collections::BTreeSet;

use chancery_canonical::Sha256;
use chancery_domain::id::RequestId;
use chancery_domain::leaf::{EventLeaf, Stream};
use chancery_domain::time::Timestamp;
use chancery_ledger::tile::root_from_tiles;
use chancery_ledger::tree::{Root, leaf_hash};
use chancery_ledger::{SignedCheckpoint, Tree};
use rusqlite::{Connection, params};

use super::append::{EventRow, insert_event};
use super::open::{Examined, examine};
use super::{SqliteOptions, TENANT, effects, events, journal, private, requests, tiles};
use crate::adopt::{AdoptError, Adopted, Derive, Known};
use crate::error::{AppendError, Fault};

/// Shows that the database holds everything that was signed, taking in what it misses, and lets it sign again.
pub(super) fn adopt(options: &SqliteOptions, known: &Known, derive: &Derive) -> Result<Adopted, AdoptError> {
    let SqliteOptions { database, checkpoint_copy, signer } = options;
    let Examined { connection, copy, lock: _lock } = examine(database, checkpoint_copy)?;
    let stored = journal::checkpoint(&connection, signer.verifier())?;
    let ours = *stored.root();
    let newest = known.checkpoints.iter().max_by_key(|one| one.root().size());
    let newest = newest.ok_or(AdoptError::NothingKnown { ours })?;
    compare_all(&connection, known, ours)?;
    if newest.root().size() < ours.size() {
        return Err(AdoptError::Behind { ours, newest: *newest.root() });
    }
    if newest.root().size() > ours.size() {
        take_in(&connection, ours, newest, known, derive)?;
    }
    copy.publish(newest.note().to_string().as_bytes())?;
    copy.unmark()?;
    Ok(Adopted { before: ours.size(), size: newest.root().size() })
}

/// Every checkpoint that the database has grown to must be one of its own.
fn compare_all(connection: &Connection, known: &Known, ours: Root) -> Result<(), AdoptError> {
    let stored = |path: &_| tiles::tile(connection, path).ok().flatten();
    for checkpoint in known.checkpoints.iter().filter(|one| one.root().size() <= ours.size()) {
        let theirs = *checkpoint.root();
        let then = root_from_tiles(theirs.size(), stored).map_err(|error| damaged(&error))?;
        if then != theirs.hash() {
            return Err(AdoptError::Forked { ours, known: theirs });
        }
    }
    Ok(())
}

fn take_in(
    connection: &Connection,
    ours: Root,
    newest: &SignedCheckpoint,
    known: &Known,
    derive: &Derive,
) -> Result<(), AdoptError> {
    let (from, to) = (ours.size(), newest.root().size());
    if known.entries.is_empty() {
        return Err(AdoptError::Missing { from, to });
    }
    let transaction = connection.unchecked_transaction().map_err(Fault::from)?;
    grow(&transaction, ours, newest, known)?;
    // Every known checkpoint in between has to be of the history that was taken in.
    compare_all(&transaction, known, *newest.root())?;
    let taken = insert(&transaction, from, &known.entries)?;
    store_head(&transaction, newest, taken.newest_time)?;
    for id in &taken.requests {
        stand_beside(&transaction, id, from, derive)?;
    }
    transaction.commit().map_err(Fault::from)?;
    Ok(())
}

/// INVARIANT: nothing is taken in but what makes exactly the root that this log signed.
fn grow(
    connection: &Connection,
    ours: Root,
    newest: &SignedCheckpoint,
    known: &Known,
) -> Result<(), AdoptError> {
    let stored = |path: &_| tiles::tile(connection, path).ok().flatten();
    let tree = Tree::load(&ours, stored).map_err(|error| damaged(&error))?;
    let (_, growth) = tree.append(&known.entries).map_err(|error| AdoptError::Entries(error.to_string()))?;
    if growth.root == *newest.root() {
        for (path, bytes) in &growth.tiles {
            tiles::store(connection, path, bytes)?;
        }
        return Ok(());
    }
    let (made, signed) = (growth.root, newest.root());
    Err(AdoptError::Entries(format!(
        "they make size {} and root `{}`, signed are size {} and root `{}`",
        made.size(),
        made.hash(),
        signed.size(),
        signed.hash()
    )))
}

/// What the entries told.
#[derive(Default)]
struct Taken {
    requests: BTreeSet<RequestId>,
    newest_time: Option<Timestamp>,
}

fn insert(connection: &Connection, from: u64, entries: &[Vec<u8>]) -> Result<Taken, AdoptError> {
    let mut taken = Taken::default();
    let mut event_before = None;
    for (index, bytes) in (from..).zip(entries) {
        journal::insert_leaf(connection, index, bytes)?;
        match EventLeaf::from_bytes(bytes) {
            Ok(leaf) => {
                let (stream, kind) = (leaf.stream.to_string(), leaf.kind.as_str());
                let (version, time) = (leaf.version, leaf.time);
                insert_event(
                    connection,
                    index,
                    &EventRow { stream: &stream, version, kind, time, private: None },
                )?;
                advance(connection, &leaf, bytes)?;
                taken.newest_time = taken.newest_time.max(Some(leaf.time));
                if let Stream::Request(id) = leaf.stream {
                    taken.requests.insert(id);
                }
                event_before = Some(index);
            }
            // What is no event is the attestation of the event before it. Its envelope was never published.
            Err(reason) => {
                let event = event_before.take().ok_or_else(|| {
                    AdoptError::Entries(format!("entry {index} belongs to no event: {reason}"))
                })?;
                insert_attestation(connection, event, index)?;
            }
        }
    }
    Ok(taken)
}

/// Moves the head of the leaf's stream on to it.
fn advance(connection: &Connection, leaf: &EventLeaf, bytes: &[u8]) -> Result<(), Fault> {
    let moved = connection
        .prepare_cached(
            "INSERT INTO streams (tenant, stream, version, head) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (tenant, stream) DO UPDATE SET version = excluded.version, head = excluded.head
             WHERE version = excluded.version - 1 AND head = ?5",
        )?
        .execute(params![
            TENANT,
            leaf.stream.to_string(),
            leaf.version,
            leaf_hash(bytes).as_bytes(),
            leaf.previous.as_ref().map(Sha256::as_bytes),
        ])?;
    if moved == 1 {
        return Ok(());
    }
    Err(Fault::Damaged(format!(
        "version {} of `{}` does not follow what is stored",
        leaf.version, leaf.stream
    )))
}

fn insert_attestation(connection: &Connection, event: u64, index: u64) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "INSERT INTO attestations (tenant, event_index, leaf_index, envelope) VALUES (?1, ?2, ?3, x'')",
        )?
        .execute(params![TENANT, event, index])?;
    Ok(())
}

fn store_head(
    connection: &Connection,
    newest: &SignedCheckpoint,
    newest_time: Option<Timestamp>,
) -> Result<(), Fault> {
    connection.execute(
        "UPDATE log_head SET size = ?2, note = ?3, newest_time = max(coalesce(newest_time, 0), ?4) WHERE tenant = ?1",
        params![
            TENANT,
            newest.root().size(),
            newest.note().to_string().as_bytes(),
            newest_time.map_or(0, Timestamp::unix),
        ],
    )?;
    Ok(())
}

/// Row, effects and erasures of one request.
fn stand_beside(
    connection: &Connection,
    id: &RequestId,
    from: u64,
    derive: &Derive,
) -> Result<(), AdoptError> {
    let stream = events::stream(connection, &Stream::Request(id.clone()).to_string(), 0)?;
    let derived =
        derive(id, &stream, from).map_err(|reason| Fault::Damaged(format!("request `{id}`: {reason}")))?;
    for erasure in &derived.erase {
        private::erase(connection, erasure).map_err(|error| match error {
            AppendError::Fault(fault) => fault,
            other => Fault::Damaged(other.to_string()),
        })?;
    }
    requests::upsert(connection, &derived.row)?;
    for key in &derived.settle_effects {
        effects::settle(connection, key)?;
    }
    for effect in &derived.effects {
        effects::add(connection, effect)?;
    }
    Ok(())
}

fn damaged(error: &dyn std::fmt::Display) -> Fault {
    Fault::Damaged(error.to_string())
}
