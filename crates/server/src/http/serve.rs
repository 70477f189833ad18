//! Starting a server, and stopping it so that nothing that was promised is lost.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout_at};

use super::connections;
use crate::app::{App, StartError};
use crate::clock::Clock;
use crate::config::Config;
use crate::{effects, feed, routes};

/// How often it is looked whether the last one has let go.
const LOOK: Duration = Duration::from_millis(2);

/// A server that can be started.
#[derive(Debug)]
pub struct Server;

/// A server that runs, in the background, until it is shut down.
pub struct Running {
    address: SocketAddr,
    connections: JoinHandle<bool>,
    feed: JoinHandle<()>,
    effects: JoinHandle<()>,
    app: Arc<App>,
}

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything that was under way came to its end.
    Drained,
    /// Something was still under way when `limits.drain_seconds` were over.
    Late,
    /// A second signal came: nothing was waited for.
    Cut,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The installation does not open.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The address cannot be listened on.
    #[error("cannot listen on `{address}`: {cause}; set `listen` to a free address")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        cause: std::io::Error,
    },
}

impl Server {
    /// Opens the installation and listens, by the system's clock.
    ///
    /// # Errors
    /// [`ServerError`].
    pub async fn start(config: Config) -> Result<Running, ServerError> {
        let clock = Clock::system().map_err(StartError::from)?;
        Self::start_with_clock(config, clock).await
    }

    /// The same by another clock, for tests.
    ///
    /// # Errors
    /// [`ServerError`].
    pub async fn start_with_clock(config: Config, clock: Clock) -> Result<Running, ServerError> {
        let listen = config.listen;
        let app = Arc::new(App::open(config, clock).await?);
        let refused = |cause| ServerError::Listen { address: listen, cause };
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let stopped = app.stopping.subscribe();
        let router = routes::router(&app);
        let connections =
            tokio::spawn(connections::accept(listener, router, Arc::clone(&app), stopped.clone()));
        let feed = tokio::spawn(feed::run(Arc::clone(&app), stopped.clone()));
        let effects = tokio::spawn(effects::run(Arc::clone(&app), stopped));
        tracing::info!(%address, "listening");
        Ok(Running { address, connections, feed, effects, app })
    }
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, lets what is under way end, and closes the store; takes about `limits.drain_seconds` at
    /// most.
    ///
    /// The order: nobody is let in any more, streams end, effects that did not begin are given back; answers that
    /// are under way go out; then the store finishes its queue. Whatever was acknowledged stands before any of it,
    /// so being cut off anywhere here loses nothing.
    pub async fn shutdown(self) -> Ended {
        let Self { connections, feed, effects, app, .. } = self;
        let deadline = Instant::now() + Duration::from_secs(app.config.limits.drain_seconds);
        app.stopping.send_replace(true);
        // Too late for itself is late as well.
        let cut = !matches!(timeout_at(deadline, connections).await, Ok(Ok(false)));
        for task in [feed, effects] {
            let _ = timeout_at(deadline, task).await;
        }
        // Requests whose client went away are worked on to their end as well.
        while Arc::strong_count(&app) > 1 && Instant::now() < deadline {
            sleep(LOOK).await;
        }
        let ended = if cut || Arc::strong_count(&app) > 1 { Ended::Late } else { Ended::Drained };
        // The last one to let go waits for the writer's queue, which blocks.
        let _ = tokio::task::spawn_blocking(move || drop(app)).await;
        ended
    }

    /// Runs until SIGTERM or SIGINT, then shuts down. A second signal ends it at once.
    pub async fn until_signal(self) -> Ended {
        let mut signals = Signals::listen();
        signals.next().await;
        tracing::info!("shutting down; a second signal ends at once");
        tokio::select! {
            ended = self.shutdown() => ended,
            () = signals.next() => Ended::Cut,
        }
    }
}

/// Waits until the server is to stop.
pub async fn stopping(stopped: &mut watch::Receiver<bool>) {
    // A sender that is gone is a server that is gone.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// The signals that end a server. One that cannot be listened to keeps its default, which ends the process.
struct Signals {
    terminate: Option<Signal>,
    interrupt: Option<Signal>,
}

impl Signals {
    fn listen() -> Self {
        Self {
            terminate: signal(SignalKind::terminate()).ok(),
            interrupt: signal(SignalKind::interrupt()).ok(),
        }
    }

    async fn next(&mut self) {
        async fn one(signal: &mut Option<Signal>) {
            match signal {
                Some(signal) => {
                    signal.recv().await;
                }
                None => std::future::pending().await,
            }
        }
        tokio::select! {
            () = one(&mut self.terminate) => {}
            () = one(&mut self.interrupt) => {}
        }
    }
}
