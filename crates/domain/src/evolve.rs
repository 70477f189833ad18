//! How a request's state follows from its events. Total over states and events: a new one of either must be
//! thought of here.

use std::collections::BTreeMap;

use chancery_canonical::Canonical;

use crate::document::{DecisionDocument, DecisionKind};
use crate::event::{
    DecisionRefused, EndedBy, ExecutionOutcome, Judged, NUMBER_MISMATCH, Phase, RequestEvent,
    RollbackFinished, Submitted,
};
use crate::id::RequestId;
use crate::state::{
    Active, Approved, Asked, Decided, Denied, Ended, Ending, Judgement, Lease, LeaseStatus, Leases, Pending,
    State,
};
use crate::verdict::Outcome;

/// An event that cannot follow what came before: the log or the code is wrong, never the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event `{event}` cannot follow state `{state}`")]
pub struct OutOfOrder {
    /// State before.
    pub state: &'static str,
    /// Event that came.
    pub event: &'static str,
}

/// Folds a whole stream; `None` for an empty one.
///
/// # Errors
/// [`OutOfOrder`] at the first event that does not fit.
pub fn replay<'a>(
    id: &RequestId,
    events: impl IntoIterator<Item = &'a RequestEvent>,
) -> Result<Option<State>, OutOfOrder> {
    events.into_iter().try_fold(None, |state, event| evolve(id, state, event).map(Some))
}

/// The state after an event.
///
/// # Errors
/// [`OutOfOrder`] when the event does not fit.
pub fn evolve(id: &RequestId, state: Option<State>, event: &RequestEvent) -> Result<State, OutOfOrder> {
    let misfit = OutOfOrder { state: state.as_ref().map_or("none", State::name), event: event_name(event) };
    follow(id, state, event).ok_or(misfit)
}

fn follow(id: &RequestId, state: Option<State>, event: &RequestEvent) -> Option<State> {
    let Some(state) = state else {
        return match event {
            RequestEvent::Submitted(body) if body.revision == 1 => Some(State::Evaluating(asked(id, body))),
            _ => None,
        };
    };
    match event {
        RequestEvent::Submitted(_) => None,
        RequestEvent::Revised(body) => revised(id, &state, body),
        RequestEvent::Judged(body) => judged(state, body),
        RequestEvent::DecisionRecorded(body) => decided(state, &body.document),
        RequestEvent::DecisionRefused(body) => Some(refused(state, body)),
        RequestEvent::Mismatched(body) => mismatched(state, body),
        // A redaction changes what is known, never where the request stands.
        RequestEvent::Redacted(_) => Some(state),
        RequestEvent::Approved(body) => match state {
            State::Pending(Pending { asked, judgement, decisions, .. })
                if body.revision == asked.revision =>
            {
                Some(State::Approved(Approved {
                    asked,
                    judgement,
                    decisions,
                    seats: body.seats.clone(),
                    starts_by: body.starts_by,
                }))
            }
            _ => None,
        },
        RequestEvent::Rejected(_) => end_before_start(state, Ending::Rejected),
        RequestEvent::Cancelled(_) => end_before_start(state, Ending::Cancelled),
        RequestEvent::Lapsed(body) => end_before_start(state, Ending::Lapsed(body.clock)),
        RequestEvent::Activated(body) => match state {
            State::Approved(approved) if !is_taken_back(&approved) => Some(State::Active(Active {
                approved,
                started_at: body.started_at,
                ends_at: body.ends_at,
                leases: Leases::new(),
            })),
            _ => None,
        },
        RequestEvent::LeaseIntended(_) | RequestEvent::LeaseIssued(_) | RequestEvent::LeaseRevoked(_) => {
            lease_moved(state, event)
        }
        RequestEvent::Expired(_) => end_active(state, Ending::Expired),
        RequestEvent::Ended(_) => end_active(state, Ending::Completed),
        // An approval withdrawn before it started is revoked as well: nothing of it may start.
        RequestEvent::Revoked(_) if matches!(state, State::Approved(_)) => {
            end_before_start(state, Ending::Revoked)
        }
        RequestEvent::Revoked(_) => end_active(state, Ending::Revoked),
        RequestEvent::ExecutionFinished(body) => executed(state, body.outcome),
        RequestEvent::RollbackStarted(_) => roll_back(state),
        RequestEvent::RollbackFinished(body) => rolled_back(state, body),
    }
}

fn revised(id: &RequestId, state: &State, body: &Submitted) -> Option<State> {
    let next = state.asked().revision.checked_add(1)?;
    match state {
        // A request stays its requester's; only what is asked may change.
        State::Pending(_) | State::Approved(_)
            if body.revision == next && body.requester == state.asked().requester =>
        {
            Some(State::Evaluating(asked(id, body)))
        }
        _ => None,
    }
}

fn rolled_back(state: State, body: &RollbackFinished) -> Option<State> {
    let State::RollingBack(ended) = state else { return None };
    let ending = if body.applied { Ending::RolledBack } else { Ending::RollbackFailed };
    Some(State::Ended(Ended { ending, ..ended }))
}

fn asked(id: &RequestId, body: &Submitted) -> Asked {
    Asked {
        id: id.clone(),
        revision: body.revision,
        request_sha256: body.request_sha256,
        requester: body.requester.clone(),
        beneficiary: body.beneficiary.clone(),
        entitlement: body.entitlement.clone(),
    }
}

/// Whether a decision stands in the log that takes the approval or the grant back. Nothing may start after it.
fn is_taken_back(approved: &Approved) -> bool {
    let takes_back = |decided: &Decided| match decided.decision {
        DecisionKind::Withdraw | DecisionKind::Revoke => true,
        DecisionKind::Approve | DecisionKind::Reject | DecisionKind::Override | DecisionKind::BreakGlass => {
            false
        }
    };
    approved.decisions.iter().any(takes_back)
}

fn judged(state: State, body: &Judged) -> Option<State> {
    if body.revision != state.asked().revision {
        return None;
    }
    let denied = |asked| Some(State::Denied(Denied { asked, verdict_sha256: body.verdict_sha256 }));
    match (body.phase, body.outcome, state) {
        (Phase::Request, Outcome::Deny, State::Evaluating(asked)) => denied(asked),
        (Phase::Request, Outcome::Allow | Outcome::RequireApproval, State::Evaluating(asked)) => {
            let judgement = Judgement {
                verdict_sha256: body.verdict_sha256,
                policy_sha256: body.policy_sha256,
                grant: body.grant.clone()?,
                lapses_at: body.lapses_at?,
            };
            Some(State::Pending(Pending {
                asked,
                judgement,
                decisions: Vec::new(),
                mismatches: BTreeMap::new(),
            }))
        }
        (Phase::Approve, Outcome::Deny, State::Pending(pending)) => denied(pending.asked),
        (Phase::Issue, Outcome::Deny, State::Approved(approved)) => denied(approved.asked),
        // Asked again later, policy can only tighten: anything but a deny leaves the state as it was.
        (Phase::Approve, Outcome::Allow | Outcome::RequireApproval, state @ State::Pending(_)) => Some(state),
        (
            Phase::Issue,
            Outcome::Allow | Outcome::RequireApproval,
            state @ (State::Approved(_) | State::Active(_)),
        ) => Some(state),
        // A deny while active refuses that credential; ending the grant is a command of its own.
        (Phase::Issue | Phase::Runtime, Outcome::Deny, state @ State::Active(_)) => Some(state),
        (Phase::Request | Phase::Approve | Phase::Issue | Phase::Runtime | Phase::Change, _, _) => None,
    }
}

fn decided(state: State, canonical: &Canonical) -> Option<State> {
    let document: DecisionDocument = canonical.decode().ok()?;
    let decision = Decided {
        sha256: canonical.digest(),
        person: document.approver.clone(),
        decision: document.decision,
        stages: document.stages.iter().map(|stage| stage.id.clone()).collect(),
    };
    match state {
        State::Pending(mut pending) => {
            if decision.decision == DecisionKind::Withdraw {
                // A withdrawn approval no longer counts, and its author may decide anew.
                pending.decisions.retain(|earlier| earlier.person != decision.person);
            } else {
                pending.decisions.push(decision);
            }
            Some(State::Pending(pending))
        }
        State::Approved(mut approved) => {
            approved.decisions.push(decision);
            Some(State::Approved(approved))
        }
        State::Active(mut active) => {
            active.approved.decisions.push(decision);
            Some(State::Active(active))
        }
        State::Unknown(mut active) => {
            active.approved.decisions.push(decision);
            Some(State::Unknown(active))
        }
        State::Evaluating(_) | State::Denied(_) | State::RollingBack(_) | State::Ended(_) => None,
    }
}

/// A refused decision moves nothing; wrong digits are counted.
fn refused(mut state: State, body: &DecisionRefused) -> State {
    if let (State::Pending(pending), NUMBER_MISMATCH) = (&mut state, body.code.as_str()) {
        let count = pending.mismatches.entry(body.person.clone()).or_default();
        *count = count.saturating_add(1);
    }
    state
}

/// INVARIANT: only so many logged mismatches end a request, and in the name of somebody who made one.
fn mismatched(state: State, body: &EndedBy) -> Option<State> {
    match state {
        State::Pending(ref pending)
            if pending.mismatches_left() == 0 && pending.mismatches.contains_key(&body.person) =>
        {
            end_before_start(state, Ending::Rejected)
        }
        _ => None,
    }
}

fn end_before_start(state: State, ending: Ending) -> Option<State> {
    let asked = match state {
        State::Evaluating(asked) => asked,
        State::Pending(pending) => pending.asked,
        State::Approved(approved) => approved.asked,
        State::Denied(_) | State::Active(_) | State::Unknown(_) | State::RollingBack(_) | State::Ended(_) => {
            return None;
        }
    };
    Some(State::Ended(Ended { asked, ending, leases: Leases::new() }))
}

fn end_active(state: State, ending: Ending) -> Option<State> {
    match state {
        State::Active(active) | State::Unknown(active) => {
            Some(State::Ended(Ended { asked: active.approved.asked, ending, leases: active.leases }))
        }
        State::Evaluating(_)
        | State::Denied(_)
        | State::Pending(_)
        | State::Approved(_)
        | State::RollingBack(_)
        | State::Ended(_) => None,
    }
}

fn lease_moved(mut state: State, event: &RequestEvent) -> Option<State> {
    let (leases, open) = match &mut state {
        State::Active(active) => {
            let open = !is_taken_back(&active.approved);
            (&mut active.leases, open)
        }
        State::Unknown(active) => (&mut active.leases, false),
        State::RollingBack(ended) | State::Ended(ended) => (&mut ended.leases, false),
        State::Evaluating(_) | State::Denied(_) | State::Pending(_) | State::Approved(_) => return None,
    };
    match event {
        RequestEvent::LeaseIntended(body) if open && !leases.contains_key(&body.lease) => {
            let lease = Lease {
                status: LeaseStatus::Intended,
                serial: body.serial.clone(),
                to_be_signed_sha256: body.to_be_signed_sha256,
                not_after: body.not_after,
            };
            leases.insert(body.lease.clone(), lease);
        }
        RequestEvent::LeaseIssued(body) => {
            let lease = leases.get_mut(&body.lease)?;
            if lease.status != LeaseStatus::Intended {
                return None;
            }
            lease.status = LeaseStatus::Issued;
        }
        RequestEvent::LeaseRevoked(body) => leases.get_mut(&body.lease)?.status = LeaseStatus::Revoked,
        _ => return None,
    }
    Some(state)
}

fn executed(state: State, outcome: ExecutionOutcome) -> Option<State> {
    match (state, outcome) {
        (State::Active(active), ExecutionOutcome::Unknown) => Some(State::Unknown(active)),
        (state @ (State::Active(_) | State::Unknown(_)), ExecutionOutcome::Completed) => {
            end_active(state, Ending::Completed)
        }
        (state @ (State::Active(_) | State::Unknown(_)), ExecutionOutcome::Failed) => {
            end_active(state, Ending::Failed)
        }
        (_, ExecutionOutcome::Completed | ExecutionOutcome::Failed | ExecutionOutcome::Unknown) => None,
    }
}

fn roll_back(state: State) -> Option<State> {
    match state {
        State::Ended(ended) if ended.ending == Ending::Completed => Some(State::RollingBack(ended)),
        state @ (State::Active(_) | State::Unknown(_)) => {
            let State::Ended(ended) = end_active(state, Ending::Completed)? else { return None };
            Some(State::RollingBack(ended))
        }
        State::Evaluating(_)
        | State::Denied(_)
        | State::Pending(_)
        | State::Approved(_)
        | State::RollingBack(_)
        | State::Ended(_) => None,
    }
}

/// The dotted name of an event, for messages.
pub fn event_name(event: &RequestEvent) -> &'static str {
    match event {
        RequestEvent::Submitted(_) => "request.submitted",
        RequestEvent::Revised(_) => "request.revised",
        RequestEvent::Judged(_) => "request.judged",
        RequestEvent::DecisionRecorded(_) => "decision.recorded",
        RequestEvent::DecisionRefused(_) => "decision.refused",
        RequestEvent::Approved(_) => "request.approved",
        RequestEvent::Rejected(_) => "request.rejected",
        RequestEvent::Mismatched(_) => "request.mismatched",
        RequestEvent::Cancelled(_) => "request.cancelled",
        RequestEvent::Lapsed(_) => "request.lapsed",
        RequestEvent::Activated(_) => "grant.activated",
        RequestEvent::LeaseIntended(_) => "lease.intended",
        RequestEvent::LeaseIssued(_) => "lease.issued",
        RequestEvent::LeaseRevoked(_) => "lease.revoked",
        RequestEvent::Expired(_) => "grant.expired",
        RequestEvent::Ended(_) => "grant.ended",
        RequestEvent::Revoked(_) => "grant.revoked",
        RequestEvent::ExecutionFinished(_) => "execution.finished",
        RequestEvent::RollbackStarted(_) => "rollback.started",
        RequestEvent::RollbackFinished(_) => "rollback.finished",
        RequestEvent::Redacted(_) => "redaction.made",
    }
}
