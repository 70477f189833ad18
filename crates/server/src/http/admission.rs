//! Who is let in when many come at once: places for work, in all and of each person, and how often each may ask.
//! Whoever is turned away is told at once which limit it was and when to come back, instead of waiting in a queue
//! that grows.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use chancery_domain::id::PersonId;
use chancery_domain::time::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::authentication::address;
use super::shares::{Held, PersonShares, Share};
use super::windows::Windows;
use crate::app::App;
use crate::config::Limits;
use crate::problem::Problem;

/// After how many seconds somebody should come back who found every place taken.
const BUSY_SECONDS: u64 = 1;

/// Places and counts. All of it is forgotten at a restart.
pub struct Admission {
    places: Arc<Semaphore>,
    uploads: Arc<Semaphore>,
    shares: Arc<PersonShares>,
    counts: Mutex<Counts>,
}

/// How often each asked.
struct Counts {
    /// Without being signed in, by address.
    open: Windows<Option<IpAddr>>,
    /// Without being signed in, everybody.
    open_in_all: Windows<()>,
    requests: Windows<PersonId>,
    submissions: Windows<PersonId>,
}

/// What somebody holds while their request is worked on.
pub type PersonShare = Share<(PersonId, Held)>;

impl Admission {
    /// Everything is free.
    pub fn new(limits: &Limits) -> Self {
        Self {
            places: Arc::new(Semaphore::new(limits.requests_at_once)),
            uploads: Arc::new(Semaphore::new(limits.uploads_at_once)),
            shares: Arc::default(),
            counts: Mutex::new(Counts {
                open: Windows::of_seconds(60),
                open_in_all: Windows::of_seconds(60),
                requests: Windows::of_seconds(60),
                submissions: Windows::of_seconds(3600),
            }),
        }
    }

    /// A place for a request that is worked on.
    pub fn place(&self) -> Result<Place, Problem> {
        let permit = self.enter()?;
        Ok(Place { places: Arc::clone(&self.places), permit: Arc::new(Mutex::new(Some(permit))) })
    }

    fn enter(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.places).try_acquire_owned().map_err(|_| busy())
    }

    /// A place for an artifact that is received.
    pub fn upload(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.uploads).try_acquire_owned().map_err(|_| {
            Problem::busy(
                "as many artifacts as there is room for are being received (`limits.uploads_at_once`)",
            )
            .retry_after(BUSY_SECONDS)
        })
    }

    /// Counts a request of somebody who is signed in, and lets them have so many at once.
    pub fn person(&self, person: &PersonId, limits: &Limits, now: Timestamp) -> Result<PersonShare, Problem> {
        let most = limits.requests_per_person_per_minute;
        self.counts().requests.take(person.clone(), most, now).map_err(|wait| {
            let reason = format!(
                "more than {most} requests of yours in a minute (`limits.requests_per_person_per_minute`)"
            );
            Problem::too_many("too_many_requests", reason, "ask less often").retry_after(wait)
        })?;
        let most = limits.requests_at_once_per_person;
        self.hold(person, Held::Request, most).ok_or_else(|| {
            let reason = format!(
                "{most} requests of yours are being worked on (`limits.requests_at_once_per_person`)"
            );
            Problem::too_many("too_many_at_once", reason, "wait for the answers").retry_after(BUSY_SECONDS)
        })
    }

    /// Counts a submission.
    pub fn submission(&self, person: &PersonId, limits: &Limits, now: Timestamp) -> Result<(), Problem> {
        let most = limits.submissions_per_person_per_hour;
        self.counts().submissions.take(person.clone(), most, now).map_err(|wait| {
            let reason =
                format!("more than {most} submissions in an hour (`limits.submissions_per_person_per_hour`)");
            Problem::too_many("too_many_submissions", reason, "ask for less at a time").retry_after(wait)
        })
    }

    /// One more of something for a person; `None` when they hold `most`.
    pub fn hold(&self, person: &PersonId, held: Held, most: usize) -> Option<PersonShare> {
        self.shares.take((person.clone(), held), most)
    }

    /// Counts a request of somebody who is not signed in.
    fn open(&self, from: Option<IpAddr>, limits: &Limits, now: Timestamp) -> Result<(), Problem> {
        let (from, mut counts) = (from.map(block), self.counts());
        let most = limits.open_requests_per_minute;
        counts.open.check(&from, most, now).map_err(|wait| {
            let reason = format!(
                "more than {most} requests in a minute from one address (`limits.open_requests_per_minute`)"
            );
            Problem::too_many("too_many_requests", reason, "wait a minute").retry_after(wait)
        })?;
        // INVARIANT: an address is remembered only when it is counted here, so that no more of them are remembered
        // than this limit says, from however many somebody asks.
        counts.open_in_all.take((), limits.open_requests_in_all_per_minute, now).map_err(|wait| {
            Problem::busy(
                "too many ask at once who are not signed in (`limits.open_requests_in_all_per_minute`)",
            )
            .retry_after(wait)
        })?;
        counts.open.count(from, now);
        Ok(())
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one client can easily have many addresses of counts as one: a /64 network of IPv6.
pub fn block(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

fn busy() -> Problem {
    Problem::busy("as many requests as the server takes are being worked on (`limits.requests_at_once`)")
        .retry_after(BUSY_SECONDS)
}

/// A place among those whose requests are worked on. It is given back while a body is awaited, so that slow
/// senders keep nobody out.
#[derive(Clone)]
pub struct Place {
    places: Arc<Semaphore>,
    permit: Arc<Mutex<Option<OwnedSemaphorePermit>>>,
}

impl Place {
    /// Gives it back.
    pub fn leave(&self) {
        self.permit.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Takes one again.
    pub fn enter_again(&self) -> Result<(), Problem> {
        let permit = Arc::clone(&self.places).try_acquire_owned().map_err(|_| busy())?;
        *self.permit.lock().unwrap_or_else(PoisonError::into_inner) = Some(permit);
        Ok(())
    }
}

/// Proof that somebody who is not signed in did not ask too often.
pub struct Unhurried;

impl FromRequestParts<Arc<App>> for Unhurried {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        app.admission.open(address(app, parts), &app.config.limits, app.now())?;
        Ok(Self)
    }
}

impl Problem {
    /// Somebody asks for more than their share: 429.
    pub fn too_many(code: &str, reason: impl Into<String>, remedy: &str) -> Self {
        Self::refused(StatusCode::TOO_MANY_REQUESTS, code, reason, remedy)
    }

    /// There is more to do than can be done: 503.
    pub fn busy(reason: impl Into<String>) -> Self {
        Self::refused(StatusCode::SERVICE_UNAVAILABLE, "busy", reason, "ask again in a moment")
    }
}

#[cfg(test)]
mod tests;
