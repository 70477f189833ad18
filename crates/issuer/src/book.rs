//! What the issuer remembers, in a folder of its own: which leases it prepared and which it minted. It is what
//! makes a repeat a no-op, and what no database of a server can rewrite.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use chancery_canonical::{Bytes, Sha256};
use chancery_domain::id::{LeaseId, RequestId};
use chancery_faults::step;
use serde::{Deserialize, Serialize};

/// Name of the file that says which trust root is followed.
const TRUST: &str = "trust-root";

/// One lease, as the issuer knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// The lease.
    pub lease: LeaseId,
    /// The grant that it is meant for.
    pub request: RequestId,
    /// Serial, decimal.
    pub serial: String,
    /// Begins the certificate.
    pub certificate_nonce: Bytes<32>,
    /// Must stand in the log before it is minted.
    pub issuer_nonce: String,
    /// Digest of the bytes to be signed.
    pub to_be_signed_sha256: Sha256,
    /// The certificate line, once it was minted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub certificate: Option<String>,
}

/// The folder of pages.
#[derive(Debug)]
pub struct Book {
    folder: PathBuf,
}

impl Book {
    /// Opens the folder, making it (0700) when it is missing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(folder: &Path) -> io::Result<Self> {
        step("issuer.book.folder", || fs::DirBuilder::new().recursive(true).mode(0o700).create(folder))?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// The page of a lease.
    ///
    /// # Errors
    /// When it cannot be read, or is not what was written.
    pub fn page(&self, lease: &LeaseId) -> io::Result<Option<Page>> {
        match step("issuer.book.read", || fs::read(self.path(lease))) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(io::Error::other),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Every page, in no order.
    ///
    /// # Errors
    /// When one cannot be read, or is not what was written.
    pub fn pages(&self) -> io::Result<Vec<Page>> {
        let mut pages = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                pages.push(serde_json::from_slice(&fs::read(&path)?).map_err(io::Error::other)?);
            }
        }
        Ok(pages)
    }

    /// Writes a page, durably, in place of an older one.
    ///
    /// # Errors
    /// When it cannot be written; the older one is then still there.
    pub fn write(&self, page: &Page) -> io::Result<()> {
        let target = self.path(&page.lease);
        let staged = target.with_extension("new");
        let bytes = serde_json::to_vec(page).map_err(io::Error::other)?;
        let mut options = File::options();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = step("issuer.book.open", || options.open(&staged))?;
        step("issuer.book.write", || file.write_all(&bytes))?;
        step("issuer.book.sync", || file.sync_all())?;
        // A crash here leaves the older page and a staged one that nobody reads.
        step("issuer.book.rename", || fs::rename(&staged, &target))?;
        step("issuer.book.sync_folder", || File::open(&self.folder)?.sync_all())
    }

    /// Digest of the trust root that this issuer follows; `None` before the first.
    ///
    /// # Errors
    /// When it cannot be read, or is not what was written.
    pub fn trust(&self) -> io::Result<Option<Sha256>> {
        match fs::read_to_string(self.folder.join(TRUST)) {
            Ok(text) => text.trim().parse().map(Some).map_err(io::Error::other),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Follows this trust root from now on, durably.
    ///
    /// # Errors
    /// When it cannot be written; the one before is then still followed.
    pub fn follow(&self, trust: &Sha256) -> io::Result<()> {
        let target = self.folder.join(TRUST);
        let staged = target.with_extension("new");
        let mut options = File::options();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = step("issuer.trust.open", || options.open(&staged))?;
        step("issuer.trust.write", || file.write_all(trust.to_hex().as_bytes()))?;
        step("issuer.trust.sync", || file.sync_all())?;
        step("issuer.trust.rename", || fs::rename(&staged, &target))?;
        step("issuer.trust.sync_folder", || File::open(&self.folder)?.sync_all())
    }

    fn path(&self, lease: &LeaseId) -> PathBuf {
        self.folder.join(format!("{lease}.json"))
    }
}
