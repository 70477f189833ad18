//! What a certificate shall say, and the limits on it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use thiserror::Error;

use super::key::SubjectKey;

/// The last second of the year 9999. Later ends are `forever` under another name.
const LAST_SECOND: u64 = 253_402_300_799;
const KEY_ID_LIMIT: usize = 255;
const PRINCIPAL_LIMIT: usize = 255;
/// OpenSSH reads at most 256.
const PRINCIPALS_LIMIT: usize = 64;
const ADDRESSES_LIMIT: usize = 64;
const COMMAND_LIMIT: usize = 4096;

/// Why a certificate with these contents is not made (and not accepted either).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RequestError {
    /// OpenSSH reads serial 0 as "none", and a revocation list with a 0 in it as corrupt.
    #[error("serial 0 cannot be revoked; count from 1")]
    SerialZero,
    /// The key id goes to logs and revocation lists.
    #[error("the key id must be 1 to 255 printable ASCII characters")]
    KeyId,
    /// A certificate with no principal is good for every account of a host.
    #[error("name 1 to 64 principals; a certificate without one would open every account")]
    PrincipalCount,
    /// A principal that could be read as several, or as a pattern.
    #[error("principal `{0}` must be 1 to 255 letters, digits or characters of `._-@:/+=`")]
    Principal(String),
    /// The same name twice.
    #[error("principal `{0}` is named twice")]
    PrincipalTwice(String),
    /// The times do not bound anything.
    #[error(
        "the certificate would be valid from {after} until {before}; it needs a start and a later end, in seconds, before the year 10000"
    )]
    Validity {
        /// First second asked for.
        after: u64,
        /// End asked for.
        before: u64,
    },
    /// Not a network.
    #[error(
        "`{0}` is not a network address; write it as 192.0.2.0/24 or 2001:db8::/32, with nothing after the prefix"
    )]
    Address(String),
    /// sshd compares with at most so many.
    #[error("name at most 64 different source networks")]
    AddressCount,
    /// A command with line breaks or other control characters hides what is approved.
    #[error("the forced command must be 1 to 4096 bytes on one line, without control characters")]
    Command,
}

/// A network in CIDR notation, with no bit set after the prefix. sshd refuses every login when it cannot read one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr {
    address: IpAddr,
    prefix: u8,
}

impl FromStr for Cidr {
    type Err = RequestError;

    /// Reads `ADDRESS/PREFIX`, or a bare address as a network of one.
    fn from_str(text: &str) -> Result<Self, RequestError> {
        Self::read(text).ok_or_else(|| RequestError::Address(text.chars().take(64).collect()))
    }
}

impl Cidr {
    fn read(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address = address.parse::<IpAddr>().ok()?;
        let (bits, width) = match address {
            IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 32),
            // sshd turns such peers into IPv4 first, so this network would match nobody
            IpAddr::V6(address) if address.to_ipv4_mapped().is_some() => return None,
            IpAddr::V6(address) => (address.to_bits(), 128),
        };
        let prefix = match prefix {
            None => width,
            // digits only and no leading zero: `+8` and `08` are numbers to Rust, not to sshd
            Some(digits) => digits.parse::<u8>().ok().filter(|prefix| prefix.to_string() == digits)?,
        };
        let beyond = bits.checked_shl(u32::from(prefix)).unwrap_or(0);
        (prefix <= width && beyond == 0).then_some(Self { address, prefix })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix)
    }
}

/// Everything that a user certificate says. The limits are checked by `prepare` and by `Certificate::parse`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRequest {
    /// Whose login it is.
    pub subject_key: SubjectKey,
    /// Names this certificate in the revocation list; unique under one authority, from 1.
    pub serial: u64,
    /// Names it in sshd's log and, if need be, in the revocation list; 1 to 255 printable ASCII characters.
    pub key_id: String,
    /// The accounts (or the names that `AuthorizedPrincipalsFile` maps to accounts); 1 to 64, in this order.
    pub principals: Vec<String>,
    /// First second at which it is valid; unix seconds, not 0.
    pub valid_after: u64,
    /// First second at which it is not valid any more; unix seconds.
    pub valid_before: u64,
    /// Where the client may come from; from anywhere when empty. At most 64.
    pub source_addresses: Vec<Cidr>,
    /// Runs in place of whatever the client asks for.
    pub force_command: Option<String>,
    /// Allows connections through the host.
    pub permit_port_forwarding: bool,
    /// Allows the client's agent to be used from the host.
    pub permit_agent_forwarding: bool,
    /// Allows X11 connections back to the client.
    pub permit_x11_forwarding: bool,
    /// Allows a terminal.
    pub permit_pty: bool,
    /// 32 fresh random bytes, so that nobody can choose the bytes that are signed.
    pub nonce: [u8; 32],
}

impl CertificateRequest {
    /// A request with the defaults: any source, any command, a terminal, no forwarding.
    #[must_use]
    pub fn new(
        subject_key: SubjectKey,
        serial: u64,
        key_id: &str,
        principals: &[&str],
        validity: std::ops::Range<u64>,
        nonce: [u8; 32],
    ) -> Self {
        Self {
            subject_key,
            serial,
            key_id: key_id.to_owned(),
            principals: principals.iter().map(|principal| (*principal).to_owned()).collect(),
            valid_after: validity.start,
            valid_before: validity.end,
            source_addresses: Vec::new(),
            force_command: None,
            permit_port_forwarding: false,
            permit_agent_forwarding: false,
            permit_x11_forwarding: false,
            permit_pty: true,
            nonce,
        }
    }

    /// Whether a host whose clock reads `unix_seconds` is inside the validity.
    #[must_use]
    pub const fn is_valid_at(&self, unix_seconds: u64) -> bool {
        self.valid_after <= unix_seconds && unix_seconds < self.valid_before
    }

    /// Checks every limit.
    pub(super) fn check(&self) -> Result<(), RequestError> {
        if self.serial == 0 {
            return Err(RequestError::SerialZero);
        }
        if !is_key_id(&self.key_id) {
            return Err(RequestError::KeyId);
        }
        check_principals(&self.principals)?;
        if self.valid_after == 0 || self.valid_after >= self.valid_before || self.valid_before > LAST_SECOND {
            return Err(RequestError::Validity { after: self.valid_after, before: self.valid_before });
        }
        let addresses = &self.source_addresses;
        let repeated = addresses
            .iter()
            .enumerate()
            .any(|(index, one)| addresses.iter().skip(index + 1).any(|other| one == other));
        if addresses.len() > ADDRESSES_LIMIT || repeated {
            return Err(RequestError::AddressCount);
        }
        match &self.force_command {
            Some(command)
                if command.is_empty()
                    || command.len() > COMMAND_LIMIT
                    || command.contains(char::is_control) =>
            {
                Err(RequestError::Command)
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Whether a text can be a certificate's key id.
pub(super) fn is_key_id(text: &str) -> bool {
    (1..=KEY_ID_LIMIT).contains(&text.len())
        && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

fn check_principals(principals: &[String]) -> Result<(), RequestError> {
    if !(1..=PRINCIPALS_LIMIT).contains(&principals.len()) {
        return Err(RequestError::PrincipalCount);
    }
    for (index, principal) in principals.iter().enumerate() {
        let plain = |character: char| character.is_ascii_alphanumeric() || "._-@:/+=".contains(character);
        if principal.is_empty() || principal.len() > PRINCIPAL_LIMIT || !principal.chars().all(plain) {
            return Err(RequestError::Principal(principal.chars().take(64).collect()));
        }
        if principals.iter().take(index).any(|earlier| earlier == principal) {
            return Err(RequestError::PrincipalTwice(principal.clone()));
        }
    }
    Ok(())
}
