//! The sealed trust root, as the server reads it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use chancery_domain::event::{TrustEvent, TrustSealed, from_parts};
use chancery_domain::leaf::Stream;
use chancery_domain::time::Timestamp;
use chancery_evidence::identity::Chain;
use chancery_evidence::trust::{InForce, IssuerKey, Lineage, TrustDirectory, TrustDirectoryError, TrustRoot};
use chancery_faults::step;
use chancery_ledger::VerifierKey;
use chancery_store::{Fault, Store};

/// A trust root whose files all agree.
#[derive(Clone, Debug)]
pub struct Trusted {
    /// What is believed.
    pub directory: TrustDirectory,
    /// Its files, for copies.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Trusted {
    /// What is believed.
    pub fn root(&self) -> &TrustRoot {
        self.directory.root()
    }
}

/// Why a `trust/` is not taken.
#[derive(Debug, thiserror::Error)]
pub enum TrustFault {
    /// It cannot be read.
    #[error("the trust folder cannot be read: {0}")]
    File(#[from] io::Error),
    /// Its files disagree, or are not in order.
    #[error(transparent)]
    Directory(#[from] TrustDirectoryError),
    /// It belongs to another installation.
    #[error("the trust root names another {0} than this server has: it belongs to another installation")]
    Misfit(&'static str),
    /// The log holds a version that was not signed as it must be.
    #[error("leaf {0} seals a trust root that does not follow the one before it: the journal was forged")]
    NotFollowed(u64),
    /// The journal cannot be read.
    #[error(transparent)]
    Store(#[from] Fault),
}

/// A version that the log says was sealed, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Sealed {
    /// Its leaf.
    pub leaf_index: u64,
    /// When.
    pub at: Timestamp,
    /// What it says.
    pub event: TrustSealed,
}

/// Every version that was sealed in this life of the log, in its order.
pub async fn sealed(store: &impl Store) -> Result<Vec<Sealed>, Fault> {
    let read = |event: chancery_store::StoredEvent| {
        let said = from_parts::<TrustEvent>(&event.leaf.kind, &event.leaf.body)
            .map_err(|error| Fault::Damaged(error.to_string()))?;
        let ((version, sha256), signatures) = (said.sealed(), said.signatures().to_vec());
        let sealed = TrustSealed { version, sha256, signatures };
        Ok(Sealed { leaf_index: event.position.leaf_index, at: event.leaf.time, event: sealed })
    };
    store.stream(&Stream::Trust, 1).await?.into_iter().map(read).collect()
}

/// The root that the log sealed last. Where the folder is behind it, or was cut off while it was written, it is made
/// anew from what stands in the log, each version held against the one before it.
pub async fn load(folder: &Path, store: &impl Store, sealed: &[Sealed]) -> Result<Trusted, TrustFault> {
    let newest = sealed.last().ok_or(TrustFault::Misfit("digest"))?;
    let there = read(folder);
    match there {
        Ok(Some(trusted)) if trusted.root().sha256() == newest.event.sha256 => return Ok(trusted),
        Ok(None) => return Err(TrustFault::Misfit("digest (it is missing)")),
        Ok(Some(_)) | Err(_) => {}
    }
    let behind = there.as_ref().ok().and_then(Option::as_ref).map(|trusted| trusted.directory.lineage());
    let Some(lineage) = from_log(behind, store, sealed).await? else {
        return there.and(Err(TrustFault::Misfit("digest")));
    };
    let directory = TrustDirectory::from(lineage);
    let files = directory.files()?;
    write(folder, &files)?;
    tracing::info!(version = newest.event.version, "trust/ was made anew from the log");
    Ok(Trusted { directory, files })
}

/// Goes on from `behind`, or from the first version, with the documents beside the log; `None` when one is missing.
async fn from_log(
    behind: Option<&Lineage>,
    store: &impl Store,
    sealed: &[Sealed],
) -> Result<Option<Lineage>, TrustFault> {
    let known = |one: &Sealed| behind.is_some_and(|behind| behind.newest().sha256() == one.event.sha256);
    let (mut lineage, from) = match sealed.iter().position(known) {
        Some(position) => (behind.cloned(), position.saturating_add(1)),
        None => (None, 0),
    };
    for one in sealed.iter().skip(from) {
        let Some(document) = store.document(one.event.sha256).await? else { return Ok(None) };
        let root = TrustRoot::parse(&document.bytes).map_err(TrustDirectoryError::from)?;
        lineage = Some(match lineage {
            None => Lineage::begin(root).map_err(|_| TrustFault::NotFollowed(one.leaf_index))?,
            Some(mut before) => {
                let followed = before.succeed(root, one.event.signatures.clone());
                followed.map_err(|_| TrustFault::NotFollowed(one.leaf_index))?;
                before
            }
        });
    }
    Ok(lineage)
}

/// The people of this life of the log, before its first leaf, under every version from where it is in force.
pub fn chain(trusted: &Trusted, log_origin: &str, sealed: &[Sealed]) -> Result<Chain, TrustFault> {
    let versions = trusted.directory.lineage().versions(log_origin);
    let mut versions = versions.ok_or(TrustFault::Misfit("log origin"))?;
    for one in sealed {
        versions.sealed_at(one.event.version, one.leaf_index, one.at);
    }
    Ok(Chain::from_versions(&versions))
}

/// Where a version comes into force that was just sealed.
pub fn in_force(leaf_index: u64) -> InForce {
    InForce::After(leaf_index)
}

/// Writes the files of trust/, `trust.json` last, and takes away those that are none of them. Each is replaced in one
/// step. A crash in between leaves a folder whose files disagree, which every reader refuses, and the next start makes
/// whole.
pub fn write(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    let mut there = BTreeMap::new();
    if folder.is_dir() {
        read_into(folder, "", &mut there)?;
    }
    for stale in there.keys().filter(|path| !files.contains_key(*path)) {
        step("trust.remove", || fs::remove_file(folder.join(stale)))?;
    }
    let (root, beside): (Vec<_>, Vec<_>) = files.iter().partition(|(path, _)| path.as_str() == "trust.json");
    for (name, bytes) in beside.into_iter().chain(root) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        step("trust.write", || replace(&path, bytes))?;
    }
    File::open(folder)?.sync_all()
}

/// Replaces a file in one step, durably. Who may read it stays as it was.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let staged = path.with_added_extension("new");
    let mut file = File::create(&staged)?;
    if let Ok(before) = fs::metadata(path) {
        file.set_permissions(before.permissions())?;
    }
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&staged, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

/// Reads `trust/`; `None` when there is none.
pub fn read(folder: &Path) -> Result<Option<Trusted>, TrustFault> {
    if !folder.join("trust.json").exists() {
        return Ok(None);
    }
    let mut files = BTreeMap::new();
    read_into(folder, "", &mut files)?;
    let directory = TrustDirectory::read(&files)?;
    Ok(Some(Trusted { directory, files }))
}

/// The deepest folder in `trust/` is `keys/`.
fn read_into(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type()?;
        if kind.is_dir() && prefix.is_empty() {
            read_into(&entry.path(), &format!("{name}/"), files)?;
        } else if kind.is_file() {
            files.insert(name, fs::read(entry.path())?);
        } else {
            return Err(io::Error::other(format!("`{name}` is no plain file: remove it")));
        }
    }
    Ok(())
}

/// What a server knows of itself, to hold a trust root against.
pub struct OwnKeys<'a> {
    /// Its log.
    pub log: &'a VerifierKey,
    /// Its attestations.
    pub attestation: &'a chancery_evidence::public_key::P256PublicKey,
    /// Its SSH authorities, `OpenSSH` public key lines without a comment.
    pub ssh_cas: &'a [String],
    /// Relying party id and origin.
    pub site: &'a chancery_evidence::webauthn::RelyingParty,
}

/// Refuses a trust root of another installation.
pub fn check_fit(root: &TrustRoot, own: &OwnKeys<'_>) -> Result<(), TrustFault> {
    let document = root.document();
    let attests = document.attestation_keys.values().all(|keys| keys.contains(own.attestation));
    // The last one signs; those before it may be held elsewhere by now.
    let issues = document.issuers.last();
    let issues = issues.is_some_and(|IssuerKey::Ssh { public_key }| own.ssh_cas.contains(public_key));
    let origins = own.site.origins().iter().all(|origin| root.relying_party().allows_origin(origin));
    for (part, fits) in [
        ("log key", root.log_key(own.log.name().as_str()) == Some(own.log)),
        ("log origin", root.log_origin() == own.log.name().as_str()),
        ("attestation key", attests),
        ("SSH authority", issues),
        ("site", root.relying_party().id() == own.site.id() && origins),
    ] {
        if !fits {
            return Err(TrustFault::Misfit(part));
        }
    }
    Ok(())
}
