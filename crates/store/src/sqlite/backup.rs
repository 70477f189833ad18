//! A copy of the database, made beside a running server.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, params};

use super::TENANT;
use crate::error::{Fault, OpenError};

/// Copies the database as of one moment to `target`, which must not exist; the copy is durable when this returns.
/// Of the tickets only those of the `kept` kinds go along: the others are sessions, links and offers that are good
/// once, and would be good again wherever the copy is opened.
///
/// A crash in the middle leaves a file at `target` that is no whole copy; whoever calls this gives it a temporary
/// name.
pub(super) fn copy(database: &Path, target: &Path, kept: &[&str]) -> Result<(), OpenError> {
    super::open::check_readable(database)?;
    let file =
        |path: &Path, error: &io::Error| Fault::File { path: path.to_owned(), reason: error.to_string() };
    // Made before SQLite writes to it, so that it never is readable by others.
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(target)
        .map_err(|error| file(target, &error))?;
    copy_into(database, target).map_err(Fault::from)?;
    drop_tickets(target, kept).map_err(Fault::from)?;
    File::open(target).and_then(|copy| copy.sync_all()).map_err(|error| file(target, &error))?;
    Ok(())
}

/// One read transaction, which a writer in WAL mode neither waits for nor is waited for by.
fn copy_into(database: &Path, target: &Path) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags)?;
    connection.execute_batch("PRAGMA busy_timeout = 10000; PRAGMA trusted_schema = OFF;")?;
    connection.execute("VACUUM INTO ?1", [target.to_string_lossy()])?;
    Ok(())
}

fn drop_tickets(target: &Path, kept: &[&str]) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(target, flags)?;
    // secure_delete: what goes is overwritten, so the copy holds no token in a free page.
    connection.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA secure_delete = ON;")?;
    let kinds: Vec<String> = connection
        .prepare("SELECT DISTINCT kind FROM tickets WHERE tenant = ?1")?
        .query_map([TENANT], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for kind in kinds.iter().filter(|kind| !kept.contains(&kind.as_str())) {
        connection.execute("DELETE FROM tickets WHERE tenant = ?1 AND kind = ?2", params![TENANT, kind])?;
    }
    Ok(())
}
