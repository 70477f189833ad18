//! Those who are not signed in may ask only so often: what they ask for is remembered for a while, and takes room.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError};

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use chancery_domain::time::Timestamp;

use super::authentication::address;
use crate::app::App;
use crate::problem::Problem;

/// Length of the window in which requests are counted, in seconds.
const WINDOW_SECONDS: u64 = 60;
/// Most addresses that are counted; beyond it the windows that are over go first, then all.
const MAX_ADDRESSES: usize = 100_000;

/// Requests of each address in its present window.
pub type Counts = HashMap<Option<IpAddr>, (Timestamp, u32)>;

/// Proof that an address did not ask too often.
pub struct Unhurried;

impl FromRequestParts<Arc<App>> for Unhurried {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let now = app.now();
        let from = address(app, parts);
        let most = app.config.limits.open_requests_per_minute;
        let mut counts = app.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MAX_ADDRESSES {
            counts.retain(|_, (since, _)| now.seconds_since(*since) < WINDOW_SECONDS);
            if counts.len() >= MAX_ADDRESSES {
                counts.clear();
            }
        }
        let (since, count) = counts.entry(from).or_insert((now, 0));
        if now.seconds_since(*since) >= WINDOW_SECONDS {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        if *count <= most {
            return Ok(Self);
        }
        Err(Problem::refused(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_requests",
            format!(
                "more than {most} requests in a minute from one address (`limits.open_requests_per_minute`)"
            ),
            "wait a minute",
        ))
    }
}
