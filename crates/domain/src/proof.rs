//! Values that only a check can make. Each dies with the process, so on load it is made again from stored
//! signatures: `AuthenticatedActor → Verdict → VerifiedApproval → Approved → Logged<Approved> → Credential`.

use chancery_canonical::{Canonical, Sha256};

use crate::document::{DecisionDocument, DecisionKind, RequestDocument};
use crate::event::Submitted;
use crate::id::PersonId;
use crate::time::Timestamp;

/// Somebody whose session or key the server has just checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticatedActor {
    person: PersonId,
}

impl AuthenticatedActor {
    /// INVARIANT: called by the server's authentication alone; `tests/architecture.rs` keeps it so.
    pub fn authenticated_by_the_server(person: PersonId) -> Self {
        Self { person }
    }

    /// Who it is.
    pub fn person(&self) -> &PersonId {
        &self.person
    }
}

/// A request document whose requester signed it, and whose beneficiary proved to hold the key in it.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedRequest {
    document: RequestDocument,
    canonical: Canonical,
    submitted: Submitted,
}

impl SignedRequest {
    /// INVARIANT: called by `chancery-evidence` alone, after both signatures were verified.
    pub fn verified_by_evidence(
        document: RequestDocument,
        canonical: Canonical,
        submitted: Submitted,
    ) -> Self {
        Self { document, canonical, submitted }
    }

    /// What is asked.
    pub fn document(&self) -> &RequestDocument {
        &self.document
    }

    /// The bytes that were signed.
    pub fn canonical(&self) -> &Canonical {
        &self.canonical
    }

    /// The body that its event will have.
    pub fn submitted(&self) -> &Submitted {
        &self.submitted
    }
}

/// A decision document that its approver's own passkey signed, with a key that was theirs at that moment.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedDecision {
    document: DecisionDocument,
    canonical: Canonical,
}

impl VerifiedDecision {
    /// INVARIANT: called by `chancery-evidence` alone, after the assertion was verified.
    pub fn verified_by_evidence(document: DecisionDocument, canonical: Canonical) -> Self {
        Self { document, canonical }
    }

    /// What was decided.
    pub fn document(&self) -> &DecisionDocument {
        &self.document
    }

    /// The bytes that were signed.
    pub fn canonical(&self) -> &Canonical {
        &self.canonical
    }

    /// SHA-256 of the bytes that were signed: the name under which the state remembers it.
    pub fn sha256(&self) -> Sha256 {
        self.canonical.digest()
    }

    /// The approval that it is, when it says yes.
    pub fn approval(self) -> Option<VerifiedApproval> {
        match self.document.decision {
            DecisionKind::Approve => Some(VerifiedApproval(self)),
            DecisionKind::Reject
            | DecisionKind::Withdraw
            | DecisionKind::Revoke
            | DecisionKind::Override
            | DecisionKind::BreakGlass => None,
        }
    }
}

/// A verified decision that says yes. Seats are counted from these and from nothing else.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedApproval(VerifiedDecision);

impl VerifiedApproval {
    /// Whose.
    pub fn person(&self) -> &PersonId {
        &self.0.document.approver
    }

    /// Over what.
    pub fn document(&self) -> &DecisionDocument {
        &self.0.document
    }

    /// The name under which the state remembers it.
    pub fn sha256(&self) -> Sha256 {
        self.0.sha256()
    }

    /// When it was offered for signing.
    pub fn issued_at(&self) -> Timestamp {
        self.0.document.issued_at
    }
}
