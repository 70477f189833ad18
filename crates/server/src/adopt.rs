//! The operator's way out after a backup was restored, or when the copy of the newest checkpoint is gone: the journal
//! is held against what is known elsewhere, takes in what it has missed from a mirror of the log, and only then may
//! sign again.
//!
//! What a mirror does not hold stays lost: documents, names, and envelopes of attestations of the missing entries.
//! Their digests stand in the log, and whoever kept the evidence can still prove it.

use std::path::Path;
use std::sync::Arc;

use chancery_domain::effect;
use chancery_domain::event::RequestEvent;
use chancery_domain::evolve::evolve;
use chancery_domain::id::RequestId;
use chancery_domain::state::State;
use chancery_domain::time::Timestamp;
use chancery_issuer::issue::{Issuer, Places, read_certificate};
use chancery_ledger::{SignedCheckpoint, VerifierKey};
use chancery_store::{
    AdoptError, Adopted, Derive, Derived, Erasure, Fault, Known, LogSigner, NewEffect, OpenError,
    SqliteOptions, SqliteStore, Store as _, kept_checkpoint, newest_in_copy,
};
use serde_json::Value;

use crate::app::disclosures;
use crate::app::load_request::{Placed, place};
use crate::app::record_events::{Told, projection};
use crate::app::redact_request::digests_of;
use crate::app::summarise_request::row;
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::keys::{self, KeyFault};
use crate::leases::{LoggedLeases, logged_leases};

/// A published copy of the log.
pub struct Mirror<'a> {
    /// Its checkpoint, a signed note.
    pub checkpoint: Vec<u8>,
    /// Bytes of an entry by its index; `None` when it cannot be read.
    pub entry: &'a dyn Fn(u64) -> Option<Vec<u8>>,
}

/// What is known from outside, and what to do with certificates that the log does not know.
#[derive(Default)]
pub struct AdoptOptions<'a> {
    /// Signed notes from anywhere: a witness, evidence, a receipt, the old disk; each with the name it has there.
    pub checkpoints: Vec<(String, Vec<u8>)>,
    /// A mirror, to take from what is missing.
    pub mirror: Option<Mirror<'a>>,
    /// Take back every certificate that the issuer minted and the log does not know.
    pub revoke_unknown: bool,
    /// Another clock, for tests.
    pub clock: Option<Clock>,
}

/// An installation that may sign again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdoptedInstallation {
    /// Entries before and after.
    pub log: Adopted,
    /// Number of the revocation list, which now holds everything that the log says is taken back.
    pub list_number: u64,
    /// Certificates that run, that the issuer minted, and that the log does not know: their serials.
    pub unknown_serials: Vec<u64>,
    /// Whether those were taken back.
    pub revoked_unknown: bool,
}

/// Why an installation still may not sign.
#[derive(Debug, thiserror::Error)]
pub enum AdoptFault {
    /// The configuration is not in order.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// The journal does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The journal cannot be read.
    #[error(transparent)]
    Store(#[from] Fault),
    /// The journal is not in order, restored or not.
    #[error("the journal does not verify: {0}; restore another backup")]
    Unsound(String),
    /// What was named is no checkpoint of this log.
    #[error("`{name}` is no checkpoint of this log: {cause}")]
    Checkpoint {
        /// As it was named.
        name: String,
        /// What is wrong with it.
        cause: String,
    },
    /// It does not hold everything that was signed, or nobody can tell.
    #[error(transparent)]
    Adopt(#[from] AdoptError),
    /// The issuer's files cannot be used.
    #[error("the issuer: {0}")]
    Issuer(String),
    /// Something else.
    #[error("{0}")]
    Other(String),
}

/// Compares, takes in, brings the revocation list up to the log, and lets the installation sign again. No server may
/// be signing on the folder; one that is held may run.
///
/// # Errors
/// [`AdoptFault`]; the installation stays held.
pub async fn adopt(data: &Path, options: AdoptOptions<'_>) -> Result<AdoptedInstallation, AdoptFault> {
    let config = Config::read_from(data)?;
    let origin = config.origin()?;
    let key = keys::load_log_key(&config.data, &origin)?;
    let log_key = key.verifier().clone();
    let clock = match options.clock.clone() {
        Some(clock) => clock,
        None => Clock::system().map_err(|error| AdoptFault::Other(error.to_string()))?,
    };
    let size = examine(&config, &log_key).await?;
    let known = known(&config, &log_key, &options, size)?;
    let store_options = SqliteOptions {
        database: config.database(),
        checkpoint_copy: config.checkpoint_copy(),
        signer: LogSigner::new(origin, key),
    };
    let adopted =
        tokio::task::spawn_blocking(move || SqliteStore::adopt(&store_options, &known, &derive())).await;
    let log = adopted.map_err(|error| AdoptFault::Other(error.to_string()))??;
    let caught_up = catch_up(&config, &log_key, options.revoke_unknown, clock.now()).await;
    match caught_up {
        Ok((list_number, unknown_serials)) => {
            let revoked_unknown = options.revoke_unknown && !unknown_serials.is_empty();
            Ok(AdoptedInstallation { log, list_number, unknown_serials, revoked_unknown })
        }
        Err(fault) => {
            // Held again: with a revocation list that is behind the log, nobody may be let in.
            SqliteStore::mark_restored(&config.checkpoint_copy())?;
            Err(fault)
        }
    }
}

/// Recomputes the journal from its leaves; the number of entries in it.
async fn examine(config: &Config, log_key: &VerifierKey) -> Result<u64, AdoptFault> {
    let store = open(config, log_key).await?;
    let findings = store.integrity(Some(projection())).await?;
    if let Some(first) = findings.first() {
        return Err(AdoptFault::Unsound(format!("{} findings, the first: {}", findings.len(), first.detail)));
    }
    Ok(store.checkpoint().await?.root().size())
}

async fn open(config: &Config, log_key: &VerifierKey) -> Result<SqliteStore, AdoptFault> {
    let (database, key) = (config.database(), log_key.clone());
    let store = tokio::task::spawn_blocking(|| SqliteStore::open_read_only(database, key)).await;
    Ok(store.map_err(|error| AdoptFault::Other(error.to_string()))??)
}

/// Verified checkpoints, and the entries that are missing as far as the mirror has them.
fn known(
    config: &Config,
    key: &VerifierKey,
    options: &AdoptOptions<'_>,
    size: u64,
) -> Result<Known, AdoptFault> {
    let verified = |name: &str, note: &[u8]| {
        newest_in_copy(note, key).map_err(|cause| AdoptFault::Checkpoint { name: name.to_owned(), cause })
    };
    let mut checkpoints: Vec<SignedCheckpoint> = Vec::new();
    for (name, note) in &options.checkpoints {
        checkpoints.push(verified(name, note)?);
    }
    if let Some(mirror) = &options.mirror {
        checkpoints.push(verified("the mirror's checkpoint", &mirror.checkpoint)?);
    }
    // INVARIANT: in a restored folder the copy is out of the backup as well and shows nothing.
    let (copy, database) = (config.checkpoint_copy(), config.database());
    let held = SqliteStore::compare(&database, &copy, key);
    if !matches!(
        held,
        Err(OpenError::Restored { .. } | OpenError::CopyMissing { .. } | OpenError::CopyUnreadable { .. })
    ) {
        let kept = kept_checkpoint(&copy, key);
        checkpoints.extend(kept.map_err(|error| AdoptFault::Other(error.to_string()))?);
    }
    let newest = checkpoints.iter().map(|one| one.root().size()).max().unwrap_or(size);
    let entries = match &options.mirror {
        Some(mirror) => (size..newest).map_while(|index| (mirror.entry)(index)).collect(),
        None => Vec::new(),
    };
    let short = (entries.len() as u64) < newest.saturating_sub(size);
    Ok(Known { checkpoints, entries: if short { Vec::new() } else { entries } })
}

/// Brings the revocation list up to the log: its number, the serials that run and are taken back, unknown ones too if
/// they are to go.
async fn catch_up(
    config: &Config,
    log_key: &VerifierKey,
    revoke_unknown: bool,
    now: Timestamp,
) -> Result<(u64, Vec<u64>), AdoptFault> {
    let store = open(config, log_key).await?;
    let findings = store.integrity(Some(projection())).await?;
    if let Some(first) = findings.first() {
        return Err(AdoptFault::Unsound(first.detail.clone()));
    }
    let leases = logged_leases(&store).await?;
    let failed = |error: &dyn std::fmt::Display| AdoptFault::Issuer(error.to_string());
    let (authority, list, book) = (config.ssh_ca_key(), config.ssh_krl(), config.data.join("issuer"));
    let places = Places { authority: &authority, revocation_list: &list, book: &book };
    let random = Box::new(ring::rand::SystemRandom::new());
    let issuer = Issuer::open(&places, now, random).map_err(|error| failed(&error))?;
    let unknown = unknown_serials(&issuer, &leases, now).map_err(|error| failed(&error))?;
    let mut serials = leases.to_be_listed(now);
    if revoke_unknown {
        serials.extend(&unknown);
    }
    let number = issuer.revoke_all(&serials, leases.list_number, now).map_err(|error| failed(&error))?;
    Ok((number, unknown))
}

/// Serials of certificates that the issuer's book knows and the log does not, and that still run.
pub(crate) fn unknown_serials(
    issuer: &Issuer,
    leases: &LoggedLeases,
    now: Timestamp,
) -> Result<Vec<u64>, String> {
    let mut unknown = Vec::new();
    for (lease, line) in issuer.all_minted().map_err(|error| error.to_string())? {
        if leases.knows(&lease) {
            continue;
        }
        let certificate = read_certificate(&line)?;
        if certificate.valid_before > now {
            unknown.push(certificate.serial.parse().map_err(|_| "a serial is no number".to_owned())?);
        }
    }
    unknown.sort_unstable();
    Ok(unknown)
}

/// Row, effects and erasures of a request, as they would be had its events been recorded here.
fn derive() -> Derive {
    Arc::new(|id: &RequestId, stored, from| {
        let placed = place(stored.to_vec()).map_err(|fault| fault.to_string())?;
        let told: Vec<Told> = placed.iter().map(Told::of).collect();
        let row = row(id, &told, told.len() as u64).map_err(|fault| fault.to_string())?;
        let mut derived = Derived { row, effects: Vec::new(), settle_effects: Vec::new(), erase: Vec::new() };
        let mut state: Option<State> = None;
        for (position, one) in placed.iter().enumerate() {
            let before = state.as_ref().and_then(State::due_at);
            let after = evolve(id, state, &one.event).map_err(|error| error.to_string())?;
            if one.position.leaf_index >= from {
                follow(id, one, before, &after, &mut derived)?;
                if let RequestEvent::Redacted(body) = &one.event {
                    derived
                        .erase
                        .extend(erasures(placed.get(..position).unwrap_or_default(), &body.digests)?);
                }
            }
            state = Some(after);
        }
        Ok(derived)
    })
}

fn follow(
    id: &RequestId,
    one: &Placed,
    before: Option<Timestamp>,
    after: &State,
    derived: &mut Derived,
) -> Result<(), String> {
    if let Some(due) = before.filter(|due| after.due_at() != Some(*due)) {
        derived.settle_effects.push(effect::Effect::FireClock { request: id.clone() }.key(due));
    }
    for due in effect::effects(id, &one.event, after, one.time) {
        let payload = serde_json::to_value(&due.effect).map_err(|error| error.to_string())?;
        let kind = payload.get("effect").and_then(Value::as_str).unwrap_or_default().to_owned();
        derived.effects.push(NewEffect { key: due.effect.key(due.at), kind, due_at: due.at, payload });
    }
    match &one.event {
        RequestEvent::LeaseIssued(body) => derived.settle_effects.push(format!("settle/{}", body.lease)),
        RequestEvent::LeaseRevoked(body) => derived.settle_effects.push(format!("revoke/{}", body.lease)),
        _ => {}
    }
    // What a later event settles is not added after all.
    derived.effects.retain(|effect| !derived.settle_effects.contains(&effect.key));
    Ok(())
}

/// What was erased after the backup was made is erased in it as well.
fn erasures(earlier: &[Placed], digests: &[String]) -> Result<Vec<Erasure>, String> {
    let digests = digests_of(digests).ok_or_else(|| "a redaction names no digest".to_owned())?;
    let beside = earlier.iter().filter(|one| !disclosures(one.private.as_ref()).is_empty());
    Ok(beside
        .map(|one| Erasure {
            leaf_index: one.position.leaf_index,
            digests: digests.iter().copied().collect(),
        })
        .collect())
}
