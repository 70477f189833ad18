//! A new life of the log: under another name and key, beginning with where the old one ended. Planned, or because the
//! old key is lost, in wrong hands, or entries are missing for good (decision 0013).
//!
//! The order, and what a crash leaves at each point. The same command goes on from every one of them.
//! 1. `rotation.json`: from here on nobody appends to the old life; a server on the folder signs nobody's requests.
//! 2. The next key, the revocation list with everything that runs, and a proposal for the trust root that closes the old
//!    life and names the new one. Administrators sign it on the signing page of the closed server.
//! 3. `next/`, the new life, complete or made again. The old one is moved to `lives/NAME/`, the new one to its place.
//! 4. Name in the configuration, trust/, and away with `rotation.json`: the new life goes on.

mod error;
mod first_append;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use chancery_canonical::Sha256;
use chancery_domain::document::CheckpointReference;
use chancery_domain::id::PersonId;
use chancery_domain::people::Directory;
use chancery_domain::time::Timestamp;
use chancery_evidence::trust::{
    Genesis, GenesisPerson, PolicyRoot, SuccessorRefusal, TrustDirectory, TrustDocument, TrustRoot,
    TrustedLog, accept_successor, check_standing,
};
use chancery_faults::step;
use chancery_issuer::issue::read_certificate;
use chancery_ledger::{Origin, SignedCheckpoint, VerifierKey};
use chancery_store::{LogSigner, SqliteOptions, SqliteStore, Store as _, kept_checkpoint, newest_in_copy};
use serde::{Deserialize, Serialize};

use crate::app::start::open_issuer;
use crate::clock::Clock;
use crate::config::{Config, FILE};
use crate::keys;
use crate::successor::{self, Proposal, Proposed, SUCCESSOR};
use crate::trust::{self, TrustFault, Trusted};

pub use error::RotateError;
use first_append::first_append;

/// Name of the file that says that this life of the log is over.
pub const ROTATION: &str = "rotation.json";
/// Where the new life is made.
const NEXT: &str = "next";
/// Says that the new life is whole.
const COMPLETE: &str = "complete";
/// Where the lives of before are kept.
pub(crate) const LIVES: &str = "lives";
/// Name of the seed of a life that is over, in its folder.
pub(crate) const KEPT_SEED: &str = "log.seed";

/// A rotation that was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// Name of the life that is over.
    pub from: Origin,
    /// Name of the one that follows.
    pub to: Origin,
    /// Where it ended.
    pub closed: CheckpointReference,
    /// Entries that are here. Fewer than were signed, where some are lost.
    pub held: u64,
}

/// How to rotate.
#[derive(Clone, Debug, Default)]
pub struct RotateOptions {
    /// Name of the next life; needed to begin.
    pub origin: Option<Origin>,
    /// Checkpoints of the old life from anywhere, each with the name it has there: a mirror, a witness, evidence.
    pub checkpoints: Vec<(String, Vec<u8>)>,
    /// Another clock, for tests.
    pub clock: Option<Clock>,
}

/// How far it has come.
#[derive(Clone, Debug)]
pub enum Rotated {
    /// The old life is over, and administrators have to sign.
    Closed {
        /// What was begun.
        rotation: Rotation,
        /// The root that they sign.
        proposed: Box<Proposed>,
        /// Certificates that were taken back.
        revoked: usize,
    },
    /// Not enough of them have.
    Waiting {
        /// What was begun.
        rotation: Rotation,
        /// Who signed.
        signed_by: Vec<PersonId>,
        /// Why that is not enough.
        reason: String,
    },
    /// The new life has begun.
    Finished {
        /// Its name.
        origin: Origin,
        /// Where the old one is kept.
        kept: PathBuf,
    },
}

impl Rotation {
    /// The one that was begun in this data folder.
    ///
    /// # Errors
    /// When it cannot be read, or is none.
    pub fn read(data: &Path) -> io::Result<Option<Self>> {
        match fs::read(data.join(ROTATION)) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(io::Error::other),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}

/// Begins a rotation, or goes on with the one that was begun. No server may run on the folder, except where it says that
/// administrators have to sign.
///
/// # Errors
/// [`RotateError`]; called again it goes on from where it was.
pub async fn rotate_log(data: &Path, options: RotateOptions) -> Result<Rotated, RotateError> {
    let config = Config::read_from(data)?;
    let clock = match options.clock.clone() {
        Some(clock) => clock,
        None => Clock::system().map_err(|error| RotateError::Other(error.to_string()))?,
    };
    let begun = Rotation::read(&config.data).map_err(at(&config.data.join(ROTATION)))?;
    let Some(rotation) = begun else { return begin(&config, &options, &clock).await };
    if config.data.join(NEXT).join(COMPLETE).exists() {
        return move_in(&config, &rotation);
    }
    let trusted = trusted(&config)?;
    let Some(proposal) = Proposal::read(&config.data).map_err(at(&config.data.join(SUCCESSOR)))? else {
        return propose(&config, &trusted, rotation, &clock).await;
    };
    let next = proposal.root()?;
    let chain = successor::people(&config, &trusted).await?;
    let standing = check_standing(&next, &proposal.signatures, chain.directory());
    if let Err(refusal) =
        standing.and_then(|()| accept_successor(trusted.root(), &next, &proposal.signatures))
    {
        let signed_by = proposal.signatures.iter().map(|one| one.person.clone()).collect();
        return Ok(Rotated::Waiting { rotation, signed_by, reason: refusal.to_string() });
    }
    build(&config, &rotation, (&trusted, next, &proposal), &clock).await?;
    move_in(&config, &rotation)
}

/// Closes the old life: what it ended with is what the administrators will sign.
async fn begin(config: &Config, options: &RotateOptions, clock: &Clock) -> Result<Rotated, RotateError> {
    let trusted = trusted(config)?;
    let to = options.origin.clone().ok_or(RotateError::NoOrigin)?;
    if trusted.root().document().logs.iter().any(|log| log.origin == to) {
        return Err(RotateError::UsedOrigin(to));
    }
    let from = config.origin()?;
    let key = log_key(config, &trusted)?;
    // Held to the end of this function: no server may append meanwhile.
    let store = open_closed(config, &from, &key).await?;
    let ours = store.checkpoint().await?;
    let closed = newest(config, &key, options, &ours)?;
    let rotation = Rotation {
        from,
        to,
        closed: CheckpointReference { size: closed.root().size(), root: digest(&closed) },
        held: ours.root().size(),
    };
    let left = config.data.join(NEXT);
    if left.exists() {
        fs::remove_dir_all(&left).map_err(at(&left))?;
    }
    let text = serde_json::to_vec(&rotation).map_err(|error| RotateError::Other(error.to_string()))?;
    let mark = config.data.join(ROTATION);
    step("rotate.close", || trust::replace(&mark, &text)).map_err(at(&mark))?;
    // Dropping the store waits for its writer, which must not hold up the runtime.
    let _ = tokio::task::spawn_blocking(move || drop(store)).await;
    propose(config, &trusted, rotation, clock).await
}

/// What runs is taken back, and the next root waits for signatures.
async fn propose(
    config: &Config,
    trusted: &Trusted,
    rotation: Rotation,
    clock: &Clock,
) -> Result<Rotated, RotateError> {
    let seed = keys::next_log_seed(&config.data);
    if !seed.exists() {
        step("rotate.key", || keys::create_log_seed(&seed).map_err(io::Error::other)).map_err(at(&seed))?;
    }
    let revoked = take_back(config, clock.now())?;
    let chain = successor::people(config, trusted).await?;
    let now = clock.now();
    let next = successor::next(trusted.root(), chain.directory(), now)?;
    let vkey = keys::load_log_key_at(&seed, &rotation.to)?.verifier().to_string();
    let document = new_life(next, &rotation, vkey, (persons(chain.directory(), now), bundle(config)?))?;
    let proposed = successor::put((&config.data, true), trusted, document, chain.directory())?;
    Ok(Rotated::Closed { rotation, proposed: Box::new(proposed), revoked })
}

/// INVARIANT: nothing that runs under the old life goes on in the new one, where no approval of it stands.
fn take_back(config: &Config, now: Timestamp) -> Result<usize, RotateError> {
    let other = |error: &dyn std::fmt::Display| RotateError::Other(format!("the issuer: {error}"));
    let clock = Clock::fixed(now);
    let issuer = open_issuer(config, &clock).map_err(|error| other(&error))?;
    let mut serials: Vec<u64> = Vec::new();
    for (_, line) in issuer.all_minted().map_err(|error| other(&error))? {
        let certificate = read_certificate(&line).map_err(|error| other(&error))?;
        if certificate.valid_before > now {
            serials.push(certificate.serial.parse().map_err(|error| other(&error))?);
        }
    }
    if !serials.is_empty() {
        issuer.revoke_all(&serials, 0, now).map_err(|error| other(&error))?;
    }
    Ok(serials.len())
}

/// The root of the next life: the old one closed, and everybody as they are now where its chains begin.
fn new_life(
    next: TrustDocument,
    rotation: &Rotation,
    vkey: String,
    (persons, genesis_sha256): (Vec<GenesisPerson>, Sha256),
) -> Result<TrustDocument, RotateError> {
    let mut logs = next.logs.clone();
    let old = logs.last_mut().ok_or(RotateError::NotSealed)?;
    old.closed = Some(rotation.closed.clone());
    let first_index = old.first_index.unwrap_or(0).saturating_add(rotation.closed.size);
    let after = format!("log {}\n", old.vkey);
    // A log's line may name more after its key.
    let line = next.witness_policy.lines().find(|line| format!("{line}\n").starts_with(after.trim_end()));
    let line = line.ok_or_else(|| RotateError::Other("the witness policy names another log".to_owned()))?;
    let both = format!("{line}\nlog {vkey}");
    logs.push(TrustedLog { origin: rotation.to.clone(), vkey, first_index: Some(first_index), closed: None });
    Ok(TrustDocument {
        witness_policy: next.witness_policy.replacen(line, &both, 1),
        logs,
        genesis: Genesis { persons },
        policy: PolicyRoot { genesis_sha256, ..next.policy.clone() },
        ..next
    })
}

/// Everybody who can sign for themselves now. Others are let in again, as anybody is.
fn persons(people: &Directory, now: Timestamp) -> Vec<GenesisPerson> {
    let active = people.persons().filter(|person| !person.suspended);
    let listed = active.map(|person| {
        let counts = |credential: &Vec<u8>| person.counting_key(credential, now).is_ok();
        let keys = person.passkeys.iter().filter(|(credential, _)| counts(credential));
        GenesisPerson {
            id: person.id.clone(),
            roles: person.roles.clone(),
            attributes: person.attributes.clone(),
            passkeys: keys.map(|(_, key)| key.clone()).collect(),
        }
    });
    listed.filter(|person| !person.passkeys.is_empty()).collect()
}

fn bundle(config: &Config) -> Result<Sha256, RotateError> {
    let bundle = chancery_policy::Bundle::read(&config.policy());
    Ok(bundle.map_err(|error| RotateError::Other(format!("the policy bundle is refused: {error}")))?.digest())
}

/// The newest checkpoint that is known of the old life, one of its own history or a later one.
fn newest(
    config: &Config,
    key: &VerifierKey,
    options: &RotateOptions,
    ours: &SignedCheckpoint,
) -> Result<SignedCheckpoint, RotateError> {
    let mut newest = ours.clone();
    let copy = config.checkpoint_copy();
    let kept = kept_checkpoint(&copy, key).ok().flatten().map(|kept| (copy.display().to_string(), kept));
    let mut known: Vec<(String, SignedCheckpoint)> = kept.into_iter().collect();
    for (name, note) in &options.checkpoints {
        let read = newest_in_copy(note, key);
        let read = read.map_err(|cause| RotateError::Checkpoint { name: name.clone(), cause })?;
        known.push((name.clone(), read));
    }
    for (name, checkpoint) in known {
        if checkpoint.root().size() > newest.root().size() {
            newest = checkpoint;
        } else if !SqliteStore::contains(&config.database(), &checkpoint, key)? {
            return Err(RotateError::Forked(name));
        }
    }
    Ok(newest)
}

/// Makes the new life beside the old one.
async fn build(
    config: &Config,
    rotation: &Rotation,
    (trusted, next, proposal): (&Trusted, TrustRoot, &Proposal),
    clock: &Clock,
) -> Result<(), RotateError> {
    let folder = config.data.join(NEXT);
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(at(&folder))?;
    }
    keys::private_directory(&folder)?;
    let old = open_closed(config, &rotation.from, &log_key(config, trusted)?).await?;
    let append = first_append(&old, rotation, (trusted, &next, proposal), clock.now()).await?;
    let key = keys::load_log_key_at(&keys::next_log_seed(&config.data), &rotation.to)?;
    let options = SqliteOptions {
        database: folder.join("chancery.db"),
        checkpoint_copy: folder.join("checkpoint").join("newest"),
        signer: LogSigner::new(rotation.to.clone(), key),
    };
    let made = tokio::task::spawn_blocking(|| SqliteStore::open(options)).await;
    let made = made.map_err(|error| RotateError::Other(error.to_string()))??;
    made.append(append).await?;
    let _ = tokio::task::spawn_blocking(move || drop((made, old))).await;
    let mut lineage = trusted.directory.lineage().clone();
    let followed = lineage.succeed(next, proposal.signatures.clone());
    followed.map_err(|refusal: SuccessorRefusal| RotateError::Other(refusal.to_string()))?;
    let files = TrustDirectory::from(lineage).files()?;
    let trust = folder.join("trust");
    step("rotate.trust", || {
        fs::create_dir_all(&trust)?;
        trust::write(&trust, &files)
    })
    .map_err(at(&trust))?;
    let complete = folder.join(COMPLETE);
    step("rotate.complete", || trust::replace(&complete, b"")).map_err(at(&complete))
}

/// The old life goes to `lives/`, the new one to its place. Each move is made once, whenever it was cut off.
fn move_in(config: &Config, rotation: &Rotation) -> Result<Rotated, RotateError> {
    let data = &config.data;
    let (next, kept) = (data.join(NEXT), data.join(LIVES).join(rotation.from.to_string()));
    keys::private_directory(&kept)?;
    let copy = PathBuf::from("checkpoint");
    let seed = keys::log_seed(data);
    let mut moves: Vec<(PathBuf, PathBuf, PathBuf)> = Vec::new();
    for name in ["chancery.db-wal", "chancery.db-shm", "chancery.db.lock", "chancery.db"] {
        moves.push((data.join(name), kept.join(name), next.join(name)));
    }
    moves.push((data.join(&copy), kept.join(&copy), next.join(&copy)));
    moves.push((config.trust(), kept.join("trust"), next.join("trust")));
    moves.push((seed, kept.join(KEPT_SEED), keys::next_log_seed(data)));
    // INVARIANT: nothing of the new life is in its place before all of the old one is kept.
    let whole = kept.join(COMPLETE);
    if !whole.exists() {
        for (place, old, _) in moves.iter().filter(|(place, ..)| place.exists()) {
            step("rotate.keep", || fs::rename(place, old)).map_err(at(place))?;
        }
        step("rotate.kept", || trust::replace(&whole, b"")).map_err(at(&whole))?;
    }
    for (place, _, new) in moves.iter().filter(|(.., new)| new.exists()) {
        step("rotate.place", || fs::rename(new, place)).map_err(at(new))?;
    }
    let file = data.join(FILE);
    let text = fs::read_to_string(&file).map_err(at(&file))?;
    let named = |origin: &Origin| format!("log_origin = {:?}", origin.to_string());
    let text = text.replace(&named(&rotation.from), &named(&rotation.to));
    step("rotate.configure", || trust::replace(&file, text.as_bytes())).map_err(at(&file))?;
    let signed = data.join(SUCCESSOR);
    if signed.exists() {
        fs::remove_file(&signed).map_err(at(&signed))?;
    }
    // INVARIANT: the last step. While this file is there, no server signs anything.
    let mark = data.join(ROTATION);
    step("rotate.open", || fs::remove_file(&mark)).map_err(at(&mark))?;
    File::open(data).and_then(|folder| folder.sync_all()).map_err(at(data))?;
    // What a crash leaves of it is removed before the next rotation begins.
    let _ = fs::remove_dir_all(&next);
    Ok(Rotated::Finished { origin: rotation.to.clone(), kept })
}

fn trusted(config: &Config) -> Result<Trusted, RotateError> {
    trust::read(&config.trust())?.ok_or(RotateError::NotSealed)
}

/// The key of the old life, by the root and not by a file that may be lost.
fn log_key(config: &Config, trusted: &Trusted) -> Result<VerifierKey, RotateError> {
    let key = trusted.root().log_key(&config.log_origin);
    Ok(key.ok_or(TrustFault::Misfit("log"))?.clone())
}

async fn open_closed(
    config: &Config,
    origin: &Origin,
    key: &VerifierKey,
) -> Result<SqliteStore, RotateError> {
    let options = SqliteOptions {
        database: config.database(),
        checkpoint_copy: config.checkpoint_copy(),
        signer: LogSigner::closed(origin.clone(), key.clone()),
    };
    let store = tokio::task::spawn_blocking(|| SqliteStore::open(options)).await;
    Ok(store.map_err(|error| RotateError::Other(error.to_string()))??)
}

fn digest(checkpoint: &SignedCheckpoint) -> Sha256 {
    Sha256::from_bytes(*checkpoint.root().hash().as_bytes())
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> RotateError {
    let path = path.to_owned();
    move |cause| RotateError::File { path, cause }
}
