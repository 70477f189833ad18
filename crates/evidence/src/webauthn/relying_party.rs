//! The site for which passkeys are valid (section 4, "Relying Party Identifier").

use chancery_canonical::Sha256;
use serde::{Deserialize, Serialize};

/// A relying party id and the web origins on which its passkeys may be used.
///
/// INVARIANT: every origin is `https://` (or `http://localhost`) on the id itself or on a name below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct RelyingParty {
    rp_id: String,
    origins: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    rp_id: String,
    origins: Vec<String>,
}

/// Why a relying party is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelyingPartyError {
    /// Not a lower-case host name.
    #[error("relying party id `{0}` is not a lower-case host name: write it without scheme, port and path")]
    InvalidId(String),
    /// No origin, or more than 32.
    #[error("relying party needs 1 to 32 web origins: list them")]
    OriginCount,
    /// Not an origin on which a browser would use these passkeys.
    #[error(
        "origin `{origin}` cannot use passkeys of `{rp_id}`: write `https://HOST[:PORT]` on that name or below it"
    )]
    InvalidOrigin {
        /// The origin.
        origin: String,
        /// The relying party id.
        rp_id: String,
    },
}

impl RelyingParty {
    /// Takes an id, such as `chancery.example.org`, and origins, such as `https://chancery.example.org`.
    ///
    /// # Errors
    /// Refuses origins on which a browser would not use these passkeys.
    pub fn new(
        rp_id: impl Into<String>,
        origins: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, RelyingPartyError> {
        let rp_id = rp_id.into();
        if !is_host(&rp_id) {
            return Err(RelyingPartyError::InvalidId(rp_id));
        }
        let origins: Vec<String> = origins.into_iter().map(Into::into).collect();
        if !(1..=32).contains(&origins.len()) {
            return Err(RelyingPartyError::OriginCount);
        }
        if let Some(origin) = origins.iter().find(|origin| !is_origin_of(origin, &rp_id)) {
            return Err(RelyingPartyError::InvalidOrigin { origin: origin.clone(), rp_id });
        }
        Ok(Self { rp_id, origins })
    }

    /// The id.
    pub fn id(&self) -> &str {
        &self.rp_id
    }

    /// The origins.
    pub fn origins(&self) -> &[String] {
        &self.origins
    }

    /// SHA-256 of the id, as authenticators report it.
    pub fn id_hash(&self) -> Sha256 {
        Sha256::of(self.rp_id.as_bytes())
    }

    /// Whether exactly this origin is on the list.
    pub fn allows_origin(&self, origin: &str) -> bool {
        self.origins.iter().any(|allowed| allowed == origin)
    }
}

impl TryFrom<Unchecked> for RelyingParty {
    type Error = RelyingPartyError;

    fn try_from(unchecked: Unchecked) -> Result<Self, RelyingPartyError> {
        Self::new(unchecked.rp_id, unchecked.origins)
    }
}

fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

fn is_origin_of(origin: &str, rp_id: &str) -> bool {
    let (authority, secure) = match (origin.strip_prefix("https://"), origin.strip_prefix("http://")) {
        (Some(authority), _) => (authority, true),
        (None, Some(authority)) => (authority, false),
        (None, None) => return false,
    };
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let port_is_plain =
        port.is_none_or(|port| port.parse::<u16>().is_ok_and(|number| number.to_string() == port));
    let below = host.strip_suffix(rp_id).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    is_host(host) && port_is_plain && below && (secure || host == "localhost" || host.ends_with(".localhost"))
}
