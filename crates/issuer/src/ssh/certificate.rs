//! OpenSSH user certificates (`PROTOCOL.certkeys`): made, read back, verified.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use thiserror::Error;

use super::authority::Authority;
use super::key::{Algorithm, AuthorityKey, KeyError, SubjectKey, require_same_name, split_line};
use super::request::{CertificateRequest, RequestError};
use super::wire::{Reader, WireError, Writer};

/// `SSH_CERT_TYPE_USER`
const USER_CERTIFICATE: u32 = 1;
const FORCE_COMMAND: &str = "force-command";
const SOURCE_ADDRESS: &str = "source-address";
const PERMIT_X11_FORWARDING: &str = "permit-X11-forwarding";
const PERMIT_AGENT_FORWARDING: &str = "permit-agent-forwarding";
const PERMIT_PORT_FORWARDING: &str = "permit-port-forwarding";
const PERMIT_PTY: &str = "permit-pty";

/// Why a certificate was not made, not read or not believed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// What it says is outside the limits.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// Its line or one of its keys cannot be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Its encoding is broken.
    #[error("the certificate is damaged: {0}")]
    Wire(#[from] WireError),
    /// Host certificates are not ours to make.
    #[error("certificate type {0} is not a user certificate (1)")]
    NotForUsers(u32),
    /// An option that is not made here, or one with a value of another shape.
    #[error("option `{0}` is unknown or has a value that does not fit it")]
    Option(String),
    /// Readable, yet not the bytes that the same contents are written as.
    #[error("the certificate is not in its one canonical form (order of options, reserved fields)")]
    NotCanonical,
    /// Prepared for one authority, handed to another.
    #[error("the certificate was prepared for another authority; prepare it again for `{0}`")]
    OtherAuthority(String),
    /// Signed by somebody else.
    #[error("the certificate comes from authority `{0}`, not from the expected one")]
    UnexpectedAuthority(String),
    /// The signature does not fit.
    #[error("the authority's signature does not fit the certificate's content")]
    Signature,
}

impl CertificateRequest {
    /// Checks every limit and fixes the bytes that will be signed. Nothing secret is needed or made.
    ///
    /// # Errors
    /// [`CertificateError::Request`] names the limit that is broken.
    pub fn prepare(&self, authority: &AuthorityKey) -> Result<Unsigned, CertificateError> {
        self.check()?;
        let to_be_signed = encode(self, authority)?;
        Ok(Unsigned {
            algorithm: self.subject_key.algorithm(),
            key_id: self.key_id.clone(),
            authority: *authority,
            to_be_signed,
        })
    }
}

/// A certificate without its signature: the exact bytes, so that their digest can be logged first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    algorithm: Algorithm,
    key_id: String,
    authority: AuthorityKey,
    to_be_signed: Vec<u8>,
}

impl Unsigned {
    /// The bytes that are signed: the whole certificate up to and including the authority's key.
    #[must_use]
    pub fn to_be_signed(&self) -> &[u8] {
        &self.to_be_signed
    }

    /// SHA-256 of [`Self::to_be_signed`]. Ed25519 is deterministic, so it names the finished certificate as well.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        sha256(&self.to_be_signed)
    }

    /// Signs, and returns the content of a `-cert.pub` file: `TYPE BASE64 KEY_ID`, no line end.
    ///
    /// # Errors
    /// [`CertificateError::OtherAuthority`] when the bytes name another authority than the one given.
    pub fn sign(&self, authority: &Authority) -> Result<String, CertificateError> {
        if authority.key() != &self.authority {
            return Err(CertificateError::OtherAuthority(authority.key().fingerprint()));
        }
        let mut signature = Writer::new();
        signature.string(Algorithm::Ed25519.name().as_bytes()).string(&authority.sign(&self.to_be_signed));
        let mut blob = Writer::new();
        blob.raw(&self.to_be_signed).string(&signature.finish()?);
        let encoded = STANDARD.encode(blob.finish()?);
        Ok(format!("{} {encoded} {}", self.algorithm.certificate_name(), self.key_id))
    }
}

/// A certificate that was read. Nothing it says is to be believed before [`Certificate::verify`].
///
/// INVARIANT: it is one that [`CertificateRequest::prepare`] could have made: same limits, same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    contents: CertificateRequest,
    authority: AuthorityKey,
    to_be_signed: Vec<u8>,
    signature: Vec<u8>,
}

impl Certificate {
    /// Reads the line of a `-cert.pub` file: `TYPE BASE64 [COMMENT]`. The comment is dropped.
    ///
    /// # Errors
    /// [`CertificateError`] for every certificate that this office would not have written this way, so those of
    /// other makers with other options as well. The signature is not checked here.
    pub fn parse(line: &str) -> Result<Self, CertificateError> {
        let (outside, blob) = split_line(line)?;
        let mut reader = Reader::new(&blob);
        let inside = reader.text()?;
        require_same_name(outside, inside)?;
        let algorithm = Algorithm::ALL
            .into_iter()
            .find(|algorithm| algorithm.certificate_name() == inside)
            .ok_or_else(|| KeyError::Algorithm(inside.to_owned()))?;
        let (contents, authority) = decode(algorithm, &mut reader)?;
        let signature = read_signature(reader.string()?)?;
        reader.finish()?;
        let to_be_signed = contents.prepare(&authority)?.to_be_signed;
        // Reserved fields, order and repetition of options are all settled by comparing the bytes
        if !blob.starts_with(&to_be_signed) {
            return Err(CertificateError::NotCanonical);
        }
        Ok(Self { contents, authority, to_be_signed, signature })
    }

    /// What the certificate says.
    #[must_use]
    pub const fn contents(&self) -> &CertificateRequest {
        &self.contents
    }

    /// Who is said to have signed it.
    #[must_use]
    pub const fn authority(&self) -> &AuthorityKey {
        &self.authority
    }

    /// The bytes that were signed.
    #[must_use]
    pub fn to_be_signed(&self) -> &[u8] {
        &self.to_be_signed
    }

    /// SHA-256 of [`Self::to_be_signed`]; the same as [`Unsigned::sha256`] of what it was made from.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        sha256(&self.to_be_signed)
    }

    /// Checks that `expected` signed it. Validity and revocation are separate questions.
    ///
    /// # Errors
    /// [`CertificateError::UnexpectedAuthority`], [`CertificateError::Signature`].
    pub fn verify(&self, expected: &AuthorityKey) -> Result<(), CertificateError> {
        if &self.authority != expected {
            return Err(CertificateError::UnexpectedAuthority(self.authority.fingerprint()));
        }
        if !expected.verifies(&self.to_be_signed, &self.signature) {
            return Err(CertificateError::Signature);
        }
        Ok(())
    }
}

fn encode(request: &CertificateRequest, authority: &AuthorityKey) -> Result<Vec<u8>, WireError> {
    let algorithm = request.subject_key.algorithm();
    let mut principals = Writer::new();
    for principal in &request.principals {
        principals.string(principal.as_bytes());
    }
    let mut writer = Writer::new();
    writer
        .string(algorithm.certificate_name().as_bytes())
        .string(&request.nonce)
        .raw(request.subject_key.fields())
        .u64(request.serial)
        .u32(USER_CERTIFICATE)
        .string(request.key_id.as_bytes())
        .string(&principals.finish()?)
        .u64(request.valid_after)
        .u64(request.valid_before)
        .string(&critical_options(request)?)
        .string(&extensions(request)?)
        .string(b"") // reserved
        .string(&authority.blob());
    writer.finish()
}

/// Critical options, sorted by name as OpenSSH demands. A value is a string inside the option's string.
fn critical_options(request: &CertificateRequest) -> Result<Vec<u8>, WireError> {
    let mut options = Writer::new();
    let mut add = |name: &str, value: &str| -> Result<(), WireError> {
        let mut inner = Writer::new();
        inner.string(value.as_bytes());
        options.string(name.as_bytes()).string(&inner.finish()?);
        Ok(())
    };
    if let Some(command) = &request.force_command {
        add(FORCE_COMMAND, command)?;
    }
    if !request.source_addresses.is_empty() {
        let networks: Vec<String> = request.source_addresses.iter().map(ToString::to_string).collect();
        add(SOURCE_ADDRESS, &networks.join(","))?;
    }
    options.finish()
}

/// Extensions, sorted by name (capitals first), each with an empty value.
fn extensions(request: &CertificateRequest) -> Result<Vec<u8>, WireError> {
    let mut writer = Writer::new();
    for (name, permitted) in [
        (PERMIT_X11_FORWARDING, request.permit_x11_forwarding),
        (PERMIT_AGENT_FORWARDING, request.permit_agent_forwarding),
        (PERMIT_PORT_FORWARDING, request.permit_port_forwarding),
        (PERMIT_PTY, request.permit_pty),
    ] {
        if permitted {
            writer.string(name.as_bytes()).string(b"");
        }
    }
    writer.finish()
}

fn decode(
    algorithm: Algorithm,
    reader: &mut Reader<'_>,
) -> Result<(CertificateRequest, AuthorityKey), CertificateError> {
    let nonce = <[u8; 32]>::try_from(reader.string()?).map_err(|_| CertificateError::NotCanonical)?;
    let subject_key = SubjectKey::read_fields(algorithm, reader)?;
    let serial = reader.u64()?;
    let certificate_type = reader.u32()?;
    if certificate_type != USER_CERTIFICATE {
        return Err(CertificateError::NotForUsers(certificate_type));
    }
    let key_id = reader.text()?;
    let mut packed = Reader::new(reader.string()?);
    let mut principals = Vec::new();
    while !packed.is_empty() {
        principals.push(packed.text()?);
    }
    let validity = reader.u64()?..reader.u64()?;
    let mut contents = CertificateRequest::new(subject_key, serial, key_id, &principals, validity, nonce);
    read_critical_options(reader.string()?, &mut contents)?;
    read_extensions(reader.string()?, &mut contents)?;
    let _reserved = reader.string()?;
    let authority = AuthorityKey::from_blob(reader.string()?)?;
    Ok((contents, authority))
}

fn read_critical_options(bytes: &[u8], contents: &mut CertificateRequest) -> Result<(), CertificateError> {
    let mut reader = Reader::new(bytes);
    while !reader.is_empty() {
        let name = reader.text()?;
        let mut inner = Reader::new(reader.string()?);
        let value = inner.text()?;
        inner.finish()?;
        match name {
            FORCE_COMMAND => contents.force_command = Some(value.to_owned()),
            SOURCE_ADDRESS => {
                contents.source_addresses = value.split(',').map(str::parse).collect::<Result<_, _>>()?;
            }
            unknown => return Err(CertificateError::Option(unknown.to_owned())),
        }
    }
    Ok(())
}

fn read_extensions(bytes: &[u8], contents: &mut CertificateRequest) -> Result<(), CertificateError> {
    contents.permit_pty = false;
    let mut reader = Reader::new(bytes);
    while !reader.is_empty() {
        let (name, value) = (reader.text()?, reader.string()?);
        let permission = match name {
            PERMIT_X11_FORWARDING => &mut contents.permit_x11_forwarding,
            PERMIT_AGENT_FORWARDING => &mut contents.permit_agent_forwarding,
            PERMIT_PORT_FORWARDING => &mut contents.permit_port_forwarding,
            PERMIT_PTY => &mut contents.permit_pty,
            unknown => return Err(CertificateError::Option(unknown.to_owned())),
        };
        if !value.is_empty() {
            return Err(CertificateError::Option(name.to_owned()));
        }
        *permission = true;
    }
    Ok(())
}

/// The 64 bytes inside `string "ssh-ed25519" ‖ string signature` (RFC 8709 section 6).
fn read_signature(blob: &[u8]) -> Result<Vec<u8>, CertificateError> {
    let mut reader = Reader::new(blob);
    let name = reader.text()?;
    if name != Algorithm::Ed25519.name() {
        return Err(KeyError::Algorithm(name.to_owned()).into());
    }
    let signature = reader.string()?.to_vec();
    reader.finish()?;
    if signature.len() != 64 {
        return Err(CertificateError::Signature);
    }
    Ok(signature)
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut value = [0; 32];
    value.copy_from_slice(digest(&SHA256, bytes).as_ref());
    value
}
