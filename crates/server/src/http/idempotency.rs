//! `Idempotency-Key`: the same key with the same body by the same person is the same act, for a day.

use axum::http::{HeaderMap, StatusCode};
use chancery_canonical::Sha256;
use chancery_domain::id::PersonId;
use chancery_domain::time::Timestamp;
use chancery_store::{Store as _, Ticket, TicketKey};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::app::App;
use crate::problem::Problem;

/// Sort of ticket.
const KIND: &str = "idempotency";
/// How long an answer is remembered.
const REMEMBER_SECONDS: u64 = 24 * 3600;

/// A key, bound to actor and route, and the body that came with it.
#[derive(Clone, Debug)]
pub struct Key {
    key: String,
    body_sha256: Sha256,
}

impl Key {
    /// What is remembered: the body's digest, and what was made.
    pub fn ticket<T: Serialize>(&self, made: &T, now: Timestamp) -> Ticket {
        Ticket {
            kind: KIND.to_owned(),
            key: self.key.clone(),
            value: json!({ "body_sha256": self.body_sha256, "made": made }),
            expires_at: now.plus(REMEMBER_SECONDS),
        }
    }
}

/// The key of a request, when it has one.
pub fn key(
    headers: &HeaderMap,
    person: &PersonId,
    route: &str,
    body_sha256: &Sha256,
) -> Result<Option<Key>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().ok().filter(|text| (1..=200).contains(&text.len()));
    let text = text.ok_or_else(|| Problem::member("Idempotency-Key", "must be 1 to 200 ASCII characters"))?;
    let key =
        Sha256::of_parts(&[person.as_str().as_bytes(), b"\n", route.as_bytes(), b"\n", text.as_bytes()]);
    Ok(Some(Key { key: key.to_hex(), body_sha256: *body_sha256 }))
}

/// What was made now, or, where a repeat came at the same moment and was first, what that one made.
pub async fn or_known<T: DeserializeOwned>(
    app: &App,
    key: Option<&Key>,
    made: Result<T, Problem>,
) -> Result<T, Problem> {
    match made {
        Ok(made) => Ok(made),
        Err(problem) => known(app, key).await?.ok_or(problem),
    }
}

/// What was made the first time; a refusal when that was with another body.
pub async fn known<T: DeserializeOwned>(app: &App, key: Option<&Key>) -> Result<Option<T>, Problem> {
    let Some(key) = key else { return Ok(None) };
    let ticket_key = TicketKey { kind: KIND.to_owned(), key: key.key.clone() };
    let Some(ticket) = app.store.ticket(&ticket_key, app.now()).await? else { return Ok(None) };
    if ticket.value.get("body_sha256") != Some(&json!(key.body_sha256)) {
        return Err(Problem::refused(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            "this idempotency key came with another body before",
            "use a new key for a new request",
        ));
    }
    let made = ticket.value.get("made").cloned().unwrap_or_default();
    serde_json::from_value(made).map(Some).map_err(Problem::bug)
}
