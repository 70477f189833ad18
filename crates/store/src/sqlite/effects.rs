//! The effects queue: at least once, one claimer at a time, and never a silent stop.

use chancery_domain::time::Timestamp;
use rusqlite::{Connection, params};

use super::TENANT;
use super::events::parse_json;
use crate::append::NewEffect;
use crate::error::Fault;
use crate::record::{AlarmedEffect, ClaimedEffect};
use crate::store::ALARM_AFTER_FAILURES;

/// What is recorded when a lease ends and nobody has answered, as after a crash.
const LEASE_LOST: &str = "the claim ended without an answer";

/// Adds an effect. Its key makes a repeat a no-op; only a cancelled effect starts over, with a higher fence, so
/// that a claimer from before cannot finish it.
pub(super) fn add(connection: &Connection, effect: &NewEffect) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "INSERT INTO effects (tenant, key, kind, state, due_at, payload) VALUES (?1, ?2, ?3, 'waiting', ?4, ?5)
             ON CONFLICT (tenant, key) DO UPDATE SET
                 kind = excluded.kind, state = 'waiting', due_at = excluded.due_at, payload = excluded.payload,
                 attempt = 0, failures = 0, fence = fence + 1, lease_until = NULL, last_error = NULL
             WHERE state = 'cancelled'",
        )?
        .execute(params![TENANT, effect.key, effect.kind, effect.due_at.unix(), effect.payload.to_string()])?;
    Ok(())
}

/// Cancels an effect that waits, claimed or not: the claimer's fence does not fit any more.
pub(super) fn settle(connection: &Connection, key: &str) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "UPDATE effects SET state = 'cancelled', fence = fence + 1, lease_until = NULL
             WHERE tenant = ?1 AND key = ?2 AND state = 'waiting'",
        )?
        .execute(params![TENANT, key])?;
    Ok(())
}

/// Claims due effects, oldest first.
pub(super) fn claim(
    connection: &Connection,
    now: Timestamp,
    limit: usize,
    lease_seconds: u64,
) -> Result<Vec<ClaimedEffect>, Fault> {
    let mut statement = connection.prepare_cached(
        "UPDATE effects SET
             fence = fence + 1, attempt = attempt + 1,
             failures = failures + (lease_until IS NOT NULL),
             last_error = iif(lease_until IS NOT NULL, ?5, last_error),
             lease_until = ?3
         WHERE tenant = ?1 AND key IN (
             SELECT key FROM effects
             WHERE tenant = ?1 AND state = 'waiting' AND due_at <= ?2
               AND (lease_until IS NULL OR lease_until <= ?2)
             ORDER BY due_at, key LIMIT ?4)
         RETURNING due_at, key, kind, payload, attempt, fence",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let lease_until = now.plus(lease_seconds).unix();
    let mut rows = statement.query(params![TENANT, now.unix(), lease_until, limit, LEASE_LOST])?;
    let mut claimed: Vec<(i64, ClaimedEffect)> = Vec::new();
    while let Some(row) = rows.next()? {
        let payload: String = row.get(3)?;
        let effect = ClaimedEffect {
            key: row.get(1)?,
            kind: row.get(2)?,
            payload: parse_json(&payload)?,
            attempt: row.get(4)?,
            fence: row.get(5)?,
        };
        claimed.push((row.get(0)?, effect));
    }
    // RETURNING promises no order.
    claimed.sort_by(|(due, effect), (other_due, other)| (due, &effect.key).cmp(&(other_due, &other.key)));
    Ok(claimed.into_iter().map(|(_, effect)| effect).collect())
}

/// Frees every claim, counted as a failure like one whose lease ended. Only for whoever holds the database's lock and
/// has claimed nothing yet: then all claimers are gone, and what is due must not wait for their leases.
pub(super) fn release_claims(connection: &Connection) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "UPDATE effects INDEXED BY effects_claimed SET
                 fence = fence + 1, failures = failures + 1, last_error = ?2, lease_until = NULL
             WHERE tenant = ?1 AND state = 'waiting' AND lease_until IS NOT NULL",
        )?
        .execute(params![TENANT, LEASE_LOST])?;
    Ok(())
}

/// Marks a claimed effect as done, if the claim still stands.
pub(super) fn finish(connection: &Connection, key: &str, fence: u64) -> Result<bool, Fault> {
    let finished = connection
        .prepare_cached(
            "UPDATE effects SET state = 'done', lease_until = NULL
             WHERE tenant = ?1 AND key = ?2 AND fence = ?3 AND state = 'waiting' AND lease_until IS NOT NULL",
        )?
        .execute(params![TENANT, key, fence])?;
    Ok(finished == 1)
}

/// Puts a claimed effect back after a failure, if the claim still stands.
pub(super) fn retry(
    connection: &Connection,
    key: &str,
    fence: u64,
    due_at: Timestamp,
    error: &str,
) -> Result<bool, Fault> {
    let put_back = connection
        .prepare_cached(
            "UPDATE effects SET due_at = ?4, failures = failures + 1, last_error = ?5, lease_until = NULL
             WHERE tenant = ?1 AND key = ?2 AND fence = ?3 AND state = 'waiting' AND lease_until IS NOT NULL",
        )?
        .execute(params![TENANT, key, fence, due_at.unix(), error])?;
    Ok(put_back == 1)
}

/// Gives a claimed effect back that was not begun, if the claim still stands.
pub(super) fn release(connection: &Connection, key: &str, fence: u64) -> Result<bool, Fault> {
    let released = connection
        .prepare_cached(
            "UPDATE effects SET attempt = attempt - 1, lease_until = NULL
             WHERE tenant = ?1 AND key = ?2 AND fence = ?3 AND state = 'waiting' AND lease_until IS NOT NULL",
        )?
        .execute(params![TENANT, key, fence])?;
    Ok(released == 1)
}

/// Waiting effects that have failed too often, oldest first.
pub(super) fn alarmed(connection: &Connection) -> Result<Vec<AlarmedEffect>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT key, kind, payload, due_at, failures, last_error FROM effects
         WHERE tenant = ?1 AND state = 'waiting' AND failures >= ?2 ORDER BY due_at, key",
    )?;
    let mut rows = statement.query(params![TENANT, ALARM_AFTER_FAILURES])?;
    let mut alarmed = Vec::new();
    while let Some(row) = rows.next()? {
        let (payload, due_at): (String, i64) = (row.get(2)?, row.get(3)?);
        alarmed.push(AlarmedEffect {
            key: row.get(0)?,
            kind: row.get(1)?,
            payload: parse_json(&payload)?,
            due_at: Timestamp::from_unix(due_at).map_err(|e| Fault::Damaged(e.to_string()))?,
            failures: row.get(4)?,
            last_error: row.get(5)?,
        });
    }
    Ok(alarmed)
}
