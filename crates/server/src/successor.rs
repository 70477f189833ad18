//! A successor of the trust root on its way: proposed beside the server, signed on its page by the administrators, and
//! then sealed into the log. Whoever runs the server can propose what they like; only what enough administrators signed
//! is believed by anybody.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chancery_domain::people::{Directory, IDENTITY_ADMIN};
use chancery_domain::signature::PersonSignature;
use chancery_domain::time::Timestamp;
use chancery_evidence::identity::Chain;
use chancery_evidence::trust::{
    Administrator, SuccessorRefusal, TrustDocument, TrustError, TrustRoot, accept_successor, check_standing,
    diff,
};
use chancery_policy::engine_version;
use chancery_store::{MAX_PAGE, OpenError, SqliteStore, Store as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::seal::TRUST_SECONDS;
use crate::trust::{self, TrustFault, Trusted};

/// Name of the file in the data folder.
pub const SUCCESSOR: &str = "successor.json";

/// What was proposed, and who signed so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// The next `trust.json`, byte for byte.
    pub trust: String,
    /// Signatures that stand.
    pub signatures: Vec<PersonSignature>,
}

/// One change of the document, in words of RFC 6901.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// JSON pointer.
    pub pointer: String,
    /// What stands there from now on; `None` takes it away.
    pub value: Option<Value>,
}

/// What is to be proposed.
#[derive(Clone, Debug, Default)]
pub struct ProposeOptions {
    /// Changes, in order. Without any the root is renewed: a later end, the administrators of now, this engine.
    pub changes: Vec<Change>,
    /// In place of a proposal that waits already, and of its signatures.
    pub replace: bool,
    /// Another clock, for tests.
    pub clock: Option<Clock>,
}

/// What was proposed.
#[derive(Clone, Debug)]
pub struct Proposed {
    /// The next version, not signed yet.
    pub root: TrustRoot,
    /// What it changes, a line each.
    pub changes: Vec<String>,
    /// How many administrators have to sign.
    pub needed: u32,
    /// Where it waits.
    pub file: PathBuf,
}

/// Why nothing was proposed.
#[derive(Debug, thiserror::Error)]
pub enum ProposeError {
    /// The configuration is not in order.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The present root cannot be read.
    #[error(transparent)]
    Trust(#[from] TrustFault),
    /// There is nothing to succeed.
    #[error("nothing is sealed yet: `chancery trust seal` comes first")]
    NotSealed,
    /// The journal cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The journal is damaged.
    #[error(transparent)]
    Store(#[from] chancery_store::Fault),
    /// One waits already.
    #[error("`{0}` waits for signatures already: have it signed, or replace it on purpose (`--replace`)")]
    Waits(PathBuf),
    /// A change leads nowhere.
    #[error("`{0}` is no place in trust.json: `chancery trust show DIR -o json` shows them")]
    Pointer(String),
    /// What comes of the changes is no trust root.
    #[error("with these changes trust.json is not in order: {0}")]
    Shape(String),
    /// What comes of the changes is not in order.
    #[error(transparent)]
    Root(#[from] TrustError),
    /// It may not follow the present one.
    #[error(transparent)]
    Successor(#[from] SuccessorRefusal),
    /// A file cannot be written.
    #[error("`{path}`: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Something else.
    #[error("{0}")]
    Other(String),
}

impl Proposal {
    /// The one that waits in this data folder.
    ///
    /// # Errors
    /// When it cannot be read, or is none.
    pub fn read(data: &Path) -> io::Result<Option<Self>> {
        match fs::read(data.join(SUCCESSOR)) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(io::Error::other),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Puts it there, in place of what was.
    ///
    /// # Errors
    /// When it cannot be written; what was is then still there.
    pub fn write(&self, data: &Path) -> io::Result<()> {
        let text = serde_json::to_vec(self).map_err(io::Error::other)?;
        trust::replace(&data.join(SUCCESSOR), &text)
    }

    /// The root that it proposes.
    ///
    /// # Errors
    /// [`TrustError`].
    pub fn root(&self) -> Result<TrustRoot, TrustError> {
        TrustRoot::parse(self.trust.as_bytes())
    }
}

/// Proposes the next version for the installation in `data`, beside its server.
///
/// # Errors
/// [`ProposeError`]; nothing changed.
pub async fn propose(data: &Path, options: ProposeOptions) -> Result<Proposed, ProposeError> {
    let config = Config::read_from(data)?;
    let clock = match options.clock.clone() {
        Some(clock) => clock,
        None => Clock::system().map_err(|error| ProposeError::Other(error.to_string()))?,
    };
    let trusted = trust::read(&config.trust())?.ok_or(ProposeError::NotSealed)?;
    let chain = people(&config, &trusted).await?;
    let mut document = next(trusted.root(), chain.directory(), clock.now())?;
    document = changed(document, &options.changes)?;
    put((&config.data, options.replace), &trusted, document, chain.directory())
}

/// Checks the document and lets it wait for signatures.
pub(crate) fn put(
    (data, replace): (&Path, bool),
    trusted: &Trusted,
    document: TrustDocument,
    people: &Directory,
) -> Result<Proposed, ProposeError> {
    let file = data.join(SUCCESSOR);
    if file.exists() && !replace {
        return Err(ProposeError::Waits(file));
    }
    let root = TrustRoot::new(document)?;
    match accept_successor(trusted.root(), &root, &[]) {
        Ok(()) | Err(SuccessorRefusal::TooFew { .. }) => {}
        Err(refusal) => return Err(refusal.into()),
    }
    check_standing(&root, &[], people)?;
    let proposal = Proposal { trust: root.canonical().as_str().to_owned(), signatures: Vec::new() };
    let written = proposal.write(data);
    written.map_err(|cause| ProposeError::File { path: file.clone(), cause })?;
    let needed = trusted.root().document().administrators_needed.max(root.document().administrators_needed);
    Ok(Proposed { changes: diff(trusted.root(), &root), root, needed, file })
}

/// Everyone in the log, read beside the server.
pub(crate) async fn people(config: &Config, trusted: &Trusted) -> Result<Chain, ProposeError> {
    let other = |error: &dyn std::fmt::Display| ProposeError::Other(error.to_string());
    let origin = config.log_origin.as_str();
    let key = trusted.root().log_key(origin).ok_or(TrustFault::Misfit("log"))?.clone();
    let database = config.database();
    let store = tokio::task::spawn_blocking(|| SqliteStore::open_read_only(database, key)).await;
    let store = store.map_err(|error| other(&error))??;
    let sealed = trust::sealed(&store).await?;
    if sealed.last().is_none_or(|newest| newest.event.sha256 != trusted.root().sha256()) {
        return Err(TrustFault::Misfit("digest").into());
    }
    let mut chain = trust::chain(trusted, origin, &sealed)?;
    let mut from = 0;
    loop {
        let events = store.identity_events_from(from, MAX_PAGE).await?;
        let Some(last) = events.last() else { return Ok(chain) };
        from = last.position.leaf_index.saturating_add(1);
        for event in &events {
            chain.admit(event.position.leaf_index, &event.leaf).map_err(|error| other(&error))?;
        }
    }
}

/// The next version with nothing changed but what is of its time: number, predecessor, clocks, engine, and who
/// administrates now.
pub(crate) fn next(
    current: &TrustRoot,
    people: &Directory,
    now: Timestamp,
) -> Result<TrustDocument, ProposeError> {
    let document = current.document();
    let administrators = administrators(people, now);
    let count = u32::try_from(administrators.len()).unwrap_or(u32::MAX);
    let needed = document.administrators_needed.max(count.min(2));
    let mut engines = document.engines.clone();
    if !current.knows_engine(engine_version()) {
        engines.push(engine_version().to_owned());
    }
    Ok(TrustDocument {
        version: document.version.saturating_add(1),
        previous_sha256: Some(current.sha256()),
        created_at: now.max(document.created_at),
        expires_at: now.plus(TRUST_SECONDS),
        sealed_with: count.max(needed),
        administrators_needed: needed,
        administrators,
        engines,
        ..document.clone()
    })
}

/// Who can sign as an administrator, with the keys that count.
fn administrators(people: &Directory, now: Timestamp) -> Vec<Administrator> {
    let active = people.persons().filter(|person| !person.suspended);
    let active = active.filter(|person| person.roles.contains(IDENTITY_ADMIN));
    let listed = active.map(|person| {
        let counts = |credential: &Vec<u8>| person.counting_key(credential, now).is_ok();
        let keys = person.passkeys.iter().filter(|(credential, _)| counts(credential));
        Administrator { id: person.id.clone(), passkeys: keys.map(|(_, key)| key.clone()).collect() }
    });
    listed.filter(|one| !one.passkeys.is_empty()).collect()
}

fn changed(document: TrustDocument, changes: &[Change]) -> Result<TrustDocument, ProposeError> {
    let shape = |error: serde_json::Error| ProposeError::Shape(error.to_string());
    let mut value = serde_json::to_value(&document).map_err(shape)?;
    for change in changes {
        apply(&mut value, change).ok_or_else(|| ProposeError::Pointer(change.pointer.clone()))?;
    }
    serde_json::from_value(value).map_err(shape)
}

/// `None` when the pointer's parent is not there, or nothing is there to take away.
fn apply(document: &mut Value, change: &Change) -> Option<()> {
    let (parent, last) = change.pointer.rsplit_once('/')?;
    let name = last.replace("~1", "/").replace("~0", "~");
    match (document.pointer_mut(parent)?, &change.value) {
        (Value::Object(members), Some(value)) => {
            members.insert(name, value.clone());
            Some(())
        }
        (Value::Object(members), None) => members.remove(&name).map(drop),
        (Value::Array(elements), Some(value)) if name == "-" => {
            elements.push(value.clone());
            Some(())
        }
        (Value::Array(elements), value) => {
            let position = name.parse::<usize>().ok().filter(|position| *position < elements.len())?;
            match value {
                Some(value) => *elements.get_mut(position)? = value.clone(),
                None => drop(elements.remove(position)),
            }
            Some(())
        }
        _ => None,
    }
}
