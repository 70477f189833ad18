//! Signatures by SSH keys (`OpenSSH` PROTOCOL.sshsig), as `ssh-keygen -Y sign` makes them.

mod verify;

use chancery_canonical::Sha256;
use chancery_canonical::base64::{decode_standard, encode_standard};
use ring::digest;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ssh_key::{self, SshKeyError, SshPublicKey};
use crate::ssh_wire::{WireReader, put_string};

/// The namespace in which a beneficiary proves possession of the key that a request names.
pub const REQUEST_NAMESPACE: &str = "chancery-request@v1";

const MAGIC: &[u8; 6] = b"SSHSIG";
const VERSION: u32 = 1;
const HEADER: &str = "-----BEGIN SSH SIGNATURE-----\n";
const FOOTER: &str = "-----END SSH SIGNATURE-----\n";
/// The widest line that `ssh-keygen` writes, in characters.
const LINE: usize = 70;
/// The longest accepted signature, in bytes: RSA with 8192 bits, and its frame.
const MAX_BYTES: usize = 4096;

/// Why a signature by an SSH key is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SshSignatureError {
    /// Not an armored signature, or not the binary form inside it.
    #[error("not an SSH signature: make it with `ssh-keygen -Y sign -n {REQUEST_NAMESPACE}`")]
    Malformed,
    /// Another version of the format, or a field that this version reserves.
    #[error("SSH signature is of another version: make it with a current `ssh-keygen`")]
    UnsupportedVersion,
    /// A hash other than SHA-256 and SHA-512, or a signature algorithm that the key does not have.
    #[error("SSH signature algorithm is not supported: use SHA-256 or SHA-512")]
    UnsupportedAlgorithm,
    /// The public key inside is not acceptable.
    #[error(transparent)]
    Key(#[from] SshKeyError),
    /// Signed by another key.
    #[error("signed by another SSH key: sign with the key that the request names")]
    WrongKey,
    /// Signed for another purpose.
    #[error("SSH signature is for namespace `{0}`: sign again with the right `-n`")]
    WrongNamespace(String),
    /// The security key was not touched.
    #[error("security key was not touched: sign again")]
    UserNotPresent,
    /// The signature does not verify.
    #[error("SSH signature does not verify: sign again")]
    BadSignature,
}

/// A signature with the key that made it. As text and in JSON: the armored form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshSignature {
    public_key: SshPublicKey,
    namespace: String,
    hash: HashAlgorithm,
    algorithm: String,
    signature: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HashAlgorithm {
    Sha256,
    Sha512,
}

impl SshSignature {
    /// Reads the armored form. Lines may be of any length; nothing may stand before or after.
    ///
    /// # Errors
    /// [`SshSignatureError::Malformed`], or the refusals of [`SshSignature::from_blob`].
    pub fn parse(armored: &str) -> Result<Self, SshSignatureError> {
        if armored.len() > MAX_BYTES * 2 {
            return Err(SshSignatureError::Malformed);
        }
        let mut text = armored.replace("\r\n", "\n");
        if !text.ends_with('\n') {
            text.push('\n');
        }
        let body = text.strip_prefix(HEADER).and_then(|rest| rest.strip_suffix(FOOTER));
        let body = body.filter(|body| body.ends_with('\n')).ok_or(SshSignatureError::Malformed)?;
        let blob = decode_standard(&body.replace('\n', "")).map_err(|_| SshSignatureError::Malformed)?;
        Self::from_blob(&blob)
    }

    /// Reads the binary form.
    ///
    /// # Errors
    /// Refuses other versions, a filled reserved field, unsupported hashes and keys, and bytes after the end.
    pub fn from_blob(blob: &[u8]) -> Result<Self, SshSignatureError> {
        let rest = blob.strip_prefix(MAGIC).filter(|_| blob.len() <= MAX_BYTES);
        let mut reader = WireReader::new(rest.ok_or(SshSignatureError::Malformed)?);
        if reader.number().ok_or(SshSignatureError::Malformed)? != VERSION {
            return Err(SshSignatureError::UnsupportedVersion);
        }
        let fields = Fields::read(&mut reader).ok_or(SshSignatureError::Malformed)?;
        if !fields.reserved.is_empty() {
            return Err(SshSignatureError::UnsupportedVersion);
        }
        let hash = match fields.hash {
            "sha256" => HashAlgorithm::Sha256,
            "sha512" => HashAlgorithm::Sha512,
            _ => return Err(SshSignatureError::UnsupportedAlgorithm),
        };
        Ok(Self {
            public_key: SshPublicKey::from_blob(fields.public_key)?,
            namespace: fields.namespace.to_owned(),
            hash,
            algorithm: fields.algorithm.to_owned(),
            signature: fields.signature.to_vec(),
        })
    }

    /// Checks that `key` signed `message` in `namespace`.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn verify(
        &self,
        key: &SshPublicKey,
        namespace: &str,
        message: &[u8],
    ) -> Result<(), SshSignatureError> {
        if self.public_key != *key {
            return Err(SshSignatureError::WrongKey);
        }
        if self.namespace != namespace {
            return Err(SshSignatureError::WrongNamespace(self.namespace.clone()));
        }
        let signed = signed_data(namespace, self.hash, message);
        verify::verify(key.material(), &self.algorithm, &signed, &self.signature)
    }

    /// The key inside. A claim until [`SshSignature::verify`] has succeeded.
    pub fn public_key(&self) -> &SshPublicKey {
        &self.public_key
    }

    /// The binary form.
    pub fn to_blob(&self) -> Vec<u8> {
        let mut inner = Vec::new();
        put_string(&mut inner, self.algorithm.as_bytes());
        // What follows the signature inside this string (for security keys) is kept in `signature`.
        inner.extend_from_slice(&self.signature);
        let mut blob = MAGIC.to_vec();
        blob.extend_from_slice(&VERSION.to_be_bytes());
        put_string(&mut blob, self.public_key.blob());
        put_string(&mut blob, self.namespace.as_bytes());
        put_string(&mut blob, b"");
        put_string(&mut blob, self.hash.name().as_bytes());
        put_string(&mut blob, &inner);
        blob
    }

    /// The armored form, as `ssh-keygen` writes it.
    pub fn to_armored(&self) -> String {
        let mut armored = HEADER.to_owned();
        for (position, character) in encode_standard(&self.to_blob()).chars().enumerate() {
            if position > 0 && position % LINE == 0 {
                armored.push('\n');
            }
            armored.push(character);
        }
        armored.push('\n');
        armored.push_str(FOOTER);
        armored
    }
}

/// Signs `message` in `namespace` with an Ed25519 key, hashed with SHA-512 as `ssh-keygen` does by default.
///
/// # Errors
/// [`SshSignatureError::Key`] for a key that would not be accepted.
pub fn sign_ed25519(
    key: &Ed25519KeyPair,
    namespace: &str,
    message: &[u8],
) -> Result<SshSignature, SshSignatureError> {
    let public_key: &[u8; 32] =
        key.public_key().as_ref().try_into().map_err(|_| SshSignatureError::Malformed)?;
    let public_key = SshPublicKey::ed25519(public_key)?;
    let hash = HashAlgorithm::Sha512;
    let mut signature = Vec::new();
    put_string(&mut signature, key.sign(&signed_data(namespace, hash, message)).as_ref());
    let algorithm = ssh_key::ED25519.to_owned();
    Ok(SshSignature { public_key, namespace: namespace.to_owned(), hash, algorithm, signature })
}

/// The fields after magic and version, in their order.
struct Fields<'a> {
    public_key: &'a [u8],
    namespace: &'a str,
    reserved: &'a [u8],
    hash: &'a str,
    algorithm: &'a str,
    signature: &'a [u8],
}

impl<'a> Fields<'a> {
    fn read(reader: &mut WireReader<'a>) -> Option<Self> {
        let public_key = reader.string()?;
        let namespace = reader.text().filter(|namespace| !namespace.is_empty())?;
        let (reserved, hash) = (reader.string()?, reader.text()?);
        let inner = reader.string()?;
        reader.end()?;
        let algorithm = WireReader::new(inner).text()?;
        let signature = inner.get(4 + algorithm.len()..)?;
        Some(Self { public_key, namespace, reserved, hash, algorithm, signature })
    }
}

impl HashAlgorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    fn hash(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::of(message).as_bytes().to_vec(),
            Self::Sha512 => digest::digest(&digest::SHA512, message).as_ref().to_vec(),
        }
    }
}

/// What is signed (PROTOCOL.sshsig, section 3).
fn signed_data(namespace: &str, hash: HashAlgorithm, message: &[u8]) -> Vec<u8> {
    let mut data = MAGIC.to_vec();
    put_string(&mut data, namespace.as_bytes());
    put_string(&mut data, b"");
    put_string(&mut data, hash.name().as_bytes());
    put_string(&mut data, &hash.hash(message));
    data
}

impl Serialize for SshSignature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_armored())
    }
}

impl<'de> Deserialize<'de> for SshSignature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
