//! The signing half: one Ed25519 key in one file that only its owner may read.

use ring::rand::SecureRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use thiserror::Error;

use super::key::AuthorityKey;

/// A PKCS#8 v2 document of an Ed25519 key has 83 bytes; nothing near this limit is one.
const FILE_LIMIT: u64 = 1024;

/// Why there is no authority.
#[derive(Debug, Error)]
pub enum AuthorityError {
    /// There is a file already; a key is never overwritten.
    #[error("`{0}` exists; an authority's key is never overwritten, choose another place or move it away")]
    Exists(PathBuf),
    /// A symbolic link, a folder, a device.
    #[error("`{0}` is not a regular file; put the key itself there, not a link to it")]
    NotAFile(PathBuf),
    /// Others can read or write the key.
    #[error(
        "`{path}` has mode {mode:03o}, so others may use the key; if nobody did, `chmod 600` it, else make a new authority"
    )]
    Permissions {
        /// The key's file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not the key we wrote.
    #[error("`{0}` does not hold an Ed25519 key in PKCS#8; restore it from a backup")]
    Damaged(PathBuf),
    /// No randomness, so no key.
    #[error("the system gave no randomness; no key was made")]
    Randomness,
    /// The file system said no.
    #[error("cannot use `{path}`: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A certificate authority that can sign. The private key never leaves this value.
pub struct Authority {
    pair: Ed25519KeyPair,
    key: AuthorityKey,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Authority").field("key", &self.key.fingerprint()).finish_non_exhaustive()
    }
}

impl Authority {
    /// Makes a new key and stores it at `path`, mode 0600, as PKCS#8 v2 (RFC 8410), safe on disk when this returns.
    /// `path` is either complete or absent, whenever the machine stops.
    ///
    /// # Errors
    /// [`AuthorityError::Exists`]; also when randomness or the file system fail, and then no key is at `path`.
    pub fn create(path: &Path, random: &dyn SecureRandom) -> Result<Self, AuthorityError> {
        let document = Ed25519KeyPair::generate_pkcs8(random).map_err(|_| AuthorityError::Randomness)?;
        let authority = Self::from_pkcs8(document.as_ref(), path)?;
        let name = path.file_name().ok_or_else(|| AuthorityError::NotAFile(path.to_owned()))?;
        let temporary =
            path.with_file_name(format!(".{}.{}.new", name.to_string_lossy(), std::process::id()));
        // left by a process with our number that was cut off; nobody else writes under this name
        let _ = fs::remove_file(&temporary);
        let written = write_new(&temporary, document.as_ref()).and_then(|()| fs::hard_link(&temporary, path));
        // crash here: a second name of the same 0600 file stays behind, which does no harm
        let _ = fs::remove_file(&temporary);
        written.map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => AuthorityError::Exists(path.to_owned()),
            _ => fault(path, source),
        })?;
        sync_folder_of(path).map_err(|source| fault(path, source))?;
        Ok(authority)
    }

    /// Opens the key at `path`.
    ///
    /// # Errors
    /// Refuses symbolic links, everything that is not a regular file, and files that group or others may touch.
    pub fn open(path: &Path) -> Result<Self, AuthorityError> {
        let named = fs::symlink_metadata(path).map_err(|source| fault(path, source))?;
        require_private_file(&named, path)?;
        let file = File::open(path).map_err(|source| fault(path, source))?;
        // Between the look and the opening the name may have been put on another file: look again at what is open
        let opened = file.metadata().map_err(|source| fault(path, source))?;
        require_private_file(&opened, path)?;
        if (named.dev(), named.ino()) != (opened.dev(), opened.ino()) {
            return Err(AuthorityError::NotAFile(path.to_owned()));
        }
        let mut document = Vec::new();
        file.take(FILE_LIMIT).read_to_end(&mut document).map_err(|source| fault(path, source))?;
        Self::from_pkcs8(&document, path)
    }

    /// The public half, for `TrustedUserCAKeys` and for verifying.
    #[must_use]
    pub const fn key(&self) -> &AuthorityKey {
        &self.key
    }

    /// Only an `Unsigned` certificate can ask for this: nothing else gets a signature of the authority.
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }

    fn from_pkcs8(document: &[u8], path: &Path) -> Result<Self, AuthorityError> {
        let damaged = || AuthorityError::Damaged(path.to_owned());
        let pair = Ed25519KeyPair::from_pkcs8(document).map_err(|_| damaged())?;
        let bytes = <[u8; 32]>::try_from(pair.public_key().as_ref()).map_err(|_| damaged())?;
        Ok(Self { pair, key: AuthorityKey::new(bytes) })
    }
}

/// The files of an issuer's authorities, oldest first: `path` itself, and beside it `STEM-2.EXTENSION` and so on for
/// those that were made by a rotation. Only files that are there.
///
/// # Errors
/// When the folder cannot be read.
pub fn authority_files(path: &Path) -> io::Result<Vec<PathBuf>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        if let Some(number) = name.to_str().and_then(|name| number_of(path, name)) {
            found.push((number, folder.join(name)));
        }
    }
    found.sort_unstable();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// Where the next authority's key belongs.
///
/// # Errors
/// When the folder cannot be read.
pub fn next_authority_file(path: &Path) -> io::Result<PathBuf> {
    let newest = authority_files(path)?.pop();
    let name = newest.as_deref().and_then(Path::file_name).and_then(std::ffi::OsStr::to_str);
    let number = name.and_then(|name| number_of(path, name)).map_or(1, |number| number.saturating_add(1));
    Ok(path.with_file_name(numbered(path, number)))
}

fn numbered(path: &Path, number: u32) -> String {
    let part = |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned());
    let (stem, extension) = (part(path.file_stem()).unwrap_or_default(), part(path.extension()));
    let extension = extension.map(|extension| format!(".{extension}")).unwrap_or_default();
    if number == 1 { format!("{stem}{extension}") } else { format!("{stem}-{number}{extension}") }
}

/// Which of the authorities of `path` a file of this name would be.
fn number_of(path: &Path, name: &str) -> Option<u32> {
    if name == numbered(path, 1) {
        return Some(1);
    }
    let stem = path.file_stem()?.to_str()?;
    let rest = name.strip_prefix(stem)?.strip_prefix('-')?;
    let digits = rest.split('.').next()?;
    let number: u32 = digits.parse().ok().filter(|number| *number > 1)?;
    (numbered(path, number) == name).then_some(number)
}

fn require_private_file(metadata: &Metadata, path: &Path) -> Result<(), AuthorityError> {
    if !metadata.file_type().is_file() {
        return Err(AuthorityError::NotAFile(path.to_owned()));
    }
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(AuthorityError::Permissions { path: path.to_owned(), mode });
    }
    Ok(())
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the entries of the folder that holds `path` durable.
pub(super) fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn fault(path: &Path, source: io::Error) -> AuthorityError {
    AuthorityError::File { path: path.to_owned(), source }
}
