//! Alerts: when one is raised, whom it freezes, and who may acknowledge it. Folded from their events, as people are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::count;
use crate::document::{DecisionDocument, DecisionKind};
use crate::event::{AlertAcknowledged, AlertEvent, AlertRaised, AlertReason, RequestEvent};
use crate::id::{AlertId, PersonId, RequestId};
use crate::people::{Directory, IDENTITY_ADMIN};
use crate::proof::AuthenticatedActor;
use crate::refusal::Refusal;
use crate::state::{Asked, State};
use crate::time::Timestamp;

/// One alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// What it is about.
    pub raised: AlertRaised,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// Who looked at it, and when.
    pub acknowledged: Option<(PersonId, Timestamp)>,
}

impl Alert {
    /// Whether the requester may ask for nothing and start nothing until somebody has looked at it. Digits are mistyped
    /// by approvers, which says nothing of the requester.
    pub fn freezes(&self) -> bool {
        match self.raised.reason {
            AlertReason::SuspiciousRequest => self.acknowledged.is_none(),
            AlertReason::NumberMismatch => false,
        }
    }
}

/// Why an event of an alert does not fit what came before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AlertError {
    /// Raised twice.
    #[error("alert `{0}` was raised before")]
    Exists(AlertId),
    /// Acknowledged before it was raised, or twice.
    #[error("alert `{0}` waits for nobody")]
    NotOpen(AlertId),
}

/// All alerts, as of some position of the log. A copy is cheap until one of the two changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alerts {
    all: Arc<BTreeMap<AlertId, Alert>>,
    /// INVARIANT: for each person exactly the alerts about them that freeze.
    freezing: Arc<BTreeMap<PersonId, BTreeSet<AlertId>>>,
}

impl Alerts {
    /// Takes in one event, at the time in its leaf.
    ///
    /// # Errors
    /// [`AlertError`] when it contradicts what came before; nothing is changed then.
    pub fn evolve(&mut self, id: &AlertId, event: &AlertEvent, at: Timestamp) -> Result<(), AlertError> {
        match event {
            AlertEvent::Raised(raised) => {
                if self.all.contains_key(id) {
                    return Err(AlertError::Exists(id.clone()));
                }
                let alert = Alert { raised: raised.clone(), raised_at: at, acknowledged: None };
                if alert.freezes() {
                    let freezing = Arc::make_mut(&mut self.freezing);
                    freezing.entry(raised.requester.clone()).or_default().insert(id.clone());
                }
                Arc::make_mut(&mut self.all).insert(id.clone(), alert);
            }
            AlertEvent::Acknowledged(body) => {
                let open = self.all.get(id).filter(|alert| alert.acknowledged.is_none());
                let requester = open.map(|alert| alert.raised.requester.clone());
                let requester = requester.ok_or_else(|| AlertError::NotOpen(id.clone()))?;
                if let Some(alert) = Arc::make_mut(&mut self.all).get_mut(id) {
                    alert.acknowledged = Some((body.person.clone(), at));
                }
                let freezing = Arc::make_mut(&mut self.freezing);
                if let Some(of_person) = freezing.get_mut(&requester) {
                    of_person.remove(id);
                }
                freezing.retain(|_, alerts| !alerts.is_empty());
            }
        }
        Ok(())
    }

    /// One alert.
    pub fn alert(&self, id: &AlertId) -> Option<&Alert> {
        self.all.get(id)
    }

    /// Every alert, the oldest request's first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&AlertId, &Alert)> {
        self.all.iter()
    }

    /// Refuses what a person who was reported may not do.
    ///
    /// # Errors
    /// [`Refusal::RequesterFrozen`], naming the alert that somebody has to look at.
    pub fn check(&self, person: &PersonId) -> Result<(), Refusal> {
        match self.freezing.get(person).and_then(BTreeSet::first) {
            Some(alert) => Err(Refusal::RequesterFrozen { person: person.clone(), alert: alert.clone() }),
            None => Ok(()),
        }
    }

    /// Refuses what is asked by, or would go to, a person who was reported.
    ///
    /// # Errors
    /// [`Refusal::RequesterFrozen`].
    pub fn check_parties(&self, asked: &Asked) -> Result<(), Refusal> {
        self.check(&asked.requester)?;
        self.check(&asked.beneficiary)
    }
}

/// The alert that follows from an event of a request, given the state after it. A request that raises one is over, so
/// it raises one at most: the alert has the request's id.
pub fn raised(id: &RequestId, event: &RequestEvent, after: &State) -> Option<(AlertId, AlertEvent)> {
    let (reason, person) = match event {
        RequestEvent::DecisionRecorded(body) => {
            let document: DecisionDocument = body.document.decode().ok()?;
            let reports = document.decision == DecisionKind::Reject && document.suspicious.is_some();
            (reports.then_some(AlertReason::SuspiciousRequest)?, document.approver)
        }
        RequestEvent::Mismatched(body) => (AlertReason::NumberMismatch, body.person.clone()),
        RequestEvent::Submitted(_)
        | RequestEvent::Revised(_)
        | RequestEvent::Judged(_)
        | RequestEvent::DecisionRefused(_)
        | RequestEvent::Approved(_)
        | RequestEvent::Rejected(_)
        | RequestEvent::Cancelled(_)
        | RequestEvent::Lapsed(_)
        | RequestEvent::Activated(_)
        | RequestEvent::LeaseIntended(_)
        | RequestEvent::LeaseIssued(_)
        | RequestEvent::LeaseRevoked(_)
        | RequestEvent::Expired(_)
        | RequestEvent::Ended(_)
        | RequestEvent::Revoked(_)
        | RequestEvent::ExecutionFinished(_)
        | RequestEvent::RollbackStarted(_)
        | RequestEvent::RollbackFinished(_)
        | RequestEvent::Redacted(_) => return None,
    };
    let Asked { revision, requester, .. } = after.asked().clone();
    let raised = AlertRaised { reason, request: id.clone(), revision, requester, person };
    Some((AlertId::of_request(id), AlertEvent::Raised(raised)))
}

/// The events of an acknowledgement; none when somebody was first.
///
/// # Errors
/// [`Refusal`] to everybody but an identity administrator whom the alert is not about.
pub fn acknowledge(
    alerts: &Alerts,
    id: &AlertId,
    actor: &AuthenticatedActor,
    directory: &Directory,
) -> Result<Vec<AlertEvent>, Refusal> {
    let person = count::check_active(actor.person(), directory)?;
    if !person.roles.contains(IDENTITY_ADMIN) {
        let stages = "acknowledging alerts".into();
        return Err(Refusal::NotEligible { person: person.id.clone(), stages });
    }
    let alert = alerts.alert(id).ok_or(Refusal::UnknownAlert)?;
    // INVARIANT: nobody thaws themselves.
    if alert.raised.requester == person.id {
        return Err(Refusal::AlertAboutYou);
    }
    let acknowledged = AlertEvent::Acknowledged(AlertAcknowledged { person: person.id.clone() });
    Ok(alert.acknowledged.is_none().then_some(acknowledged).into_iter().collect())
}
