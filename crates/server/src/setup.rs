//! How an installation begins: keys, configuration, policy, revocation list, journal, and a one-time link for the
//! first administrator.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use chancery_domain::event::{PolicyActivated, PolicyEvent, to_parts};
use chancery_domain::leaf::Stream;
use chancery_domain::people::{IDENTITY_ADMIN, POLICY_OWNER};
use chancery_domain::signature::Authority;
use chancery_domain::time::Timestamp;
use chancery_issuer::issue::{Issuer, Places};
use chancery_issuer::ssh::Authority as SshAuthority;
use chancery_policy::{Bundle, BundleError, engine_version};
use chancery_store::{
    Append, AppendError, LogSigner, NewEvent, OpenError, SqliteOptions, SqliteStore, Store as _, StreamAppend,
};
use ring::rand::SystemRandom;

use crate::app::enrol_person::{Invited, invitation_ticket};
use crate::clock::Clock;
use crate::config::{Config, ConfigError, FILE};
use crate::keys::{self, KeyFault};
use crate::random::Random;

/// The default policy bundle, as it was when this program was built.
const DEFAULT_POLICY: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/policy_files.rs"));

/// Name of the file with the first enrolment link.
pub const ENROLMENT_LINK: &str = "enrolment-link";

/// How long the first link is good: a quarter of an hour.
pub const LINK_SECONDS: u64 = 900;

/// What is asked before an installation begins.
#[derive(Clone, Debug)]
pub struct InitOptions {
    /// Exact web origin.
    pub public_url: String,
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Name of the log.
    pub log_origin: String,
    /// A policy bundle to begin with, instead of the default one.
    pub policy: Option<PathBuf>,
    /// Roles of the first administrator, besides `identity_admin` and `policy_owner`.
    pub roles: BTreeSet<String>,
    /// Another clock, for tests.
    pub clock: Option<Clock>,
}

/// A new installation.
#[derive(Clone, Debug)]
pub struct Initialised {
    /// Its configuration, as written.
    pub config: Config,
    /// The one-time link. It also stands in a file that only its owner may read.
    pub enrolment_link: String,
    /// Where that file is.
    pub enrolment_link_file: PathBuf,
}

/// Why nothing was initialised, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// Something is there already.
    #[error("`{0}` exists: an installation is never overwritten, name an empty folder")]
    Exists(PathBuf),
    /// The options are not usable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A key cannot be made.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// A file cannot be written.
    #[error("`{path}`: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The policy bundle is not in order.
    #[error("the policy bundle is refused: {0}")]
    Policy(#[from] BundleError),
    /// The issuer's files cannot be made.
    #[error("the issuer's files cannot be made: {0}")]
    Issuer(String),
    /// The journal cannot be made.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The first event cannot be recorded.
    #[error("the first event cannot be recorded: {0}")]
    Append(#[from] AppendError),
    /// Something else.
    #[error("{0}")]
    Other(String),
}

/// Makes an installation in `data`, which must be empty or not there.
///
/// A crash in the middle leaves a folder that is refused the next time; remove it and begin again.
///
/// # Errors
/// [`InitError`].
pub async fn init(data: &Path, options: InitOptions) -> Result<Initialised, InitError> {
    let mut config = Config::new(options.public_url, options.listen, options.log_origin);
    config.check()?;
    if fs::read_dir(data).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(InitError::Exists(data.to_owned()));
    }
    let clock = match options.clock {
        Some(clock) => clock,
        None => Clock::system().map_err(|error| InitError::Other(error.to_string()))?,
    };
    keys::private_directory(data)?;
    keys::create(data)?;
    keys::write_private(&data.join(FILE), config.to_toml().as_bytes())?;
    data.clone_into(&mut config.data);
    make_issuer(&config, clock.now())?;
    let bundle = write_policy(&config.policy(), options.policy.as_deref())?;
    let enrolment_link = begin_journal(&config, &bundle, options.roles, clock.now()).await?;
    let enrolment_link_file = data.join(ENROLMENT_LINK);
    keys::write_private(&enrolment_link_file, format!("{enrolment_link}\n").as_bytes())?;
    Ok(Initialised { config, enrolment_link, enrolment_link_file })
}

/// The SSH authority and an empty revocation list: a host without one admits nobody.
fn make_issuer(config: &Config, now: Timestamp) -> Result<(), InitError> {
    let failed = |error: &dyn std::fmt::Display| InitError::Issuer(error.to_string());
    let (authority, list) = (config.ssh_ca_key(), config.ssh_krl());
    for path in [&authority, &list] {
        keys::private_directory(path.parent().unwrap_or(Path::new(".")))?;
    }
    SshAuthority::create(&authority, &SystemRandom::new()).map_err(|error| failed(&error))?;
    let book = config.data.join("issuer");
    let places = Places { authority: &authority, revocation_list: &list, book: &book };
    Issuer::open(&places, now, Box::new(SystemRandom::new())).map_err(|error| failed(&error))?;
    Ok(())
}

/// Writes the bundle that the installation begins with, once it was found to be in order.
fn write_policy(folder: &Path, given: Option<&Path>) -> Result<Bundle, InitError> {
    let bundle = match given {
        Some(given) => Bundle::read(given)?,
        None => {
            let files = DEFAULT_POLICY.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec()));
            Bundle::from_files(files.collect::<BTreeMap<_, _>>())?
        }
    };
    for (path, bytes) in bundle.files() {
        let path = folder.join(path);
        keys::private_directory(path.parent().unwrap_or(folder))?;
        keys::write_private(&path, bytes)?;
    }
    Ok(bundle)
}

/// The first event of the log says which policy is active; beside it the ticket of the first link.
async fn begin_journal(
    config: &Config,
    bundle: &Bundle,
    mut roles: BTreeSet<String>,
    now: Timestamp,
) -> Result<String, InitError> {
    let other = |error: &dyn std::fmt::Display| InitError::Other(error.to_string());
    let origin = config.origin()?;
    let signer = LogSigner::new(origin.clone(), keys::load_log_key(&config.data, &origin)?);
    let copy = config.checkpoint_copy();
    keys::private_directory(copy.parent().unwrap_or(&config.data))?;
    let options = SqliteOptions { database: config.database(), checkpoint_copy: copy, signer };
    let store = tokio::task::spawn_blocking(|| SqliteStore::open(options)).await;
    let store = store.map_err(|error| other(&error))??;
    let activated = PolicyEvent::Activated(PolicyActivated {
        sequence: 1,
        from: None,
        to: bundle.digest(),
        engine: engine_version().to_owned(),
        authority: Authority::Genesis,
    });
    let (kind, body) = to_parts(&activated).map_err(|error| other(&error))?;
    let random = Random::default();
    let failed = |problem: crate::problem::Problem| InitError::Other(problem.detail());
    let token = random.token().map_err(failed)?;
    roles.extend([IDENTITY_ADMIN.to_owned(), POLICY_OWNER.to_owned()]);
    let person = random.person_id().map_err(failed)?;
    let invited = Invited { person, roles, attributes: BTreeMap::new(), invited_by: None, recovers: false };
    let mut append = Append::at(now);
    append.remember.push(invitation_ticket(&token, &invited, now.plus(LINK_SECONDS)));
    append.streams.push(StreamAppend {
        stream: Stream::Policy,
        expected_version: 0,
        events: vec![NewEvent { kind, body, private: None, attestation: None }],
    });
    store.append(append).await?;
    // Dropping the store waits for its writer, which must not hold up the runtime.
    let _ = tokio::task::spawn_blocking(move || drop(store)).await;
    Ok(format!("{}/enrol#{token}", config.public_url))
}
