//! What the log says of leases, read from events alone: for examinations, and for taking back where nothing may be
//! signed. A lease's serial stands in its leaf, so no document and no signature is needed to take it back.

use chancery_domain::effect::Effect;
use chancery_domain::event::RequestEvent;
use chancery_domain::evolve::replay;
use chancery_domain::id::{LeaseId, RequestId};
use chancery_domain::leaf::Stream;
use chancery_domain::state::{LeaseStatus, State};
use chancery_domain::time::Timestamp;
use chancery_store::{Fault, SqliteStore, Store as _};

use crate::app::load_request::{damaged, place};

/// Sort of effect that takes leases back.
const REVOKE_LEASE: &str = "revoke_lease";

/// One lease, as the log knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedLease {
    /// Which.
    pub lease: LeaseId,
    /// Serial of its certificate.
    pub serial: u64,
    /// Whether the log says that it was taken back, or that its grant is over.
    pub over: bool,
    /// Its own end.
    pub not_after: Timestamp,
}

/// What the log says of leases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoggedLeases {
    /// All of them.
    pub leases: Vec<LoggedLease>,
    /// The largest number of a revocation list that any event names.
    pub list_number: u64,
}

impl LoggedLeases {
    /// Serials that must be on the list at `now`: taken back or over, and not ended by themselves.
    pub fn to_be_listed(&self, now: Timestamp) -> Vec<u64> {
        let due = self.leases.iter().filter(|lease| lease.over && lease.not_after > now);
        due.map(|lease| lease.serial).collect()
    }

    /// Whether the log knows this lease.
    pub fn knows(&self, lease: &LeaseId) -> bool {
        self.leases.iter().any(|known| known.lease == *lease)
    }
}

/// Reads every request's events.
pub async fn logged_leases(store: &SqliteStore) -> Result<LoggedLeases, Fault> {
    let mut found = LoggedLeases::default();
    for head in store.streams_with_prefix("request/").await? {
        if let Stream::Request(id) = head.stream {
            read_request(store, &id, &mut found).await?;
        }
    }
    Ok(found)
}

/// Serials whose revocation is due at `now`, with the keys of the effects that want it.
pub async fn due_revocations(store: &SqliteStore, now: Timestamp) -> Result<Vec<(String, u64)>, Fault> {
    let mut due = Vec::new();
    for waiting in store.due_effects(REVOKE_LEASE, now, usize::MAX).await? {
        let effect = serde_json::from_value::<Effect>(waiting.payload).map_err(damaged)?;
        let Effect::RevokeLease { request, lease } = effect else {
            return Err(damaged(format!("effect `{}` is of another sort than its row says", waiting.key)));
        };
        let mut found = LoggedLeases::default();
        read_request(store, &request, &mut found).await?;
        let known = found.leases.into_iter().find(|known| known.lease == lease);
        let known = known.ok_or_else(|| damaged(format!("effect `{}` names no lease", waiting.key)))?;
        due.push((waiting.key, known.serial));
    }
    Ok(due)
}

async fn read_request(store: &SqliteStore, id: &RequestId, found: &mut LoggedLeases) -> Result<(), Fault> {
    let placed = place(store.stream(&Stream::Request(id.clone()), 1).await?)?;
    for one in &placed {
        if let RequestEvent::LeaseRevoked(body) = &one.event {
            found.list_number = found.list_number.max(body.list_number.parse().map_err(damaged)?);
        }
    }
    let Some(state) = replay(id, placed.iter().map(|one| &one.event)).map_err(damaged)? else {
        return Ok(());
    };
    let grant_over = matches!(state, State::Ended(_) | State::RollingBack(_));
    for (lease, known) in state.leases().into_iter().flatten() {
        found.leases.push(LoggedLease {
            lease: lease.clone(),
            serial: known.serial.parse().map_err(damaged)?,
            over: grant_over || known.status == LeaseStatus::Revoked,
            not_after: known.not_after,
        });
    }
    Ok(())
}
