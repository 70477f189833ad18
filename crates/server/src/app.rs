//! What a running server holds, and its use cases, one file each: load, gather, decide, record.

pub(crate) mod acknowledge_alert;
pub(crate) mod assess_request;
pub(crate) mod begin_login;
pub(crate) mod change_identity;
pub(crate) mod count_waiting;
pub(crate) mod decide_request;
pub(crate) mod describe_request;
pub(crate) mod draft_request;
pub(crate) mod end_request;
pub(crate) mod enrol_person;
pub(crate) mod export_evidence;
pub(crate) mod issue_credential;
mod known_requests;
pub(crate) mod load_request;
pub(crate) mod match_number;
pub(crate) mod notice_trust;
pub(crate) mod record_events;
pub(crate) mod recover_person;
pub(crate) mod redact_request;
pub(crate) mod register_passkey;
pub(crate) mod seal_successor;
pub(crate) mod show_request;
pub(crate) mod sign_in;
pub(crate) mod submit_request;
pub(crate) mod summarise_request;
pub(crate) mod view_request;

mod documents;
mod passkey_counter;
mod people;
pub(crate) mod start;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use chancery_domain::time::Timestamp;
use chancery_evidence::attest::Attestor;
use chancery_evidence::authenticator::AttestationRoot;
use chancery_evidence::signer::Context;
use chancery_evidence::webauthn::RelyingParty;
use chancery_issuer::issue::Issuer;
use chancery_ledger::VerifierKey;
use chancery_policy::Engine;
use chancery_signals::{Gatherer, TrustedProxies, WorkingHours};
use chancery_store::{AnyStore, Append, AppendError, Appended, SqliteStore, Store as _};
use tokio::sync::{Notify, watch};
use tracing::Instrument as _;

use crate::clock::Clock;
use crate::config::Config;
use crate::feed::Feeds;
use crate::http::admission::Admission;
use crate::http::replays::Replays;
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::random::Random;
use crate::rotate_log::Rotation;
use crate::trust::Trusted;

use count_waiting::Waiting;

pub use people::{People, Snapshot, disclosures};
pub use start::{Parts, StartError};

/// Everything that a running server holds. Handlers share one.
pub struct App {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    /// Greatest time of any event that was appended, in seconds since 1970.
    pub(crate) newest: AtomicI64,
    pub(crate) started_at: Timestamp,
    pub(crate) random: Random,
    pub(crate) store: AnyStore,
    pub(crate) log_key: VerifierKey,
    /// Earlier lives of the log by their names, to be read.
    pub(crate) former: BTreeMap<String, SqliteStore>,
    /// Present where this life of the log is over: nothing is appended, and the next one waits for signatures.
    pub(crate) rotation: Option<Rotation>,
    pub(crate) relying_party: RelyingParty,
    pub(crate) policy: Arc<Engine>,
    pub(crate) attestor: Attestor,
    pub(crate) issuer: Issuer,
    pub(crate) signals: Gatherer,
    pub(crate) proxies: TrustedProxies,
    pub(crate) hours: WorkingHours,
    pub(crate) people: People,
    pub(crate) documents: documents::Documents,
    pub(crate) requests: known_requests::KnownRequests,
    /// Of the configuration. See [`App::attestation_roots`].
    attestation_roots: Vec<AttestationRoot>,
    /// Absent until trust/ is sealed; from then on what everything is held against.
    pub(crate) trust: RwLock<Option<Arc<Trusted>>>,
    /// Identity acts are taken one at a time: each collects signatures in one place.
    pub(crate) identity_acts: tokio::sync::Mutex<()>,
    /// Digits are compared one guess at a time.
    pub(crate) number_matching: tokio::sync::Mutex<()>,
    /// Enrolments before the seal, and the seal itself, one at a time.
    pub(crate) sealing: tokio::sync::Mutex<()>,
    pub(crate) replays: Mutex<Replays>,
    /// Who is let in when many come at once.
    pub(crate) admission: Admission,
    pub(crate) waiting: Waiting,
    /// Those who listen to what happens.
    pub(crate) feeds: Feeds,
    pub(crate) metrics: Metrics,
    /// Long computations run on the thread that asks for them, and not beside it.
    pub(crate) single_threaded: bool,
    /// Becomes true when the server is to stop.
    pub(crate) stopping: watch::Sender<bool>,
    /// Wakes the effects: one that was appended is due.
    pub(crate) effect_due: Notify,
}

impl App {
    /// Now: what the clock shows, and never before what the log says already.
    ///
    /// INVARIANT: a clock that is set back leads to no event dated before an earlier one, which nobody would believe.
    pub(crate) fn now(&self) -> Timestamp {
        let clock = self.clock.now();
        let newest = Timestamp::from_unix(self.newest.load(Ordering::Acquire));
        newest.map_or(clock, |newest| newest.max(clock))
    }

    /// From here on it is at least this late.
    pub(crate) fn saw_time(&self, time: Timestamp) {
        self.newest.fetch_max(time.unix(), Ordering::AcqRel);
    }

    /// Appends events. Everything that puts leaves into the log comes through here.
    pub(crate) async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        if self.rotation.is_some() && !append.streams.is_empty() {
            return Err(chancery_store::Fault::ReadOnly.into());
        }
        // Before the append and not after it, so that whoever reads the clock meanwhile reads no earlier moment.
        self.saw_time(append.time);
        let due = append.effects.iter().any(|effect| effect.due_at <= append.time);
        let begun = Instant::now();
        let appended = self.store.append(append).instrument(tracing::debug_span!("append")).await?;
        self.metrics.appended(begun.elapsed());
        // What is due later is found when it is due.
        if due {
            self.effect_due.notify_one();
        }
        Ok(appended)
    }

    /// Makers and models of authenticators that count as hardware: what was sealed, and before that what the
    /// configuration says will be.
    pub(crate) fn attestation_roots(&self) -> Vec<AttestationRoot> {
        match self.trusted() {
            Some(trusted) => trusted.root().document().attestation_roots.clone(),
            None => self.attestation_roots.clone(),
        }
    }

    /// Runs a computation that takes long where it holds up nobody else.
    pub(crate) async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        if self.single_threaded {
            return Ok(work());
        }
        tokio::task::spawn_blocking(work).await.map_err(Problem::bug)
    }

    /// The trust root, once it is sealed.
    pub(crate) fn trusted(&self) -> Option<Arc<Trusted>> {
        self.trust.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The trust root; before the seal a refusal that says what to do.
    pub(crate) fn sealed(&self) -> Result<Arc<Trusted>, Problem> {
        self.trusted().ok_or_else(|| {
            Problem::refused(
                axum::http::StatusCode::CONFLICT,
                "not_sealed",
                "nothing can be asked for or decided before the trust root is sealed",
                "enrol two administrators, then run `chancery trust seal` beside the server",
            )
        })
    }

    /// Where and when a signature is judged that comes in now.
    pub(crate) fn context<'a>(&'a self, people: &'a Snapshot, at: Timestamp) -> Context<'a> {
        Context {
            log_origin: &self.config.log_origin,
            relying_party: &self.relying_party,
            directory: people.directory(),
            at,
        }
    }
}
