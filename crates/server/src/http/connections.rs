//! Connections: accepting, bounding, serving and ending them.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::TokioTimer;
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use super::admission::block;
use super::patience::Patient;
use super::serve::stopping;
use super::shape::MAX_HEADERS;
use super::shares::Shares;
use crate::app::App;

/// What hyper reads of a head before it gives up on it. `limits.header_bytes` and `limits.uri_bytes` are refused
/// with words; beyond this hyper answers with a bare status.
const HEAD_BYTES: usize = 96 * 1024;
/// Files that are kept for what is no connection: database, log, keys, revocation list.
const OTHER_FILES: usize = 64;
/// How many connections are told at once why they are not taken; more are closed without a word.
const FAREWELLS: usize = 64;
/// How long a connection that is not taken may be read from, so that its client sees the answer.
const FAREWELL: Duration = Duration::from_secs(1);
/// After how long a listener that has no file left looks again.
const NO_FILES: Duration = Duration::from_millis(50);

/// Takes connections until the server stops, then waits for those on which something is under way, at most
/// `limits.drain_seconds`. Says whether something was still under way then.
pub async fn accept(
    listener: TcpListener,
    router: Router,
    app: Arc<App>,
    mut stopped: watch::Receiver<bool>,
) -> bool {
    let most = affordable(app.config.limits.connections);
    let gate = Gate {
        places: Arc::new(Semaphore::new(most)),
        addresses: Arc::default(),
        farewells: Arc::new(Semaphore::new(FAREWELLS)),
        cut: Arc::default(),
    };
    loop {
        let accepted = tokio::select! {
            biased;
            () = stopping(&mut stopped) => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => gate.take(stream, peer, &router, &app),
            // Out of file descriptors, most likely: give some time to end.
            Err(_) => sleep(NO_FILES).await,
        }
    }
    drop(listener);
    let all = u32::try_from(most).unwrap_or(u32::MAX);
    let drained =
        timeout(Duration::from_secs(app.config.limits.drain_seconds), gate.places.acquire_many(all)).await;
    drained.is_err() || gate.cut.load(Ordering::Acquire)
}

/// As many connections as were asked for, or as this process has files for.
fn affordable(asked: usize) -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    let most = soft.map_or(asked, |soft| asked.min(soft.saturating_sub(OTHER_FILES).max(1)));
    if most < asked {
        tracing::warn!(
            asked,
            most,
            "this process may open too few files for `limits.connections`: raise `LimitNOFILE` or `ulimit -n`"
        );
    }
    most
}

/// Who is let in.
struct Gate {
    places: Arc<Semaphore>,
    addresses: Arc<Shares<IpAddr>>,
    farewells: Arc<Semaphore>,
    /// Becomes true when a connection was waited for in vain.
    cut: Arc<AtomicBool>,
}

impl Gate {
    fn take(&self, stream: TcpStream, peer: SocketAddr, router: &Router, app: &Arc<App>) {
        let limits = &app.config.limits;
        let from = peer.ip().to_canonical();
        // Behind a proxy everybody has its address.
        let most = if app.proxies.trusts(from) { usize::MAX } else { limits.connections_per_address };
        let Some(share) = self.addresses.take(block(from), most) else {
            return self.refuse(stream, TOO_MANY_OF_ADDRESS);
        };
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return self.refuse(stream, TOO_MANY);
        };
        let waits = Waits {
            header: Duration::from_secs(limits.header_seconds),
            write: Duration::from_secs(limits.write_seconds),
            drain: Duration::from_secs(limits.drain_seconds),
        };
        let connection = serve(stream, peer, router.clone(), waits, app.stopping.subscribe());
        let cut = Arc::clone(&self.cut);
        tokio::spawn(async move {
            if !connection.await {
                cut.store(true, Ordering::Release);
            }
            drop((share, place));
        });
    }

    /// Says why, without waiting for what is asked.
    fn refuse(&self, stream: TcpStream, answer: &'static str) {
        let Ok(turn) = Arc::clone(&self.farewells).try_acquire_owned() else { return };
        // A socket that is new takes this much at once.
        let _ = stream.try_write(answer.as_bytes());
        tokio::spawn(async move {
            // What came in unread would make the system throw the answer away when the socket is closed.
            let mut stream = stream;
            let _ = timeout(FAREWELL, stream.read(&mut [0; 4096])).await;
            drop(turn);
        });
    }
}

const TOO_MANY: &str = "HTTP/1.1 503 Service Unavailable\r\n\
    content-type: application/problem+json\r\nretry-after: 5\r\nconnection: close\r\ncontent-length: 317\r\n\r\n\
    {\"type\":\"urn:chancery:problem:too_many_connections\",\"title\":\"Service Unavailable\",\"status\":503,\
    \"code\":\"too_many_connections\",\"reason\":\"as many connections as the server takes are open \
    (`limits.connections`)\",\"remedy\":\"come back in a few seconds; keep connections open and use them again\",\
    \"request_id\":\"-\",\"errors\":[]}";

const TOO_MANY_OF_ADDRESS: &str = "HTTP/1.1 429 Too Many Requests\r\n\
    content-type: application/problem+json\r\nretry-after: 5\r\nconnection: close\r\ncontent-length: 323\r\n\r\n\
    {\"type\":\"urn:chancery:problem:too_many_connections\",\"title\":\"Too Many Requests\",\"status\":429,\
    \"code\":\"too_many_connections\",\"reason\":\"as many connections as one address may have are open \
    (`limits.connections_per_address`)\",\"remedy\":\"close some of them; keep connections open and use them \
    again\",\"request_id\":\"-\",\"errors\":[]}";

/// How long one connection is waited for.
#[derive(Clone, Copy)]
struct Waits {
    header: Duration,
    write: Duration,
    drain: Duration,
}

/// One connection, from its first byte to its last. When the server stops, one on which nothing was ever asked ends
/// at once, and any other after the answer that is under way; `false` where that did not come in time.
async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    waits: Waits,
    mut stopped: watch::Receiver<bool>,
) -> bool {
    // Small answers go out at once; without it they wait for acknowledgements.
    let _ = stream.set_nodelay(true);
    let asked = Arc::new(AtomicBool::new(false));
    let service = service(router, peer, Arc::clone(&asked));
    let mut builder = Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(waits.header)
        .max_headers(2 * MAX_HEADERS)
        .max_buf_size(HEAD_BYTES);
    let io = Patient::new(stream, waits.write);
    let mut connection = std::pin::pin!(builder.serve_connection(io, service));
    // What a broken connection did is not interesting; its requests were answered or refused apart.
    tokio::select! {
        _ = connection.as_mut() => return true,
        () = stopping(&mut stopped) => {}
    }
    if !asked.load(Ordering::Acquire) {
        return true;
    }
    connection.as_mut().graceful_shutdown();
    timeout(waits.drain, connection).await.is_ok()
}

/// What hyper serves a connection with.
fn service(
    router: Router,
    peer: SocketAddr,
    asked: Arc<AtomicBool>,
) -> impl hyper::service::Service<
    hyper::Request<Incoming>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future: Send,
> {
    hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        asked.store(true, Ordering::Release);
        request.extensions_mut().insert(ConnectInfo(peer));
        let inner = TowerToHyperService::new(router.clone());
        async move { hyper::service::Service::call(&inner, request.map(axum::body::Body::new)).await }
    })
}

#[cfg(test)]
mod tests {
    use super::{TOO_MANY, TOO_MANY_OF_ADDRESS};

    #[test]
    fn a_connection_that_is_not_taken_is_told_so_in_whole_sentences() {
        for (answer, status) in [(TOO_MANY, 503), (TOO_MANY_OF_ADDRESS, 429)] {
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with(&format!("HTTP/1.1 {status} ")));
            assert!(head.ends_with(&format!("content-length: {}", body.len())), "{} bytes", body.len());
            let problem: chancery_api::problem::Problem = serde_json::from_str(body).unwrap();
            assert_eq!((problem.status, problem.code.as_str()), (status, "too_many_connections"));
        }
    }
}
