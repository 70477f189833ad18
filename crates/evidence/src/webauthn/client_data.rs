//! What the browser says (section 5.8.1).

use chancery_canonical::Sha256;
use chancery_canonical::base64::encode_url;
use chancery_canonical::json::{self, Map, Value};

use super::RelyingParty;

/// Which of the two ceremonies the browser ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ceremony {
    /// Registration: `webauthn.create`.
    Create,
    /// Authentication: `webauthn.get`.
    Get,
}

/// Why the browser's statement is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientDataRefusal {
    /// Not a JSON object with the expected members, or one that two readers could understand differently.
    #[error("client data is not acceptable JSON: sign again")]
    Malformed,
    /// The other ceremony.
    #[error("client data is of another ceremony: sign again")]
    WrongType,
    /// Another challenge: another document was signed.
    #[error("passkey signed another challenge: reload the page and sign what it shows")]
    WrongChallenge,
    /// A web origin that is not on the list.
    #[error("passkey was used on origin `{origin}`, which is not allowed: open the configured address")]
    WrongOrigin {
        /// The origin as the browser reported it.
        origin: String,
    },
    /// Signed inside a frame of another site.
    #[error("passkey was used inside a page of another site: open the page directly")]
    CrossOrigin,
    /// The page was embedded.
    #[error("passkey was used inside an embedded page: open the page directly")]
    TopOriginPresent,
}

impl ClientDataRefusal {
    /// A stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "client_data_malformed",
            Self::WrongType => "wrong_type",
            Self::WrongChallenge => "wrong_challenge",
            Self::WrongOrigin { .. } => "wrong_origin",
            Self::CrossOrigin => "cross_origin",
            Self::TopOriginPresent => "top_origin_present",
        }
    }
}

/// Checks type, challenge, origin and embedding, and returns the origin. Unknown members are ignored, as the
/// standard demands.
///
/// # Errors
/// The first check that fails.
pub fn check_client_data(
    client_data_json: &[u8],
    ceremony: Ceremony,
    relying_party: &RelyingParty,
    expected_challenge: &Sha256,
) -> Result<String, ClientDataRefusal> {
    let Ok(Value::Object(members)) = json::parse(client_data_json) else {
        return Err(ClientDataRefusal::Malformed);
    };
    let expected_type = match ceremony {
        Ceremony::Create => "webauthn.create",
        Ceremony::Get => "webauthn.get",
    };
    if text(&members, "type")? != expected_type {
        return Err(ClientDataRefusal::WrongType);
    }
    if text(&members, "challenge")? != encode_url(expected_challenge.as_bytes()) {
        return Err(ClientDataRefusal::WrongChallenge);
    }
    let origin = text(&members, "origin")?;
    if !relying_party.allows_origin(origin) {
        return Err(ClientDataRefusal::WrongOrigin { origin: origin.to_owned() });
    }
    match members.get("crossOrigin") {
        None | Some(Value::Bool(false)) => {}
        Some(Value::Bool(true)) => return Err(ClientDataRefusal::CrossOrigin),
        Some(_) => return Err(ClientDataRefusal::Malformed),
    }
    if members.contains_key("topOrigin") {
        return Err(ClientDataRefusal::TopOriginPresent);
    }
    Ok(origin.to_owned())
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a str, ClientDataRefusal> {
    members.get(name).and_then(Value::as_str).ok_or(ClientDataRefusal::Malformed)
}
