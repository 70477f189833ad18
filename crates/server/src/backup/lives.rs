//! What is kept of lives of the log that are over: their journals never change, and nothing can make them again.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use chancery_store::SqliteStore;

use super::{BackupError, DATABASE, copy_file, files_below};
use crate::keys;
use crate::rotate_log::{KEPT_SEED, LIVES};

/// Copies them all. Their journals go without tickets, their seeds only with the private keys.
pub(super) async fn copy(data: &Path, folder: &Path, with_keys: bool) -> Result<(), BackupError> {
    let lives = data.join(LIVES);
    if !lives.is_dir() {
        return Ok(());
    }
    for path in files_below(&lives)? {
        let (from, to) = (lives.join(&path), folder.join(LIVES).join(&path));
        match from.file_name().and_then(OsStr::to_str) {
            Some(DATABASE) => copy_journal(from, to).await?,
            // Of the journal, which is copied as a whole.
            Some("chancery.db-wal" | "chancery.db-shm") => {}
            Some(KEPT_SEED) if !with_keys => {}
            Some(_) | None => copy_file(&from, &to)?,
        }
    }
    Ok(())
}

async fn copy_journal(from: PathBuf, to: PathBuf) -> Result<(), BackupError> {
    keys::private_directory(to.parent().unwrap_or(&to))?;
    let copied = tokio::task::spawn_blocking(move || SqliteStore::copy(&from, &to, &[])).await;
    Ok(copied.map_err(|error| BackupError::Other(error.to_string()))??)
}
