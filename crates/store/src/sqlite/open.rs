//! Opening: which file, which engine, which schema, and whether this is the log that was signed last.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use chancery_faults::step;
use chancery_ledger::tile::root_from_tiles;
use chancery_ledger::{Root, SignedCheckpoint, VerifierKey};
use rusqlite::Connection;

use super::connection::{open_reader, open_writer};
use super::journal::{self, Journal, LogSigner};
use super::{effects, schema, tiles};
use crate::checkpoint_copy::{CheckpointCopy, Kept};
use crate::error::{Fault, OpenError};

/// A database that may be written to.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) journal: Journal,
    /// Held as long as the writer lives.
    pub(super) lock: File,
}

/// Opens for writing; makes the database if there is none.
pub(super) fn open(path: &Path, copy: &CheckpointCopy, signer: &LogSigner) -> Result<Opened, OpenError> {
    schema::check_engine()?;
    for file in [path, copy.path()] {
        step("store.open.folder", || make_directory(file))?;
    }
    let lock = step("store.open.lock", || lock(path))?;
    // INVARIANT: a database that came out of a backup signs nothing before it was adopted.
    if copy.mark().exists() && !signer.is_closed() {
        return Err(OpenError::Restored { path: copy.mark() });
    }
    let found = step("store.open.schema", || schema_of(path))?;
    step("store.open.file", || make_private_file(path))?;
    let connection = step("store.open.connect", || open_writer(path).map_err(Fault::from))?;
    schema::migrate(&connection, found)?;
    if !Journal::exists(&connection)? {
        step("store.open.begin", || Journal::begin(&connection, signer))?;
    }
    let journal = step("store.open.load", || Journal::load(&connection, signer))?;
    // A log that has ended forks nothing, and the copy may know better than a database that came out of a backup.
    if !signer.is_closed() {
        compare_with_copy(&connection, &journal, copy, signer)?;
    }
    step("store.open.release", || effects::release_claims(&connection))?;
    Ok(Opened { connection, journal, lock })
}

/// A database that is looked at before it may sign, with nobody else writing to it.
pub(super) struct Examined {
    pub(super) connection: Connection,
    pub(super) copy: CheckpointCopy,
    pub(super) lock: File,
}

/// Opens a database that holds a log, marked as restored or not, and compares it with nothing.
pub(super) fn examine(path: &Path, copy: &Path) -> Result<Examined, OpenError> {
    schema::check_engine()?;
    make_directory(copy)?;
    let lock = lock(path)?;
    let found = schema_of(path)?;
    if found == 0 {
        return Err(OpenError::Log("there is none yet".to_owned()));
    }
    let connection = open_writer(path).map_err(Fault::from)?;
    schema::migrate(&connection, found)?;
    Ok(Examined { connection, copy: CheckpointCopy::at(copy.to_owned()), lock })
}

/// Checks that a database can be read by this program, and changes nothing.
pub(super) fn check_readable(path: &Path) -> Result<(), OpenError> {
    schema::check_engine()?;
    let found = schema_of(path)?;
    if found < schema::newest() {
        return Err(OpenError::OlderSchema { found, known: schema::newest() });
    }
    Ok(())
}

/// Number of the newest migration in the file, 0 if there is none yet. Another program's file is not touched.
fn schema_of(path: &Path) -> Result<u32, OpenError> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(file_fault(path, &error).into()),
        Ok(metadata) if metadata.len() == 0 => Ok(0),
        Ok(_) => {
            let connection = open_reader(path).map_err(Fault::from)?;
            schema::version(&connection, path)
        }
    }
}

/// How the copy of the newest checkpoint stands to the database, when nothing speaks against going on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CopyIs {
    Same,
    /// A crash between commit and publish, or right after the first checkpoint of a new log.
    Behind,
}

/// Refuses to go on from a state that is behind, or beside, what was signed.
fn compare_with_copy(
    connection: &Connection,
    journal: &Journal,
    copy: &CheckpointCopy,
    signer: &LogSigner,
) -> Result<(), OpenError> {
    match relation(connection, *journal.checkpoint().root(), copy, signer.verifier())? {
        CopyIs::Same => Ok(()),
        CopyIs::Behind => Ok(copy.publish(&journal.note())?),
    }
}

/// The same comparison, for a database that somebody else may be writing to; nothing is changed.
pub(super) fn compare(path: &Path, copy: &Path, key: &VerifierKey) -> Result<(), OpenError> {
    let copy = CheckpointCopy::at(copy.to_owned());
    if copy.mark().exists() {
        return Err(OpenError::Restored { path: copy.mark() });
    }
    // Read first: the database may grow meanwhile, and the copy with it.
    let kept = copy.read(key)?;
    let connection = open_reader(path).map_err(Fault::from)?;
    let ours = *journal::checkpoint(&connection, key).map_err(|e| OpenError::Log(e.to_string()))?.root();
    relate(&connection, ours, kept, &copy).map(|_| ())
}

/// Whether a checkpoint is one of this database's own history.
pub(super) fn contains(
    path: &Path,
    checkpoint: &SignedCheckpoint,
    key: &VerifierKey,
) -> Result<bool, OpenError> {
    let connection = open_reader(path).map_err(Fault::from)?;
    let ours = *journal::checkpoint(&connection, key).map_err(|e| OpenError::Log(e.to_string()))?.root();
    let theirs = checkpoint.root();
    let stored = |path: &_| tiles::tile(&connection, path).ok().flatten();
    Ok(theirs.size() <= ours.size()
        && root_from_tiles(theirs.size(), stored).is_ok_and(|root| root == theirs.hash()))
}

fn relation(
    connection: &Connection,
    ours: Root,
    copy: &CheckpointCopy,
    key: &VerifierKey,
) -> Result<CopyIs, OpenError> {
    relate(connection, ours, copy.read(key)?, copy)
}

fn relate(
    connection: &Connection,
    ours: Root,
    kept: Option<Kept>,
    copy: &CheckpointCopy,
) -> Result<CopyIs, OpenError> {
    let Some(kept) = kept else {
        if ours.size() > 0 {
            return Err(OpenError::CopyMissing { path: copy.path().to_owned() });
        }
        // A new log, or a crash right after its first checkpoint was stored: nothing is signed that could be lost.
        return Ok(CopyIs::Behind);
    };
    let theirs = *kept.newest.root();
    if theirs.size() > ours.size() {
        return Err(OpenError::OlderThanSigned { ours, copy: theirs });
    }
    // INVARIANT: a checkpoint is committed before its publication begins, so whatever was cut off is in a database that
    // is not older. One that ends where the readable note does is an older one, or the damage is of another kind.
    if kept.cut_off && theirs.size() == ours.size() {
        let reason = "one of its two notes is damaged, and nothing was committed after the other".to_owned();
        return Err(OpenError::CopyUnreadable { path: copy.path().to_owned(), reason });
    }
    let stored = |path: &_| tiles::tile(connection, path).ok().flatten();
    let then = root_from_tiles(theirs.size(), stored).map_err(|e| OpenError::Log(e.to_string()))?;
    if then != theirs.hash() {
        return Err(OpenError::Forked { ours, copy: theirs });
    }
    Ok(if theirs.size() < ours.size() { CopyIs::Behind } else { CopyIs::Same })
}

/// Makes the directory of a file, for its owner only. One that exists keeps its mode.
fn make_directory(file: &Path) -> Result<(), Fault> {
    match file.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|error| file_fault(directory, &error)),
        Some(_) | None => Ok(()),
    }
}

/// Makes the database file before SQLite does, so that it never is readable by others; its log files inherit
/// the mode.
fn make_private_file(path: &Path) -> Result<(), Fault> {
    let made = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    made.and_then(|_| fs::set_permissions(path, Permissions::from_mode(0o600)))
        .map_err(|error| file_fault(path, &error))
}

/// Takes the lock that keeps a second writer away. The system releases it when the process ends, however it ends.
fn lock(database: &Path) -> Result<File, OpenError> {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    let path = PathBuf::from(name);
    let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = opened.map_err(|error| file_fault(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path }),
        Err(TryLockError::Error(error)) => Err(file_fault(&path, &error).into()),
    }
}

fn file_fault(path: &Path, error: &io::Error) -> Fault {
    Fault::File { path: path.to_owned(), reason: error.to_string() }
}
