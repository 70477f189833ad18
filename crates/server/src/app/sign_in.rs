//! Signing in: one touch of a passkey over the session document. A browser gets a cookie, a key gets a token that
//! is worth nothing without the key.

use chancery_api::session::{SessionOptions, SessionOptionsRequest, SessionRequest};
use chancery_canonical::{Bytes, Canonical, Sha256};
use chancery_domain::document::{SessionDocument, SessionType, Signed as _, challenge};
use chancery_domain::id::PersonId;
use chancery_domain::refusal::Refusal;
use chancery_domain::signature::MAX_CREDENTIAL_ID;
use chancery_domain::time::Timestamp;
use chancery_evidence::session::{VerifiedSession, verify_sign_in};
use chancery_store::{Append, Store as _, Ticket, TicketKey};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::App;
use super::passkey_counter::Signing;
use crate::http::body::parse_member;
use crate::http::convert;
use crate::problem::Problem;
use crate::random::token_key;

/// Sort of ticket of an offer; its key is the document's digest.
const OFFER: &str = "session_offer";
/// Sort of ticket of a session; its key is the token's digest.
pub const SESSION: &str = "session";
/// Sort of ticket that says whose a session is; its key is the person and the token's digest.
const SESSION_OF: &str = "session_of";
/// How long a sign-in is offered.
const OFFER_SECONDS: u64 = 300;

/// A session, as it is stored under its token's digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Whose.
    pub person: PersonId,
    /// Raw Ed25519 key that it is bound to, base64url; absent for a cookie.
    pub public_key: Option<String>,
    /// When it began; what was stored before this was thought of does not say.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The passkey that introduced it: the session ends with it.
    pub credential_id: Bytes<MAX_CREDENTIAL_ID>,
}

/// What a session is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// All that its person may do.
    Full,
    /// Its passkey counts for nothing while a recovery runs: it may look, and stop the recovery.
    Held,
}

/// A sign-in that succeeded.
pub struct SignIn {
    /// Cookie or token.
    pub token: String,
    /// What it stands for.
    pub session: Session,
    /// The login that gets the token.
    pub login: Option<String>,
}

impl App {
    /// Offers a session document. Without a person: a challenge that any passkey answers with its owner's id.
    pub(crate) async fn offer_session(
        &self,
        asked: &SessionOptionsRequest,
    ) -> Result<SessionOptions, Problem> {
        let (now, people) = (self.now(), self.people.now());
        let (public_key, code) = self.session_key(asked).await?;
        let Some(person) = &asked.person else {
            let unbound = Sha256::from_bytes(self.random.bytes()?);
            let mut public_key = self.request_options(&unbound, &self.random.person_id()?, &people);
            public_key.allow_credentials.clear();
            return Ok(SessionOptions { document: None, code, public_key });
        };
        let person: PersonId = parse_member("/person", person)?;
        if people.active(&person).is_none() {
            return Err(Refusal::NotAnActivePerson(person).into());
        }
        let document = SessionDocument {
            document_type: SessionType::V1,
            log_origin: self.config.log_origin.clone(),
            person: person.clone(),
            public_key,
            nonce: self.random.token()?,
            issued_at: now,
            expires_at: now.plus(self.config.limits.session_seconds),
        };
        let canonical = document.canonical().map_err(Problem::bug)?;
        let (kind, key) = (OFFER.to_owned(), canonical.digest().to_hex());
        let value = json!({ "login": asked.login });
        self.store.put_ticket(Ticket { kind, key, value, expires_at: now.plus(OFFER_SECONDS) }).await?;
        let signed = challenge::<SessionDocument>(&canonical);
        let public_key = self.request_options(&signed, &person, &people);
        Ok(SessionOptions { document: Some(canonical.as_str().to_owned()), code, public_key })
    }

    /// The key that is to be introduced, and the code to compare.
    async fn session_key(
        &self,
        asked: &SessionOptionsRequest,
    ) -> Result<(Option<String>, Option<String>), Problem> {
        match (&asked.login, &asked.public_key) {
            (Some(_), Some(_)) => Err(Problem::member("/public_key", "comes with the login: leave it out")),
            (Some(login), None) => {
                let login = self.login(login).await?;
                Ok((Some(login.public_key), Some(login.code)))
            }
            (None, Some(key)) => {
                convert::bytes::<32>("/public_key", key)?;
                Ok((Some(key.clone()), None))
            }
            (None, None) => Ok((None, None)),
        }
    }

    /// Takes a signed session document; each works once.
    pub(crate) async fn sign_in(&self, asked: &SessionRequest) -> Result<SignIn, Problem> {
        let document = convert::document("/document", &asked.document)?;
        let introduction = convert::assertion("/assertion", &asked.assertion)?;
        let (now, people) = (self.now(), self.people.now());
        let verified = verify_sign_in(&document, &introduction, &self.context(&people, now))?;
        self.check_counter(Signing::SignIn, &introduction).await?;
        let offer = TicketKey { kind: OFFER.to_owned(), key: document.digest().to_hex() };
        let offered = self.store.ticket(&offer, now).await?;
        let login =
            offered.and_then(|ticket| ticket.value.get("login").and_then(Value::as_str).map(str::to_owned));
        let token = self.random.token()?;
        let session = session(&document, &verified, introduction.credential_id.clone())?;
        let mut append = Append::at(now);
        append.consume.push(offer);
        append.remember.push(Ticket {
            kind: SESSION.to_owned(),
            key: token_key(&token),
            value: json!(session),
            expires_at: session.expires_at,
        });
        append.remember.push(of_person(&session.person, &token_key(&token), session.expires_at));
        self.end_oldest_sessions(&session.person, now).await?;
        self.store.append(append).await?;
        self.keep_counter(Signing::SignIn, &introduction).await?;
        if let Some(login) = &login {
            self.finish_login(login, &token, asked, &session).await?;
        }
        Ok(SignIn { token, session, login })
    }

    /// Signs out.
    pub(crate) async fn sign_out(&self, person: &PersonId, token: &str) -> Result<(), Problem> {
        self.end_own_session(person, &token_key(token)).await
    }

    /// Ends a session of this person by its token's digest. Whoever asks twice asks for what is done.
    ///
    /// # Errors
    /// Not found, when it is nobody's or another person's.
    pub(crate) async fn end_session_of(&self, person: &PersonId, token_key: &str) -> Result<(), Problem> {
        let own = TicketKey { kind: SESSION_OF.to_owned(), key: format!("{person}/{token_key}") };
        self.store.ticket(&own, self.now()).await?.ok_or_else(|| Problem::not_found("session"))?;
        self.end_own_session(person, token_key).await
    }

    async fn end_own_session(&self, person: &PersonId, token_key: &str) -> Result<(), Problem> {
        self.end_session(token_key).await?;
        let of_person = TicketKey { kind: SESSION_OF.to_owned(), key: format!("{person}/{token_key}") };
        self.store.take_ticket(&of_person, self.now()).await?;
        Ok(())
    }

    /// The sessions of a person that have not ended, each with its token's digest.
    pub(crate) async fn sessions_of(&self, person: &PersonId) -> Result<Vec<(String, Session)>, Problem> {
        let (now, prefix) = (self.now(), format!("{person}/"));
        let mut sessions = Vec::new();
        for ticket in self.store.tickets_of(SESSION_OF, &prefix, now).await? {
            let Some(token_key) = ticket.key.strip_prefix(&prefix) else { continue };
            let key = TicketKey { kind: SESSION.to_owned(), key: token_key.to_owned() };
            let session = self.store.ticket(&key, now).await?;
            let session = session.and_then(|ticket| serde_json::from_value::<Session>(ticket.value).ok());
            sessions.extend(session.map(|session| (token_key.to_owned(), session)));
        }
        sessions.sort_by_key(|(_, session)| std::cmp::Reverse(session.expires_at));
        Ok(sessions)
    }

    /// Ends a session, and the streams that live by it.
    async fn end_session(&self, token_key: &str) -> Result<(), Problem> {
        let key = TicketKey { kind: SESSION.to_owned(), key: token_key.to_owned() };
        self.store.take_ticket(&key, self.now()).await?;
        self.feeds.end_session(token_key);
        Ok(())
    }

    /// Makes room for one more session of a person: the oldest end. Signing in is never refused for it, since
    /// whoever lost their devices could not get in to sign out.
    async fn end_oldest_sessions(&self, person: &PersonId, now: Timestamp) -> Result<(), Problem> {
        let prefix = format!("{person}/");
        let mut open = self.store.tickets_of(SESSION_OF, &prefix, now).await?;
        let most = self.config.limits.sessions_per_person.saturating_sub(1);
        let too_many = open.len().saturating_sub(most);
        open.sort_by_key(|ticket| ticket.expires_at);
        for ticket in open.into_iter().take(too_many) {
            if let Some(token_key) = ticket.key.strip_prefix(&prefix) {
                self.end_session(token_key).await?;
            }
            // A crash before this leaves an entry that counts until it expires, of a session that is over.
            self.store.take_ticket(&TicketKey { kind: ticket.kind, key: ticket.key }, now).await?;
        }
        Ok(())
    }

    /// The session of a token, while its person is active and has the passkey that introduced it.
    pub(crate) async fn session(&self, token: &str) -> Result<(Session, Standing), Problem> {
        let key = TicketKey { kind: SESSION.to_owned(), key: token_key(token) };
        let ticket = self.store.ticket(&key, self.now()).await?;
        let ended = || Problem::unauthenticated("session_unknown", "the session ended or never was");
        let session: Session =
            serde_json::from_value(ticket.ok_or_else(ended)?.value).map_err(|_| ended())?;
        let (people, now) = (self.people.now(), self.now());
        let Some(person) = people.active(&session.person) else {
            return Err(Problem::unauthenticated("person_not_active", "the person is suspended"));
        };
        let id = session.credential_id.as_bytes();
        let standing = match person.counting_key(id, now) {
            Ok(_) => Standing::Full,
            Err(_) if person.present_key(id, now).is_some() => Standing::Held,
            Err(_) => {
                let reason = "the passkey that signed in was taken away";
                return Err(Problem::unauthenticated("session_unknown", reason));
            }
        };
        Ok((session, standing))
    }
}

/// What says that a session is this person's.
fn of_person(person: &PersonId, token_key: &str, expires_at: Timestamp) -> Ticket {
    let key = format!("{person}/{token_key}");
    Ticket { kind: SESSION_OF.to_owned(), key, value: Value::Null, expires_at }
}

fn session(
    document: &Canonical,
    verified: &VerifiedSession,
    credential_id: Bytes<MAX_CREDENTIAL_ID>,
) -> Result<Session, Problem> {
    let said: SessionDocument = document.decode().map_err(Problem::bug)?;
    Ok(Session {
        person: verified.person().clone(),
        public_key: said.public_key,
        started_at: Some(said.issued_at),
        expires_at: verified.expires_at(),
        credential_id,
    })
}
