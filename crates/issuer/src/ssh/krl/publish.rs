//! Puts a list where sshd reads it, so that at every moment a whole list is there.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use chancery_faults::step;
use thiserror::Error;

use super::{Krl, KrlError};
use crate::ssh::authority::sync_folder_of;

/// Why a list was not published. The file is as it was, save after [`PublishError::NotDurable`].
#[derive(Debug, Error)]
pub enum PublishError {
    /// The file holds a later list.
    #[error(
        "`{path}` holds list {published}, which is newer than {offered}; load that list and revoke on its successor"
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// Number of the list in the file.
        published: u64,
        /// Number of the list that was to be published.
        offered: u64,
    },
    /// The same number, yet another content.
    #[error(
        "`{path}` holds another list with the same number {number}; load that list and revoke on its successor"
    )]
    Conflict {
        /// The file.
        path: PathBuf,
        /// The number of both.
        number: u64,
    },
    /// The file is not a list of ours, so nobody knows what would get lost.
    #[error(
        "`{path}` does not hold a list of this authority ({reason}); while it is damaged sshd refuses everybody: move it away and publish again"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: KrlError,
    },
    /// The list has no encoding.
    #[error(transparent)]
    List(#[from] KrlError),
    /// The new list is in place and read, but a power cut may bring the old one back. Publish again.
    #[error("`{path}` was replaced, but the folder could not be made durable: {source}; publish again")]
    NotDurable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file system said no.
    #[error("cannot publish to `{path}`: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Krl {
    /// The list that is published at `path`, or `None` when there is no file.
    ///
    /// # Errors
    /// [`PublishError::Unreadable`], [`PublishError::File`].
    pub fn load(
        path: &Path,
        authorities: &(impl AsRef<[super::AuthorityKey]> + ?Sized),
    ) -> Result<Option<Self>, PublishError> {
        match step("issuer.list.read", || fs::read(path)) {
            Ok(bytes) => match Self::decode(&bytes, authorities) {
                Ok(list) => Ok(Some(list)),
                Err(reason) => Err(PublishError::Unreadable { path: path.to_owned(), reason }),
            },
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(fault(path, source)),
        }
    }

    /// Replaces the list at `path` by this one, mode 0644, durable when this returns. Publishing the same list again
    /// changes nothing. Publishers of one file take turns through a lock on `.NAME.lock` beside it.
    ///
    /// The steps and where they may be cut off: the new list is written beside the old one and made durable (cut:
    /// the old one stands); it is renamed over the old one, which file systems do at once (cut: one of the two
    /// stands, whole); the folder is made durable.
    ///
    /// # Errors
    /// [`PublishError`]; a list with a smaller number never replaces one with a larger.
    pub fn publish(&self, path: &Path) -> Result<(), PublishError> {
        let bytes = self.encode()?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let lock = step("issuer.list.lock", || open_lock(&path.with_file_name(format!(".{name}.lock"))))
            .map_err(|source| fault(path, source))?;
        if !self.is_due_at(path)? {
            return sync_folder_of(path).map_err(|source| not_durable(path, source));
        }
        let beside = path.with_file_name(format!(".{name}.new"));
        step("issuer.list.stage", || write_durably(&beside, &bytes))
            .and_then(|()| step("issuer.list.rename", || fs::rename(&beside, path)))
            .map_err(|source| fault(path, source))?;
        step("issuer.list.sync_folder", || sync_folder_of(path))
            .map_err(|source| not_durable(path, source))?;
        drop(lock);
        Ok(())
    }

    /// Whether this list has to replace what is there: no when it is there already.
    fn is_due_at(&self, path: &Path) -> Result<bool, PublishError> {
        let known = [self.authorities.as_slice(), &self.retired].concat();
        let Some(mut published) = Self::load(path, &known)? else { return Ok(true) };
        if published.authorities == known {
            // It revokes nothing, so it does not say whose it is.
            published.authorities.clone_from(&self.authorities);
        }
        if published.number > self.number {
            return Err(PublishError::Older {
                path: path.to_owned(),
                published: published.number,
                offered: self.number,
            });
        }
        if published.number == self.number && &published != self {
            return Err(PublishError::Conflict { path: path.to_owned(), number: self.number });
        }
        Ok(published.number < self.number)
    }
}

/// Waits until no other publisher is at work. The lock ends with the file handle.
fn open_lock(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    file.lock()?;
    Ok(file)
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // left by a publisher that was cut off; the lock says that it is nobody's
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(source),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    // sshd may run as another user, and the umask may be narrow
    file.set_permissions(Permissions::from_mode(0o644))?;
    file.sync_all()
}

fn fault(path: &Path, source: io::Error) -> PublishError {
    PublishError::File { path: path.to_owned(), source }
}

fn not_durable(path: &Path, source: io::Error) -> PublishError {
    PublishError::NotDurable { path: path.to_owned(), source }
}
