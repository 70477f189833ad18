//! How many requests wait for a decision, in all: known well enough to bound them without counting each time.

use chancery_domain::time::Timestamp;
use chancery_store::{RequestFilter, Store as _};
use tokio::sync::Mutex;

use super::App;
use crate::problem::Problem;

/// Requests that were decided are noticed at most this often, in seconds.
const RECOUNT_SECONDS: u64 = 5;

/// The newest count, and what was added since.
#[derive(Debug, Default)]
pub struct Waiting(Mutex<Option<Counted>>);

#[derive(Clone, Copy, Debug)]
struct Counted {
    at: Timestamp,
    count: u64,
}

impl Waiting {
    /// Refuses when as many wait as may. What is submitted at this moment is not known here yet, so that it may come
    /// to as many more as are worked on at once.
    pub async fn check(&self, app: &App) -> Result<(), Problem> {
        let (most, now) = (app.config.limits.pending_requests as u64, app.now());
        // Held while counting: of all who find it too old one counts.
        let mut counted = self.0.lock().await;
        let known = match *counted {
            Some(known) if known.count < most || now.seconds_since(known.at) < RECOUNT_SECONDS => known,
            Some(_) | None => Counted { at: now, count: count(app).await? },
        };
        *counted = Some(known);
        if known.count < most {
            return Ok(());
        }
        let reason = format!("{most} requests wait for decisions already (`limits.pending_requests`)");
        Err(Problem::busy(reason).retry_after(RECOUNT_SECONDS))
    }

    /// One more waits.
    pub async fn one_more(&self) {
        if let Some(counted) = self.0.lock().await.as_mut() {
            counted.count = counted.count.saturating_add(1);
        }
    }
}

async fn count(app: &App) -> Result<u64, Problem> {
    let filter = RequestFilter { states: vec!["pending".to_owned()], ..RequestFilter::default() };
    let ever = Timestamp::from_unix(0).map_err(Problem::bug)?;
    Ok(app.store.count_requests(filter, ever).await?)
}
