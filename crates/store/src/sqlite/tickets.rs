//! Tickets: short-lived, and each used once where that matters.

use chancery_domain::time::Timestamp;
use rusqlite::{Connection, Row, Rows, params};

use super::TENANT;
use super::events::parse_json;
use crate::append::{Ticket, TicketKey};
use crate::error::Fault;

/// A ticket that is good at `now`.
pub(super) fn ticket(
    connection: &Connection,
    key: &TicketKey,
    now: Timestamp,
) -> Result<Option<Ticket>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT kind, key, value, expires_at FROM tickets
         WHERE tenant = ?1 AND kind = ?2 AND key = ?3 AND expires_at > ?4",
    )?;
    let mut rows = statement.query(params![TENANT, key.kind, key.key, now.unix()])?;
    rows.next()?.map(stored_ticket).transpose()
}

/// All tickets of a kind that are good at `now`.
pub(super) fn tickets(connection: &Connection, kind: &str, now: Timestamp) -> Result<Vec<Ticket>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT kind, key, value, expires_at FROM tickets
         WHERE tenant = ?1 AND kind = ?2 AND expires_at > ?3 ORDER BY key",
    )?;
    collect(statement.query(params![TENANT, kind, now.unix()])?)
}

/// Tickets of a kind that are good at `now`, by the beginning of their keys.
pub(super) fn tickets_of(
    connection: &Connection,
    kind: &str,
    prefix: &str,
    now: Timestamp,
) -> Result<Vec<Ticket>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT kind, key, value, expires_at FROM tickets
         WHERE tenant = ?1 AND kind = ?2 AND key >= ?3 AND key < ?3 || char(1114111) AND expires_at > ?4
         ORDER BY key",
    )?;
    collect(statement.query(params![TENANT, kind, prefix, now.unix()])?)
}

fn collect(mut rows: Rows<'_>) -> Result<Vec<Ticket>, Fault> {
    let mut tickets = Vec::new();
    while let Some(row) = rows.next()? {
        tickets.push(stored_ticket(row)?);
    }
    Ok(tickets)
}

fn stored_ticket(row: &Row<'_>) -> Result<Ticket, Fault> {
    let (value, expires_at): (String, i64) = (row.get(2)?, row.get(3)?);
    let expires_at = Timestamp::from_unix(expires_at).map_err(|e| Fault::Damaged(e.to_string()))?;
    Ok(Ticket { kind: row.get(0)?, key: row.get(1)?, value: parse_json(&value)?, expires_at })
}

/// Stores a ticket in place of an older one.
pub(super) fn put(connection: &Connection, ticket: &Ticket) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "INSERT INTO tickets (tenant, kind, key, value, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (tenant, kind, key)
             DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at",
        )?
        .execute(params![
            TENANT,
            ticket.kind,
            ticket.key,
            ticket.value.to_string(),
            ticket.expires_at.unix()
        ])?;
    Ok(())
}

/// Stores a ticket unless one of its key is still good; says whether it did.
pub(super) fn remember(connection: &Connection, new: &Ticket, now: Timestamp) -> Result<bool, Fault> {
    let key = TicketKey { kind: new.kind.clone(), key: new.key.clone() };
    if ticket(connection, &key, now)?.is_some() {
        return Ok(false);
    }
    put(connection, new)?;
    Ok(true)
}

/// Removes a ticket; returns it if it was good at `now`.
pub(super) fn take(
    connection: &Connection,
    key: &TicketKey,
    now: Timestamp,
) -> Result<Option<Ticket>, Fault> {
    let taken = ticket(connection, key, now)?;
    connection
        .prepare_cached("DELETE FROM tickets WHERE tenant = ?1 AND kind = ?2 AND key = ?3")?
        .execute(params![TENANT, key.kind, key.key])?;
    Ok(taken)
}

/// Removes what has expired; returns how many.
pub(super) fn sweep(connection: &Connection, now: Timestamp) -> Result<u64, Fault> {
    let swept = connection
        .prepare_cached("DELETE FROM tickets WHERE tenant = ?1 AND expires_at <= ?2")?
        .execute(params![TENANT, now.unix()])?;
    Ok(swept as u64)
}
