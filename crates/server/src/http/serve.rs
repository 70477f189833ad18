//! Connections: accepting, bounding, and ending them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::app::{App, StartError};
use crate::clock::Clock;
use crate::config::Config;
use crate::{effects, routes};

/// How long open connections may take to end.
const DRAIN: Duration = Duration::from_secs(10);

/// A server that can be started.
#[derive(Debug)]
pub struct Server;

/// A server that runs, in the background, until it is shut down.
pub struct Running {
    address: SocketAddr,
    connections: JoinHandle<()>,
    effects: JoinHandle<()>,
    app: Arc<App>,
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
        let connections = tokio::spawn(accept(listener, router, Arc::clone(&app), stopped.clone()));
        let effects = tokio::spawn(effects::run(Arc::clone(&app), stopped));
        tracing::info!(%address, "listening");
        Ok(Running { address, connections, effects, app })
    }
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, lets open requests and effects end, and closes the store.
    pub async fn shutdown(self) {
        self.app.stopping.send_replace(true);
        let _ = self.connections.await;
        let _ = self.effects.await;
        drop(self.app);
    }

    /// Runs until SIGTERM or ctrl-c, then shuts down.
    pub async fn until_signal(self) {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = tokio::signal::ctrl_c() => {}
                }
            }
            Err(_) => {
                let _ = tokio::signal::ctrl_c().await;
            }
        }
        tracing::info!("shutting down");
        self.shutdown().await;
    }
}

async fn accept(listener: TcpListener, router: Router, app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(app.config.limits.connections));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            _ = stopped.changed() => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of file descriptors, most likely: give some time to end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // A connection beyond the bound is closed at once, which costs less than letting it wait.
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let connection = serve(stream, peer, router.clone(), app.config.limits.header_seconds);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // What a broken connection did is not interesting; its requests were answered or refused apart.
            let _ = connection.await;
            drop(place);
        });
    }
    let _ = tokio::time::timeout(DRAIN, graceful.shutdown()).await;
}

/// One connection, with a bound on how long headers may take.
fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    header_seconds: u64,
) -> hyper::server::conn::http1::Connection<TokioIo<TcpStream>, impl HyperService> {
    // Small answers go out at once; without it they wait for acknowledgements.
    let _ = stream.set_nodelay(true);
    let service = tower_service_of(router, peer);
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(header_seconds))
        .max_buf_size(64 * 1024);
    builder.serve_connection(TokioIo::new(stream), service)
}

/// What hyper serves a connection with.
pub trait HyperService:
    hyper::service::Service<
        hyper::Request<Incoming>,
        Response = axum::response::Response,
        Error = std::convert::Infallible,
        Future: Send,
    > + Send
{
}

impl<S> HyperService for S where
    S: hyper::service::Service<
            hyper::Request<Incoming>,
            Response = axum::response::Response,
            Error = std::convert::Infallible,
            Future: Send,
        > + Send
{
}

fn tower_service_of(router: Router, peer: SocketAddr) -> impl HyperService {
    hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let inner = TowerToHyperService::new(router.clone());
        async move { hyper::service::Service::call(&inner, request.map(axum::body::Body::new)).await }
    })
}
