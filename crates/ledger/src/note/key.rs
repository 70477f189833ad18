//! Names, verifier keys (`vkey`s) and signer keys.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use crate::tree::Hash;

/// The name of a signing key: not empty, without spaces, plus signs or control characters, at most 255 bytes.
///
/// Witnesses may have a path in their names; this log's own name is the stricter [`crate::checkpoint::Origin`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyName(String);

impl KeyName {
    /// Wraps a bare host name, which is always a valid key name.
    pub(crate) fn of_host(host: &str) -> KeyName {
        KeyName(host.to_owned())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<KeyName, KeyError> {
        let refused =
            |character: char| character.is_whitespace() || character.is_control() || character == '+';
        if text.is_empty() || text.len() > 255 || text.contains(refused) {
            return Err(KeyError::Name { name: text.escape_debug().take(80).collect() });
        }
        Ok(KeyName(text.to_owned()))
    }
}

impl TryFrom<String> for KeyName {
    type Error = KeyError;

    fn try_from(text: String) -> Result<KeyName, KeyError> {
        text.parse()
    }
}

impl From<KeyName> for String {
    fn from(name: KeyName) -> String {
        name.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What a key signs, and so how its signatures look. The signature type byte of c2sp.org/signed-note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyType {
    /// 0x01: Ed25519 over the note's text. What a log signs its checkpoints with.
    Ed25519,
    /// 0x04: Ed25519 over the text and a time, c2sp.org/tlog-cosignature. What a witness signs with.
    Cosignature,
}

impl KeyType {
    fn byte(self) -> u8 {
        match self {
            KeyType::Ed25519 => 0x01,
            KeyType::Cosignature => 0x04,
        }
    }

    fn from_byte(byte: u8) -> Result<KeyType, KeyError> {
        match byte {
            0x01 => Ok(KeyType::Ed25519),
            0x04 => Ok(KeyType::Cosignature),
            found => Err(KeyError::Type { found }),
        }
    }
}

/// The first four bytes of a key's hash. It tells keys apart by accident only: anybody can make one that collides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 4]);

impl KeyId {
    /// Wraps four bytes.
    pub const fn from_bytes(bytes: [u8; 4]) -> KeyId {
        KeyId(bytes)
    }

    /// The four bytes, as they stand before a signature.
    pub const fn as_bytes(&self) -> &[u8; 4] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// A public key with its name: `name+hexid+base64(type ‖ public key)`, known as a vkey.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VerifierKey {
    name: KeyName,
    key_type: KeyType,
    public_key: [u8; 32],
}

impl VerifierKey {
    /// Joins a name and 32 bytes of Ed25519 public key (RFC 8032).
    pub fn new(name: KeyName, key_type: KeyType, public_key: [u8; 32]) -> VerifierKey {
        VerifierKey { name, key_type, public_key }
    }

    /// The name its signature lines carry.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// What it signs.
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The Ed25519 public key.
    pub fn public_key(&self) -> &[u8; 32] {
        &self.public_key
    }

    /// SHA-256(name ‖ 0x0A ‖ type ‖ public key), whole. Sigstore's `logId.keyId` for a log key.
    pub fn key_hash(&self) -> Hash {
        Hash::of(&[self.name.as_str().as_bytes(), b"\n", &[self.key_type.byte()], &self.public_key])
    }

    /// The first four bytes of [`VerifierKey::key_hash`].
    pub fn key_id(&self) -> KeyId {
        let [a, b, c, d, ..] = *self.key_hash().as_bytes();
        KeyId([a, b, c, d])
    }

    /// Whether `signature` is this key's Ed25519 signature over `message`.
    pub(crate) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.public_key).verify(message, signature).is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut material = vec![self.key_type.byte()];
        material.extend_from_slice(&self.public_key);
        write!(formatter, "{}+{}+{}", self.name, self.key_id(), STANDARD.encode(material))
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<VerifierKey, KeyError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(material)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::Syntax);
        };
        let material = STANDARD.decode(material).map_err(|_| KeyError::Syntax)?;
        let Some((type_byte, public_key)) = material.split_first() else { return Err(KeyError::Syntax) };
        let key_type = KeyType::from_byte(*type_byte)?;
        let public_key = public_key.try_into().map_err(|_| KeyError::Syntax)?;
        let key = VerifierKey::new(name.parse()?, key_type, public_key);
        if key.key_id().to_string() == id { Ok(key) } else { Err(KeyError::Id { expected: key.key_id() }) }
    }
}

impl TryFrom<String> for VerifierKey {
    type Error = KeyError;

    fn try_from(text: String) -> Result<VerifierKey, KeyError> {
        text.parse()
    }
}

impl From<VerifierKey> for String {
    fn from(key: VerifierKey) -> String {
        key.to_string()
    }
}

/// An Ed25519 private key with its name. Signing is deterministic (RFC 8032), so it needs no randomness.
pub struct SignerKey {
    pair: Ed25519KeyPair,
    verifier: VerifierKey,
}

impl SignerKey {
    /// Derives the key pair from a 32-byte seed, which the caller draws and keeps secret.
    ///
    /// # Errors
    /// [`KeyError::Seed`] if the seed is refused.
    pub fn from_seed(name: KeyName, key_type: KeyType, seed: &[u8; 32]) -> Result<SignerKey, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyError::Seed)?;
        let public_key = pair.public_key().as_ref().try_into().map_err(|_| KeyError::Seed)?;
        Ok(SignerKey { pair, verifier: VerifierKey::new(name, key_type, public_key) })
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The Ed25519 signature over a message, 64 bytes.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SignerKey").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

/// Why a text is no name or key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The name has characters that are not allowed, or is empty or too long.
    #[error(
        "`{name}` cannot name a key; use 1 to 255 bytes without spaces, plus signs or control characters"
    )]
    Name {
        /// The name, escaped and cut to 80 characters.
        name: String,
    },
    /// Not of the form of a vkey.
    #[error("not a verifier key; write `name+hexid+base64`, as `log.vkey` has it")]
    Syntax,
    /// The type byte is of another algorithm.
    #[error("the key's type `{found:#04x}` is not known; use 0x01 (Ed25519) or 0x04 (cosignature)")]
    Type {
        /// The type byte.
        found: u8,
    },
    /// The id does not belong to name and key.
    #[error("the key's id does not belong to its name and key, which have `{expected}`; copy it again")]
    Id {
        /// The id that name and key have.
        expected: KeyId,
    },
    /// The seed makes no key.
    #[error("the seed makes no Ed25519 key; draw another")]
    Seed,
}
