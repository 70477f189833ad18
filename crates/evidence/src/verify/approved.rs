//! What only verification can make: an approval, and the proof that it was logged.

use chancery_canonical::{Canonical, Sha256};
use chancery_domain::document::{GrantTerms, RequestDocument};
use chancery_domain::event::{Activated, LeaseIntended};
use chancery_domain::id::LeaseId;
use chancery_domain::seats::Seating;
use chancery_domain::state::{LeaseStatus, State};
use chancery_domain::time::Timestamp;
use chancery_domain::verdict::VerdictDocument;
use chancery_ledger::SignedCheckpoint;
use chancery_policy::Entitlement;

/// A value that was proved to stand in the log under a signed checkpoint.
///
/// INVARIANT: only [`super::verify`] makes one, and only when no check failed.
#[derive(Clone, Debug)]
pub struct Logged<T> {
    value: T,
    checkpoint: SignedCheckpoint,
    index: u64,
}

impl<T> Logged<T> {
    pub(super) fn proved(value: T, checkpoint: SignedCheckpoint, index: u64) -> Self {
        Self { value, checkpoint, index }
    }

    /// What was proved.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// The checkpoint under which everything of the bundle stands.
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }

    /// Leaf of the `request.approved` event.
    pub fn index(&self) -> u64 {
        self.index
    }
}

/// A credential that was announced.
#[derive(Clone, Debug, PartialEq)]
pub struct IntendedLease {
    /// The announcement.
    pub intended: LeaseIntended,
    /// Its leaf.
    pub index: u64,
    /// When it was announced.
    pub at: Timestamp,
    /// How far it has come, as far as the bundle knows.
    pub status: LeaseStatus,
}

/// A request that was approved, by people whose signatures were verified, under a policy that was evaluated again.
#[derive(Clone, Debug)]
pub struct Approved {
    pub(super) document: RequestDocument,
    pub(super) canonical: Canonical,
    pub(super) verdict: VerdictDocument,
    pub(super) verdict_sha256: Sha256,
    pub(super) entitlement: Entitlement,
    pub(super) seats: Seating,
    pub(super) terms: GrantTerms,
    pub(super) starts_by: Timestamp,
    pub(super) activated: Option<Activated>,
    pub(super) leases: Vec<IntendedLease>,
    pub(super) state: State,
}

impl Approved {
    /// What was asked.
    pub fn document(&self) -> &RequestDocument {
        &self.document
    }

    /// Its digest.
    pub fn request_sha256(&self) -> Sha256 {
        self.canonical.digest()
    }

    /// What policy said of it.
    pub fn verdict(&self) -> &VerdictDocument {
        &self.verdict
    }

    /// Digest of that.
    pub fn verdict_sha256(&self) -> Sha256 {
        self.verdict_sha256
    }

    /// What is granted, as the policy bundle defines it.
    pub fn entitlement(&self) -> &Entitlement {
        &self.entitlement
    }

    /// Who fills which stage; empty when policy allowed it.
    pub fn seats(&self) -> &Seating {
        &self.seats
    }

    /// What a grant may be.
    pub fn terms(&self) -> &GrantTerms {
        &self.terms
    }

    /// Until when it may be started.
    pub fn starts_by(&self) -> Timestamp {
        self.starts_by
    }

    /// The start and end of the grant, once it was started.
    pub fn activated(&self) -> Option<&Activated> {
        self.activated.as_ref()
    }

    /// Credentials under it, in the order of the log.
    pub fn leases(&self) -> &[IntendedLease] {
        &self.leases
    }

    /// One credential.
    pub fn lease(&self, lease: &LeaseId) -> Option<&IntendedLease> {
        self.leases.iter().find(|known| known.intended.lease == *lease)
    }

    /// Where the request stands at the end of the bundle.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether credentials may be made under it: started, and neither ended nor revoked, as far as the bundle knows.
    pub fn is_active(&self) -> bool {
        matches!(self.state, State::Active(_))
    }
}
