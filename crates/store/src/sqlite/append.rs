//! One append, within the savepoint of its batch.

use chancery_canonical::Sha256;
use chancery_domain::leaf::{EventLeaf, MAX_LEAF_BYTES, Stream};
use chancery_domain::time::Timestamp;
use chancery_faults::step;
use chancery_ledger::{SignedCheckpoint, leaf_hash};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;
use tokio::sync::oneshot;

use super::writer::{Batch, Job, Outcome};
use super::{TENANT, effects, private, requests, tickets};
use crate::append::{Append, Appended, Document, NewAttestation, NewEvent, Position, StreamAppend};
use crate::error::{AppendError, Fault, Refusal};

/// An append that waits for its batch.
pub(super) struct AppendJob {
    append: Option<Append>,
    result: Result<Vec<Position>, AppendError>,
    reply: oneshot::Sender<Result<Appended, AppendError>>,
}

impl AppendJob {
    /// An append and where to answer.
    pub(super) fn new(append: Append, reply: oneshot::Sender<Result<Appended, AppendError>>) -> Self {
        Self { append: Some(append), result: Err(Fault::Closed.into()), reply }
    }
}

impl Job for AppendJob {
    fn run(&mut self, batch: &mut Batch<'_>) -> Outcome {
        if let Some(append) = self.append.take() {
            self.result = apply(append, batch);
        }
        if self.result.is_ok() { Outcome::Keep } else { Outcome::Undo }
    }

    fn answer(self: Box<Self>, committed: &Result<SignedCheckpoint, Fault>) {
        let answer = match committed {
            // A refusal may rest on an event of the same batch that is now gone, so it is not passed on.
            Err(fault) => Err(fault.clone().into()),
            Ok(checkpoint) => {
                self.result.map(|positions| Appended { positions, checkpoint: checkpoint.clone() })
            }
        };
        // Nobody listens any more when the caller has stopped waiting.
        let _ = self.reply.send(answer);
    }
}

impl From<rusqlite::Error> for AppendError {
    fn from(error: rusqlite::Error) -> Self {
        Fault::from(error).into()
    }
}

/// Everything an append asks for, in the order that [`Append`] states.
fn apply(append: Append, batch: &mut Batch<'_>) -> Result<Vec<Position>, AppendError> {
    let connection = batch.connection;
    for key in append.consume {
        if step("store.consume", || tickets::take(connection, &key, append.time))?.is_none() {
            return Err(AppendError::TicketGone { kind: key.kind, key: key.key });
        }
    }
    for ticket in append.remember {
        if !step("store.remember", || tickets::remember(connection, &ticket, append.time))? {
            return Err(AppendError::TicketTaken { kind: ticket.kind, key: ticket.key });
        }
    }
    for document in &append.documents {
        step("store.document", || store_document(connection, document))?;
    }
    let mut positions = Vec::new();
    for stream in append.streams {
        append_stream(stream, append.time, batch, &mut positions)?;
    }
    for erasure in &append.erase {
        step("store.erase", || private::erase(connection, erasure))?;
        batch.saw_erasure();
    }
    for row in &append.request_rows {
        require_row_version(connection, row)?;
        step("store.row", || requests::upsert(connection, row))?;
    }
    for key in &append.settle_effects {
        step("store.settle", || effects::settle(connection, key))?;
    }
    for effect in &append.effects {
        step("store.effect", || effects::add(connection, effect))?;
    }
    Ok(positions)
}

/// The newest event of a stream: its version (0 if there is none) and the hash of its leaf.
struct Head {
    version: u64,
    previous: Option<Sha256>,
}

fn head(connection: &Connection, stream: &Stream) -> Result<Head, Fault> {
    let found: Option<(u64, [u8; 32])> = connection
        .prepare_cached("SELECT version, head FROM streams WHERE tenant = ?1 AND stream = ?2")?
        .query_row(params![TENANT, stream.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(match found {
        Some((version, hash)) => Head { version, previous: Some(Sha256::from_bytes(hash)) },
        None => Head { version: 0, previous: None },
    })
}

fn append_stream(
    append: StreamAppend,
    time: Timestamp,
    batch: &mut Batch<'_>,
    positions: &mut Vec<Position>,
) -> Result<(), AppendError> {
    let StreamAppend { stream, expected_version, events } = append;
    let mut head = head(batch.connection, &stream)?;
    if head.version != expected_version {
        let (expected, actual) = (expected_version, head.version);
        return Err(AppendError::Conflict { stream, expected, actual });
    }
    if events.is_empty() {
        return Ok(());
    }
    for event in events {
        positions.push(append_event(&stream, &mut head, event, time, batch)?);
    }
    let hash = head.previous.map(|hash| *hash.as_bytes());
    step("store.stream", || {
        let sql = "INSERT INTO streams (tenant, stream, version, head) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT (tenant, stream) DO UPDATE SET version = excluded.version, head = excluded.head";
        let name = stream.to_string();
        batch.connection.prepare_cached(sql)?.execute(params![TENANT, name, head.version, hash])?;
        Ok(())
    })
}

/// Makes the leaf of one event, and moves the stream's head on to it.
fn append_event(
    stream: &Stream,
    head: &mut Head,
    event: NewEvent,
    time: Timestamp,
    batch: &mut Batch<'_>,
) -> Result<Position, AppendError> {
    let NewEvent { kind, body, private, attestation } = event;
    let version = head.version.saturating_add(1);
    let leaf = EventLeaf { stream: stream.clone(), version, previous: head.previous, kind, time, body };
    let bytes = leaf.to_bytes().map_err(|reason| Refusal::Event { kind: leaf.kind.clone(), reason })?;
    *head = Head { version, previous: Some(Sha256::from_bytes(*leaf_hash(&bytes).as_bytes())) };
    let leaf_index = batch.push_leaf(bytes)?;
    batch.saw_time(time);
    step("store.event", || insert_event(batch.connection, &leaf, leaf_index, private.as_ref()))?;
    let attestation_index = match attestation {
        Some(attestation) => Some(append_attestation(attestation, leaf_index, batch)?),
        None => None,
    };
    Ok(Position { stream: stream.clone(), version, leaf_index, attestation_index })
}

/// Stores what a leaf says beside it.
pub(super) fn insert_event(
    connection: &Connection,
    leaf: &EventLeaf,
    leaf_index: u64,
    private: Option<&Value>,
) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "INSERT INTO events (tenant, leaf_index, stream, version, kind, recorded_at, private)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            TENANT,
            leaf_index,
            leaf.stream.to_string(),
            leaf.version,
            leaf.kind,
            leaf.time.unix(),
            private.map(Value::to_string),
        ])?;
    Ok(())
}

fn append_attestation(
    attestation: NewAttestation,
    event_index: u64,
    batch: &mut Batch<'_>,
) -> Result<u64, AppendError> {
    let NewAttestation { leaf, envelope } = attestation;
    if leaf.len() > MAX_LEAF_BYTES {
        let refusal = Refusal::AttestationTooLong { length: leaf.len(), maximum: MAX_LEAF_BYTES };
        return Err(refusal.into());
    }
    let leaf_index = batch.push_leaf(leaf)?;
    step("store.attestation", || -> Result<u64, AppendError> {
        let sql =
            "INSERT INTO attestations (tenant, event_index, leaf_index, envelope) VALUES (?1, ?2, ?3, ?4)";
        batch.connection.prepare_cached(sql)?.execute(params![TENANT, event_index, leaf_index, envelope])?;
        Ok(leaf_index)
    })
}

fn store_document(connection: &Connection, document: &Document) -> Result<(), AppendError> {
    let Document { sha256, media_type, bytes } = document;
    if Sha256::of(bytes) != *sha256 {
        return Err(Refusal::DocumentDigest { sha256: *sha256 }.into());
    }
    connection
        .prepare_cached(
            "INSERT INTO documents (tenant, sha256, media_type, bytes) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (tenant, sha256) DO NOTHING",
        )?
        .execute(params![TENANT, sha256.as_bytes(), media_type, bytes])?;
    Ok(())
}

fn require_row_version(connection: &Connection, row: &crate::RequestRow) -> Result<(), AppendError> {
    let stream = head(connection, &Stream::Request(row.id.clone()))?.version;
    if row.version == stream {
        return Ok(());
    }
    Err(Refusal::RowVersion { id: row.id.clone(), row: row.version, stream }.into())
}
