//! From an approval to a running grant, and the credentials under it.

use super::{Facts, judged, wrong_state, yours};
use crate::count;
use crate::event::{Activated, LeaseIntended, LeaseIssued, LeaseRevoked, Phase, RequestEvent};
use crate::proof::AuthenticatedActor;
use crate::refusal::Refusal;
use crate::state::{Active, Approved, LeaseStatus, State};
use crate::verdict::{Outcome, VerdictDocument};

pub(super) fn activate(
    state: &State,
    actor: &AuthenticatedActor,
    facts: &Facts<'_>,
) -> Result<Vec<RequestEvent>, Refusal> {
    let State::Approved(approved) = state else { return Err(wrong_state(state)) };
    yours(&approved.asked, actor)?;
    count::check_parties(&approved.asked, facts.directory)?;
    facts.alerts.check_parties(&approved.asked)?;
    let terms = &approved.judgement.grant;
    if facts.now < terms.not_before {
        return Err(Refusal::TooEarly(terms.not_before));
    }
    let last = approved.starts_by.min(terms.not_after);
    if facts.now >= last {
        return Err(Refusal::TooLate(last));
    }
    let verdict = facts.verdict.ok_or(Refusal::DeniedByPolicy)?;
    let mut events = vec![RequestEvent::Judged(judged(verdict, Phase::Issue, approved.asked.revision))];
    if verdict.document().verdict != Outcome::Deny {
        covered(approved, verdict.document(), facts)?;
        let seconds = terms.max_seconds.min(verdict.document().constraints.grant_seconds);
        let ends_at = facts.now.plus(seconds).min(terms.not_after);
        events.push(RequestEvent::Activated(Activated { started_at: facts.now, ends_at }));
    }
    Ok(events)
}

pub(super) fn intend_lease(
    state: &State,
    actor: &AuthenticatedActor,
    lease: LeaseIntended,
    facts: &Facts<'_>,
) -> Result<Vec<RequestEvent>, Refusal> {
    let State::Active(active) = state else { return Err(wrong_state(state)) };
    let Active { approved, ends_at, leases, .. } = active;
    yours(&approved.asked, actor)?;
    count::check_parties(&approved.asked, facts.directory)?;
    facts.alerts.check_parties(&approved.asked)?;
    if facts.now >= *ends_at {
        return Err(Refusal::TooLate(*ends_at));
    }
    if lease.not_after > *ends_at {
        return Err(Refusal::LeaseMisfit("would outlive its grant"));
    }
    if leases.contains_key(&lease.lease) || leases.values().any(|other| other.serial == lease.serial) {
        return Err(Refusal::LeaseMisfit("exists already"));
    }
    let mut events = Vec::new();
    if let Some(verdict) = facts.verdict {
        covered(approved, verdict.document(), facts)?;
        events.push(RequestEvent::Judged(judged(verdict, Phase::Issue, approved.asked.revision)));
    }
    events.push(RequestEvent::LeaseIntended(lease));
    Ok(events)
}

pub(super) fn record_issued(state: &State, lease: LeaseIssued) -> Result<Vec<RequestEvent>, Refusal> {
    let known = state.leases().and_then(|leases| leases.get(&lease.lease));
    match known.map(|lease| lease.status) {
        None => Err(Refusal::LeaseMisfit("was never intended")),
        Some(LeaseStatus::Intended) => Ok(vec![RequestEvent::LeaseIssued(lease)]),
        // Told twice: nothing more happened.
        Some(LeaseStatus::Issued | LeaseStatus::Revoked) => Ok(Vec::new()),
    }
}

pub(super) fn record_revoked(state: &State, lease: LeaseRevoked) -> Result<Vec<RequestEvent>, Refusal> {
    let known = state.leases().and_then(|leases| leases.get(&lease.lease));
    match known.map(|lease| lease.status) {
        None => Err(Refusal::LeaseMisfit("was never intended")),
        Some(LeaseStatus::Intended | LeaseStatus::Issued) => Ok(vec![RequestEvent::LeaseRevoked(lease)]),
        Some(LeaseStatus::Revoked) => Ok(Vec::new()),
    }
}

/// Asked again, policy may want more people or others; then the request must be made anew.
fn covered(approved: &Approved, again: &VerdictDocument, facts: &Facts<'_>) -> Result<(), Refusal> {
    let covered = count::seats_cover(&approved.seats, &approved.asked, again, facts.directory);
    if covered { Ok(()) } else { Err(Refusal::DeniedByPolicy) }
}
