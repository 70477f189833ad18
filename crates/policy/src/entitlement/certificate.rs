//! What an OpenSSH user certificate must say, as it follows from the filled form and a verdict's scopes. The issuer
//! makes certificates from this, and every verifier holds them against it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use chancery_canonical::json::{Map, Value};

use super::{SshConnector, SshExtensions};

/// Scopes of a verdict: for each name, the values that policy lets through.
pub type Scopes = BTreeMap<String, BTreeSet<String>>;

/// Name of the scope, and of the parameter, that limits where a client may come from.
const SOURCE_ADDRESS: &str = "source_address";

/// What one certificate must say, besides whose key it is for and when it is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateTerms {
    /// Its only principal: `LOGIN@HOST`.
    pub principal: String,
    /// Critical option `source-address`: blocks as `ADDRESS/BITS`, written in one way only; anywhere when empty.
    pub source_addresses: BTreeSet<String>,
    /// Critical option `force-command`.
    pub force_command: Option<String>,
    /// Extensions.
    pub permit: SshExtensions,
    login: String,
    host: String,
}

/// Why no certificate follows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateRefusal {
    /// A value that the certificate needs was not asked for.
    #[error("the request does not say which `{0}`")]
    Missing(&'static str),
    /// Policy narrowed it, and this is outside.
    #[error("`{value}` is outside the scope `{scope}` that policy set")]
    OutOfScope {
        /// Name of the scope.
        scope: &'static str,
        /// What was asked for.
        value: String,
    },
    /// It would read as another pair.
    #[error("neither login name nor host may contain `@`, nor be empty")]
    Principal,
    /// Not a block that OpenSSH takes.
    #[error("`{0}` is no address block")]
    Address(String),
}

impl SshConnector {
    /// The one principal of a certificate: `LOGIN@HOST`. It names the host too, so that what was approved for one
    /// host opens no other; `None` when a part was not given, or would read as another pair.
    pub fn certificate_principal(&self, parameters: &Map<String, Value>) -> Option<String> {
        let (login, host) = (self.principal.resolve(parameters)?, self.host.resolve(parameters)?);
        let plain = |part: &str| !part.is_empty() && !part.contains('@');
        (plain(login) && plain(host)).then(|| format!("{login}@{host}"))
    }

    /// What a certificate must say. Where no source address was asked for, it gets those of the verdict's scope; a
    /// scope without any value lets nobody in, and so makes no certificate.
    ///
    /// # Errors
    /// [`CertificateRefusal`]: the first part that is missing, malformed or out of scope.
    pub fn certificate_terms(
        &self,
        parameters: &Map<String, Value>,
        scopes: &Scopes,
    ) -> Result<CertificateTerms, CertificateRefusal> {
        let login = self.principal.resolve(parameters).ok_or(CertificateRefusal::Missing("principal"))?;
        let host = self.host.resolve(parameters).ok_or(CertificateRefusal::Missing("host"))?;
        let principal = self.certificate_principal(parameters).ok_or(CertificateRefusal::Principal)?;
        let asked = self.source_address.as_ref().and_then(|binding| binding.resolve(parameters));
        let source_addresses = match (asked, scopes.get(SOURCE_ADDRESS)) {
            (Some(asked), _) => blocks([asked])?,
            (None, Some(scope)) => blocks(scope.iter().map(String::as_str))?,
            (None, None) => BTreeSet::new(),
        };
        let force_command = self.force_command.as_ref().and_then(|binding| binding.resolve(parameters));
        let terms = CertificateTerms {
            principal,
            source_addresses,
            force_command: force_command.map(str::to_owned),
            permit: self.permit,
            login: login.to_owned(),
            host: host.to_owned(),
        };
        terms.check_scopes(scopes)?;
        Ok(terms)
    }
}

impl CertificateTerms {
    /// Whether these scopes let through what the certificate says: those of the verdict that it is made from, and
    /// of each verdict after that.
    ///
    /// # Errors
    /// [`CertificateRefusal::OutOfScope`], or [`CertificateRefusal::Address`] for a scope that is malformed.
    pub fn check_scopes(&self, scopes: &Scopes) -> Result<(), CertificateRefusal> {
        let refused = |scope, value: &str| CertificateRefusal::OutOfScope { scope, value: value.to_owned() };
        for (scope, value) in [("principal", &self.login), ("host", &self.host)] {
            if scopes.get(scope).is_some_and(|allowed| !allowed.contains(value)) {
                return Err(refused(scope, value));
            }
        }
        let Some(allowed) = scopes.get(SOURCE_ADDRESS) else { return Ok(()) };
        let allowed = blocks(allowed.iter().map(String::as_str))?;
        if self.source_addresses.is_empty() {
            return Err(refused(SOURCE_ADDRESS, "anywhere"));
        }
        match self.source_addresses.iter().find(|block| !allowed.contains(*block)) {
            Some(outside) => Err(refused(SOURCE_ADDRESS, outside)),
            None => Ok(()),
        }
    }
}

impl SshExtensions {
    /// The names of those that are permitted, ascending.
    pub fn names(self) -> Vec<&'static str> {
        let permits = [
            ("permit-agent-forwarding", self.agent_forwarding),
            ("permit-port-forwarding", self.port_forwarding),
            ("permit-pty", self.pty),
        ];
        permits.into_iter().filter(|(_, permitted)| *permitted).map(|(name, _)| name).collect()
    }
}

/// The blocks of some lists, each separated by commas.
///
/// # Errors
/// [`CertificateRefusal::Address`].
pub fn blocks<'a>(lists: impl IntoIterator<Item = &'a str>) -> Result<BTreeSet<String>, CertificateRefusal> {
    let each = lists.into_iter().flat_map(|list| list.split(',')).map(str::trim);
    each.map(|text| block(text).ok_or_else(|| CertificateRefusal::Address(text.chars().take(64).collect())))
        .collect()
}

/// A block in its one spelling: `ADDRESS/BITS`, IPv6 as RFC 5952 writes it; a bare address is a block of one. None
/// for what sshd would not match: bits beyond the prefix, IPv4 written as IPv6, `+8` and `08` as numbers.
fn block(text: &str) -> Option<String> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let (number, width) = match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 32),
        IpAddr::V6(address) if address.to_ipv4_mapped().is_some() => return None,
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    let bits = match bits {
        None => width,
        Some(digits) => digits.parse::<u8>().ok().filter(|bits| bits.to_string() == digits)?,
    };
    let beyond = number.checked_shl(u32::from(bits)).unwrap_or(0);
    (bits <= width && beyond == 0).then(|| format!("{address}/{bits}"))
}

#[cfg(test)]
mod tests;
