//! What an append is going to do: every refusal that rests on the database, before anything is changed. So hardly any append
//! needs a savepoint, for which SQLite keeps a copy of each page that is touched.

use chancery_canonical::Sha256;
use chancery_domain::leaf::Stream;
use chancery_ledger::{Hash, leaf_hash};
use rusqlite::{Connection, OptionalExtension, params};

use super::prepare::{Prepared, PreparedAttestation, PreparedEvent, PreparedStream};
use super::{TENANT, tickets};
use crate::append::{RequestRow, TicketKey};
use crate::error::{AppendError, Fault, Refusal};

/// The events of an append in their places.
pub(super) struct Plan {
    pub(super) streams: Vec<PlannedStream>,
}

/// The events for one stream, and where it stands after them.
pub(super) struct PlannedStream {
    pub(super) stream: Stream,
    pub(super) name: String,
    pub(super) after: Head,
    pub(super) events: Vec<PlannedEvent>,
}

/// One event with its leaf.
pub(super) struct PlannedEvent {
    pub(super) version: u64,
    pub(super) leaf: Vec<u8>,
    pub(super) hash: Hash,
    pub(super) kind: String,
    pub(super) private: Option<String>,
    pub(super) attestation: Option<PreparedAttestation>,
}

/// The newest event of a stream: its version (0 if there is none) and the hash of its leaf.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) version: u64,
    pub(super) previous: Option<Sha256>,
}

impl Plan {
    /// Plans an append, and takes its events out of it.
    ///
    /// # Errors
    /// The first refusal in the order that [`crate::Append`] states.
    pub(super) fn of(prepared: &mut Prepared, connection: &Connection) -> Result<Self, AppendError> {
        let append = &prepared.append;
        for key in &append.consume {
            if tickets::ticket(connection, key, append.time)?.is_none() {
                let TicketKey { kind, key } = key.clone();
                return Err(AppendError::TicketGone { kind, key });
            }
        }
        for ticket in &append.remember {
            let key = TicketKey { kind: ticket.kind.clone(), key: ticket.key.clone() };
            // What the same append uses up is not in the way.
            if !append.consume.contains(&key) && tickets::ticket(connection, &key, append.time)?.is_some() {
                let TicketKey { kind, key } = key;
                return Err(AppendError::TicketTaken { kind, key });
            }
        }
        let mut plan = Self { streams: Vec::new() };
        for stream in std::mem::take(&mut prepared.streams) {
            let head = plan.head(connection, &stream.stream, &stream.name)?;
            plan.streams.push(place(stream, head)?);
        }
        for row in &prepared.append.request_rows {
            plan.check_row(connection, row)?;
        }
        Ok(plan)
    }

    /// Where a stream stands after what was planned so far.
    fn head(&self, connection: &Connection, stream: &Stream, name: &str) -> Result<Head, Fault> {
        match self.streams.iter().rev().find(|planned| planned.stream == *stream) {
            Some(planned) => Ok(planned.after),
            None => stored_head(connection, name),
        }
    }

    fn check_row(&self, connection: &Connection, row: &RequestRow) -> Result<(), AppendError> {
        let stream = Stream::Request(row.id.clone());
        let version = self.head(connection, &stream, &stream.to_string())?.version;
        if row.version == version {
            return Ok(());
        }
        Err(Refusal::RowVersion { id: row.id.clone(), row: row.version, stream: version }.into())
    }
}

fn stored_head(connection: &Connection, stream: &str) -> Result<Head, Fault> {
    let found: Option<(u64, [u8; 32])> = connection
        .prepare_cached("SELECT version, head FROM streams WHERE tenant = ?1 AND stream = ?2")?
        .query_row(params![TENANT, stream], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(match found {
        Some((version, hash)) => Head { version, previous: Some(Sha256::from_bytes(hash)) },
        None => Head { version: 0, previous: None },
    })
}

/// Makes the leaves of the events, each after the one before.
fn place(prepared: PreparedStream, mut head: Head) -> Result<PlannedStream, AppendError> {
    let PreparedStream { stream, name, expected_version, events } = prepared;
    if head.version != expected_version {
        let (expected, actual) = (expected_version, head.version);
        return Err(AppendError::Conflict { stream, expected, actual });
    }
    let mut planned = Vec::with_capacity(events.len());
    for event in events {
        let PreparedEvent { kind, leaf, private, attestation } = event;
        let version = head.version.saturating_add(1);
        let leaf = leaf.place(version, head.previous);
        let leaf = leaf.map_err(|reason| Refusal::Event { kind: kind.clone(), reason })?;
        let hash = leaf_hash(&leaf);
        head = Head { version, previous: Some(Sha256::from_bytes(*hash.as_bytes())) };
        planned.push(PlannedEvent { version, leaf, hash, kind, private, attestation });
    }
    Ok(PlannedStream { stream, name, after: head, events: planned })
}
