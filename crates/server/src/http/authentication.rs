//! Who is asking. A browser shows its cookie, and for unsafe methods the exact origin; a command line shows a
//! token and proves with each request that it holds the session key (RFC 9449).

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use chancery_canonical::Sha256;
use chancery_canonical::base64::{decode_url, encode_url};
use chancery_domain::id::PersonId;
use chancery_domain::proof::AuthenticatedActor;
use chancery_domain::time::Timestamp;

use super::admission::PersonShare;
use crate::app::App;
use crate::app::sign_in::{Session, Standing};
use crate::http::boundary;
use crate::http::proof::{self, Claims};
use crate::problem::Problem;

/// Name of the cookie. The prefix makes browsers demand `Secure`, `Path=/` and no `Domain`.
pub const COOKIE: &str = "__Host-chancery";

/// How far a proof's time may be off, in seconds.
const PROOF_WINDOW_SECONDS: u64 = 60;

/// Somebody whose session was just checked.
pub struct Actor {
    /// For the domain.
    pub actor: AuthenticatedActor,
    /// How they are signed in.
    pub session: Session,
    /// What the session is good for.
    pub standing: Standing,
    /// Cookie or token, to sign out with.
    pub token: String,
    /// Where their connection comes from.
    pub address: Option<IpAddr>,
    /// Held while their request is worked on.
    _share: PersonShare,
}

impl Actor {
    /// Who.
    pub fn person(&self) -> &PersonId {
        self.actor.person()
    }
}

impl FromRequestParts<Arc<App>> for Actor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let (token, session, standing, share) = match parts.headers.get(header::AUTHORIZATION) {
            Some(value) => by_proof(app, parts, value).await?,
            None => by_cookie(app, parts).await?,
        };
        if standing == Standing::Held && !open_to_held(parts) {
            return Err(held());
        }
        boundary::saw_person(&session.person);
        let actor = AuthenticatedActor::authenticated_by_the_server(session.person.clone());
        let address = address(app, parts);
        Ok(Self { actor, session, standing, token, address, _share: share })
    }
}

/// What a session may do whose passkey counts for nothing: look, stop the recovery (what else it signs is refused by
/// the chain of people), and sign out.
fn open_to_held(parts: &Parts) -> bool {
    const OPEN: [&str; 3] = ["/api/v1/identity/options", "/api/v1/identity", "/api/v1/sessions/current"];
    matches!(parts.method, Method::GET | Method::HEAD) || OPEN.contains(&parts.uri.path())
}

fn held() -> Problem {
    Problem::refused(
        axum::http::StatusCode::FORBIDDEN,
        "session_held",
        "a recovery of this person is running: for a day this session may only look, and stop it",
        "wait until the new passkey counts (`chancery whoami` says when), or stop the recovery if it is not yours",
    )
}

/// Cookie or token, the session, what it is good for, and the share of the work.
type Known = (String, Session, Standing, PersonShare);

async fn by_cookie(app: &App, parts: &Parts) -> Result<Known, Problem> {
    let nobody = || Problem::unauthenticated("not_signed_in", "nobody is signed in");
    let token = cookie(&parts.headers).ok_or_else(nobody)?;
    let (session, standing) = app.session(&token).await?;
    if session.public_key.is_some() {
        return Err(Problem::unauthenticated("session_bound_to_key", "that session is bound to a key"));
    }
    check_origin(app, &parts.method, &parts.headers)?;
    let share = app.admission.person(&session.person, &app.config.limits, app.now())?;
    Ok((token, session, standing, share))
}

/// Refuses unsafe requests that another site's page may have sent.
fn check_origin(app: &App, method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let origin = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok());
    if origin == Some(app.config.public_url.as_str()) {
        return Ok(());
    }
    Err(Problem::refused(
        axum::http::StatusCode::FORBIDDEN,
        "origin",
        "the request does not come from this site's own pages",
        format!("send it from `{}`", app.config.public_url),
    ))
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut ours = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    ours.find(|(name, _)| *name == COOKIE).map(|(_, value)| value.to_owned())
}

/// The header that sets the cookie, or with no token takes it away.
pub fn set_cookie(token: Option<&str>, seconds: u64) -> Result<HeaderValue, Problem> {
    let (token, seconds) = (token.unwrap_or_default(), token.map_or(0, |_| seconds));
    let text = format!("{COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; Secure; SameSite=Strict");
    HeaderValue::from_str(&text).map_err(Problem::bug)
}

async fn by_proof(app: &App, parts: &Parts, value: &HeaderValue) -> Result<Known, Problem> {
    let malformed = |reason: &str| Problem::unauthenticated("authorization", reason);
    let text = value.to_str().map_err(|_| malformed("`Authorization` is not ASCII"))?;
    let token = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("DPoP"));
    let (_, token) = token.ok_or_else(|| malformed("`Authorization` is not `DPoP TOKEN`"))?;
    let (session, standing) = app.session(token).await?;
    let key = session.public_key.as_deref().and_then(|key| decode_url(key).ok());
    let key = key.ok_or_else(|| malformed("that session is not bound to a key"))?;
    let proofs: Vec<&HeaderValue> = parts.headers.get_all("dpop").iter().collect();
    let [proof] = proofs.as_slice() else { return Err(malformed("exactly one `DPoP` proof is needed")) };
    let proof = proof.to_str().map_err(|_| malformed("the `DPoP` proof is not ASCII"))?;
    let claims = proof::verify(proof, &key).map_err(|refusal| refused_proof(&refusal.to_string()))?;
    // Counted once the key has signed: whoever has only the token uses up nobody's share.
    let share = app.admission.person(&session.person, &app.config.limits, app.now())?;
    check_claims(app, parts, token, &session.person, &claims)?;
    Ok((token.to_owned(), session, standing, share))
}

fn refused_proof(reason: &str) -> Problem {
    Problem::unauthenticated("dpop_proof", reason)
}

fn check_claims(
    app: &App,
    parts: &Parts,
    token: &str,
    person: &PersonId,
    claims: &Claims,
) -> Result<(), Problem> {
    let refused = |reason: &str| Err(refused_proof(reason));
    let here = format!("{}{}", app.config.public_url, parts.uri.path());
    if claims.htm != parts.method.as_str() || claims.htu != here {
        return refused("the `DPoP` proof is for another method or address");
    }
    if claims.ath != encode_url(Sha256::of(token.as_bytes()).as_bytes()) {
        return refused("the `DPoP` proof is for another token");
    }
    let now = app.now();
    let Ok(made) = Timestamp::from_unix(claims.iat) else {
        return refused("the `DPoP` proof's time is none");
    };
    let off = now.seconds_since(made).max(made.seconds_since(now));
    // Proofs that were used before a restart are forgotten, so none from before it is taken.
    if off > PROOF_WINDOW_SECONDS || made < app.started_at {
        return refused("the `DPoP` proof's time is more than 60 seconds off, or before the server's start");
    }
    if !(8..=200).contains(&claims.jti.len()) {
        return refused("the `DPoP` proof's `jti` must have 8 to 200 characters");
    }
    let mut replays = app.replays.lock().unwrap_or_else(PoisonError::into_inner);
    if replays.take(person, Sha256::of(claims.jti.as_bytes()), made.plus(2 * PROOF_WINDOW_SECONDS), now) {
        return Ok(());
    }
    refused("the `DPoP` proof was used before, or this person used too many within two minutes")
}

/// Where a connection comes from, as far as trusted proxies say.
pub fn address(app: &App, parts: &Parts) -> Option<IpAddr> {
    let ConnectInfo(peer) = parts.extensions.get::<ConnectInfo<SocketAddr>>()?;
    let lines = parts.headers.get_all("x-forwarded-for").iter();
    let lines: Option<Vec<&str>> = lines.map(|line| line.to_str().ok()).collect();
    app.proxies.client_address(peer.ip().to_canonical(), &lines?)
}
