//! Counters of device-bound passkeys: one that does not grow may belong to a copy (WebAuthn Level 3 §6.1.1).
//!
//! Sign-ins and decisions are each compared among themselves: somebody may sign a decision, sign in elsewhere, and
//! only then hand the decision in.

use axum::http::StatusCode;
use chancery_canonical::Sha256;
use chancery_domain::signature::Assertion;
use chancery_evidence::webauthn::{AuthenticatorData, CounterMove, counter_moved};
use chancery_store::{Store as _, Ticket, TicketKey};
use serde_json::json;

use super::App;
use crate::problem::Problem;

/// Code of the refusal.
pub const SUSPICIOUS_COUNTER: &str = "passkey_counter";

/// What a passkey signed.
#[derive(Clone, Copy, Debug)]
pub enum Signing {
    /// A session document.
    SignIn,
    /// A decision document.
    Decision,
}

impl Signing {
    /// Sort of ticket in which counters are kept.
    fn ticket_kind(self) -> &'static str {
        match self {
            Self::SignIn => "passkey_counter_sign_in",
            Self::Decision => "passkey_counter_decision",
        }
    }
}

/// Ten years: longer than any device is used.
const KEPT_SECONDS: u64 = 10 * 366 * 24 * 3600;

impl App {
    /// Refuses a verified assertion whose counter stands still or fell since the last one that was kept. What
    /// nobody verified must not come here.
    pub(crate) async fn check_counter(&self, signing: Signing, assertion: &Assertion) -> Result<(), Problem> {
        let Some((key, count)) = counter(signing, assertion)? else { return Ok(()) };
        let kept = self.store.ticket(&key, self.now()).await?;
        let previous =
            kept.and_then(|ticket| ticket.value.as_u64()).and_then(|count| u32::try_from(count).ok());
        match previous.map(|previous| counter_moved(previous, count)) {
            Some(CounterMove::Suspicious) => Err(Problem::refused(
                StatusCode::FORBIDDEN,
                SUSPICIOUS_COUNTER,
                "the passkey's counter did not grow, so there may be a copy of it",
                "sign again; if it happens twice, have an identity administrator remove this passkey",
            )),
            Some(CounterMove::Grew | CounterMove::NotCounting) | None => Ok(()),
        }
    }

    /// Keeps the counter of an assertion that was accepted.
    pub(crate) async fn keep_counter(&self, signing: Signing, assertion: &Assertion) -> Result<(), Problem> {
        let Some((TicketKey { kind, key }, count)) = counter(signing, assertion)? else { return Ok(()) };
        let expires_at = self.now().plus(KEPT_SECONDS);
        self.store.put_ticket(Ticket { kind, key, value: json!(count), expires_at }).await?;
        Ok(())
    }
}

/// Whose counter, and how far; `None` for a passkey that may be synced and so does not count.
fn counter(signing: Signing, assertion: &Assertion) -> Result<Option<(TicketKey, u32)>, Problem> {
    let data = AuthenticatorData::parse(assertion.authenticator_data.as_bytes()).map_err(Problem::bug)?;
    let key = Sha256::of(assertion.credential_id.as_bytes()).to_hex();
    let counts = !data.backup_eligible();
    Ok(counts.then(|| (TicketKey { kind: signing.ticket_kind().to_owned(), key }, data.sign_count())))
}
