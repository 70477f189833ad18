//! The newest signed checkpoint, kept in a file apart from the database.
//!
//! It is what a restored backup is compared with: the database can go back in time, this file does not.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use chancery_faults::step;

use crate::error::Fault;

/// Name of the mark beside the copy.
const RESTORED: &str = "restored";

const RESTORED_TEXT: &str = "This database came out of a backup. Until `chancery server adopt` has shown that nothing \
signed is missing in it, nothing is signed on it. Removing this file by hand forks the log.\n";

/// The file that holds the newest checkpoint's note.
#[derive(Clone, Debug)]
pub(crate) struct CheckpointCopy {
    path: PathBuf,
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

    /// The note's bytes; `None` if there is no such file.
    pub(crate) fn read(&self) -> Result<Option<Vec<u8>>, Fault> {
        match step("store.copy.read", || fs::read(&self.path)) {
            Ok(note) => Ok(Some(note)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.fault(&error)),
        }
    }

    /// The file whose presence says that the database came out of a backup.
    pub(crate) fn mark(&self) -> PathBuf {
        self.path.with_file_name(RESTORED)
    }

    /// Marks the database as restored: nothing is signed on it until it was compared with what is known elsewhere.
    pub(crate) fn set_mark(&self) -> Result<(), Fault> {
        let mark = Self { path: self.mark() };
        mark.replace(RESTORED_TEXT.as_bytes()).map_err(|error| mark.fault(&error))
    }

    /// Takes the mark away, durably.
    pub(crate) fn unmark(&self) -> Result<(), Fault> {
        let mark = Self { path: self.mark() };
        match fs::remove_file(&mark.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(mark.fault(&error)),
            Ok(()) | Err(_) => mark.sync_directory().map_err(|error| mark.fault(&error)),
        }
    }

    /// Puts a newer note in its place. When this returns, the note survives a loss of power.
    ///
    /// A crash before the rename leaves the older note and perhaps a stray temporary file, which the next call
    /// overwrites. There is no moment at which the file is missing or half written.
    pub(crate) fn publish(&self, note: &[u8]) -> Result<(), Fault> {
        self.replace(note).map_err(|error| self.fault(&error))
    }

    fn replace(&self, note: &[u8]) -> io::Result<()> {
        let mut temporary = OsString::from(self.path.as_os_str());
        temporary.push(".new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = step("store.copy.open", || options.open(&temporary))?;
        step("store.copy.write", || file.write_all(note))?;
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
