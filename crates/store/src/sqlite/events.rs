//! Reading events, streams and documents.

use chancery_canonical::Sha256;
use chancery_domain::leaf::{EventLeaf, Stream};
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use serde_json::Value;

use super::TENANT;
use crate::append::{Document, Position};
use crate::error::Fault;
use crate::record::{StoredAttestation, StoredEvent, StreamHead};

const SELECT: &str = "
    SELECT e.leaf_index, e.stream, e.version, l.bytes, e.private, a.leaf_index, al.bytes, a.envelope
    FROM events e
    JOIN leaves l ON l.tenant = e.tenant AND l.leaf_index = e.leaf_index
    LEFT JOIN attestations a ON a.tenant = e.tenant AND a.event_index = e.leaf_index
    LEFT JOIN leaves al ON al.tenant = a.tenant AND al.leaf_index = a.leaf_index
    WHERE e.tenant = ?1";

/// The events of a stream from a version on.
pub(super) fn stream(
    connection: &Connection,
    stream: &str,
    from_version: u64,
) -> Result<Vec<StoredEvent>, Fault> {
    let sql = format!("{SELECT} AND e.stream = ?2 AND e.version >= ?3 ORDER BY e.version");
    events(connection, &sql, params![TENANT, stream, bounded(from_version)])
}

/// Events of all streams from a leaf index on, in log order.
pub(super) fn events_from(
    connection: &Connection,
    from_index: u64,
    limit: usize,
) -> Result<Vec<StoredEvent>, Fault> {
    let sql = format!("{SELECT} AND e.leaf_index >= ?2 ORDER BY e.leaf_index LIMIT ?3");
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    events(connection, &sql, params![TENANT, bounded(from_index), limit])
}

/// Events of the identity streams from a leaf index on, in log order. The condition is that of the index, word for word, so
/// that the engine can use it.
pub(super) fn identity_from(
    connection: &Connection,
    from_index: u64,
    limit: usize,
) -> Result<Vec<StoredEvent>, Fault> {
    let sql = format!(
        "{SELECT} AND e.stream >= 'identity/' AND e.stream < 'identity0' AND e.leaf_index >= ?2
         ORDER BY e.leaf_index LIMIT ?3"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    events(connection, &sql, params![TENANT, bounded(from_index), limit])
}

/// Events of the streams of alerts from a leaf index on, in log order, by an index of their own as well.
pub(super) fn alerts_from(
    connection: &Connection,
    from_index: u64,
    limit: usize,
) -> Result<Vec<StoredEvent>, Fault> {
    let sql = format!(
        "{SELECT} AND e.stream >= 'alert/' AND e.stream < 'alert0' AND e.leaf_index >= ?2
         ORDER BY e.leaf_index LIMIT ?3"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    events(connection, &sql, params![TENANT, bounded(from_index), limit])
}

/// SQLite's integers are signed; nothing is stored beyond them, so holding to them changes no answer.
fn bounded(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn events(connection: &Connection, sql: &str, params: impl Params) -> Result<Vec<StoredEvent>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(stored_event(row)?);
    }
    Ok(events)
}

fn stored_event(row: &Row<'_>) -> Result<StoredEvent, Fault> {
    let leaf_index: u64 = row.get(0)?;
    let damaged = |what: &dyn std::fmt::Display| Fault::Damaged(format!("leaf {leaf_index}: {what}"));
    let leaf_bytes: Vec<u8> = row.get(3)?;
    let leaf = EventLeaf::from_bytes(&leaf_bytes).map_err(|e| damaged(&e))?;
    let (stream, version): (String, u64) = (row.get(1)?, row.get(2)?);
    if leaf.stream.to_string() != stream || leaf.version != version {
        return Err(damaged(&"the row names another event than the leaf"));
    }
    let private: Option<String> = row.get(4)?;
    let private = private.map(|text| parse_json(&text)).transpose().map_err(|e| damaged(&e))?;
    let attestation = match (row.get(5)?, row.get(6)?, row.get(7)?) {
        (Some(leaf_index), Some(leaf), Some(envelope)) => {
            Some(StoredAttestation { leaf_index, leaf, envelope })
        }
        (None, None, None) => None,
        (_, _, _) => return Err(damaged(&"its attestation is incomplete")),
    };
    let attestation_index = attestation.as_ref().map(|attestation| attestation.leaf_index);
    let position = Position { stream: leaf.stream.clone(), version, leaf_index, attestation_index };
    Ok(StoredEvent { position, leaf, leaf_bytes, private, attestation })
}

/// Reads a JSON column that this crate wrote.
pub(super) fn parse_json(text: &str) -> Result<Value, Fault> {
    serde_json::from_str(text).map_err(|e| Fault::Damaged(e.to_string()))
}

/// Streams by the beginning of their names.
pub(super) fn streams_with_prefix(connection: &Connection, prefix: &str) -> Result<Vec<StreamHead>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT stream, version FROM streams
         WHERE tenant = ?1 AND stream >= ?2 AND stream < ?2 || char(1114111) ORDER BY stream",
    )?;
    let mut rows = statement.query(params![TENANT, prefix])?;
    let mut heads = Vec::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let stream: Stream = name.parse().map_err(|e| Fault::Damaged(format!("{e}")))?;
        heads.push(StreamHead { stream, version: row.get(1)? });
    }
    Ok(heads)
}

/// A document, its bytes checked against the digest.
pub(super) fn document(connection: &Connection, sha256: Sha256) -> Result<Option<Document>, Fault> {
    let found: Option<(String, Vec<u8>)> = connection
        .prepare_cached("SELECT media_type, bytes FROM documents WHERE tenant = ?1 AND sha256 = ?2")?
        .query_row(params![TENANT, sha256.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((media_type, bytes)) = found else { return Ok(None) };
    if Sha256::of(&bytes) != sha256 {
        return Err(Fault::Damaged(format!("the document `{sha256}` has other bytes")));
    }
    Ok(Some(Document { sha256, media_type, bytes }))
}
