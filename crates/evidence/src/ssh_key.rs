//! SSH public keys as they stand in `authorized_keys` and in `.pub` files (RFC 4253 section 6.6, RFC 5656,
//! RFC 8709, `OpenSSH` PROTOCOL.u2f).

use std::fmt;
use std::str::FromStr;

use chancery_canonical::Sha256;
use chancery_canonical::base64::{decode_standard, encode_standard};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ed25519;
use crate::ssh_wire::{WireReader, put_string};

/// The longest accepted line, in bytes.
pub const MAX_LINE_BYTES: usize = 4096;
/// 65537, big-endian.
const RSA_EXPONENT: [u8; 3] = [1, 0, 1];

/// Key type of Ed25519.
pub const ED25519: &str = "ssh-ed25519";
/// Key type of ECDSA on P-256.
pub const ECDSA_P256: &str = "ecdsa-sha2-nistp256";
/// Key type of RSA; signatures have other names.
pub const RSA: &str = "ssh-rsa";
/// Key type of Ed25519 on a security key.
pub const SK_ED25519: &str = "sk-ssh-ed25519@openssh.com";

/// Why a line is not an acceptable SSH public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SshKeyError {
    /// More than one line, too long, or not `TYPE BASE64 [COMMENT]`.
    #[error("not one SSH public key line: paste the content of a `.pub` file, without options")]
    MalformedLine,
    /// A certificate instead of a key.
    #[error("`{0}` is a certificate: give the key itself, from the `.pub` file without `-cert`")]
    Certificate(String),
    /// A key type that is not supported.
    #[error("key type `{0}` is not supported: use Ed25519, ECDSA P-256 or RSA")]
    UnsupportedType(String),
    /// The base64 part holds another type, or is damaged.
    #[error("SSH key is damaged: copy the `.pub` file again")]
    Damaged,
    /// Too few bits, another exponent than 65537, or a point of small order.
    #[error("SSH key is too weak: use Ed25519, or RSA with at least 2048 bits and exponent 65537")]
    Weak,
}

/// An SSH public key, without its comment. As text and in JSON: `TYPE BASE64`.
///
/// INVARIANT: `blob` is exactly the encoding of `material`.
#[derive(Clone, PartialEq, Eq)]
pub struct SshPublicKey {
    blob: Vec<u8>,
    material: SshKeyMaterial,
}

/// What a key consists of.
#[derive(Clone, PartialEq, Eq)]
pub enum SshKeyMaterial {
    /// Ed25519.
    Ed25519([u8; 32]),
    /// ECDSA on P-256: the uncompressed point.
    EcdsaP256([u8; 65]),
    /// RSA with exponent 65537, 2048 to 8192 bits: the modulus, big-endian.
    Rsa {
        /// The modulus.
        modulus: Vec<u8>,
    },
    /// Ed25519 on a security key.
    SkEd25519 {
        /// The key.
        key: [u8; 32],
        /// The application for which it was made, usually `ssh:`.
        application: String,
    },
}

impl SshPublicKey {
    /// Reads one line, such as the content of `id_ed25519.pub`. The comment is dropped.
    ///
    /// # Errors
    /// Refuses options, certificates, unsupported types, damaged and weak keys.
    pub fn parse(line: &str) -> Result<Self, SshKeyError> {
        let line = line.strip_suffix('\n').unwrap_or(line);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.len() > MAX_LINE_BYTES || line.chars().any(char::is_control) {
            return Err(SshKeyError::MalformedLine);
        }
        let mut words = line.splitn(3, ' ');
        let (Some(key_type), Some(encoded)) = (words.next(), words.next()) else {
            return Err(SshKeyError::MalformedLine);
        };
        refuse_other_types(key_type)?;
        let blob = decode_standard(encoded).map_err(|_| SshKeyError::Damaged)?;
        let key = Self::from_blob(&blob)?;
        if key.key_type() == key_type { Ok(key) } else { Err(SshKeyError::Damaged) }
    }

    /// Reads the binary form.
    ///
    /// # Errors
    /// As [`SshPublicKey::parse`].
    pub fn from_blob(blob: &[u8]) -> Result<Self, SshKeyError> {
        let mut reader = WireReader::new(blob);
        let key_type = reader.text().ok_or(SshKeyError::Damaged)?;
        refuse_other_types(key_type)?;
        let material = read_material(key_type, &mut reader).ok_or(SshKeyError::Damaged)?;
        reader.end().ok_or(SshKeyError::Damaged)?;
        if material.is_weak() {
            return Err(SshKeyError::Weak);
        }
        Ok(Self { blob: blob.to_vec(), material })
    }

    /// An Ed25519 key from its 32 bytes.
    ///
    /// # Errors
    /// [`SshKeyError::Weak`].
    pub fn ed25519(key: &[u8; 32]) -> Result<Self, SshKeyError> {
        let mut blob = Vec::new();
        put_string(&mut blob, ED25519.as_bytes());
        put_string(&mut blob, key);
        Self::from_blob(&blob)
    }

    /// The key's type.
    pub fn key_type(&self) -> &'static str {
        match &self.material {
            SshKeyMaterial::Ed25519(_) => ED25519,
            SshKeyMaterial::EcdsaP256(_) => ECDSA_P256,
            SshKeyMaterial::Rsa { .. } => RSA,
            SshKeyMaterial::SkEd25519 { .. } => SK_ED25519,
        }
    }

    /// The binary form, as it stands inside certificates.
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// What the key consists of.
    pub fn material(&self) -> &SshKeyMaterial {
        &self.material
    }

    /// The fingerprint as `ssh-keygen -l` prints it: `SHA256:` and base64 without padding.
    pub fn fingerprint(&self) -> String {
        let digest = encode_standard(Sha256::of(&self.blob).as_bytes());
        format!("SHA256:{}", digest.trim_end_matches('='))
    }
}

fn refuse_other_types(key_type: &str) -> Result<(), SshKeyError> {
    match key_type {
        ED25519 | ECDSA_P256 | RSA | SK_ED25519 => Ok(()),
        certificate if certificate.contains("-cert-v0") => {
            Err(SshKeyError::Certificate(certificate.to_owned()))
        }
        other => Err(SshKeyError::UnsupportedType(other.to_owned())),
    }
}

fn read_material(key_type: &str, reader: &mut WireReader<'_>) -> Option<SshKeyMaterial> {
    match key_type {
        ED25519 => Some(SshKeyMaterial::Ed25519(reader.string()?.try_into().ok()?)),
        ECDSA_P256 => {
            if reader.text()? != "nistp256" {
                return None;
            }
            let point: [u8; 65] = reader.string()?.try_into().ok()?;
            point.starts_with(&[4]).then_some(SshKeyMaterial::EcdsaP256(point))
        }
        RSA => {
            let exponent = reader.positive_integer()?;
            let modulus = reader.positive_integer()?.to_vec();
            // Another exponent is judged weak, not damaged: an empty modulus says so.
            let modulus = if exponent == RSA_EXPONENT { modulus } else { Vec::new() };
            Some(SshKeyMaterial::Rsa { modulus })
        }
        SK_ED25519 => {
            let key = reader.string()?.try_into().ok()?;
            Some(SshKeyMaterial::SkEd25519 { key, application: reader.text()?.to_owned() })
        }
        _ => None,
    }
}

impl SshKeyMaterial {
    fn is_weak(&self) -> bool {
        match self {
            Self::Ed25519(key) | Self::SkEd25519 { key, .. } => !ed25519::is_acceptable(key),
            Self::EcdsaP256(_) => false,
            Self::Rsa { modulus } => {
                let long_enough = modulus.len() > 256
                    || (modulus.len() == 256 && modulus.first().is_some_and(|byte| *byte >= 0x80));
                !long_enough || modulus.len() > 1024
            }
        }
    }
}

impl FromStr for SshPublicKey {
    type Err = SshKeyError;

    fn from_str(line: &str) -> Result<Self, SshKeyError> {
        Self::parse(line)
    }
}

impl fmt::Display for SshPublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.key_type(), encode_standard(&self.blob))
    }
}

impl fmt::Debug for SshPublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SshPublicKey({} {})", self.key_type(), self.fingerprint())
    }
}

impl Serialize for SshPublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SshPublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
