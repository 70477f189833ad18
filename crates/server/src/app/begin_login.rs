//! A command line signs in: it shows a link and a code, a browser signs, the command line fetches its token.

use chancery_api::login::{Login, LoginRequest, LoginStatus, SignedIn};
use chancery_api::session::SessionRequest;
use chancery_canonical::Sha256;
use chancery_store::{Store as _, Ticket, TicketKey};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::App;
use super::sign_in::Session;
use crate::http::convert;
use crate::problem::Problem;
use crate::random::token_key;

/// Sort of ticket; its key is the digest of the login's name.
const LOGIN: &str = "login";
/// How long a login waits.
const LOGIN_SECONDS: u64 = 600;

/// A login as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PendingLogin {
    /// Raw Ed25519 key of the session to be, base64url.
    pub public_key: String,
    /// What both sides show.
    pub code: String,
    /// Once somebody signed.
    pub done: Option<SignedIn>,
}

impl App {
    /// Begins a login.
    pub(crate) async fn begin_login(&self, asked: &LoginRequest) -> Result<Login, Problem> {
        let key: chancery_canonical::Bytes<32> = convert::bytes("/public_key", &asked.public_key)?;
        if key.as_bytes().len() != 32 {
            return Err(Problem::member("/public_key", "is not the 32 bytes of an Ed25519 key"));
        }
        let (login, expires_at) = (self.random.token()?, self.now().plus(LOGIN_SECONDS));
        let code = code(key.as_bytes());
        let pending = PendingLogin { public_key: asked.public_key.clone(), code: code.clone(), done: None };
        self.put_login(&login, &pending, expires_at).await?;
        let url = format!("{}/sign-in?login={login}", self.config.public_url);
        Ok(Login { login, url, code, expires_at: expires_at.to_string() })
    }

    /// How far it has come; the token is handed out once.
    pub(crate) async fn poll_login(&self, login: &str) -> Result<LoginStatus, Problem> {
        let (pending, ticket) = self.find_login(login).await?;
        let Some(done) = pending.done else {
            return Ok(LoginStatus::Pending { expires_at: ticket.expires_at.to_string() });
        };
        let taken = self.store.take_ticket(&login_key(login), self.now()).await?;
        taken.map(|_| LoginStatus::Done(done)).ok_or_else(gone)
    }

    /// A login that waits for a signature.
    pub(super) async fn login(&self, login: &str) -> Result<PendingLogin, Problem> {
        Ok(self.find_login(login).await?.0)
    }

    /// Puts the token where the command line fetches it.
    pub(super) async fn finish_login(
        &self,
        login: &str,
        token: &str,
        signed: &SessionRequest,
        session: &Session,
    ) -> Result<(), Problem> {
        let (mut pending, ticket) = self.find_login(login).await?;
        if session.public_key.as_deref() != Some(pending.public_key.as_str()) {
            return Err(Problem::bug("a login was signed for another key"));
        }
        pending.done = Some(SignedIn {
            token: token.to_owned(),
            session: signed.document.clone(),
            introduction: signed.assertion.clone(),
            person: session.person.to_string(),
            expires_at: session.expires_at.to_string(),
        });
        self.put_login(login, &pending, ticket.expires_at).await
    }

    async fn find_login(&self, login: &str) -> Result<(PendingLogin, Ticket), Problem> {
        let ticket = self.store.ticket(&login_key(login), self.now()).await?.ok_or_else(gone)?;
        Ok((serde_json::from_value(ticket.value.clone()).map_err(Problem::bug)?, ticket))
    }

    async fn put_login(
        &self,
        login: &str,
        pending: &PendingLogin,
        expires_at: chancery_domain::time::Timestamp,
    ) -> Result<(), Problem> {
        let TicketKey { kind, key } = login_key(login);
        self.store.put_ticket(Ticket { kind, key, value: json!(pending), expires_at }).await?;
        Ok(())
    }
}

fn login_key(login: &str) -> TicketKey {
    TicketKey { kind: LOGIN.to_owned(), key: token_key(login) }
}

fn gone() -> Problem {
    Problem::refused(
        axum::http::StatusCode::GONE,
        "login_expired",
        "the login was fetched before, or its time is over",
        "begin again with `chancery login`",
    )
}

/// What both sides show: the key's own digest, so a command line can make it without asking.
fn code(key: &[u8]) -> String {
    super::decide_request::fingerprint(&Sha256::of(key))
}
