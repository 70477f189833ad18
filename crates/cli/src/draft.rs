//! Before anything is signed: does the document that the server drafted say what the user asked?
//!
//! A compromised server could answer with a longer grant, another host or another key. The signature is over the
//! document, so the document is read here, member by member; one that nobody asked for is refused as well.

use chancery_api::request::{Draft, DraftRequest};
use chancery_canonical::base64::encode_url;
use chancery_canonical::{Canonical, Disclosure, Sha256};
use chancery_domain::document::{ArtifactReference, RequestDocument, challenge};
use serde_json::Value;

/// How far this machine's clock and the server's may be apart, in seconds.
const MAX_CLOCK_DIFFERENCE: i64 = 300;
/// The concealed member that holds the justification.
const JUSTIFICATION: &str = "justification";

/// Who asks, where, and when.
#[derive(Debug, Clone)]
pub struct Asking<'a> {
    /// The person of the session.
    pub person: &'a str,
    /// The log that the session document names.
    pub log_origin: &'a str,
    /// This machine's clock, Unix seconds.
    pub now: i64,
    /// Revision that the document must have.
    pub revision: u32,
}

/// A draft that says what was asked. Only [`check`] makes one; only this is signed.
#[derive(Debug, Clone)]
pub struct CheckedDraft {
    /// The document.
    pub document: Canonical,
    /// What it says.
    pub request: RequestDocument,
    /// The 32 bytes to sign.
    pub challenge: Sha256,
}

/// Where draft and wish differ.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DraftMismatch {
    /// Not a request document in canonical form.
    #[error("the document cannot be read ({0})")]
    Unreadable(String),
    /// A member says something else.
    #[error("`{member}` is {drafted}, not {asked}")]
    Differs {
        /// Which.
        member: &'static str,
        /// What the document says.
        drafted: String,
        /// What was asked.
        asked: String,
    },
    /// The server names a digest that is not the document's.
    #[error("`{0}` is not the digest of the document")]
    Digest(&'static str),
    /// The justification is not concealed as it was written, or something else is concealed.
    #[error("the concealed justification is not the one that you wrote")]
    Justification,
    /// Made at another time than now.
    #[error("it says it was made at {0}, which is not now; compare the clocks")]
    Time(String),
}

/// Compares a draft with what was asked for.
///
/// # Errors
/// [`DraftMismatch`], the first member that differs.
pub fn check(
    asked: &DraftRequest,
    asking: &Asking<'_>,
    draft: &Draft,
) -> Result<CheckedDraft, DraftMismatch> {
    let unreadable = |fault: &dyn std::fmt::Display| DraftMismatch::Unreadable(fault.to_string());
    let document = Canonical::parse(draft.document.as_bytes()).map_err(|fault| unreadable(&fault))?;
    let request: RequestDocument = document.decode().map_err(|fault| unreadable(&fault))?;
    let signed = challenge::<RequestDocument>(&document);
    if draft.request_sha256 != document.digest().to_hex() {
        return Err(DraftMismatch::Digest("request_sha256"));
    }
    if draft.challenge != encode_url(signed.as_bytes()) {
        return Err(DraftMismatch::Digest("challenge"));
    }
    check_members(asked, asking, &request)?;
    check_justification(asked.justification.as_deref(), &request, &draft.disclosures)?;
    if request.created_at.unix().abs_diff(asking.now) > MAX_CLOCK_DIFFERENCE.unsigned_abs() {
        return Err(DraftMismatch::Time(request.created_at.to_string()));
    }
    Ok(CheckedDraft { document, request, challenge: signed })
}

fn check_members(
    asked: &DraftRequest,
    asking: &Asking<'_>,
    request: &RequestDocument,
) -> Result<(), DraftMismatch> {
    // Destructured, so that a member that is added to the document must be thought of here.
    let RequestDocument {
        document_type: _,
        log_origin,
        id,
        revision,
        entitlement,
        requester,
        beneficiary,
        parameters,
        artifacts,
        undo,
        ticket,
        clocks,
        created_at: _,
        concealed: _,
    } = request;
    let beneficiary_asked = asked.beneficiary.as_deref().unwrap_or(asking.person);
    same("log_origin", log_origin, asking.log_origin)?;
    if let Some(revised) = &asked.revises {
        same("id", id.as_str(), revised)?;
    }
    same("revision", &revision.to_string(), &asking.revision.to_string())?;
    same("entitlement", &entitlement.name, &asked.entitlement)?;
    same("requester", requester.as_str(), asking.person)?;
    same("beneficiary", beneficiary.person.as_str(), beneficiary_asked)?;
    same_option("beneficiary's key", beneficiary.public_key.as_deref(), asked.beneficiary_key.as_deref())?;
    same_json("parameters", &Value::Object(parameters.clone()), &Value::Object(asked.parameters.clone()))?;
    same_artifacts(artifacts, asked)?;
    same_json("undo", &Value::from(undo.clone()), &Value::from(asked.undo.clone()))?;
    same_option("ticket", ticket.as_deref(), asked.ticket.as_deref())?;
    same("grant_seconds", &clocks.grant_seconds.to_string(), &asked.grant_seconds.to_string())?;
    let not_before = clocks.not_before.map(|moment| moment.to_string());
    same_option("not_before", not_before.as_deref(), asked.not_before.as_deref())
}

fn same_artifacts(drafted: &[ArtifactReference], asked: &DraftRequest) -> Result<(), DraftMismatch> {
    let drafted = serde_json::to_value(drafted).unwrap_or_default();
    let asked = serde_json::to_value(&asked.artifacts).unwrap_or_default();
    same_json("artifacts", &drafted, &asked)
}

/// Exactly the justification is concealed, and its disclosure says what was written.
fn check_justification(
    asked: Option<&str>,
    request: &RequestDocument,
    disclosures: &[String],
) -> Result<(), DraftMismatch> {
    let refused = Err(DraftMismatch::Justification);
    match (asked, request.concealed.as_slice(), disclosures) {
        (None, [], []) => Ok(()),
        (Some(text), [digest], [encoded]) => {
            let Ok(disclosure) = Disclosure::parse(encoded) else { return refused };
            let matches = disclosure.name() == JUSTIFICATION
                && disclosure.value().as_str() == Some(text)
                && encode_url(disclosure.digest().as_bytes()) == *digest;
            if matches { Ok(()) } else { refused }
        }
        _ => refused,
    }
}

fn same(member: &'static str, drafted: &str, asked: &str) -> Result<(), DraftMismatch> {
    same_option(member, Some(drafted), Some(asked))
}

fn same_option(
    member: &'static str,
    drafted: Option<&str>,
    asked: Option<&str>,
) -> Result<(), DraftMismatch> {
    if drafted == asked {
        return Ok(());
    }
    let shown = |text: Option<&str>| text.map_or_else(|| "absent".to_owned(), |text| format!("`{text}`"));
    Err(DraftMismatch::Differs { member, drafted: shown(drafted), asked: shown(asked) })
}

fn same_json(member: &'static str, drafted: &Value, asked: &Value) -> Result<(), DraftMismatch> {
    if drafted == asked { Ok(()) } else { same(member, &drafted.to_string(), &asked.to_string()) }
}

#[cfg(test)]
mod tests;
