//! A server without sockets, threads or a clock of its own: the same routes, use cases and effects, driven by whoever
//! holds it. For simulations, and therefore not in a release.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::extract::ConnectInfo;
use chancery_policy::Engine;
use chancery_store::{AnyStore, Fault, Projection};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;

use crate::app::record_events::projection;
use crate::app::{App, Parts, StartError};
use crate::clock::Clock;
use crate::config::Config;
use crate::policy::{self, PolicyFault};
use crate::random::Random;
use crate::{effects, routes};

/// A request with its whole body.
pub type Asked = hyper::Request<Vec<u8>>;

/// The largest answer that is taken, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// A server that runs when it is called, and not in between.
#[derive(Clone)]
pub struct Embedded {
    app: Arc<App>,
    router: Router,
}

/// An answer with its whole body.
#[derive(Clone, Debug)]
pub struct Answered {
    /// HTTP status.
    pub status: u16,
    /// `Set-Cookie`, where it sets one.
    pub cookie: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Embedded {
    /// Opens an installation on a store that is open, with every random value following from a seed.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn open(
        config: Config,
        clock: Clock,
        store: AnyStore,
        policy: Engine,
        seed: u64,
    ) -> Result<Self, StartError> {
        let parts = Parts { store, policy, random: Random::seeded(seed), single_threaded: true };
        let app = Arc::new(App::open_on(config, clock, parts).await?);
        Ok(Self { router: routes::router(&app), app })
    }

    /// The policy that the log says is active, prepared once for any number of servers.
    ///
    /// # Errors
    /// [`PolicyFault`], when the folder holds another one.
    pub async fn policy(folder: &Path, store: &AnyStore) -> Result<Engine, PolicyFault> {
        policy::load_active(folder, store).await
    }

    /// Answers one request, as the server does on a connection from this machine.
    pub async fn call(&self, asked: Asked) -> Answered {
        let mut asked = asked.map(axum::body::Body::from);
        asked.extensions_mut().insert(ConnectInfo(SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000))));
        let service = TowerToHyperService::new(self.router.clone());
        let response = match service.call(asked).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status().as_u16();
        let cookie = response.headers().get(hyper::header::SET_COOKIE);
        let cookie = cookie.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = axum::body::to_bytes(response.into_body(), MAX_ANSWER_BYTES).await;
        Answered { status, cookie, body: body.map(|bytes| bytes.to_vec()).unwrap_or_default() }
    }

    /// Runs the effects that are due; how many there were.
    ///
    /// # Errors
    /// [`Fault`] when the queue cannot be read or written; what was claimed comes back when its claim is over.
    pub async fn run_effects(&self) -> Result<usize, Fault> {
        effects::run_due(&self.app).await
    }

    /// How the read model is made from events.
    pub fn projection() -> Projection {
        projection()
    }
}
