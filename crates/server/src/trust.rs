//! The sealed trust root, as the server reads it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use chancery_evidence::trust::{IssuerKey, TrustDirectory, TrustDirectoryError, TrustRoot};
use chancery_ledger::VerifierKey;

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
    /// Its SSH authority, an OpenSSH public key line without a comment.
    pub ssh_ca: &'a str,
    /// Relying party id and origin.
    pub site: &'a chancery_evidence::webauthn::RelyingParty,
}

/// Refuses a trust root of another installation.
pub fn check_fit(root: &TrustRoot, own: &OwnKeys<'_>) -> Result<(), TrustFault> {
    let document = root.document();
    let attests = document.attestation_keys.values().all(|keys| keys.contains(own.attestation));
    let issues = document.issuers.iter().any(|IssuerKey::Ssh { public_key }| public_key == own.ssh_ca);
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
