//! The newest signed checkpoint, kept in a file apart from the database.
//!
//! It is what a restored backup is compared with: the database can go back in time, this file does not.
//!
//! The file has three slots of 4 KiB, each with one note and zero bytes behind it. [`Keeper`] overwrites one after the
//! other where it stands, so that making a note durable moves neither a name nor a length.
//! docs/decisions/0014-checkpoint-copy-behind-the-answer.md has the measured reasons.

mod keeper;

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chancery_faults::step;
use chancery_ledger::{Checkpoint, SignedCheckpoint, VerifierKey};

pub(crate) use keeper::Keeper;

use crate::error::{Fault, OpenError};

/// Bytes of one slot: a block of its own, so that a write that is cut off spoils no other.
const SLOT: usize = 4096;

/// Slots of a file: one that is durable, one that is being made durable, and one that is written meanwhile.
const SLOTS: usize = 3;

/// Name of the mark beside the copy.
const RESTORED: &str = "restored";

const RESTORED_TEXT: &str = "This database came out of a backup. Until `chancery server adopt` has shown that nothing \
signed is missing in it, nothing is signed on it. Removing this file by hand forks the log.\n";

/// The file that holds the newest checkpoint's note.
#[derive(Clone, Debug)]
pub(crate) struct CheckpointCopy {
    path: PathBuf,
}

/// What the file holds.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// The newest checkpoint whose signature verifies.
    pub(crate) newest: SignedCheckpoint,
    /// Another slot holds no such note: the publication of a newer checkpoint was cut off.
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
        Self { path }
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

    /// Puts a newer note in place of all that the file holds. When this returns, it survives a loss of power.
    pub(crate) fn publish(&self, note: &[u8]) -> Result<(), Fault> {
        let replaced = slot(note).and_then(|slot| self.replace(&slot.repeat(SLOTS)));
        replaced.map_err(|error| self.fault(&error))
    }

    /// Overwrites one slot, in a file that has slots; `false` in any other, or when there is none.
    ///
    /// A crash leaves the notes in the other slots whole, and what was being written perhaps cut off, which reading says.
    fn overwrite(&self, index: usize, note: &[u8]) -> io::Result<bool> {
        let Some(file) = self.open_slots()? else { return Ok(false) };
        let offset = (index * SLOT) as u64;
        step("store.copy.overwrite", || file.write_all_at(&slot(note)?, offset))?;
        Ok(true)
    }

    /// Makes durable what was overwritten; `false` when the file is another one by now.
    fn settle(&self) -> io::Result<bool> {
        let Some(file) = self.open_slots()? else { return Ok(false) };
        step("store.copy.sync_data", || file.sync_data())?;
        Ok(true)
    }

    /// The file, if it has slots. By its name each time: a file that was moved away is not written to for ever.
    fn open_slots(&self) -> io::Result<Option<File>> {
        let file = match OpenOptions::new().write(true).open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok((file.metadata()?.len() == (SLOTS * SLOT) as u64).then_some(file))
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

/// The notes in a file: one in each of its slots (earlier versions had two), or else the whole of it.
fn notes(bytes: &[u8]) -> Vec<&[u8]> {
    if ![2 * SLOT, SLOTS * SLOT].contains(&bytes.len()) {
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
