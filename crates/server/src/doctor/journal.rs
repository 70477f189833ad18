//! The journal, and everything that has to agree with it.

use chancery_canonical::Sha256;
use chancery_domain::time::Timestamp;
use chancery_issuer::issue::Issuer;
use chancery_issuer::ssh::Krl;
use chancery_ledger::VerifierKey;
use chancery_store::{Fault, OpenError, SqliteStore, Store as _, kept_checkpoint};

use super::Report;
use crate::adopt::unknown_serials;
use crate::app::record_events::projection;
use crate::clock::Clock;
use crate::config::Config;
use crate::leases::{due_revocations, logged_leases};
use crate::trust::{self, OwnKeys};
use crate::{keys, policy};

/// Effects that are due for longer than this are late, in seconds.
const LATE_SECONDS: u64 = 120;
/// A trust root that ends within this many days is to be renewed.
const RENEW_DAYS: u64 = 60;
const DAY_SECONDS: u64 = 24 * 3600;

/// Everything that needs the journal.
pub async fn examine(
    config: &Config,
    key: &VerifierKey,
    clock: &Clock,
    issuer: Option<&Issuer>,
    report: &mut Report,
) {
    let (database, log_key) = (config.database(), key.clone());
    let opened = tokio::task::spawn_blocking(|| SqliteStore::open_read_only(database, log_key)).await;
    let opened =
        opened.map_err(|error| error.to_string()).and_then(|opened| opened.map_err(|e| e.to_string()));
    let remedy = "restore a backup: docs/operations/backup.md";
    let Some(store) = report.note("journal", opened, remedy) else { return };
    checkpoint(config, key, report);
    integrity(&store, report).await;
    clock_runs(&store, clock, report).await;
    let remedy = "put the active bundle back: its files stand in every evidence bundle made under it";
    report.note("policy", policy::load_active(&config.policy(), &store).await.map(|_| ()), remedy);
    trusted(config, key, clock, issuer, &store, report).await;
    backlog(&store, clock, report).await;
    if let Some(issuer) = issuer {
        revocations(config, &store, issuer, clock, report).await;
    }
}

async fn integrity(store: &SqliteStore, report: &mut Report) {
    let remedy = "rows that differ from their events: `chancery doctor --rebuild=write` while the server is stopped; \
                  anything else: restore a backup";
    match store.integrity(Some(projection())).await {
        Ok(findings) if findings.is_empty() => report.good("integrity", "leaves, tiles and rows agree"),
        Ok(findings) => {
            for finding in findings {
                report.bad("integrity", format!("{:?}: {}", finding.check, finding.detail), remedy);
            }
        }
        Err(error) => report.bad("integrity", error.to_string(), remedy),
    }
}

fn checkpoint(config: &Config, key: &VerifierKey, report: &mut Report) {
    let copy = config.checkpoint_copy();
    match SqliteStore::compare(&config.database(), &copy, key) {
        Ok(()) => {
            let note = kept_checkpoint(&copy, key).ok().flatten();
            let size = note.map_or(0, |note| note.root().size());
            report.good("checkpoint", format!("{size} entries, in the journal and in its copy"));
        }
        Err(error @ OpenError::Forked { .. }) => {
            let remedy = "keep both; restore the database that belongs to the checkpoint";
            report.bad("checkpoint", error.to_string(), remedy);
        }
        Err(error) => {
            let remedy = "docs/operations/incidents.md#a-restored-backup";
            report.bad("checkpoint", error.to_string(), remedy);
        }
    }
}

async fn clock_runs(store: &SqliteStore, clock: &Clock, report: &mut Report) {
    let now = clock.now();
    match store.newest_time().await {
        Ok(Some(newest)) if newest > now => report.bad(
            "clock",
            format!("shows {now}, the newest event is of {newest}"),
            "set the clock, and let it be kept by NTP: docs/operations/incidents.md#a-wrong-clock",
        ),
        Ok(_) => report.good("clock", now.to_string()),
        Err(error) => report.bad("clock", error.to_string(), "look at the journal first"),
    }
}

async fn trusted(
    config: &Config,
    key: &VerifierKey,
    clock: &Clock,
    issuer: Option<&Issuer>,
    store: &SqliteStore,
    report: &mut Report,
) {
    let remedy = "put back the trust/ that was sealed: every verifier has a copy";
    let sealed = match sealed(store).await {
        Ok(sealed) => sealed,
        Err(error) => return report.bad("trust", error.to_string(), "look at the journal first"),
    };
    let trusted = match trust::read(&config.trust()) {
        Ok(Some(trusted)) => trusted,
        Ok(None) if sealed.is_some() => return report.bad("trust", "it was sealed, and is missing", remedy),
        Ok(None) => return report.notice("trust", "not sealed yet", "`chancery trust seal`"),
        Err(error) => return report.bad("trust", error.to_string(), remedy),
    };
    if sealed.is_some_and(|sealed| sealed != trusted.root().sha256()) {
        return report.bad("trust", "it is not the one that was sealed, by its digest in the log", remedy);
    }
    let (root, now) = (trusted.root(), clock.now());
    if let (Some(issuer), Ok(attestor), Ok(site)) =
        (issuer, keys::load_attestor(&config.data), config.relying_party())
    {
        let lines: Vec<String> = issuer.authorities().iter().map(|key| key.line("")).collect();
        let own = OwnKeys { log: key, attestation: attestor.public_key(), ssh_cas: &lines, site: &site };
        if let Err(error) = trust::check_fit(root, &own) {
            return report.bad("trust", error.to_string(), remedy);
        }
    }
    super::renewal::examine(config, &trusted, now, report).await;
    let document = root.document();
    let said = format!(
        "version {}, sealed with {}, good until {}",
        document.version, document.sealed_with, document.expires_at
    );
    if root.is_expired(now) {
        report.bad("trust", format!("{said}: it is over, nothing is issued"), "`chancery trust propose`");
    } else if root.is_expired(now.plus(RENEW_DAYS * DAY_SECONDS)) {
        report.notice(
            "trust",
            said,
            "renew it in time: `chancery trust propose`, docs/operations/rotation.md",
        );
    } else if document.sealed_with < 2 {
        report.notice("trust", said, "a second administrator watches the first");
    } else {
        report.good("trust", said);
    }
}

/// Digest of the trust root that the log says is sealed.
async fn sealed(store: &SqliteStore) -> Result<Option<Sha256>, Fault> {
    let sealed = trust::sealed(store).await?;
    let Some(newest) = sealed.last() else { return Ok(None) };
    Ok(Some(newest.event.sha256))
}

async fn backlog(store: &SqliteStore, clock: &Clock, report: &mut Report) {
    let now = clock.now();
    match store.backlog(now).await {
        Ok(backlog) => {
            let age = backlog.oldest_due.map_or(0, |due| now.seconds_since(due));
            let said = format!("{} due, the oldest for {age} seconds", backlog.due);
            if backlog.alarmed == 0 && age > LATE_SECONDS {
                let remedy = "start the server; if it runs, its log says what hinders it";
                report.bad("effects", said, remedy);
            } else if backlog.alarmed == 0 {
                report.good("effects", said);
            }
        }
        Err(error) => report.bad("effects", error.to_string(), "look at the journal first"),
    }
    match store.alarmed_effects().await {
        Ok(alarmed) => {
            for effect in alarmed {
                let said = effect.last_error.unwrap_or_default();
                let detail = format!("`{}` failed {} times: {said}", effect.key, effect.failures);
                report.bad("effects", detail, "mend what it says; it is tried again by itself");
            }
        }
        Err(error) => report.bad("effects", error.to_string(), "look at the journal first"),
    }
}

/// The clock's time, or that of the newest event: a clock that is behind the log is a finding of its own, and must not make
/// another one.
async fn latest(store: &SqliteStore, clock: &Clock) -> Timestamp {
    let newest = store.newest_time().await.ok().flatten();
    newest.map_or_else(|| clock.now(), |newest| newest.max(clock.now()))
}

/// The list holds everything that the log says is taken back, has a number that the log has not passed, and the
/// issuer's book knows no certificate that the log does not.
async fn revocations(
    config: &Config,
    store: &SqliteStore,
    issuer: &Issuer,
    clock: &Clock,
    report: &mut Report,
) {
    let remedy = "put the newest list back, from a host or a backup, or bring it up to the log: `chancery server adopt`";
    let leases = match logged_leases(store).await {
        Ok(leases) => leases,
        Err(error) => return report.bad("revocation list", error.to_string(), "look at the journal first"),
    };
    // INVARIANT: the queue is read after the log and before the list. What leaves it in between is on the list.
    let soon = latest(store, clock).await.plus(DAY_SECONDS);
    let queued = due_revocations(store, soon).await.unwrap_or_default();
    let list = match Krl::load(&config.ssh_krl(), &issuer.authorities()) {
        Ok(Some(list)) => list,
        Ok(None) => return report.bad("revocation list", "it is missing", remedy),
        Err(error) => return report.bad("revocation list", error.to_string(), remedy),
    };
    // A certificate that ended while all this was read need not be on it.
    let now = latest(store, clock).await;
    // What waits, or waits to be tried again, is on its way, and a finding of the effects when it is late.
    let absent = |serial: &u64| !list.revokes(*serial, "") && queued.iter().all(|(_, known)| known != serial);
    let missing = leases.to_be_listed(now).into_iter().filter(absent).count();
    let age = u64::try_from(now.unix()).unwrap_or_default().saturating_sub(list.generated_at());
    let said = format!("number {}, made {} hours ago", list.number(), age / 3600);
    if list.number() < leases.list_number {
        let detail = format!("{said}; the log speaks of number {}: it is an older one", leases.list_number);
        report.bad("revocation list", detail, remedy);
    } else if missing > 0 {
        report.bad("revocation list", format!("{said}; {missing} revoked serials are not on it"), remedy);
    } else {
        report.good("revocation list", said);
    }
    match unknown_serials(issuer, &leases, now) {
        Ok(unknown) if unknown.is_empty() => {
            report.good("issuer's book", "the log knows every certificate in it")
        }
        Ok(unknown) => report.bad(
            "issuer's book",
            format!("{} certificates run that the log does not know", unknown.len()),
            "`chancery server adopt --revoke-unknown` takes them back",
        ),
        Err(error) => report.bad("issuer's book", error, "restore the folder `issuer` from a backup"),
    }
}
