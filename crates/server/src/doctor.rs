//! Examines an installation without changing it, beside a running server or without one.

mod journal;
mod places;
mod renewal;

use std::path::Path;

use chancery_issuer::issue::Issuer;
use chancery_store::{LogSigner, Rebuild, SqliteOptions, SqliteStore, Store as _};

use crate::app::record_events::projection;
use crate::app::start::open_issuer;
use crate::clock::Clock;
use crate::config::Config;
use crate::keys;

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
    /// What to do next; empty where nothing is to be done.
    pub remedy: String,
}

/// What was found so far.
#[derive(Default)]
struct Report(Vec<Finding>);

impl Report {
    fn good(&mut self, subject: &'static str, detail: impl Into<String>) {
        self.add(subject, Health::Good, detail, "");
    }

    fn notice(&mut self, subject: &'static str, detail: impl Into<String>, remedy: &str) {
        self.add(subject, Health::Notice, detail, remedy);
    }

    fn bad(&mut self, subject: &'static str, detail: impl Into<String>, remedy: &str) {
        self.add(subject, Health::Bad, detail, remedy);
    }

    fn add(&mut self, subject: &'static str, health: Health, detail: impl Into<String>, remedy: &str) {
        self.0.push(Finding { subject, health, detail: detail.into(), remedy: remedy.to_owned() });
    }

    /// Notes a result, and hands on what came of it.
    fn note<T, E: std::fmt::Display>(
        &mut self,
        subject: &'static str,
        result: Result<T, E>,
        remedy: &str,
    ) -> Option<T> {
        match result {
            Ok(value) => {
                self.good(subject, "in order");
                Some(value)
            }
            Err(error) => {
                self.bad(subject, error.to_string(), remedy);
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
    // Dropping the store waits for its writer, which must not hold up the runtime.
    let _ = tokio::task::spawn_blocking(move || drop(store)).await;
    Ok(differences.into_iter().map(|difference| difference.id.to_string()).collect())
}

/// Examines configuration, permissions, disk, engine, keys, journal, checkpoint, clock, policy, trust, revocation list
/// and effects.
pub async fn doctor(data: &Path) -> Vec<Finding> {
    doctor_by(data, None).await
}

/// The same by another clock, for tests.
pub async fn doctor_by(data: &Path, clock: Option<Clock>) -> Vec<Finding> {
    let mut report = Report::default();
    let remedy = "`chancery server check-config` says more; docs/operations/install.md has the file";
    let Some(config) = report.note("configuration", Config::read_from(data), remedy) else { return report.0 };
    places::examine(&config, &mut report);
    let clock = match clock.map_or_else(Clock::system, Ok) {
        Ok(clock) => clock,
        Err(error) => {
            report.bad("clock", error.to_string(), "set the clock");
            return report.0;
        }
    };
    let restore = "restore it from where you keep the keys; nothing starts without it";
    let origin = config.origin().ok();
    let key =
        origin.map(|origin| keys::load_log_key(&config.data, &origin).map(|key| key.verifier().clone()));
    let key = key.and_then(|key| report.note("log key", key, restore));
    report.note("attestation key", keys::load_attestor(&config.data), restore);
    let issuer = issuer(&config, &clock, &mut report);
    if let Some(key) = key {
        journal::examine(&config, &key, &clock, issuer.as_ref(), &mut report).await;
    }
    report.notice(
        "single process",
        "server and issuer share one process: whoever steals it can issue what the log approves",
        "",
    );
    report.0
}

/// The issuer's key and list, looked at without making anything that is missing.
fn issuer(config: &Config, clock: &Clock, report: &mut Report) -> Option<Issuer> {
    if !config.ssh_krl().exists() {
        report.bad(
            "revocation list",
            "it is missing: hosts without it admit nobody",
            "put the newest copy back, from a host or a backup; an empty one is made only with a new authority",
        );
        return None;
    }
    if !config.data.join("issuer").is_dir() {
        report.bad("issuer's book", "it is missing", "restore the folder `issuer` from a backup");
        return None;
    }
    let remedy =
        "put the newest list back, from a host or a backup; while it is damaged sshd refuses everybody";
    report.note("issuer", open_issuer(config, clock).map_err(|error| error.to_string()), remedy)
}
