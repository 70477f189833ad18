//! A backup: everything an installation cannot make again, in one folder, made beside the running server. Keys only
//! if asked for.
//!
//! The database is copied first, as of one moment; the issuer's book and the revocation list after it, so that they
//! know at least what it knows. Nothing has the final name before the whole folder was verified.

mod lives;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use chancery_canonical::Sha256;
use chancery_domain::time::Timestamp;
use chancery_issuer::ssh::authority_files;
use chancery_ledger::VerifierKey;
use chancery_store::{Fault, OpenError, SqliteStore, Store as _};
use serde::{Deserialize, Serialize};

use crate::app::record_events::projection;
use crate::clock::Clock;
use crate::config::{Config, ConfigError, FILE};
use crate::keys::{self, KeyFault};

/// Name of the list of files in a backup.
pub const MANIFEST: &str = "manifest.json";
/// Format of a backup.
const FORMAT: &str = "urn:chancery:backup:v1";
/// The database's place in a backup.
pub const DATABASE: &str = "chancery.db";
/// What is short-lived and yet no key to anything: addresses that are known, counters of passkeys, who
/// looked at what.
const KEPT_TICKETS: [&str; 4] = ["address", "passkey_counter_sign_in", "passkey_counter_decision", "seen"];

/// What a backup says of itself. Nothing in it is believed that is not recomputed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `urn:chancery:backup:v1`
    pub format: String,
    /// Version of the program that made it.
    pub program: String,
    /// When.
    pub made_at: Timestamp,
    /// Name of the log.
    pub log_origin: String,
    /// Public key of the log.
    pub log_vkey: String,
    /// Entries of the log that are in it.
    pub size: u64,
    /// Their root, base64.
    pub root: String,
    /// Whether the private keys are in it.
    pub with_keys: bool,
    /// What the configuration names outside the data folder, and so is not in it.
    pub outside: Vec<PathBuf>,
    /// Every other file, by its path with `/`.
    pub files: BTreeMap<String, FileEntry>,
}

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Bytes.
    pub size: u64,
    /// Their digest.
    pub sha256: Sha256,
}

/// Why there is no backup, or why one is not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The configuration is not in order.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// The journal does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The journal cannot be read, or does not verify.
    #[error(transparent)]
    Store(#[from] Fault),
    /// Something is there already.
    #[error("`{0}` exists: nothing is ever overwritten, name a folder that does not")]
    Exists(PathBuf),
    /// A file cannot be read or written.
    #[error("`{path}`: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// What was copied is not in order.
    #[error("the copy does not verify: {0}; look at the original with `chancery server doctor`")]
    Unsound(String),
    /// Something else.
    #[error("{0}")]
    Other(String),
}

/// How a backup is made.
#[derive(Clone, Debug, Default)]
pub struct BackupOptions {
    /// Put the private keys in as well: whoever has the backup can then sign for the log and issue credentials.
    pub with_keys: bool,
    /// Another clock, for tests.
    pub clock: Option<Clock>,
}

/// Makes a backup of the installation in `data`, in a folder `target` that does not exist yet, beside a running
/// server or without one.
///
/// A crash leaves a folder `.NAME.partial` beside it, which the next backup of that name removes.
///
/// # Errors
/// [`BackupError`]; then there is no folder `target`.
pub async fn backup(data: &Path, target: &Path, options: BackupOptions) -> Result<Manifest, BackupError> {
    if target.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(target.to_owned()));
    }
    let clock = match options.clock {
        Some(clock) => clock,
        None => Clock::system().map_err(|error| BackupError::Other(error.to_string()))?,
    };
    let config = Config::read_from(data)?;
    let partial = partial_beside(target)?;
    let made = fill(&config, &partial, options.with_keys, clock.now()).await;
    let made = match made {
        Ok(manifest) => verify(&partial, &manifest).await.map(|()| manifest),
        Err(error) => Err(error),
    };
    if made.is_err() {
        let _ = fs::remove_dir_all(&partial);
    }
    let manifest = made?;
    // A crash before this line leaves the partial folder, after it the whole backup.
    fs::rename(&partial, target).map_err(|cause| file_fault(target, cause))?;
    sync_folder(target.parent())?;
    Ok(manifest)
}

/// An empty private folder beside the one that is to be made.
pub fn partial_beside(target: &Path) -> Result<PathBuf, BackupError> {
    let name = target.file_name().ok_or_else(|| BackupError::Other("name a folder".to_owned()))?;
    let partial = target.with_file_name(format!(".{}.partial", name.to_string_lossy()));
    match fs::remove_dir_all(&partial) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
            return Err(file_fault(&partial, cause));
        }
        Ok(()) | Err(_) => {}
    }
    keys::private_directory(&partial)?;
    Ok(partial)
}

async fn fill(
    config: &Config,
    folder: &Path,
    with_keys: bool,
    now: Timestamp,
) -> Result<Manifest, BackupError> {
    let origin = config.origin()?;
    let log_key = keys::load_log_key(&config.data, &origin)?.verifier().clone();
    let (database, copy) = (config.database(), folder.join(DATABASE));
    let copied =
        tokio::task::spawn_blocking(move || SqliteStore::copy(&database, &copy, &KEPT_TICKETS)).await;
    copied.map_err(|error| BackupError::Other(error.to_string()))??;
    let mut outside = Vec::new();
    for path in sources(config, with_keys, &mut outside)? {
        copy_file(&config.data.join(&path), &folder.join(&path))?;
    }
    lives::copy(&config.data, folder, with_keys).await?;
    keys::write_private(&folder.join(FILE), movable(config).to_toml().as_bytes())?;
    let checkpoint = {
        let copy = folder.join(DATABASE);
        let key = log_key.clone();
        let store = tokio::task::spawn_blocking(|| SqliteStore::open_read_only(copy, key)).await;
        store.map_err(|error| BackupError::Other(error.to_string()))??.checkpoint().await?
    };
    let mut files = BTreeMap::new();
    for path in files_below(folder)? {
        let entry = digest(&folder.join(&path))?;
        files.insert(path, entry);
    }
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: now,
        log_origin: origin.as_str().to_owned(),
        log_vkey: log_key.to_string(),
        size: checkpoint.root().size(),
        root: checkpoint.root().hash().to_base64(),
        with_keys,
        outside,
        files,
    };
    let text = serde_json::to_vec_pretty(&manifest).map_err(|error| BackupError::Other(error.to_string()))?;
    keys::write_private(&folder.join(MANIFEST), &text)?;
    Ok(manifest)
}

/// The same configuration for a data folder anywhere.
fn movable(config: &Config) -> Config {
    Config { data: PathBuf::from("."), ..config.clone() }
}

/// Every file to be copied besides the database, by its path below the data folder.
fn sources(config: &Config, with_keys: bool, outside: &mut Vec<PathBuf>) -> Result<Vec<String>, BackupError> {
    let data = &config.data;
    let mut folders = vec![config.policy(), config.trust(), data.join("issuer")];
    let mut files = vec![config.ssh_krl()];
    if with_keys {
        folders.push(data.join("keys"));
        files.extend(
            authority_files(&config.ssh_ca_key()).map_err(|error| BackupError::Other(error.to_string()))?,
        );
    }
    let mut paths = std::collections::BTreeSet::new();
    for folder in folders {
        match inside(data, &folder) {
            None => outside.push(folder),
            Some(prefix) if folder.is_dir() => {
                paths.extend(files_below(&folder)?.into_iter().map(|path| format!("{prefix}/{path}")));
            }
            Some(_) => {}
        }
    }
    for file in files {
        match inside(data, &file) {
            None => outside.push(file),
            Some(path) => drop(paths.insert(path)),
        }
    }
    Ok(paths.into_iter().collect())
}

/// A path below a folder as text with `/`; `None` for what is not below it.
fn inside(folder: &Path, path: &Path) -> Option<String> {
    let below = path.strip_prefix(folder).ok()?;
    let plain = below.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    below.to_str().filter(|text| plain && !text.is_empty()).map(str::to_owned)
}

/// Plain files below a folder, but no temporary ones and no locks (they begin with a dot or end in `.new`).
pub fn files_below(folder: &Path) -> Result<Vec<String>, BackupError> {
    let mut found = Vec::new();
    let mut waiting = vec![(folder.to_owned(), String::new())];
    while let Some((place, prefix)) = waiting.pop() {
        for entry in fs::read_dir(&place).map_err(|cause| file_fault(&place, cause))? {
            let entry = entry.map_err(|cause| file_fault(&place, cause))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type().map_err(|cause| file_fault(&entry.path(), cause))?;
            if kind.is_dir() {
                waiting.push((entry.path(), format!("{prefix}{name}/")));
            } else if !kind.is_file() {
                let what = format!("`{}` is no plain file: remove it", entry.path().display());
                return Err(BackupError::Other(what));
            } else if !name.ends_with(".new") && !name.ends_with(".lock") {
                found.push(format!("{prefix}{name}"));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Copies one file, private and durable, making its folder.
pub fn copy_file(from: &Path, to: &Path) -> Result<(), BackupError> {
    if let Some(folder) = to.parent() {
        keys::private_directory(folder)?;
    }
    let mut source = File::open(from).map_err(|cause| file_fault(from, cause))?;
    let mut target = private_file(to).map_err(|cause| file_fault(to, cause))?;
    std::io::copy(&mut source, &mut target)
        .and_then(|_| target.sync_all())
        .map_err(|cause| file_fault(to, cause))?;
    sync_folder(to.parent())
}

fn private_file(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Makes the entries of a folder durable.
pub fn sync_folder(folder: Option<&Path>) -> Result<(), BackupError> {
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|open| open.sync_all()).map_err(|cause| file_fault(folder, cause))
}

/// Size and digest of a file, read piece by piece.
fn digest(path: &Path) -> Result<FileEntry, BackupError> {
    let fault = |cause| file_fault(path, cause);
    let mut file = File::open(path).map_err(fault)?;
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    let (mut piece, mut size) = (vec![0; 64 * 1024], 0_u64);
    loop {
        let read = file.read(&mut piece).map_err(fault)?;
        let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        context.update(bytes);
        size = size.saturating_add(read as u64);
    }
    let sha256 = Sha256::try_from(context.finish().as_ref());
    let sha256 = sha256.map_err(|error| BackupError::Other(error.to_string()))?;
    Ok(FileEntry { size, sha256 })
}

/// Reads what a backup says of itself.
///
/// # Errors
/// [`BackupError::Unsound`] for what is no backup.
pub fn read_manifest(folder: &Path) -> Result<Manifest, BackupError> {
    let path = folder.join(MANIFEST);
    let text = fs::read(&path).map_err(|cause| file_fault(&path, cause))?;
    let manifest: Manifest = serde_json::from_slice(&text)
        .map_err(|error| BackupError::Unsound(format!("`{MANIFEST}`: {error}")))?;
    if manifest.format == FORMAT {
        return Ok(manifest);
    }
    Err(BackupError::Unsound(format!("its format is `{}`, not `{FORMAT}`", manifest.format)))
}

/// Holds a backup to what it says: every file by its digest, no other file, the journal recomputed from its leaves,
/// and its checkpoint signed by the log's key.
///
/// # Errors
/// [`BackupError::Unsound`].
pub async fn verify(folder: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    let unsound = |what: String| BackupError::Unsound(what);
    let found = files_below(folder)?;
    if let Some(stranger) = found.iter().find(|path| *path != MANIFEST && !manifest.files.contains_key(*path))
    {
        return Err(unsound(format!("`{stranger}` is not listed in `{MANIFEST}`")));
    }
    for (path, listed) in &manifest.files {
        if !found.contains(path) {
            return Err(unsound(format!("`{path}` is missing")));
        }
        if digest(&folder.join(path))? != *listed {
            return Err(unsound(format!("`{path}` has other bytes than when it was made")));
        }
    }
    let key: VerifierKey =
        manifest.log_vkey.parse().map_err(|error| unsound(format!("its log key: {error}")))?;
    let database = folder.join(DATABASE);
    let store = tokio::task::spawn_blocking(|| SqliteStore::open_read_only(database, key)).await;
    let store = store.map_err(|error| BackupError::Other(error.to_string()))??;
    let findings = store.integrity(Some(projection())).await?;
    if let Some(first) = findings.first() {
        return Err(unsound(format!("{} findings, the first: {}", findings.len(), first.detail)));
    }
    let checkpoint = store.checkpoint().await?;
    let root = checkpoint.root();
    if (root.size(), root.hash().to_base64()) != (manifest.size, manifest.root.clone()) {
        return Err(unsound(format!(
            "its journal has {} entries, {} are listed",
            root.size(),
            manifest.size
        )));
    }
    Ok(())
}

pub(crate) fn file_fault(path: &Path, cause: std::io::Error) -> BackupError {
    BackupError::File { path: path.to_owned(), cause }
}
