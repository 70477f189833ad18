//! One append, within the transaction of its batch.

use chancery_domain::time::Timestamp;
use chancery_faults::step;
use chancery_ledger::SignedCheckpoint;
use rusqlite::{Connection, params};
use tokio::sync::oneshot;

use super::plan::{Plan, PlannedEvent, PlannedStream};
use super::prepare::{Prepared, PreparedAttestation};
use super::writer::{Batch, Job, Outcome};
use super::{TENANT, effects, private, requests, tickets};
use crate::append::{Appended, Document, Position};
use crate::error::{AppendError, Fault};

/// An append that waits for its batch, prepared.
pub(super) struct AppendJob {
    prepared: Option<Prepared>,
    result: Result<Vec<Position>, AppendError>,
    reply: oneshot::Sender<Result<Appended, AppendError>>,
}

impl AppendJob {
    /// An append and where to answer.
    pub(super) fn new(prepared: Prepared, reply: oneshot::Sender<Result<Appended, AppendError>>) -> Self {
        Self { prepared: Some(prepared), result: Err(Fault::Closed.into()), reply }
    }
}

impl Job for AppendJob {
    fn may_refuse_late(&self) -> bool {
        self.prepared.as_ref().is_none_or(Prepared::may_refuse_late)
    }

    fn run(&mut self, batch: &mut Batch<'_>) -> Outcome {
        let Some(mut prepared) = self.prepared.take() else { return Outcome::Undo };
        // INVARIANT: a plan reads and changes nothing, so what it refuses needs no undoing.
        let planned = match Plan::of(&mut prepared, batch.connection) {
            Ok(planned) => planned,
            Err(refusal) => {
                self.result = Err(refusal);
                return Outcome::Keep;
            }
        };
        let undoable = prepared.may_refuse_late();
        self.result = write(prepared, planned, batch);
        match &self.result {
            Ok(_) => Outcome::Keep,
            Err(_) if undoable => Outcome::Undo,
            Err(AppendError::Fault(fault)) => Outcome::Broken(fault.clone()),
            Err(refusal) => Outcome::Broken(Fault::Database(format!("refused half way: {refusal}"))),
        }
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

/// Everything that an append asks for, in the order that [`Append`] states.
fn write(prepared: Prepared, plan: Plan, batch: &mut Batch<'_>) -> Result<Vec<Position>, AppendError> {
    let connection = batch.connection;
    let Prepared { append, .. } = prepared;
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
    for stream in plan.streams {
        write_stream(stream, append.time, batch, &mut positions)?;
    }
    for erasure in &append.erase {
        step("store.erase", || private::erase(connection, erasure))?;
        batch.saw_erasure();
    }
    for row in &append.request_rows {
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

fn write_stream(
    planned: PlannedStream,
    time: Timestamp,
    batch: &mut Batch<'_>,
    positions: &mut Vec<Position>,
) -> Result<(), AppendError> {
    let PlannedStream { stream, name, after, events } = planned;
    if events.is_empty() {
        return Ok(());
    }
    let connection = batch.connection;
    for event in events {
        let leaf_index = batch.push_leaf(&event.leaf, event.hash)?;
        batch.saw_time(time);
        let (kind, private) = (event.kind.as_str(), event.private.as_deref());
        let row = EventRow { stream: &name, version: event.version, kind, time, private };
        step("store.event", || insert_event(connection, leaf_index, &row))?;
        let PlannedEvent { version, attestation, .. } = event;
        let attestation_index = match attestation {
            Some(attestation) => Some(write_attestation(&attestation, leaf_index, batch)?),
            None => None,
        };
        positions.push(Position { stream: stream.clone(), version, leaf_index, attestation_index });
    }
    let hash = after.previous.map(|hash| *hash.as_bytes());
    step("store.stream", || {
        let sql = "INSERT INTO streams (tenant, stream, version, head) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT (tenant, stream) DO UPDATE SET version = excluded.version, head = excluded.head";
        connection.prepare_cached(sql)?.execute(params![TENANT, name, after.version, hash])?;
        Ok(())
    })
}

/// What a leaf says, as it stands beside it.
pub(super) struct EventRow<'a> {
    pub(super) stream: &'a str,
    pub(super) version: u64,
    pub(super) kind: &'a str,
    pub(super) time: Timestamp,
    pub(super) private: Option<&'a str>,
}

/// Stores what a leaf says beside it.
pub(super) fn insert_event(
    connection: &Connection,
    leaf_index: u64,
    event: &EventRow<'_>,
) -> Result<(), Fault> {
    let EventRow { stream, version, kind, time, private } = event;
    connection
        .prepare_cached(
            "INSERT INTO events (tenant, leaf_index, stream, version, kind, recorded_at, private)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![TENANT, leaf_index, stream, version, kind, time.unix(), private])?;
    Ok(())
}

fn write_attestation(
    attestation: &PreparedAttestation,
    event_index: u64,
    batch: &mut Batch<'_>,
) -> Result<u64, AppendError> {
    let leaf_index = batch.push_leaf(&attestation.leaf, attestation.hash)?;
    step("store.attestation", || -> Result<u64, AppendError> {
        let sql =
            "INSERT INTO attestations (tenant, event_index, leaf_index, envelope) VALUES (?1, ?2, ?3, ?4)";
        let row = params![TENANT, event_index, leaf_index, attestation.envelope];
        batch.connection.prepare_cached(sql)?.execute(row)?;
        Ok(leaf_index)
    })
}

fn store_document(connection: &Connection, document: &Document) -> Result<(), AppendError> {
    let Document { sha256, media_type, bytes } = document;
    connection
        .prepare_cached(
            "INSERT INTO documents (tenant, sha256, media_type, bytes) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (tenant, sha256) DO NOTHING",
        )?
        .execute(params![TENANT, sha256.as_bytes(), media_type, bytes])?;
    Ok(())
}
