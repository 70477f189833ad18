//! Restoring a backup into an empty folder. What comes out of it signs and mints nothing until it was adopted
//! ([`crate::adopt`]): nobody can tell from a backup alone whether anything was signed after it.

use std::fs;
use std::path::{Path, PathBuf};

use chancery_issuer::ssh::{Authority as SshAuthority, AuthorityKey, Krl, authority_files};
use chancery_store::SqliteStore;

use crate::backup::{
    BackupError, DATABASE, MANIFEST, Manifest, copy_file, file_fault, partial_beside, read_manifest,
    sync_folder, verify,
};
use crate::config::Config;
use crate::keys;

/// How a backup is restored.
#[derive(Clone, Debug, Default)]
pub struct RestoreOptions {
    /// Folder of the private keys, where the backup has none.
    pub keys: Option<PathBuf>,
    /// A later revocation list of the same authority, from a host or the old disk.
    pub revocation_list: Option<PathBuf>,
}

/// What was restored.
#[derive(Clone, Debug)]
pub struct Restored {
    /// What the backup says of itself.
    pub manifest: Manifest,
    /// Whether the keys are there, without which no server starts.
    pub has_keys: bool,
}

/// Restores a backup into `data`, which must be empty or not there.
///
/// The whole installation is put together beside `data` and renamed at the end: a crash before that leaves a folder
/// `.NAME.partial`, which the next restore removes.
///
/// # Errors
/// [`BackupError`]; `data` is then as it was.
pub async fn restore(from: &Path, data: &Path, options: RestoreOptions) -> Result<Restored, BackupError> {
    if data.symlink_metadata().is_ok() && fs::read_dir(data).map_or(true, |mut found| found.next().is_some())
    {
        return Err(BackupError::Exists(data.to_owned()));
    }
    let manifest = read_manifest(from)?;
    let partial = partial_beside(data)?;
    let filled = fill(from, &partial, &manifest, &options).await;
    if filled.is_err() {
        let _ = fs::remove_dir_all(&partial);
    }
    let has_keys = filled?;
    if data.is_dir() {
        fs::remove_dir(data).map_err(|cause| file_fault(data, cause))?;
    }
    fs::rename(&partial, data).map_err(|cause| file_fault(data, cause))?;
    sync_folder(data.parent())?;
    Ok(Restored { manifest, has_keys })
}

async fn fill(
    from: &Path,
    folder: &Path,
    manifest: &Manifest,
    options: &RestoreOptions,
) -> Result<bool, BackupError> {
    // Copied first and verified then, so that what is verified is what stays.
    for path in manifest.files.keys() {
        check_path(path)?;
        copy_file(&from.join(path), &folder.join(path))?;
    }
    verify(folder, manifest).await?;
    let config = Config::read_from(folder)?;
    if let Some(keys) = &options.keys {
        copy_keys(keys, &config)?;
    }
    let has_keys = keys::log_seed(&config.data).exists();
    if has_keys {
        check_keys(&config, manifest)?;
    }
    if let Some(list) = &options.revocation_list {
        replace_list(list, &config)?;
    }
    let copy = config.checkpoint_copy();
    keys::private_directory(copy.parent().unwrap_or(folder))?;
    write_checkpoint(&config, manifest).await?;
    // INVARIANT: the mark is there before the folder has its name.
    SqliteStore::mark_restored(&copy)?;
    Ok(has_keys)
}

/// Paths of a manifest lead nowhere but below the folder.
fn check_path(path: &str) -> Result<(), BackupError> {
    let plain = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains('\\');
    if path.split('/').all(plain) && path != MANIFEST {
        return Ok(());
    }
    Err(BackupError::Unsound(format!("`{path}` is no path within a backup")))
}

fn copy_keys(from: &Path, config: &Config) -> Result<(), BackupError> {
    let mut places = vec![keys::log_seed(&config.data), keys::attestation_key(&config.data)];
    let authority = config.ssh_ca_key();
    let given = from.join(authority.file_name().unwrap_or_default());
    let given = authority_files(&given).map_err(|error| BackupError::Other(error.to_string()))?;
    if given.is_empty() {
        places.push(authority.clone());
    }
    places.extend(given.iter().filter_map(|path| Some(authority.with_file_name(path.file_name()?))));
    for place in places {
        let name = place.file_name().unwrap_or_default();
        if place.exists() {
            return Err(BackupError::Other(format!(
                "the backup holds `{}` already: leave `--keys` out",
                name.to_string_lossy()
            )));
        }
        copy_file(&from.join(name), &place)?;
    }
    Ok(())
}

/// Keys of another installation are refused here, where it is still easy to name others.
fn check_keys(config: &Config, manifest: &Manifest) -> Result<(), BackupError> {
    let own = keys::load_log_key(&config.data, &config.origin()?)?.verifier().to_string();
    keys::load_attestor(&config.data)?;
    authorities(config)?;
    if own == manifest.log_vkey {
        return Ok(());
    }
    Err(BackupError::Other(format!("the log key is `{own}`, the backup is of `{}`", manifest.log_vkey)))
}

/// The SSH authorities whose keys are there.
fn authorities(config: &Config) -> Result<Vec<AuthorityKey>, BackupError> {
    let other = |error: &dyn std::fmt::Display| BackupError::Other(error.to_string());
    let files = authority_files(&config.ssh_ca_key()).map_err(|error| other(&error))?;
    let open = |path: &PathBuf| SshAuthority::open(path).map(|authority| *authority.key());
    let keys = files.iter().map(open).collect::<Result<Vec<_>, _>>().map_err(|error| other(&error))?;
    if keys.is_empty() { Err(other(&"there is no SSH authority among the keys")) } else { Ok(keys) }
}

/// A list is only ever replaced by a later one of the same authority.
fn replace_list(list: &Path, config: &Config) -> Result<(), BackupError> {
    let other = |error: &dyn std::fmt::Display| BackupError::Other(error.to_string());
    let later = Krl::load(list, &authorities(config)?).map_err(|error| other(&error))?;
    let later = later.ok_or_else(|| other(&format!("`{}` is not there", list.display())))?;
    later.publish(&config.ssh_krl()).map_err(|error| other(&error))
}

/// The copy begins with the backup's own checkpoint, so that whatever came later is an advance.
async fn write_checkpoint(config: &Config, manifest: &Manifest) -> Result<(), BackupError> {
    use chancery_store::Store as _;
    let key = manifest.log_vkey.parse();
    let key = key.map_err(|error| BackupError::Unsound(format!("its log key: {error}")))?;
    let database = config.data.join(DATABASE);
    let store = tokio::task::spawn_blocking(|| SqliteStore::open_read_only(database, key)).await;
    let store = store.map_err(|error| BackupError::Other(error.to_string()))??;
    let note = store.checkpoint().await?.note().to_string();
    Ok(keys::write_private(&config.checkpoint_copy(), note.as_bytes())?)
}
