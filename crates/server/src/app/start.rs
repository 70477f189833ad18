//! Opening an installation: keys, store, people, policy, trust, issuer.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use chancery_domain::time::{Timestamp, TimestampError};
use chancery_evidence::identity::Chain;
use chancery_issuer::issue::{Issuer, Places};
use chancery_ledger::VerifierKey;
use chancery_policy::Engine;
use chancery_signals::{Gatherer, Origin as OriginProvider, Provider, TrustedProxies};
use chancery_store::{AnyStore, Fault, LogSigner, OpenError, SqliteOptions, SqliteStore, Store};
use tokio::sync::{Notify, watch};

use super::count_waiting::Waiting;
use super::{App, People};
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::feed::Feeds;
use crate::http::admission::Admission;
use crate::http::replays::Replays;
use crate::keys::{self, KeyFault};
use crate::metrics::Metrics;
use crate::policy::{self, PolicyFault};
use crate::random::Random;
use crate::rotate_log::{LIVES, Rotation};
use crate::trust::{self, TrustFault};

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is not in order.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// The journal does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The journal cannot be read, or does not verify.
    #[error(transparent)]
    Store(#[from] Fault),
    /// There is no policy to judge by.
    #[error(transparent)]
    Policy(#[from] PolicyFault),
    /// The sealed trust root is gone or another one.
    #[error(transparent)]
    Trust(#[from] TrustFault),
    /// The issuer does not start.
    #[error("the issuer does not start: {0}")]
    Issuer(String),
    /// The clock shows a time before the newest event.
    #[error("the clock shows {now}, the newest event is of {newest}: set the clock")]
    ClockBehind {
        /// What it shows.
        now: String,
        /// The newest event.
        newest: String,
    },
    /// The clock shows no usable time.
    #[error(transparent)]
    Clock(#[from] TimestampError),
}

impl StartError {
    /// Whether nothing may be signed here for now, while what is due can still be taken back ([`crate::held`]).
    pub fn holds_signing(&self) -> bool {
        match self {
            Self::Open(error) => error.holds_signing(),
            Self::ClockBehind { .. } => true,
            Self::Config(_)
            | Self::Key(_)
            | Self::Store(_)
            | Self::Policy(_)
            | Self::Trust(_)
            | Self::Issuer(_)
            | Self::Clock(_) => false,
        }
    }
}

impl App {
    /// Opens the installation that a configuration names, and verifies its people from the first leaf on.
    pub(crate) async fn open(config: Config, clock: Clock) -> Result<Self, StartError> {
        config.check()?;
        let store = AnyStore::new(open_store(&config).await?);
        let policy = policy::load_active(&config.policy(), &store).await?;
        Self::open_on(
            config,
            clock,
            Parts { store, policy, random: Random::default(), single_threaded: false },
        )
        .await
    }

    /// The same on a store that is open already.
    pub(crate) async fn open_on(config: Config, clock: Clock, parts: Parts) -> Result<Self, StartError> {
        let Parts { store, policy, random, single_threaded } = parts;
        let origin = config.origin()?;
        let relying_party = config.relying_party()?;
        let rotation = rotation(&config)?;
        let log_key = match rotation {
            None => keys::load_log_key(&config.data, &origin)?.verifier().clone(),
            Some(_) => closed_key(&config)?,
        };
        let former = former(&config).await?;
        let newest = AtomicI64::new(check_clock(&clock, &store).await?.unix());
        let attestor = keys::load_attestor(&config.data)?;
        let issuer = open_issuer(&config, &clock)?;
        let people = People::empty(Chain::unsealed(config.log_origin.clone(), relying_party.clone()));
        let origin_signal = &config.signals.origin;
        let providers: Vec<Arc<dyn Provider>> =
            vec![Arc::new(OriginProvider::new(origin_signal.networks.clone()))];
        let app = Self {
            started_at: clock.now(),
            random,
            single_threaded,
            signals: Gatherer::new(providers, Duration::from_millis(config.signals.deadline_milliseconds)),
            proxies: TrustedProxies::new(origin_signal.trusted_proxies.clone()),
            hours: config.working_hours()?,
            attestation_roots: config.attestation_roots()?,
            trust: RwLock::new(None),
            identity_acts: tokio::sync::Mutex::new(()),
            number_matching: tokio::sync::Mutex::new(()),
            sealing: tokio::sync::Mutex::new(()),
            replays: Mutex::new(Replays::for_rate(config.limits.requests_per_person_per_minute)),
            admission: Admission::new(&config.limits),
            waiting: Waiting::default(),
            feeds: Feeds::new(config.limits.event_streams),
            stopping: watch::Sender::new(false),
            metrics: Metrics::default(),
            effect_due: Notify::new(),
            config,
            clock,
            newest,
            store,
            log_key,
            former,
            rotation,
            relying_party,
            policy: Arc::new(policy),
            attestor,
            issuer,
            people,
            requests: super::known_requests::KnownRequests::default(),
            documents: super::documents::Documents::default(),
        };
        app.take_up_trust().await?;
        Ok(app)
    }
}

/// What a server runs on.
pub struct Parts {
    /// The journal.
    pub store: AnyStore,
    /// The active policy.
    pub policy: Engine,
    /// Where random values come from.
    pub random: Random,
    /// Whether long computations run on the thread that asks for them.
    pub single_threaded: bool,
}

/// Opens the journal that a configuration names.
async fn open_store(config: &Config) -> Result<SqliteStore, StartError> {
    let origin = config.origin()?;
    let signer = match rotation(config)? {
        None => LogSigner::new(origin.clone(), keys::load_log_key(&config.data, &origin)?),
        Some(_) => LogSigner::closed(origin, closed_key(config)?),
    };
    let options =
        SqliteOptions { database: config.database(), checkpoint_copy: config.checkpoint_copy(), signer };
    let store = tokio::task::spawn_blocking(|| SqliteStore::open(options)).await;
    Ok(store.map_err(|error| Fault::Database(error.to_string()))??)
}

/// Whether this life of the log is over.
fn rotation(config: &Config) -> Result<Option<Rotation>, StartError> {
    Rotation::read(&config.data).map_err(|error| TrustFault::File(error).into())
}

/// The lives of the log before this one that are kept here.
async fn former(config: &Config) -> Result<BTreeMap<String, SqliteStore>, StartError> {
    let mut stores = BTreeMap::new();
    let lives = config.data.join(LIVES);
    let Some(trusted) = lives.is_dir().then(|| trust::read(&config.trust())).transpose()?.flatten() else {
        return Ok(stores);
    };
    for key in trusted.root().log_keys() {
        let database = lives.join(key.name().as_str()).join("chancery.db");
        if database.exists() {
            let (name, key) = (key.name().as_str().to_owned(), key.clone());
            let store = tokio::task::spawn_blocking(|| SqliteStore::open_read_only(database, key)).await;
            stores.insert(name, store.map_err(|error| StartError::Issuer(error.to_string()))??);
        }
    }
    Ok(stores)
}

/// The key of a life that is over: the root names it, the file may be lost.
fn closed_key(config: &Config) -> Result<VerifierKey, StartError> {
    let trusted = trust::read(&config.trust())?.ok_or(TrustFault::Misfit("digest (it is missing)"))?;
    let key = trusted.root().log_key(&config.log_origin);
    Ok(key.ok_or(TrustFault::Misfit("log"))?.clone())
}

/// The issuer's files.
pub(crate) fn open_issuer(config: &Config, clock: &Clock) -> Result<Issuer, StartError> {
    let (authority, list, book) = (config.ssh_ca_key(), config.ssh_krl(), config.data.join("issuer"));
    let places = Places { authority: &authority, revocation_list: &list, book: &book };
    let random = Box::new(ring::rand::SystemRandom::new());
    Issuer::open(&places, clock.now(), random).map_err(|error| StartError::Issuer(error.to_string()))
}

/// Refuses to sign with a clock that runs behind what was signed; the time of the newest event.
pub(crate) async fn check_clock(clock: &Clock, store: &impl Store) -> Result<Timestamp, StartError> {
    let now = clock.now();
    match store.newest_time().await? {
        Some(newest) if newest > now => {
            Err(StartError::ClockBehind { now: now.to_string(), newest: newest.to_string() })
        }
        Some(newest) => Ok(newest),
        None => Ok(now),
    }
}
