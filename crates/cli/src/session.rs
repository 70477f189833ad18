//! A session key: made here, introduced by a passkey in a browser, kept in a file that only this user can read.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use chancery_api::login::SignedIn;
use chancery_api::passkey::Assertion;
use chancery_api::request::RequestSignature;
use chancery_canonical::base64::encode_url;
use chancery_canonical::{Bytes, Canonical, Sha256};
use chancery_domain::document::SessionDocument;
use chancery_domain::time::Timestamp;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde::{Deserialize, Serialize};

use crate::client;
use crate::failure::Failure;
use crate::files;
use crate::moment;

/// A key that no passkey has introduced yet.
pub struct NewKey {
    seed: [u8; 32],
    pair: Ed25519KeyPair,
}

/// Somebody is signed in.
#[derive(Clone)]
pub struct Session {
    stored: Arc<Stored>,
    pair: Arc<Ed25519KeyPair>,
    log_origin: String,
    expires_at: Timestamp,
}

/// As it stands in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    server: String,
    person: String,
    token: String,
    /// The session document, as the passkey signed it; goes into each request.
    session: Canonical,
    introduction: Assertion,
    /// Seed of the Ed25519 key.
    seed: Bytes<32>,
}

impl NewKey {
    /// Makes one.
    ///
    /// # Errors
    /// When the operating system has no randomness.
    pub fn make() -> Result<Self, Failure> {
        let seed = client::random_bytes()?;
        Ok(Self { pair: pair_of(&seed)?, seed })
    }

    /// Raw public key.
    pub fn raw_public_key(&self) -> Vec<u8> {
        self.pair.public_key().as_ref().to_vec()
    }

    /// Raw public key, base64url.
    pub fn public_key(&self) -> String {
        encode_url(&self.raw_public_key())
    }

    /// Takes the session that a passkey introduced it with.
    ///
    /// # Errors
    /// When the session is of another key or person than the server says.
    pub fn introduced(self, server: &str, signed_in: SignedIn) -> Result<Session, Failure> {
        let session = Canonical::parse(signed_in.session.as_bytes()).map_err(|fault| unreadable(&fault))?;
        let stored = Stored {
            server: server.to_owned(),
            person: signed_in.person,
            token: signed_in.token,
            session,
            introduction: signed_in.introduction,
            seed: Bytes::new(self.seed).map_err(|fault| unreadable(&fault))?,
        };
        Session::of(stored)
    }
}

impl Session {
    fn of(stored: Stored) -> Result<Self, Failure> {
        let document: SessionDocument = stored.session.decode().map_err(|fault| unreadable(&fault))?;
        let seed = <[u8; 32]>::try_from(stored.seed.as_bytes()).map_err(|fault| unreadable(&fault))?;
        let pair = pair_of(&seed)?;
        let introduced =
            document.public_key.as_deref() == Some(encode_url(pair.public_key().as_ref()).as_str());
        if !introduced || document.person.as_str() != stored.person {
            return Err(Failure::SignIn("the session is of another key or person".to_owned()));
        }
        let (log_origin, expires_at) = (document.log_origin, document.expires_at);
        Ok(Self { stored: Arc::new(stored), pair: Arc::new(pair), log_origin, expires_at })
    }

    /// Reads the session of a server and profile; `None` when there is none or it ended.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn load(server: &str, profile: &str) -> Result<Option<Self>, Failure> {
        let path = path_of(server, profile)?;
        let Some(text) = files::read_if_there(&path)? else { return Ok(None) };
        let stored: Stored = serde_json::from_str(&text)
            .map_err(|fault| Failure::file(&path, format!("{fault}; remove it and run `chancery login`")))?;
        let session = Self::of(stored)?;
        let alive = session.stored.server == server && session.expires_at.unix() > moment::unix_now();
        Ok(alive.then_some(session))
    }

    /// Keeps it for the next commands.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, profile: &str) -> Result<(), Failure> {
        let text = serde_json::to_vec_pretty(&*self.stored).map_err(|fault| unreadable(&fault))?;
        files::write_private(&path_of(&self.stored.server, profile)?, &text)
    }

    /// Forgets the session of a server and profile.
    ///
    /// # Errors
    /// When there is a file and it cannot be removed.
    pub fn forget(server: &str, profile: &str) -> Result<(), Failure> {
        let path = path_of(server, profile)?;
        match std::fs::remove_file(&path) {
            Err(fault) if fault.kind() != std::io::ErrorKind::NotFound => Err(Failure::file(&path, fault)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Who.
    pub fn person(&self) -> &str {
        &self.stored.person
    }

    /// The log that the session document names; every document of this session must name it too.
    pub fn log_origin(&self) -> &str {
        &self.log_origin
    }

    /// For `Authorization: DPoP`.
    pub fn token(&self) -> &str {
        &self.stored.token
    }

    /// Raw public key, base64url.
    pub fn public_key(&self) -> String {
        encode_url(self.pair.public_key().as_ref())
    }

    /// Signs bytes.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }

    /// Signs a request's challenge.
    pub fn sign_request(&self, challenge: &Sha256) -> RequestSignature {
        RequestSignature::SessionKey {
            session: self.stored.session.as_str().to_owned(),
            introduction: self.stored.introduction.clone(),
            signature: encode_url(&self.sign(challenge.as_bytes())),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Session({} at {})", self.stored.person, self.stored.server)
    }
}

fn pair_of(seed: &[u8; 32]) -> Result<Ed25519KeyPair, Failure> {
    Ed25519KeyPair::from_seed_unchecked(seed).map_err(|fault| unreadable(&fault))
}

fn unreadable(fault: &dyn fmt::Display) -> Failure {
    Failure::Fault(format!("the session cannot be used: {fault}"))
}

/// One file for each server and profile; the profile is a name of letters, checked where it is read.
fn path_of(server: &str, profile: &str) -> Result<PathBuf, Failure> {
    let digest: String = Sha256::of(server.as_bytes()).to_hex().chars().take(16).collect();
    Ok(files::state_folder()?.join("sessions").join(format!("{profile}-{digest}.json")))
}
