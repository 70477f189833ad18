//! Figures for operators: what is still to be done, and how much is open.

use chancery_domain::time::Timestamp;
use rusqlite::{Connection, params};

use super::TENANT;
use super::events::parse_json;
use crate::error::Fault;
use crate::record::{Backlog, WaitingEffect};
use crate::store::{ALARM_AFTER_FAILURES, OPEN_STATES};

/// What waits in the queue at `now`.
pub(super) fn backlog(connection: &Connection, now: Timestamp) -> Result<Backlog, Fault> {
    let (due, alarmed, oldest): (u64, u64, Option<i64>) = connection
        .prepare_cached(
            "SELECT count(*), coalesce(sum(failures >= ?3), 0), min(due_at) FROM effects
             WHERE tenant = ?1 AND state = 'waiting' AND (due_at <= ?2 OR failures >= ?3)",
        )?
        .query_row(params![TENANT, now.unix(), ALARM_AFTER_FAILURES], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    let oldest_due = oldest.map(Timestamp::from_unix).transpose();
    let oldest_due = oldest_due.map_err(|error| Fault::Damaged(error.to_string()))?;
    Ok(Backlog { due, alarmed, oldest_due: oldest_due.filter(|due| *due <= now) })
}

/// Effects of one kind that are due at `now`, oldest first. Nobody claims them by this.
pub(super) fn due(
    connection: &Connection,
    kind: &str,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<WaitingEffect>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT key, payload FROM effects
         WHERE tenant = ?1 AND state = 'waiting' AND due_at <= ?2 AND kind = ?3 ORDER BY due_at, key LIMIT ?4",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![TENANT, now.unix(), kind, limit])?;
    let mut waiting = Vec::new();
    while let Some(row) = rows.next()? {
        let payload: String = row.get(1)?;
        waiting.push(WaitingEffect { key: row.get(0)?, payload: parse_json(&payload)? });
    }
    Ok(waiting)
}

/// How many requests are in each state that is not an end. Each is one walk over a range of an index.
pub(super) fn open_requests(connection: &Connection) -> Result<Vec<(&'static str, u64)>, Fault> {
    let mut statement =
        connection.prepare_cached("SELECT count(*) FROM requests WHERE tenant = ?1 AND state = ?2")?;
    let mut counted = Vec::new();
    for state in OPEN_STATES {
        counted.push((state, statement.query_row(params![TENANT, state], |row| row.get(0))?));
    }
    Ok(counted)
}
