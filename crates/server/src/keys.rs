//! The server's own keys: the log's and the attestations'. Each in a file that only its owner may read.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use chancery_evidence::attest::Attestor;
use chancery_ledger::{KeyType, Origin, SignerKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    /// The file system said no.
    #[error("`{path}`: {cause}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Others can read it.
    #[error("`{path}` has mode {mode:03o}, so others may use the key: if nobody did, `chmod 600` it")]
    Permissions {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not a key of the kind that belongs there.
    #[error("`{0}` does not hold the key that belongs there: restore it from a backup")]
    Damaged(PathBuf),
    /// No randomness, so no key.
    #[error("the system gave no randomness; no key was made")]
    Randomness,
}

/// Where the log's seed is.
pub fn log_seed(data: &Path) -> PathBuf {
    data.join("keys").join("log.seed")
}

/// Where the attestation key is.
pub fn attestation_key(data: &Path) -> PathBuf {
    data.join("keys").join("attestation.pkcs8")
}

/// Makes the folder of keys and both keys. None that exists is overwritten.
pub fn create(data: &Path) -> Result<(), KeyFault> {
    let random = SystemRandom::new();
    private_directory(&data.join("keys"))?;
    create_log_seed(&log_seed(data))?;
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random);
    write_private(&attestation_key(data), key.map_err(|_| KeyFault::Randomness)?.as_ref())
}

/// Where the seed of the log's next life is, while that is made.
pub fn next_log_seed(data: &Path) -> PathBuf {
    data.join("keys").join("log-next.seed")
}

/// Makes a log's seed. None that exists is overwritten.
pub fn create_log_seed(path: &Path) -> Result<(), KeyFault> {
    let mut seed = [0; 32];
    SystemRandom::new().fill(&mut seed).map_err(|_| KeyFault::Randomness)?;
    write_private(path, &seed)
}

/// The key that signs checkpoints of this log.
pub fn load_log_key(data: &Path, origin: &Origin) -> Result<SignerKey, KeyFault> {
    load_log_key_at(&log_seed(data), origin)
}

/// The same from another place.
pub fn load_log_key_at(path: &Path, origin: &Origin) -> Result<SignerKey, KeyFault> {
    let path = path.to_owned();
    let damaged = || KeyFault::Damaged(path.clone());
    let seed: [u8; 32] = read_private(&path)?.try_into().map_err(|_| damaged())?;
    SignerKey::from_seed(origin.key_name(), KeyType::Ed25519, &seed).map_err(|_| damaged())
}

/// The key that signs attestations.
pub fn load_attestor(data: &Path) -> Result<Attestor, KeyFault> {
    let path = attestation_key(data);
    let document = read_private(&path)?;
    let damaged = || KeyFault::Damaged(path.clone());
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &document, &random);
    Attestor::new(key.map_err(|_| damaged())?).map_err(|_| damaged())
}

/// Makes a folder that only its owner may enter.
pub fn private_directory(path: &Path) -> Result<(), KeyFault> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|cause| fault(path, cause))
}

/// Writes a new file that only its owner may read. One that exists is left alone and refused.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), KeyFault> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|cause| fault(path, cause))
}

/// Reads a file, and refuses it when others may.
pub fn read_private(path: &Path) -> Result<Vec<u8>, KeyFault> {
    let metadata = fs::symlink_metadata(path).map_err(|cause| fault(path, cause))?;
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyFault::Permissions { path: path.to_owned(), mode });
    }
    fs::read(path).map_err(|cause| fault(path, cause))
}

fn fault(path: &Path, cause: io::Error) -> KeyFault {
    KeyFault::File { path: path.to_owned(), cause }
}
