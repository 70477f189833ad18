//! Examines an installation without changing it, beside a running server or without one.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use chancery_issuer::ssh::{Authority as SshAuthority, Krl};
use chancery_ledger::{Checkpoint, VerifierKey};
use chancery_store::{LogSigner, Rebuild, SqliteOptions, SqliteStore, Store as _};

use crate::app::record_events::projection;
use crate::clock::Clock;
use crate::config::Config;
use crate::{keys, policy, trust};

/// How an examination went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// As it should be.
    Good,
    /// Something to know.
    Notice,
    /// Something to mend.
    Bad,
}

/// One examination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was examined.
    pub subject: &'static str,
    /// How it went.
    pub health: Health,
    /// In words.
    pub detail: String,
}

/// What was found so far.
#[derive(Default)]
struct Report(Vec<Finding>);

impl Report {
    fn add(&mut self, subject: &'static str, health: Health, detail: impl Into<String>) {
        self.0.push(Finding { subject, health, detail: detail.into() });
    }

    /// Notes a result, and hands on what came of it.
    fn note<T, E: std::fmt::Display>(&mut self, subject: &'static str, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => {
                self.add(subject, Health::Good, "in order");
                Some(value)
            }
            Err(error) => {
                self.add(subject, Health::Bad, error.to_string());
                None
            }
        }
    }
}

/// Makes the read model from the events again, and says which rows differed. With `rewrite` the rows are stored;
/// no server may run on the folder then.
///
/// # Errors
/// In words, when the installation does not open.
pub async fn rebuild(data: &Path, rewrite: bool) -> Result<Vec<String>, String> {
    let config = Config::read_from(data).map_err(|error| error.to_string())?;
    let origin = config.origin().map_err(|error| error.to_string())?;
    let key = keys::load_log_key(&config.data, &origin).map_err(|error| error.to_string())?;
    let (database, checkpoint_copy) = (config.database(), config.checkpoint_copy());
    let opened = tokio::task::spawn_blocking(move || {
        if rewrite {
            let signer = LogSigner::new(origin, key);
            SqliteStore::open(SqliteOptions { database, checkpoint_copy, signer })
        } else {
            SqliteStore::open_read_only(database, key.verifier().clone())
        }
    });
    let store = opened.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    let mode = if rewrite { Rebuild::Rewrite } else { Rebuild::Compare };
    let differences = store.rebuild(mode, projection()).await.map_err(|error| error.to_string())?;
    Ok(differences.into_iter().map(|difference| difference.id.to_string()).collect())
}

/// Examines configuration, permissions, journal, checkpoint, clock, policy, trust, revocation list and effects.
pub async fn doctor(data: &Path) -> Vec<Finding> {
    let mut report = Report::default();
    let Some(config) = report.note("configuration", Config::read_from(data)) else { return report.0 };
    permissions(&config, &mut report);
    let origin = config.origin().ok();
    let key =
        origin.map(|origin| keys::load_log_key(&config.data, &origin).map(|key| key.verifier().clone()));
    let key = key.and_then(|key| report.note("log key", key));
    report.note("attestation key", keys::load_attestor(&config.data));
    revocation_list(&config, &mut report);
    if let Some(key) = key {
        journal(&config, key, &mut report).await;
    }
    report.add(
        "single process",
        Health::Notice,
        "server and issuer share one process: whoever steals it can issue what the log approves",
    );
    report.0
}

fn permissions(config: &Config, report: &mut Report) {
    for path in [&config.data, &config.data.join("keys"), &config.database()] {
        let mode = fs::metadata(path).map(|metadata| metadata.permissions().mode() & 0o777);
        match mode {
            Ok(mode) if mode & 0o077 == 0 => {}
            Ok(mode) => {
                let detail =
                    format!("`{}` has mode {mode:03o}: `chmod go= {}`", path.display(), path.display());
                report.add("permissions", Health::Bad, detail);
            }
            Err(error) => report.add("permissions", Health::Bad, format!("`{}`: {error}", path.display())),
        }
    }
}

fn revocation_list(config: &Config, report: &mut Report) {
    let Some(authority) = report.note("SSH authority", SshAuthority::open(&config.ssh_ca_key())) else {
        return;
    };
    match Krl::load(&config.ssh_krl(), authority.key()) {
        Ok(Some(list)) => {
            report.add("revocation list", Health::Good, format!("number {}", list.number()));
        }
        Ok(None) => {
            report.add("revocation list", Health::Bad, "it is missing: hosts without it admit nobody")
        }
        Err(error) => report.add("revocation list", Health::Bad, error.to_string()),
    }
}

async fn journal(config: &Config, key: VerifierKey, report: &mut Report) {
    let (database, log_key) = (config.database(), key.clone());
    let opened = tokio::task::spawn_blocking(|| SqliteStore::open_read_only(database, log_key)).await;
    let opened =
        opened.map_err(|error| error.to_string()).and_then(|opened| opened.map_err(|e| e.to_string()));
    let Some(store) = report.note("journal", opened) else { return };
    match store.integrity(Some(projection())).await {
        Ok(findings) if findings.is_empty() => {
            report.add("integrity", Health::Good, "leaves, tiles and rows agree")
        }
        Ok(findings) => {
            for finding in findings {
                report.add("integrity", Health::Bad, format!("{:?}: {}", finding.check, finding.detail));
            }
        }
        Err(error) => report.add("integrity", Health::Bad, error.to_string()),
    }
    checkpoint(config, &key, &store, report).await;
    clock(&store, report).await;
    report.note("policy", policy::load_active(&config.policy(), &store).await.map(|_| ()));
    match trust::read(&config.trust()) {
        Ok(Some(trusted)) => {
            let root = trusted.root();
            let detail =
                format!("version {}, sealed with {}", root.document().version, root.document().sealed_with);
            let health = if root.document().sealed_with < 2 { Health::Notice } else { Health::Good };
            report.add("trust", health, detail);
        }
        Ok(None) => report.add("trust", Health::Notice, "not sealed yet: `chancery trust seal`"),
        Err(error) => report.add("trust", Health::Bad, error.to_string()),
    }
    match store.alarmed_effects().await {
        Ok(alarmed) if alarmed.is_empty() => report.add("effects", Health::Good, "none failed six times"),
        Ok(alarmed) => {
            for effect in alarmed {
                let said = effect.last_error.unwrap_or_default();
                report.add(
                    "effects",
                    Health::Bad,
                    format!("`{}` failed {} times: {said}", effect.key, effect.failures),
                );
            }
        }
        Err(error) => report.add("effects", Health::Bad, error.to_string()),
    }
}

async fn checkpoint(config: &Config, key: &VerifierKey, store: &SqliteStore, report: &mut Report) {
    let copy = fs::read(config.checkpoint_copy()).map_err(|error| error.to_string());
    let copy = copy.and_then(|note| Checkpoint::open(&note, key).map_err(|error| error.to_string()));
    let (Some(copy), Ok(stored)) = (report.note("checkpoint copy", copy), store.checkpoint().await) else {
        return;
    };
    let (kept, stored) = (copy.root().size(), stored.root().size());
    if kept > stored {
        let detail = format!("{kept} leaves were signed, the journal holds {stored}: it is an older one");
        report.add("checkpoint", Health::Bad, detail);
    } else {
        report.add("checkpoint", Health::Good, format!("{stored} leaves"));
    }
}

async fn clock(store: &SqliteStore, report: &mut Report) {
    let now = Clock::system().map(|clock| clock.now());
    match (now, store.newest_time().await) {
        (Ok(now), Ok(Some(newest))) if newest > now => {
            report.add("clock", Health::Bad, format!("shows {now}, the newest event is of {newest}"));
        }
        (Ok(now), Ok(_)) => report.add("clock", Health::Good, now.to_string()),
        (Err(error), _) => report.add("clock", Health::Bad, error.to_string()),
        (_, Err(error)) => report.add("clock", Health::Bad, error.to_string()),
    }
}
