//! A link for when nobody who administers can sign in: made on the server's own host, beside a stopped server. It
//! confers nothing; the key that is made with it waits for the signatures of recovery keys.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chancery_domain::id::PersonId;
use chancery_domain::leaf::Stream;
use chancery_domain::people::IDENTITY_ADMIN;
use chancery_store::{Fault, LogSigner, OpenError, SqliteOptions, SqliteStore, Store as _};

use crate::app::enrol_person::{Invited, invitation_ticket};
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::keys::{self, KeyFault};
use crate::random::Random;
use crate::trust::{self, TrustFault};

/// Name of the file with the link.
const RECOVERY_LINK: &str = "recovery-link";

/// For whom a link is.
#[derive(Clone, Debug)]
pub struct RecoveryLinkOptions {
    /// Somebody who lost their keys; absent for a new administrator.
    pub person: Option<PersonId>,
    /// Another clock, for tests.
    pub clock: Option<Clock>,
}

/// A link that was made.
#[derive(Clone, Debug)]
pub struct RecoveryLink {
    /// The file that holds it, which only its owner may read.
    pub file: PathBuf,
    /// Who will enrol.
    pub person: PersonId,
    /// The link itself.
    pub url: String,
}

/// Why no link was made.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryLinkError {
    /// The configuration is not in order.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A key or the link's file cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// trust/ cannot be read.
    #[error(transparent)]
    Trust(#[from] TrustFault),
    /// Nobody could sign for what the link leads to.
    #[error("trust/ names no recovery keys, so nobody could sign: two identity administrators have to")]
    NoRecoveryKeys,
    /// Nobody of that id.
    #[error("person `{0}` is unknown to the log")]
    Unknown(PersonId),
    /// The journal cannot be opened; a running server holds it.
    #[error("{0}; stop the server while the link is made")]
    Open(#[from] OpenError),
    /// The journal cannot be written.
    #[error(transparent)]
    Store(#[from] Fault),
    /// Something else.
    #[error("{0}")]
    Other(String),
}

/// Makes a one-time link in `data` and writes it to a file.
///
/// A crash after the ticket was stored leaves a link that nobody knows, which ends by itself.
///
/// # Errors
/// [`RecoveryLinkError`].
pub async fn recovery_link(
    data: &Path,
    options: RecoveryLinkOptions,
) -> Result<RecoveryLink, RecoveryLinkError> {
    let other = |error: &dyn std::fmt::Display| RecoveryLinkError::Other(error.to_string());
    let config = Config::read_from(data)?;
    let trusted = trust::read(&config.trust())?;
    if trusted.is_none_or(|trusted| trusted.root().document().recovery.keys.is_empty()) {
        return Err(RecoveryLinkError::NoRecoveryKeys);
    }
    let clock = match options.clock {
        Some(clock) => clock,
        None => Clock::system().map_err(|error| other(&error))?,
    };
    let store = open(&config).await?;
    let random = Random::default();
    let failed = |problem: crate::problem::Problem| RecoveryLinkError::Other(problem.detail());
    let invited = match options.person {
        Some(person) => {
            if store.stream(&Stream::Identity(person.clone()), 1).await?.is_empty() {
                return Err(RecoveryLinkError::Unknown(person));
            }
            invited(person, BTreeSet::new(), true)
        }
        None => {
            let person = random.person_id().map_err(failed)?;
            invited(person, BTreeSet::from([IDENTITY_ADMIN.to_owned()]), false)
        }
    };
    let token = random.token().map_err(failed)?;
    let expires_at = clock.now().plus(config.limits.invitation_seconds);
    store.put_ticket(invitation_ticket(&token, &invited, expires_at)).await?;
    // Dropping the store waits for its writer, which must not hold up the runtime.
    let _ = tokio::task::spawn_blocking(move || drop(store)).await;
    let url = format!("{}/enrol#{token}", config.public_url);
    let file = data.join(format!("{RECOVERY_LINK}-{}", invited.person));
    keys::write_private(&file, format!("{url}\n").as_bytes())?;
    Ok(RecoveryLink { file, person: invited.person, url })
}

fn invited(person: PersonId, roles: BTreeSet<String>, recovers: bool) -> Invited {
    Invited { person, roles, attributes: BTreeMap::new(), invited_by: None, recovers }
}

async fn open(config: &Config) -> Result<SqliteStore, RecoveryLinkError> {
    let other = |error: &dyn std::fmt::Display| RecoveryLinkError::Other(error.to_string());
    let origin = config.origin().map_err(|error| other(&error))?;
    let signer = LogSigner::new(origin.clone(), keys::load_log_key(&config.data, &origin)?);
    let (database, checkpoint_copy) = (config.database(), config.checkpoint_copy());
    let options = SqliteOptions { database, checkpoint_copy, signer };
    let store = tokio::task::spawn_blocking(|| SqliteStore::open(options)).await;
    Ok(store.map_err(|error| other(&error))??)
}
