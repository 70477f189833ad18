//! Sealing: from the genesis persons of the log to trust/, which strangers bring along. It reads the journal beside
//! a running server and writes nothing into it; the server takes trust/ up by itself.

use std::path::{Path, PathBuf};

use chancery_domain::leaf::Stream;
use chancery_domain::people::{Directory, IDENTITY_ADMIN};
use chancery_domain::time::Timestamp;
use chancery_evidence::attest::Predicate;
use chancery_evidence::identity::Chain;
use chancery_evidence::trust::{
    Floor, Genesis, GenesisPerson, IssuerKey, PolicyRoot, Recovery, TrustDirectory, TrustDirectoryError,
    TrustDocument, TrustError, TrustRoot, TrustType, TrustedLog,
};
use chancery_issuer::ssh::{Authority as SshAuthority, AuthorityError};
use chancery_ledger::WitnessPolicy;
use chancery_policy::entitlement::RiskTier;
use chancery_policy::{Bundle, BundleError, Entitlement, engine_version};
use chancery_store::{Fault, MAX_PAGE, OpenError, SqliteStore, Store as _};
use serde_json::Value;

use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::keys::{self, KeyFault};
use crate::trust;

/// How long a trust root is good: two years.
pub(crate) const TRUST_SECONDS: u64 = 2 * 365 * 24 * 3600;

/// How to seal.
#[derive(Clone, Debug, Default)]
pub struct SealOptions {
    /// Seal with one administrator, for a demonstration or a team of one. The root says so.
    pub allow_single: bool,
    /// Offline keys against lock-out; none when empty.
    pub recovery: Recovery,
    /// Another clock, for tests.
    pub clock: Option<Clock>,
}

/// What was written.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// The root.
    pub root: TrustRoot,
    /// Where it is.
    pub folder: PathBuf,
}

/// Why nothing was sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The configuration is not in order.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A key cannot be read.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// The SSH authority cannot be read.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The journal cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The journal is damaged.
    #[error(transparent)]
    Store(#[from] Fault),
    /// The policy bundle is not in order.
    #[error("the policy bundle is refused: {0}")]
    Policy(#[from] BundleError),
    /// Too few people to watch each other.
    #[error(
        "{found} administrators are enrolled, two are needed: invite another, or seal with one on purpose (`--single`)"
    )]
    TooFewAdministrators {
        /// How many there are.
        found: usize,
    },
    /// It is sealed already.
    #[error("`{0}` exists: a trust root is sealed once, its successors are signed by the administrators")]
    Exists(PathBuf),
    /// The root would not be in order.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The files cannot be rendered.
    #[error(transparent)]
    Directory(#[from] TrustDirectoryError),
    /// A file cannot be written.
    #[error("`{path}`: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Something else.
    #[error("{0}")]
    Other(String),
}

/// Renders trust/ for the installation in `data`.
///
/// # Errors
/// [`SealError`].
pub async fn seal(data: &Path, options: SealOptions) -> Result<Sealed, SealError> {
    let config = Config::read_from(data)?;
    let folder = config.trust();
    if folder.join("trust.json").exists() {
        return Err(SealError::Exists(folder));
    }
    let clock = match options.clock {
        Some(clock) => clock,
        None => Clock::system().map_err(|error| SealError::Other(error.to_string()))?,
    };
    let persons = genesis(&config).await?;
    let administrators = persons.iter().filter(|person| person.roles.contains(IDENTITY_ADMIN)).count();
    if administrators < 2 && !(administrators == 1 && options.allow_single) {
        return Err(SealError::TooFewAdministrators { found: administrators });
    }
    let root = {
        let document = document(&config, persons, administrators, clock.now())?;
        TrustRoot::new(TrustDocument { recovery: options.recovery, ..document })?
    };
    let written = trust::write(&folder, &TrustDirectory::render(&root)?);
    written.map_err(|cause| SealError::File { path: folder.clone(), cause })?;
    Ok(Sealed { root, folder })
}

/// Everyone whom the log holds, which before the seal are the genesis persons.
async fn genesis(config: &Config) -> Result<Vec<GenesisPerson>, SealError> {
    let key = keys::load_log_key(&config.data, &config.origin()?)?.verifier().clone();
    let database = config.database();
    let store = tokio::task::spawn_blocking(|| SqliteStore::open_read_only(database, key)).await;
    let store = store.map_err(|error| SealError::Other(error.to_string()))??;
    if !store.stream(&Stream::Trust, 1).await?.is_empty() {
        return Err(SealError::Other("the log says that it is sealed already".to_owned()));
    }
    let mut chain = Chain::unsealed(config.log_origin.clone(), config.relying_party()?);
    let mut from = 0;
    loop {
        let events = store.events_from(from, MAX_PAGE).await?;
        let Some(last) = events.last() else { break };
        from = last.position.leaf_index.saturating_add(1);
        for event in events.iter().filter(|event| matches!(event.leaf.stream, Stream::Identity(_))) {
            chain
                .admit(event.position.leaf_index, &event.leaf)
                .map_err(|error| Fault::Damaged(error.to_string()))?;
        }
    }
    Ok(persons(chain.directory()))
}

fn persons(directory: &Directory) -> Vec<GenesisPerson> {
    let of = |person: &chancery_domain::people::Person| GenesisPerson {
        id: person.id.clone(),
        roles: person.roles.clone(),
        attributes: person.attributes.clone(),
        passkeys: person.passkeys.values().cloned().collect(),
    };
    directory.persons().map(of).collect()
}

fn document(
    config: &Config,
    persons: Vec<GenesisPerson>,
    administrators: usize,
    now: Timestamp,
) -> Result<TrustDocument, SealError> {
    let other = |error: &dyn std::fmt::Display| SealError::Other(error.to_string());
    let origin = config.origin()?;
    let vkey = keys::load_log_key(&config.data, &origin)?.verifier().to_string();
    let witness_policy: WitnessPolicy =
        format!("log {vkey}\nquorum none\n").parse().map_err(|error| other(&error))?;
    let attestor = keys::load_attestor(&config.data)?;
    let attested = |predicate: Predicate| (predicate.name().to_owned(), vec![*attestor.public_key()]);
    let authority = SshAuthority::open(&config.ssh_ca_key())?;
    let bundle = Bundle::read(&config.policy())?;
    let sealed_with = u32::try_from(administrators).map_err(|error| other(&error))?;
    let site = config.relying_party()?;
    Ok(TrustDocument {
        document_type: TrustType::V1,
        version: 1,
        previous_sha256: None,
        created_at: now,
        expires_at: now.plus(TRUST_SECONDS),
        logs: vec![TrustedLog { origin, vkey, first_index: None, closed: None }],
        witness_policy: witness_policy.to_string(),
        rp_id: site.id().to_owned(),
        origins: site.origins().to_vec(),
        genesis: Genesis { persons },
        administrators: Vec::new(),
        sealed_with,
        administrators_needed: sealed_with.min(2),
        recovery: Recovery::default(),
        directories: Vec::new(),
        policy: PolicyRoot { genesis_sha256: bundle.digest(), owners_needed: sealed_with.min(2) },
        engines: vec![engine_version().to_owned()],
        floors: bundle.entitlements().iter().map(|(name, one)| (name.clone(), floor(one))).collect(),
        attestation_keys: Predicate::ALL.into_iter().map(attested).collect(),
        issuers: vec![IssuerKey::Ssh { public_key: authority.key().line("") }],
        attestation_roots: config.attestation_roots()?,
    })
}

/// What no verdict on an entitlement gets below: what its data says under `policy.floor`, else one approver (two
/// for critical ones), its own longest grant, and nothing without approvers.
fn floor(entitlement: &Entitlement) -> Floor {
    let said = |name: &str| entitlement.data().pointer(&format!("/policy/floor/{name}"));
    let allow = said("allow").and_then(Value::as_bool).unwrap_or(false);
    let usual = match entitlement.risk_tier() {
        RiskTier::Low | RiskTier::Medium | RiskTier::High => 1,
        RiskTier::Critical => 2,
    };
    let minimum =
        said("minimum_approvers").and_then(Value::as_u64).and_then(|count| u32::try_from(count).ok());
    Floor {
        minimum_approvers: minimum.unwrap_or(usual),
        maximum_seconds: said("maximum_seconds")
            .and_then(Value::as_u64)
            .unwrap_or(entitlement.clocks().grant_seconds),
        allow,
        break_glass: false,
        override_denied: false,
        oidc: false,
    }
}
