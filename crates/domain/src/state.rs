//! Where a request stands. Each state carries the data that exists in it; `evolve.rs` moves from one to the next.

use std::collections::{BTreeMap, BTreeSet};

use chancery_canonical::Sha256;
use serde::Serialize;

use crate::document::{DecisionKind, GrantTerms};
use crate::event::{MAX_MISMATCHES, WaitingClock};
use crate::id::{LeaseId, PersonId, RequestId};
use crate::seats::Seating;
use crate::time::Timestamp;

/// What is asked, as far as the lifecycle needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// Which request.
    pub id: RequestId,
    /// Which revision.
    pub revision: u32,
    /// Digest of its document.
    pub request_sha256: Sha256,
    /// Who asks.
    pub requester: PersonId,
    /// For whom.
    pub beneficiary: PersonId,
    /// For what.
    pub entitlement: String,
}

/// What policy said at submission; it fixes the stages and the terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// Digest of the verdict.
    pub verdict_sha256: Sha256,
    /// Digest of the bundle.
    pub policy_sha256: Sha256,
    /// What a grant may be.
    pub grant: GrantTerms,
    /// When it lapses undecided.
    pub lapses_at: Timestamp,
}

/// A decision that stands in the log, by digest; seats are counted from verified signatures, not from this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decided {
    /// Digest of the decision document.
    pub sha256: Sha256,
    /// Whose.
    pub person: PersonId,
    /// Yes, no, …
    pub decision: DecisionKind,
    /// Seats that it names.
    pub stages: BTreeSet<String>,
}

/// How far a lease has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaseStatus {
    /// Announced in the log.
    Intended,
    /// Minted.
    Issued,
    /// On the revocation list.
    Revoked,
}

/// One credential instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lease {
    /// How far it has come.
    pub status: LeaseStatus,
    /// Serial, decimal.
    pub serial: String,
    /// Digest of what the issuer signs.
    pub to_be_signed_sha256: Sha256,
    /// Its own end.
    pub not_after: Timestamp,
}

/// All leases under one grant.
pub type Leases = BTreeMap<LeaseId, Lease>;

/// Policy said no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Denied {
    /// What was asked.
    pub asked: Asked,
    /// Digest of the verdict that said so.
    pub verdict_sha256: Sha256,
}

/// Waiting for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pending {
    /// What was asked.
    pub asked: Asked,
    /// What policy said.
    pub judgement: Judgement,
    /// Who decided what; in the order of the log.
    pub decisions: Vec<Decided>,
    /// Who gave wrong digits, and how often.
    pub mismatches: BTreeMap<PersonId, u32>,
}

impl Pending {
    /// How many more wrong digits reject it; those of all approvers count together.
    pub fn mismatches_left(&self) -> u32 {
        MAX_MISMATCHES.saturating_sub(self.mismatches.values().sum())
    }
}

/// Approved, not started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Approved {
    /// What was asked.
    pub asked: Asked,
    /// What policy said.
    pub judgement: Judgement,
    /// Who decided what.
    pub decisions: Vec<Decided>,
    /// Who fills which stage; empty when policy allowed it.
    pub seats: Seating,
    /// When it lapses unused.
    pub starts_by: Timestamp,
}

/// The grant's clock runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Active {
    /// The approval behind it.
    pub approved: Approved,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// Credentials under it.
    pub leases: Leases,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// By a person, or by wrong digits.
    Rejected,
    /// By the requester, before it started.
    Cancelled,
    /// By a waiting clock.
    Lapsed(WaitingClock),
    /// By the requester when done, or by the change having been applied.
    Completed,
    /// By the grant's clock.
    Expired,
    /// By a person, early.
    Revoked,
    /// By the change not having been applied.
    Failed,
    /// By its inverse.
    RolledBack,
    /// By its inverse failing too; a person is needed.
    RollbackFailed,
}

/// Over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ended {
    /// What was asked.
    pub asked: Asked,
    /// How it ended.
    pub ending: Ending,
    /// Credentials that were under it; those not revoked may outlive it until their own end.
    pub leases: Leases,
}

/// Where a request stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// Policy is being asked.
    Evaluating(Asked),
    /// Policy said no.
    Denied(Denied),
    /// People are being asked.
    Pending(Pending),
    /// It may start.
    Approved(Approved),
    /// It has started.
    Active(Active),
    /// It was run and nobody knows what became of it.
    Unknown(Active),
    /// Its inverse is being applied.
    RollingBack(Ended),
    /// It is over.
    Ended(Ended),
}

impl State {
    /// What was asked.
    pub fn asked(&self) -> &Asked {
        match self {
            Self::Evaluating(asked) => asked,
            Self::Denied(denied) => &denied.asked,
            Self::Pending(pending) => &pending.asked,
            Self::Approved(approved) => &approved.asked,
            Self::Active(active) | Self::Unknown(active) => &active.approved.asked,
            Self::RollingBack(ended) | Self::Ended(ended) => &ended.asked,
        }
    }

    /// The word for it (architecture.md §Domain words).
    pub fn name(&self) -> &'static str {
        match self {
            Self::Evaluating(_) => "evaluating",
            Self::Denied(_) => "denied",
            Self::Pending(_) => "pending",
            Self::Approved(_) => "approved",
            Self::Active(_) => "active",
            Self::Unknown(_) => "unknown",
            Self::RollingBack(_) => "rolling_back",
            Self::Ended(ended) => ended.ending.name(),
        }
    }

    /// Credentials under it.
    pub fn leases(&self) -> Option<&Leases> {
        match self {
            Self::Active(active) | Self::Unknown(active) => Some(&active.leases),
            Self::RollingBack(ended) | Self::Ended(ended) => Some(&ended.leases),
            Self::Evaluating(_) | Self::Denied(_) | Self::Pending(_) | Self::Approved(_) => None,
        }
    }

    /// The next deadline, when one runs.
    pub fn due_at(&self) -> Option<Timestamp> {
        match self {
            Self::Pending(pending) => Some(pending.judgement.lapses_at),
            Self::Approved(approved) => Some(approved.starts_by),
            Self::Active(active) | Self::Unknown(active) => Some(active.ends_at),
            Self::Evaluating(_) | Self::Denied(_) | Self::RollingBack(_) | Self::Ended(_) => None,
        }
    }
}

impl Ending {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Lapsed(_) => "lapsed",
            Self::Completed => "completed",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Failed => "failed",
            Self::RolledBack => "rolled_back",
            Self::RollbackFailed => "rollback_failed",
        }
    }
}
