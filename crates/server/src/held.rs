//! A server that may not sign: what was signed is not all here, or the clock runs behind it. It takes back what is
//! due, shows the revocation list, and refuses everything else with what to do about it. When the reason is gone, it
//! ends, and the real one starts.
//!
//! What is deliberately absent: the log's key, a way to append, and a way to mint.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use chancery_domain::time::Timestamp;
use chancery_issuer::issue::Issuer;
use chancery_ledger::VerifierKey;
use chancery_store::{SqliteStore, Store as _};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::app::StartError;
use crate::app::start::open_issuer;
use crate::clock::Clock;
use crate::config::Config;
use crate::http::serve::ServerError;
use crate::keys;
use crate::leases::due_revocations;
use crate::problem::Problem;

/// How often it looks for what is due, and whether the reason still holds.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Connections at once; those that come on top are closed.
const CONNECTIONS: usize = 64;

/// A held server, in the background.
pub struct Held {
    address: SocketAddr,
    cleared: watch::Receiver<bool>,
    stopping: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// By a signal.
    Stopped,
    /// The reason is gone: start the real one.
    Cleared,
}

/// What the tasks share.
struct Shared {
    config: Config,
    clock: Clock,
    log_key: VerifierKey,
    store: SqliteStore,
    issuer: Issuer,
    reason: String,
    revoked: AtomicU64,
}

impl Held {
    /// Starts where [`crate::Server::start`] has refused for a reason that [`StartError::holds_signing`].
    ///
    /// # Errors
    /// [`ServerError`] when not even reading is possible.
    pub async fn start(config: Config, clock: Clock, reason: &StartError) -> Result<Self, ServerError> {
        let listen = config.listen;
        let shared = Arc::new(open(config, clock, reason.to_string()).await?);
        let refused = |cause| ServerError::Listen { address: listen, cause };
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let (stopping, stopped) = watch::channel(false);
        let (clear, cleared) = watch::channel(false);
        tracing::error!(%address, reason = shared.reason, "nothing is signed or minted; due revocations go on");
        let tasks = vec![
            tokio::spawn(accept(listener, router(Arc::clone(&shared)), stopped.clone())),
            tokio::spawn(look_after(shared, clear, stopped)),
        ];
        Ok(Self { address, cleared, stopping, tasks })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Runs until SIGTERM, ctrl-c, or until the reason is gone.
    pub async fn until_released(mut self, signal: impl Future<Output = ()>) -> Released {
        let released = tokio::select! {
            () = signal => Released::Stopped,
            _ = self.cleared.wait_for(|cleared| *cleared) => Released::Cleared,
        };
        self.shutdown().await;
        released
    }

    /// Ends it.
    pub async fn shutdown(self) {
        self.stopping.send_replace(true);
        for task in self.tasks {
            let _ = task.await;
        }
    }
}

async fn open(config: Config, clock: Clock, reason: String) -> Result<Shared, StartError> {
    let origin = config.origin()?;
    let log_key = keys::load_log_key(&config.data, &origin)?.verifier().clone();
    let (database, key) = (config.database(), log_key.clone());
    let store = tokio::task::spawn_blocking(|| SqliteStore::open_read_only(database, key)).await;
    let store = store.map_err(|error| StartError::Issuer(error.to_string()))??;
    let issuer = open_issuer(&config, &clock)?;
    Ok(Shared { config, clock, log_key, store, issuer, reason, revoked: AtomicU64::new(0) })
}

async fn look_after(shared: Arc<Shared>, clear: watch::Sender<bool>, mut stopped: watch::Receiver<bool>) {
    let mut failure = String::new();
    while !*stopped.borrow() {
        let failed = shared.revoke_due().await.err().unwrap_or_default();
        // Said when it changes, not at every look.
        if failed != failure && !failed.is_empty() {
            tracing::error!(failed, "a due revocation failed; it is tried again");
        }
        failure = failed;
        if shared.reason_is_gone().await {
            tracing::info!("the reason is gone");
            clear.send_replace(true);
            return;
        }
        tokio::select! {
            _ = stopped.changed() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

impl Shared {
    /// Puts on the revocation list what the log says is to be there by now. A repeat changes nothing, and the real
    /// server says it in the log once it may.
    async fn revoke_due(&self) -> Result<(), String> {
        let now = self.now().await?;
        let due = due_revocations(&self.store, now).await.map_err(|fault| fault.to_string())?;
        let serials: Vec<u64> = due.iter().map(|(_, serial)| *serial).collect();
        if !serials.is_empty() {
            let number = self.issuer.revoke_all(&serials, 0, now).map_err(|error| error.to_string())?;
            let before = self.revoked.swap(serials.len() as u64, Ordering::AcqRel);
            if before != serials.len() as u64 {
                tracing::info!(number, serials = serials.len(), "due revocations stand on the list");
            }
        }
        Ok(())
    }

    /// What the clock shows, and never before what the log says already.
    async fn now(&self) -> Result<Timestamp, String> {
        let newest = self.store.newest_time().await.map_err(|fault| fault.to_string())?;
        let now = self.clock.now();
        Ok(newest.map_or(now, |newest| newest.max(now)))
    }

    async fn reason_is_gone(&self) -> bool {
        let (database, copy, key) =
            (self.config.database(), self.config.checkpoint_copy(), self.log_key.clone());
        let compared =
            tokio::task::spawn_blocking(move || SqliteStore::compare(&database, &copy, &key)).await;
        if !matches!(compared, Ok(Ok(()))) {
            return false;
        }
        matches!(self.store.newest_time().await, Ok(newest) if newest.is_none_or(|newest| newest <= self.clock.now()))
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route(
            "/healthz",
            get(|| async { ([(header::CONTENT_TYPE, "application/json")], r#"{"status":"held"}"#) }),
        )
        .route("/metrics", get(metrics))
        .route("/api/v1/revocations/ssh", get(revocations))
        .fallback(refuse)
        .with_state(shared)
}

async fn refuse(State(shared): State<Arc<Shared>>) -> Response {
    let remedy =
        "the operator finds the way out in docs/operations/incidents.md, and in `chancery server doctor`";
    let reason = format!("nothing is signed here for now: {}", shared.reason);
    Problem::refused(StatusCode::SERVICE_UNAVAILABLE, "log_held", reason, remedy).into_response()
}

async fn revocations(State(shared): State<Arc<Shared>>) -> Response {
    match tokio::fs::read(shared.config.ssh_krl()).await {
        Ok(list) => ([(header::CONTENT_TYPE, "application/octet-stream")], list).into_response(),
        Err(fault) => Problem::fault(fault).into_response(),
    }
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let revoked = shared.revoked.load(Ordering::Acquire);
    let text = format!(
        "# HELP chancery_held Whether nothing may be signed.\n# TYPE chancery_held gauge\nchancery_held 1\n\
         # HELP chancery_held_revocations Due revocations that stand on the list.\n\
         # TYPE chancery_held_revocations gauge\nchancery_held_revocations {revoked}\n"
    );
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

/// One answer a connection, with a bound on how long its headers may take: there is little to ask.
async fn accept(listener: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            _ = stopped.changed() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let service = TowerToHyperService::new(router.clone());
        let mut builder = hyper::server::conn::http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(5)).keep_alive(false);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            let _ = tokio::time::timeout(Duration::from_secs(30), connection).await;
            drop(place);
        });
    }
}
