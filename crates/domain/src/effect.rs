//! What must follow outside, once an event is under a checkpoint. Each effect has a key: doing it twice is
//! doing it once.

use serde::{Deserialize, Serialize};

use crate::event::RequestEvent;
use crate::id::{LeaseId, RequestId};
use crate::state::{LeaseStatus, State};
use crate::time::Timestamp;

/// Something to do, at some moment, at least once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Send `ClockFired` to the request at its next deadline.
    FireClock {
        /// Which request.
        request: RequestId,
    },
    /// Put a lease on the revocation list, and say so.
    RevokeLease {
        /// Under which grant.
        request: RequestId,
        /// Which lease.
        lease: LeaseId,
    },
    /// Find out whether a lease that was announced was minted.
    SettleLease {
        /// Under which grant.
        request: RequestId,
        /// Which lease.
        lease: LeaseId,
    },
}

/// An effect, and when it is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// What.
    pub effect: Effect,
    /// When.
    pub at: Timestamp,
}

/// How long an announced lease may stay without news before somebody looks.
const SETTLE_AFTER_SECONDS: u64 = 60;

impl Effect {
    /// The name under which the queue knows it: the same work has the same key.
    pub fn key(&self, at: Timestamp) -> String {
        match self {
            // The deadline is part of the key: each of the four clocks is a timer of its own.
            Self::FireClock { request } => format!("clock/{request}/{at}"),
            Self::RevokeLease { lease, .. } => format!("revoke/{lease}"),
            Self::SettleLease { lease, .. } => format!("settle/{lease}"),
        }
    }
}

/// What follows from an event, given the state after it.
pub fn effects(id: &RequestId, event: &RequestEvent, after: &State, now: Timestamp) -> Vec<Due> {
    match event {
        RequestEvent::Judged(_) | RequestEvent::Approved(_) | RequestEvent::Activated(_) => clock(id, after),
        RequestEvent::LeaseIntended(body) => {
            let effect = Effect::SettleLease { request: id.clone(), lease: body.lease.clone() };
            vec![Due { effect, at: now.plus(SETTLE_AFTER_SECONDS) }]
        }
        RequestEvent::Ended(_) | RequestEvent::Revoked(_) | RequestEvent::RollbackStarted(_) => {
            revocations(id, after, now)
        }
        // A lease whose news comes after its grant was ended early is taken back at once; and a change that was
        // run ends its grant like anything else does.
        RequestEvent::LeaseIssued(_) | RequestEvent::ExecutionFinished(_)
            if matches!(after, State::Ended(_) | State::RollingBack(_)) =>
        {
            revocations(id, after, now)
        }
        RequestEvent::Submitted(_)
        | RequestEvent::Revised(_)
        | RequestEvent::DecisionRecorded(_)
        | RequestEvent::DecisionRefused(_)
        | RequestEvent::Rejected(_)
        | RequestEvent::Mismatched(_)
        | RequestEvent::Cancelled(_)
        | RequestEvent::Lapsed(_)
        | RequestEvent::LeaseIssued(_)
        | RequestEvent::LeaseRevoked(_)
        | RequestEvent::Expired(_)
        | RequestEvent::ExecutionFinished(_)
        | RequestEvent::RollbackFinished(_)
        | RequestEvent::Redacted(_) => Vec::new(),
    }
}

fn clock(id: &RequestId, after: &State) -> Vec<Due> {
    let due = |at| Due { effect: Effect::FireClock { request: id.clone() }, at };
    after.due_at().map(due).into_iter().collect()
}

fn revocations(id: &RequestId, after: &State, now: Timestamp) -> Vec<Due> {
    let leases = after.leases().into_iter().flatten();
    leases
        .filter(|(_, lease)| lease.status != LeaseStatus::Revoked && lease.not_after > now)
        .map(|(lease, _)| Due {
            effect: Effect::RevokeLease { request: id.clone(), lease: lease.clone() },
            at: now,
        })
        .collect()
}
