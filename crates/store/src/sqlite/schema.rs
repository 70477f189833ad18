//! Which database this is, and bringing it up to date.

use std::path::Path;

use chancery_faults::step;
use rusqlite::{Connection, ErrorCode};

use crate::error::{Fault, OpenError};

/// `CHNC`, so that `file` and a careful program can tell our databases from others.
const APPLICATION_ID: i64 = 0x4348_4e43;

/// Oldest SQLite that is good: earlier ones can lose committed data when the write-ahead log is reset.
const OLDEST_ENGINE: (i32, &str) = (3_051_003, "3.51.3");

/// Migration `n` of this list brings the schema from `n` to `n + 1`. Published ones never change.
const MIGRATIONS: [&str; 6] = [
    include_str!("../../migrations/sqlite/0001_journal.sql"),
    include_str!("../../migrations/sqlite/0002_working.sql"),
    include_str!("../../migrations/sqlite/0003_reading.sql"),
    include_str!("../../migrations/sqlite/0004_alerts.sql"),
    include_str!("../../migrations/sqlite/0005_usual.sql"),
    include_str!("../../migrations/sqlite/0006_claimed.sql"),
];

/// Refuses engines with known data loss.
pub(super) fn check_engine() -> Result<(), OpenError> {
    let (number, name) = OLDEST_ENGINE;
    if rusqlite::version_number() >= number {
        return Ok(());
    }
    Err(OpenError::EngineTooOld { found: rusqlite::version().to_owned(), required: name.to_owned() })
}

/// Number of the newest migration that the database has; 0 for a new one.
///
/// # Errors
/// [`OpenError::NotOurs`] for another program's database, [`OpenError::NewerSchema`] for a later version's.
pub(super) fn version(connection: &Connection, path: &Path) -> Result<u32, OpenError> {
    let number = |sql: &str| -> Result<i64, OpenError> {
        connection.query_row(sql, [], |row| row.get(0)).map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => OpenError::NotOurs { path: path.to_owned() },
            Some(_) | None => Fault::from(error).into(),
        })
    };
    let application = number("PRAGMA application_id")?;
    let is_new = application == 0 && number("SELECT count(*) FROM sqlite_schema")? == 0;
    let ours = application == APPLICATION_ID || is_new;
    let Some(found) = u32::try_from(number("PRAGMA user_version")?).ok().filter(|_| ours) else {
        return Err(OpenError::NotOurs { path: path.to_owned() });
    };
    if found > newest() {
        return Err(OpenError::NewerSchema { found, known: newest() });
    }
    Ok(found)
}

/// Number of the newest migration that this program knows.
pub(super) fn newest() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// Applies what is missing after `found`, each migration in a transaction of its own: a crash between two of
/// them leaves a database that the next start goes on from.
pub(super) fn migrate(connection: &Connection, found: u32) -> Result<(), Fault> {
    let pending = (1_u32..).zip(MIGRATIONS).filter(|(number, _)| *number > found);
    for (number, sql) in pending {
        step("store.open.migrate", || -> Result<(), Fault> {
            Ok(connection.execute_batch(&format!(
                "BEGIN IMMEDIATE; {sql} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number}; COMMIT;"
            ))?)
        })?;
    }
    Ok(())
}
