//! Public keys: whose login is certified ([`SubjectKey`]) and who certifies ([`AuthorityKey`]).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, UnparsedPublicKey};
use std::fmt;
use thiserror::Error;

use super::wire::{Reader, WireError, Writer};

/// A public key line is at most this long; an RSA key of 16384 bits needs less than 3 KiB.
const LINE_LIMIT: usize = 8 * 1024;
/// Text after the key, at most.
const COMMENT_LIMIT: usize = 256;
/// RSA keys of fewer bits are refused, as are those beyond OpenSSH's own limit.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=16384;

/// Why a public key was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Not `TYPE BASE64 [COMMENT]` on one line.
    #[error(
        "this is not one public key line; give the content of a `.pub` file, without options before the key"
    )]
    NotALine,
    /// The middle of the line is not base64 of the strict kind.
    #[error("the key is not valid base64; copy the `.pub` file again")]
    NotBase64,
    /// A kind of key that is not certified here.
    #[error(
        "keys of type `{0}` are not accepted; use ssh-ed25519, ecdsa-sha2-nistp256, ssh-rsa or their sk- forms"
    )]
    Algorithm(String),
    /// The name on the line and the name in the key differ.
    #[error("the line says `{outside}`, the key inside says `{inside}`; copy the `.pub` file again")]
    NamesDiffer {
        /// What the line starts with.
        outside: String,
        /// What the encoded key starts with.
        inside: String,
    },
    /// A part of the key has a shape that its kind cannot have.
    #[error("the key's {0}; make a new key with ssh-keygen")]
    Shape(&'static str),
    /// The encoding is broken.
    #[error("the key is damaged: {0}; copy the `.pub` file again")]
    Wire(#[from] WireError),
}

/// The kinds of key that can be certified (OpenSSH `PROTOCOL.certkeys`, `PROTOCOL.u2f`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// `ssh-ed25519`
    Ed25519,
    /// `ecdsa-sha2-nistp256`
    EcdsaP256,
    /// `ssh-rsa`; the login signature is SHA-2, chosen by client and server
    Rsa,
    /// `sk-ssh-ed25519@openssh.com`, held by a security key
    SecurityKeyEd25519,
    /// `sk-ecdsa-sha2-nistp256@openssh.com`, held by a security key
    SecurityKeyEcdsaP256,
}

impl Algorithm {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Ed25519, Self::EcdsaP256, Self::Rsa, Self::SecurityKeyEd25519, Self::SecurityKeyEcdsaP256];

    /// The name of the plain key.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ssh-ed25519",
            Self::EcdsaP256 => "ecdsa-sha2-nistp256",
            Self::Rsa => "ssh-rsa",
            Self::SecurityKeyEd25519 => "sk-ssh-ed25519@openssh.com",
            Self::SecurityKeyEcdsaP256 => "sk-ecdsa-sha2-nistp256@openssh.com",
        }
    }

    /// The name of a certificate over such a key.
    #[must_use]
    pub const fn certificate_name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ssh-ed25519-cert-v01@openssh.com",
            Self::EcdsaP256 => "ecdsa-sha2-nistp256-cert-v01@openssh.com",
            Self::Rsa => "ssh-rsa-cert-v01@openssh.com",
            Self::SecurityKeyEd25519 => "sk-ssh-ed25519-cert-v01@openssh.com",
            Self::SecurityKeyEcdsaP256 => "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
        }
    }
}

/// The public key that a certificate is for. Its private half stays with the person.
///
/// INVARIANT: the fields have the shape of their kind. Whether a point lies on its curve is left to sshd, which
/// checks it at login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectKey {
    algorithm: Algorithm,
    fields: Vec<u8>,
}

impl SubjectKey {
    /// Reads the line of a `.pub` file: `TYPE BASE64 [COMMENT]`. The comment is dropped.
    ///
    /// # Errors
    /// [`KeyError`] for any other shape, an unknown kind, a weak RSA key.
    pub fn parse(line: &str) -> Result<Self, KeyError> {
        let (outside, blob) = split_line(line)?;
        let mut reader = Reader::new(&blob);
        let inside = reader.text()?;
        require_same_name(outside, inside)?;
        let algorithm = Algorithm::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == inside)
            .ok_or_else(|| KeyError::Algorithm(inside.to_owned()))?;
        let key = Self::read_fields(algorithm, &mut reader)?;
        reader.finish()?;
        Ok(key)
    }

    /// The kind of key.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// `TYPE BASE64`, without a comment.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{} {}", self.algorithm.name(), STANDARD.encode(self.blob()))
    }

    /// `SHA256:…` as ssh-keygen shows it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.blob())
    }

    /// The fields after the name, as they stand in the key and again in its certificate.
    pub(super) fn fields(&self) -> &[u8] {
        &self.fields
    }

    pub(super) fn read_fields(algorithm: Algorithm, reader: &mut Reader<'_>) -> Result<Self, KeyError> {
        let mut fields = Writer::new();
        match algorithm {
            Algorithm::Ed25519 => copy_ed25519(reader, &mut fields)?,
            Algorithm::EcdsaP256 => copy_p256(reader, &mut fields)?,
            Algorithm::Rsa => copy_rsa(reader, &mut fields)?,
            Algorithm::SecurityKeyEd25519 => {
                copy_ed25519(reader, &mut fields)?;
                copy_application(reader, &mut fields)?;
            }
            Algorithm::SecurityKeyEcdsaP256 => {
                copy_p256(reader, &mut fields)?;
                copy_application(reader, &mut fields)?;
            }
        }
        Ok(Self { algorithm, fields: fields.finish()? })
    }

    fn blob(&self) -> Vec<u8> {
        named(self.algorithm.name(), &self.fields)
    }
}

impl fmt::Display for SubjectKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.line())
    }
}

/// The public half of a certificate authority: 32 bytes of Ed25519.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuthorityKey([u8; 32]);

impl AsRef<[Self]> for AuthorityKey {
    fn as_ref(&self) -> &[Self] {
        std::slice::from_ref(self)
    }
}

impl AuthorityKey {
    /// The key with these 32 bytes (RFC 8032 encoding).
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads `ssh-ed25519 BASE64 [COMMENT]`, as it stands in a `TrustedUserCAKeys` file.
    ///
    /// # Errors
    /// [`KeyError`]; a key of another kind is [`KeyError::Algorithm`].
    pub fn parse(line: &str) -> Result<Self, KeyError> {
        let (outside, blob) = split_line(line)?;
        let name = Reader::new(&blob).text()?.to_owned();
        require_same_name(outside, &name)?;
        Self::from_blob(&blob)
    }

    /// The raw key.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The line for `TrustedUserCAKeys`: `ssh-ed25519 BASE64 COMMENT`. Control characters in the comment become
    /// spaces, so that it cannot start another line; it is cut at 256 bytes.
    #[must_use]
    pub fn line(&self, comment: &str) -> String {
        let mut clean = comment.replace(char::is_control, " ");
        clean.truncate(clean.floor_char_boundary(COMMENT_LIMIT));
        let line = format!("{} {} {}", Algorithm::Ed25519.name(), STANDARD.encode(self.blob()), clean.trim());
        line.trim_end().to_owned()
    }

    /// `SHA256:…` as ssh-keygen and sshd's log show it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.blob())
    }

    pub(super) fn blob(&self) -> Vec<u8> {
        let mut fields = Writer::new();
        fields.string(&self.0);
        named(Algorithm::Ed25519.name(), &fields.finish().unwrap_or_default())
    }

    pub(super) fn from_blob(blob: &[u8]) -> Result<Self, KeyError> {
        let mut reader = Reader::new(blob);
        let name = reader.text()?;
        if name != Algorithm::Ed25519.name() {
            return Err(KeyError::Algorithm(name.to_owned()));
        }
        let bytes = <[u8; 32]>::try_from(reader.string()?).map_err(|_| KeyError::Shape(ED25519_SHAPE))?;
        reader.finish()?;
        Ok(Self(bytes))
    }

    /// Whether this authority made the signature (Ed25519, RFC 8032).
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(message, signature).is_ok()
    }
}

const ED25519_SHAPE: &str = "Ed25519 part is not 32 bytes";

fn copy_ed25519(reader: &mut Reader<'_>, fields: &mut Writer) -> Result<(), KeyError> {
    let point = reader.string()?;
    if point.len() != 32 {
        return Err(KeyError::Shape(ED25519_SHAPE));
    }
    fields.string(point);
    Ok(())
}

fn copy_p256(reader: &mut Reader<'_>, fields: &mut Writer) -> Result<(), KeyError> {
    let (curve, point) = (reader.string()?, reader.string()?);
    if curve != b"nistp256" {
        return Err(KeyError::Shape("curve is not nistp256"));
    }
    // SEC 1 section 2.3.3, uncompressed
    if point.len() != 65 || point.first() != Some(&4) {
        return Err(KeyError::Shape("curve point is not an uncompressed P-256 point"));
    }
    fields.string(curve).string(point);
    Ok(())
}

fn copy_rsa(reader: &mut Reader<'_>, fields: &mut Writer) -> Result<(), KeyError> {
    let (exponent, modulus) = (reader.mpint()?, reader.mpint()?);
    let leading = modulus.first().map_or(0, |first| first.leading_zeros());
    let bits = (modulus.len() * 8).saturating_sub(usize::try_from(leading).unwrap_or(0));
    if !RSA_BITS.contains(&bits) {
        return Err(KeyError::Shape("RSA modulus is not of 2048 to 16384 bits"));
    }
    let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
    if exponent.len() > 4 || exponent == [1] || !odd(exponent) || !odd(modulus) {
        return Err(KeyError::Shape("RSA numbers cannot belong to an RSA key"));
    }
    fields.mpint(exponent).mpint(modulus);
    Ok(())
}

fn copy_application(reader: &mut Reader<'_>, fields: &mut Writer) -> Result<(), KeyError> {
    let application = reader.text()?;
    if !application.starts_with("ssh:") || application.len() > 255 || application.contains(char::is_control) {
        return Err(KeyError::Shape("security key application does not start with `ssh:`"));
    }
    fields.string(application.as_bytes());
    Ok(())
}

/// `TYPE BASE64 [COMMENT]` into the type and the decoded middle.
pub(super) fn split_line(line: &str) -> Result<(&str, Vec<u8>), KeyError> {
    let line = line.strip_suffix('\n').unwrap_or(line);
    if line.len() > LINE_LIMIT || line.contains(char::is_control) {
        return Err(KeyError::NotALine);
    }
    let mut words = line.splitn(3, ' ');
    let (Some(name), Some(encoded)) = (words.next(), words.next()) else { return Err(KeyError::NotALine) };
    if name.is_empty() || encoded.is_empty() {
        return Err(KeyError::NotALine);
    }
    Ok((name, STANDARD.decode(encoded).map_err(|_| KeyError::NotBase64)?))
}

pub(super) fn require_same_name(outside: &str, inside: &str) -> Result<(), KeyError> {
    if outside == inside {
        return Ok(());
    }
    Err(KeyError::NamesDiffer { outside: outside.to_owned(), inside: inside.to_owned() })
}

fn named(name: &str, fields: &[u8]) -> Vec<u8> {
    let mut blob = Writer::new();
    blob.string(name.as_bytes()).raw(fields);
    blob.finish().unwrap_or_default()
}

fn fingerprint(blob: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(digest(&SHA256, blob)))
}
