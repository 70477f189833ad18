//! The newest signed checkpoint, kept in a file apart from the database.
//!
//! It is what a restored backup is compared with: the database can go back in time, this file does not.
//!
//! The file has two slots of 4 KiB, each with one note and zero bytes behind it. Every publication overwrites the
//! older note where it stands, so that making it durable moves neither a name nor a length: one `fdatasync` of one
//! block, instead of a file, a name and a folder. docs/decisions/0009-checkpoint-copy-in-place.md has the measured reasons.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chancery_faults::step;
use chancery_ledger::{Checkpoint, SignedCheckpoint, VerifierKey};

use crate::error::{Fault, OpenError};

/// Bytes of one slot: a block of its own, so that a write that is cut off spoils no other.
const SLOT: usize = 4096;

/// Name of the mark beside the copy.
const RESTORED: &str = "restored";

const RESTORED_TEXT: &str = "This database came out of a backup. Until `chancery server adopt` has shown that nothing \
signed is missing in it, nothing is signed on it. Removing this file by hand forks the log.\n";

/// The file that holds the newest checkpoint's note.
#[derive(Clone, Debug)]
pub(crate) struct CheckpointCopy {
    path: PathBuf,
    next: Next,
}

/// How the next note is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// A new file in place of the old one: nothing is known of its slots.
    Whole,
    /// Over the note in this slot, which is the older one.
    First,
    /// The same in the other slot.
    Second,
}

/// What the file holds.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// The newest checkpoint whose signature verifies.
    pub(crate) newest: SignedCheckpoint,
    /// The other slot holds no such note: the publication of a newer checkpoint was cut off.
    pub(crate) cut_off: bool,
}

/// The newest checkpoint that a copy holds; `None` if there is no such file.
///
/// # Errors
/// [`OpenError::CopyUnreadable`] when no note in it is signed by this key, [`OpenError::Fault`] when it cannot be read.
pub fn kept_checkpoint(path: &Path, key: &VerifierKey) -> Result<Option<SignedCheckpoint>, OpenError> {
    Ok(CheckpointCopy::at(path.to_owned()).read(key)?.map(|kept| kept.newest))
}

/// The newest checkpoint in the bytes of a copy, or of a bare note.
///
/// # Errors
/// In words, when no note in it is signed by this key.
pub fn newest_in_copy(bytes: &[u8], key: &VerifierKey) -> Result<SignedCheckpoint, String> {
    newest(bytes, key).map(|kept| kept.newest)
}

impl CheckpointCopy {
    /// The copy at this path; the directory has to exist.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path, next: Next::Whole }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds; `None` if there is no such file. A file that is one bare note is read as well.
    pub(crate) fn read(&self, key: &VerifierKey) -> Result<Option<Kept>, OpenError> {
        let bytes = match step("store.copy.read", || fs::read(&self.path)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.fault(&error).into()),
        };
        let unreadable = |reason| OpenError::CopyUnreadable { path: self.path.clone(), reason };
        newest(&bytes, key).map(Some).map_err(unreadable)
    }

    /// The file whose presence says that the database came out of a backup.
    pub(crate) fn mark(&self) -> PathBuf {
        self.path.with_file_name(RESTORED)
    }

    /// Marks the database as restored: nothing is signed on it until it was compared with what is known elsewhere.
    pub(crate) fn set_mark(&self) -> Result<(), Fault> {
        let mark = Self::at(self.mark());
        mark.replace(RESTORED_TEXT.as_bytes()).map_err(|error| mark.fault(&error))
    }

    /// Takes the mark away, durably.
    pub(crate) fn unmark(&self) -> Result<(), Fault> {
        let mark = Self::at(self.mark());
        match fs::remove_file(&mark.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(mark.fault(&error)),
            Ok(()) | Err(_) => mark.sync_directory().map_err(|error| mark.fault(&error)),
        }
    }

    /// Puts a newer note in its place. When this returns, the note survives a loss of power.
    ///
    /// A crash leaves the newest note before this one whole, in the other slot. What was being written may be cut off, which
    /// reading says. After a failure nothing is known of the slot, so the next call writes the whole file anew.
    pub(crate) fn publish(&mut self, note: &[u8]) -> Result<(), Fault> {
        let next = std::mem::replace(&mut self.next, Next::Whole);
        let overwritten = match next {
            Next::Whole => Ok(false),
            Next::First => self.overwrite(0, note),
            Next::Second => self.overwrite(SLOT as u64, note),
        };
        let written =
            overwritten.and_then(|done| if done { Ok(()) } else { self.replace(&slot(note)?.repeat(2)) });
        written.map_err(|error| self.fault(&error))?;
        self.next = if next == Next::First { Next::Second } else { Next::First };
        Ok(())
    }

    /// Overwrites one slot, in a file that has slots; `false` in any other, or when there is none.
    fn overwrite(&self, offset: u64, note: &[u8]) -> io::Result<bool> {
        // By its name each time: a file that was moved away is not written to for ever.
        let file = match OpenOptions::new().write(true).open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        if file.metadata()?.len() != 2 * SLOT as u64 {
            return Ok(false);
        }
        step("store.copy.overwrite", || file.write_all_at(&slot(note)?, offset))?;
        step("store.copy.sync_data", || file.sync_data())?;
        Ok(true)
    }

    /// Makes a new file with these bytes, and puts it in place of the old one.
    ///
    /// A crash before the rename leaves the older file and perhaps a stray temporary one, which the next call
    /// overwrites. There is no moment at which the file is missing or half written.
    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        let mut temporary = OsString::from(self.path.as_os_str());
        temporary.push(".new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = step("store.copy.open", || options.open(&temporary))?;
        step("store.copy.write", || file.write_all(bytes))?;
        step("store.copy.sync", || file.sync_all())?;
        step("store.copy.rename", || fs::rename(&temporary, &self.path))?;
        step("store.copy.sync_folder", || self.sync_directory())
    }

    fn sync_directory(&self) -> io::Result<()> {
        match self.path.parent() {
            Some(directory) if !directory.as_os_str().is_empty() => File::open(directory)?.sync_all(),
            Some(_) | None => File::open(".")?.sync_all(),
        }
    }

    fn fault(&self, error: &io::Error) -> Fault {
        Fault::File { path: self.path.clone(), reason: error.to_string() }
    }
}

fn newest(bytes: &[u8], key: &VerifierKey) -> Result<Kept, String> {
    let mut opened: Vec<_> = notes(bytes).into_iter().map(|note| Checkpoint::open(note, key)).collect();
    let cut_off = opened.iter().any(Result::is_err);
    opened.sort_by_key(|note| note.as_ref().map_or(0, |checkpoint| checkpoint.root().size()));
    let mut reason = "it is empty".to_owned();
    for note in opened.into_iter().rev() {
        match note {
            Ok(newest) => return Ok(Kept { newest, cut_off }),
            Err(error) => reason = error.to_string(),
        }
    }
    Err(reason)
}

/// The notes in a file: two where it has slots, otherwise the whole of it.
fn notes(bytes: &[u8]) -> Vec<&[u8]> {
    if bytes.len() != 2 * SLOT {
        return vec![bytes];
    }
    // A note is text without control characters other than newlines (c2sp.org/signed-note), so zero bytes end it.
    bytes.chunks(SLOT).filter_map(|slot| slot.split(|byte| *byte == 0).next()).collect()
}

/// A note, filled up with zero bytes.
fn slot(note: &[u8]) -> io::Result<Vec<u8>> {
    if note.len() > SLOT {
        return Err(io::Error::other(format!("a note of {} bytes is longer than {SLOT}", note.len())));
    }
    let mut slot = note.to_vec();
    slot.resize(SLOT, 0);
    Ok(slot)
}
