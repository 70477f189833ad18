//! What a command leads to. Pure: state, command and facts in; events or a refusal out.

mod grant;
mod number;

use chancery_canonical::Canonical;

use crate::alerts::Alerts;
use crate::count;
use crate::document::{DecisionKind, GrantTerms};
use crate::event::{
    Approved, DecisionRecorded, EndedBy, ExecutionFinished, ExecutionOutcome, Expired, Judged, Lapsed,
    LeaseIntended, LeaseIssued, LeaseRevoked, Phase, Redacted, RequestEvent, RollbackFinished, WaitingClock,
};
use crate::people::{AUDITOR, Directory, IDENTITY_ADMIN, Person};
use crate::proof::{AuthenticatedActor, SignedRequest, VerifiedApproval, VerifiedDecision};
use crate::refusal::Refusal;
use crate::seats;
use crate::signature::Assertion;
use crate::state::{self, Asked, Ending, Pending, State};
use crate::time::Timestamp;
use crate::verdict::{Outcome, Stage, Verdict, VerdictDocument};

/// What somebody, or a clock, wants to happen to one request.
#[derive(Clone, Debug)]
pub enum Command {
    /// Ask.
    Submit(SignedRequest),
    /// Ask anew, with other content.
    Revise(SignedRequest),
    /// Approve, reject, withdraw or revoke.
    Decide(VerifiedDecision, Assertion),
    /// Somebody gave other digits than the requester was shown.
    MissNumber(AuthenticatedActor),
    /// Take it back.
    Cancel(AuthenticatedActor),
    /// Start the grant's clock.
    Activate(AuthenticatedActor),
    /// Announce exactly what the issuer is about to mint.
    IntendLease(AuthenticatedActor, LeaseIntended),
    /// The issuer minted it.
    RecordIssued(LeaseIssued),
    /// It is on the revocation list.
    RecordRevoked(LeaseRevoked),
    /// The requester is done.
    End(AuthenticatedActor),
    /// A deadline may have passed.
    ClockFired,
    /// The approved change was run.
    FinishExecution(ExecutionOutcome),
    /// Undo it.
    StartRollback(AuthenticatedActor),
    /// The inverse was applied, or it failed.
    FinishRollback(RollbackFinished),
    /// Personal values were erased.
    Redact(AuthenticatedActor, Vec<String>),
}

/// Everything that is not in the request itself.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Now.
    pub now: Timestamp,
    /// Who exists.
    pub directory: &'a Directory,
    /// What policy says now, where the command asks it: `Submit`, `Revise`, an approval, `Activate`, `IntendLease`.
    pub verdict: Option<&'a Verdict>,
    /// The request-phase verdict that stands, by content; its digest must be the recorded one.
    pub standing_verdict: Option<&'a VerdictDocument>,
    /// The approvals that stand in the log, verified again from their signatures, in the order of the log.
    pub approvals: &'a [VerifiedApproval],
    /// Whom alerts freeze.
    pub alerts: &'a Alerts,
}

/// The events that follow, in order; an empty list means that nothing needs to happen.
///
/// # Errors
/// [`Refusal`] when a rule says no. The caller records it when [`Refusal::is_recorded`] says so.
pub fn decide(
    state: Option<&State>,
    command: Command,
    facts: &Facts<'_>,
) -> Result<Vec<RequestEvent>, Refusal> {
    let Some(state) = state else {
        return match command {
            Command::Submit(request) => submit(&request, facts),
            _ => Err(Refusal::UnknownRequest),
        };
    };
    match command {
        Command::Submit(_) => Err(Refusal::RequestExists),
        Command::Revise(request) => revise(state, &request, facts),
        Command::Decide(decision, assertion) => decided(state, decision, assertion, facts),
        Command::MissNumber(actor) => number::miss(state, &actor, facts),
        Command::Cancel(actor) => cancel(state, &actor),
        Command::Activate(actor) => grant::activate(state, &actor, facts),
        Command::IntendLease(actor, lease) => grant::intend_lease(state, &actor, lease, facts),
        Command::RecordIssued(lease) => grant::record_issued(state, lease),
        Command::RecordRevoked(lease) => grant::record_revoked(state, lease),
        Command::End(actor) => end(state, &actor),
        Command::ClockFired => Ok(clock_fired(state, facts.now)),
        Command::FinishExecution(outcome) => finish_execution(state, outcome),
        Command::StartRollback(actor) => start_rollback(state, &actor, facts),
        Command::FinishRollback(finished) => match state {
            State::RollingBack(_) => Ok(vec![RequestEvent::RollbackFinished(finished)]),
            other => Err(wrong_state(other)),
        },
        Command::Redact(actor, digests) => redact(&actor, digests, facts),
    }
}

fn redact(
    actor: &AuthenticatedActor,
    digests: Vec<String>,
    facts: &Facts<'_>,
) -> Result<Vec<RequestEvent>, Refusal> {
    let person = count::check_active(actor.person(), facts.directory)?;
    if !person.roles.contains(AUDITOR) {
        return Err(Refusal::NotEligible { person: person.id.clone(), stages: "redacting".into() });
    }
    Ok(vec![RequestEvent::Redacted(Redacted {
        person: person.id.clone(),
        digests,
        attestation_sha256: None,
    })])
}

fn submit(request: &SignedRequest, facts: &Facts<'_>) -> Result<Vec<RequestEvent>, Refusal> {
    if request.document().revision != 1 {
        return Err(Refusal::Changed("revision"));
    }
    let submitted = request.submitted().clone();
    let mut events = vec![RequestEvent::Submitted(submitted)];
    events.extend(judge(request, facts)?);
    Ok(events)
}

fn revise(state: &State, request: &SignedRequest, facts: &Facts<'_>) -> Result<Vec<RequestEvent>, Refusal> {
    let (State::Pending(Pending { asked, .. }) | State::Approved(state::Approved { asked, .. })) = state
    else {
        return Err(wrong_state(state));
    };
    let document = request.document();
    if document.requester != asked.requester {
        return Err(Refusal::NotYours);
    }
    let next = asked.revision.checked_add(1);
    if document.id != asked.id || Some(document.revision) != next {
        return Err(Refusal::Changed("revision"));
    }
    let mut events = vec![RequestEvent::Revised(request.submitted().clone())];
    events.extend(judge(request, facts)?);
    Ok(events)
}

/// Records the verdict on a new revision, and the approval when policy allows it outright.
fn judge(request: &SignedRequest, facts: &Facts<'_>) -> Result<Vec<RequestEvent>, Refusal> {
    let document = request.document();
    let asked = asked_by(request);
    count::check_parties(&asked, facts.directory)?;
    facts.alerts.check_parties(&asked)?;
    let verdict = facts.verdict.ok_or(Refusal::DeniedByPolicy)?;
    let said = verdict.document();
    if said.verdict != Outcome::Deny && count::unknown_obligation(said).is_some() {
        // Nobody would see to it, so it must not look as if somebody did.
        return Err(Refusal::DeniedByPolicy);
    }
    let clocks = &said.constraints;
    let not_before = document.clocks.not_before.unwrap_or(facts.now).max(facts.now);
    let lapses_at = facts.now.plus(clocks.pending_seconds);
    let latest_start = lapses_at.max(not_before).plus(clocks.approval_validity_seconds);
    // INVARIANT: never longer than was asked, whatever policy would give: that is what the requester signed.
    let max_seconds = clocks.grant_seconds.min(document.clocks.grant_seconds);
    let grant = GrantTerms { max_seconds, not_before, not_after: latest_start.plus(max_seconds) };
    let mut judged = judged(verdict, Phase::Request, document.revision);
    if said.verdict != Outcome::Deny {
        (judged.grant, judged.lapses_at) = (Some(grant), Some(lapses_at));
    }
    let mut events = vec![RequestEvent::Judged(judged)];
    match said.verdict {
        Outcome::Deny => {}
        Outcome::Allow => events.push(approved(document.revision, seats::Seating::new(), said, not_before)),
        Outcome::RequireApproval => {
            if said.stages.is_empty() {
                // Nobody could ever approve it, and it would wait in silence until it lapses.
                return Err(Refusal::CannotBeFilled("(none)".into()));
            }
            let eligible = count::eligible_people(said, &asked, facts.directory);
            if let Some(stage) = seats::unfillable(&said.stages, &eligible) {
                return Err(Refusal::CannotBeFilled(stage.id.clone()));
            }
        }
    }
    Ok(events)
}

fn decided(
    state: &State,
    decision: VerifiedDecision,
    assertion: Assertion,
    facts: &Facts<'_>,
) -> Result<Vec<RequestEvent>, Refusal> {
    let document = decision.document().clone();
    let asked = state.asked();
    if document.decision != DecisionKind::Revoke && document.decision != DecisionKind::Withdraw {
        count::check_person(&document.approver, asked, facts.directory)?;
    }
    if let Some(person) = facts.directory.person(&document.approver) {
        // INVARIANT: neither what was signed nor what is recorded within the day counts.
        let at = facts.now.min(document.issued_at);
        count::check_wait(person, &document.credential_id_sha256, at)?;
    }
    if facts.now >= document.expires_at {
        return Err(Refusal::OfferExpired(document.expires_at));
    }
    let recorded = RequestEvent::DecisionRecorded(DecisionRecorded {
        document: decision.canonical().clone(),
        assertion,
        attestation_sha256: None,
    });
    match (document.decision, state) {
        (DecisionKind::Approve | DecisionKind::Reject, State::Pending(pending)) => {
            vote(pending, decision, recorded, facts)
        }
        (DecisionKind::Withdraw, State::Pending(pending)) => {
            count::check_subject(&document, &pending.asked, &pending.judgement)?;
            withdrawable(&pending.decisions, &document.approver)?;
            Ok(vec![recorded])
        }
        (DecisionKind::Withdraw, State::Approved(approved)) => {
            count::check_subject(&document, &approved.asked, &approved.judgement)?;
            withdrawable(&approved.decisions, &document.approver)?;
            Ok(vec![recorded, RequestEvent::Revoked(EndedBy { person: document.approver })])
        }
        (DecisionKind::Revoke, State::Active(active) | State::Unknown(active)) => {
            revoke(&active.approved, &decision, recorded, facts)
        }
        (DecisionKind::Revoke, State::Approved(approved)) => revoke(approved, &decision, recorded, facts),
        (DecisionKind::Override | DecisionKind::BreakGlass, _) => Err(Refusal::DecisionNotPossible),
        (
            DecisionKind::Approve | DecisionKind::Reject | DecisionKind::Withdraw | DecisionKind::Revoke,
            other,
        ) => Err(wrong_state(other)),
    }
}

/// Records a yes or a no of an eligible person, and the approval when it was the last one needed.
fn vote(
    pending: &Pending,
    decision: VerifiedDecision,
    recorded: RequestEvent,
    facts: &Facts<'_>,
) -> Result<Vec<RequestEvent>, Refusal> {
    let Pending { asked, judgement, decisions, .. } = pending;
    let document = decision.document().clone();
    let approver = &document.approver;
    if facts.now >= judgement.lapses_at {
        return Err(Refusal::TooLate(judgement.lapses_at));
    }
    count::check_subject(&document, asked, judgement)?;
    let verdict = standing_verdict(pending, facts)?;
    let person = count::check_person(approver, asked, facts.directory)?;
    count::check_key(person, &document.credential_id_sha256, verdict)?;
    let eligible = count::eligible_stages(approver, &verdict.stages, asked, facts.directory);
    let named: Vec<&str> = document.stages.iter().map(|stage| stage.id.as_str()).collect();
    if !named.iter().all(|stage| eligible.contains(*stage)) || named.is_empty() {
        return Err(Refusal::NotEligible { person: approver.clone(), stages: named.join(", ") });
    }
    if decisions.iter().any(|earlier| earlier.person == *approver) {
        return Err(Refusal::AlreadyDecided(approver.clone()));
    }
    let mut events = vec![recorded];
    let Some(approval) = decision.approval() else {
        events.push(RequestEvent::Rejected(EndedBy { person: approver.clone() }));
        return Ok(events);
    };
    let standing = |earlier: &&VerifiedApproval| decisions.iter().any(|d| d.sha256 == earlier.sha256());
    let mut approvals: Vec<VerifiedApproval> = facts.approvals.iter().filter(standing).cloned().collect();
    let before = count::claims(&approvals, asked, judgement, verdict, facts.directory);
    in_turn(&verdict.stages, &named, &before)?;
    if let Some(again) = facts.verdict {
        events.push(RequestEvent::Judged(judged(again, Phase::Approve, asked.revision)));
        if again.document().verdict == Outcome::Deny {
            return Ok(events);
        }
    }
    approvals.push(approval);
    let claims = count::claims(&approvals, asked, judgement, verdict, facts.directory);
    if let Some(seating) = seats::fill(&verdict.stages, &claims) {
        events.push(approved(asked.revision, seating, verdict, facts.now.max(judgement.grant.not_before)));
    }
    Ok(events)
}

/// An approval given too early would fill no seat, and its author would wait for nothing.
fn in_turn(stages: &[Stage], named: &[&str], before: &[seats::Claim]) -> Result<(), Refusal> {
    let filled = seats::filled(stages, before);
    let turn_has_come = |stage: &Stage| stage.after.is_subset(&filled);
    let mut shown = stages.iter().filter(|stage| named.contains(&stage.id.as_str()));
    if shown.any(turn_has_come) { Ok(()) } else { Err(Refusal::NotYetInTurn(named.join(", "))) }
}

fn revoke(
    approved: &state::Approved,
    decision: &VerifiedDecision,
    recorded: RequestEvent,
    facts: &Facts<'_>,
) -> Result<Vec<RequestEvent>, Refusal> {
    let document = decision.document();
    count::check_subject(document, &approved.asked, &approved.judgement)?;
    let person = count::check_active(&document.approver, facts.directory)?;
    let seated = approved.seats.values().any(|people| people.contains(&person.id));
    if !(seated || watches_over(person, &approved.asked, facts)) {
        return Err(Refusal::NotEligible { person: person.id.clone(), stages: "revoking this grant".into() });
    }
    Ok(vec![recorded, RequestEvent::Revoked(EndedBy { person: person.id.clone() })])
}

/// Ending something early is open to more people than starting it: both parties, everybody who could have
/// approved, identity administrators.
fn watches_over(person: &Person, asked: &Asked, facts: &Facts<'_>) -> bool {
    let party = person.id == asked.requester || person.id == asked.beneficiary;
    let may_sit = facts.standing_verdict.is_some_and(|verdict| {
        !count::eligible_stages(&person.id, &verdict.stages, asked, facts.directory).is_empty()
    });
    party || may_sit || person.roles.contains(IDENTITY_ADMIN)
}

fn cancel(state: &State, actor: &AuthenticatedActor) -> Result<Vec<RequestEvent>, Refusal> {
    match state {
        State::Evaluating(_) | State::Pending(_) | State::Approved(_) => {
            yours(state.asked(), actor)?;
            Ok(vec![RequestEvent::Cancelled(EndedBy { person: actor.person().clone() })])
        }
        State::Denied(_) | State::Active(_) | State::Unknown(_) | State::RollingBack(_) | State::Ended(_) => {
            Err(wrong_state(state))
        }
    }
}

fn end(state: &State, actor: &AuthenticatedActor) -> Result<Vec<RequestEvent>, Refusal> {
    match state {
        State::Active(active) => {
            yours(&active.approved.asked, actor)?;
            Ok(vec![RequestEvent::Ended(EndedBy { person: actor.person().clone() })])
        }
        State::Evaluating(_)
        | State::Denied(_)
        | State::Pending(_)
        | State::Approved(_)
        | State::Unknown(_)
        | State::RollingBack(_)
        | State::Ended(_) => Err(wrong_state(state)),
    }
}

/// A clock that fires early, or twice, changes nothing.
fn clock_fired(state: &State, now: Timestamp) -> Vec<RequestEvent> {
    let lapsed = |clock| vec![RequestEvent::Lapsed(Lapsed { clock })];
    match state {
        State::Pending(pending) if now >= pending.judgement.lapses_at => lapsed(WaitingClock::Pending),
        State::Approved(approved) if now >= approved.starts_by => lapsed(WaitingClock::ApprovalValidity),
        State::Active(active) | State::Unknown(active) if now >= active.ends_at => {
            vec![RequestEvent::Expired(Expired { ended_at: active.ends_at })]
        }
        State::Evaluating(_)
        | State::Denied(_)
        | State::Pending(_)
        | State::Approved(_)
        | State::Active(_)
        | State::Unknown(_)
        | State::RollingBack(_)
        | State::Ended(_) => Vec::new(),
    }
}

fn finish_execution(state: &State, outcome: ExecutionOutcome) -> Result<Vec<RequestEvent>, Refusal> {
    let known = outcome != ExecutionOutcome::Unknown;
    match state {
        State::Active(_) => Ok(vec![RequestEvent::ExecutionFinished(ExecutionFinished { outcome })]),
        State::Unknown(_) if known => {
            Ok(vec![RequestEvent::ExecutionFinished(ExecutionFinished { outcome })])
        }
        State::Unknown(_) => Ok(Vec::new()),
        State::Evaluating(_)
        | State::Denied(_)
        | State::Pending(_)
        | State::Approved(_)
        | State::RollingBack(_)
        | State::Ended(_) => Err(wrong_state(state)),
    }
}

fn start_rollback(
    state: &State,
    actor: &AuthenticatedActor,
    facts: &Facts<'_>,
) -> Result<Vec<RequestEvent>, Refusal> {
    let possible = match state {
        State::Active(_) | State::Unknown(_) => true,
        State::Ended(ended) => ended.ending == Ending::Completed,
        State::Evaluating(_)
        | State::Denied(_)
        | State::Pending(_)
        | State::Approved(_)
        | State::RollingBack(_) => false,
    };
    if !possible {
        return Err(wrong_state(state));
    }
    let person = count::check_active(actor.person(), facts.directory)?;
    if !watches_over(person, state.asked(), facts) {
        return Err(Refusal::NotEligible { person: person.id.clone(), stages: "undoing this change".into() });
    }
    Ok(vec![RequestEvent::RollbackStarted(EndedBy { person: person.id.clone() })])
}

/// The verdict that fixed the stages, held to the digest that stands in the log.
fn standing_verdict<'a>(pending: &Pending, facts: &Facts<'a>) -> Result<&'a VerdictDocument, Refusal> {
    let verdict = facts.standing_verdict.ok_or(Refusal::Changed("verdict"))?;
    let digest = Canonical::of(verdict).map(|canonical| canonical.digest());
    match digest {
        Ok(digest) if digest == pending.judgement.verdict_sha256 => Ok(verdict),
        Ok(_) | Err(_) => Err(Refusal::Changed("verdict")),
    }
}

fn approved(
    revision: u32,
    seats: seats::Seating,
    verdict: &VerdictDocument,
    from: Timestamp,
) -> RequestEvent {
    let starts_by = from.plus(verdict.constraints.approval_validity_seconds);
    RequestEvent::Approved(Approved { revision, seats, starts_by, attestation_sha256: None })
}

fn judged(verdict: &Verdict, phase: Phase, revision: u32) -> Judged {
    let said = verdict.document();
    Judged {
        revision,
        phase,
        outcome: said.verdict,
        verdict_sha256: verdict.sha256(),
        input_sha256: said.input_sha256,
        policy_sha256: said.policy_sha256,
        grant: None,
        lapses_at: None,
        risk_score: said.risk.score,
        attestation_sha256: None,
    }
}

fn asked_by(request: &SignedRequest) -> Asked {
    let document = request.document();
    Asked {
        id: document.id.clone(),
        revision: document.revision,
        request_sha256: request.canonical().digest(),
        requester: document.requester.clone(),
        beneficiary: document.beneficiary.person.clone(),
        entitlement: document.entitlement.name.clone(),
    }
}

fn withdrawable(decisions: &[state::Decided], person: &crate::id::PersonId) -> Result<(), Refusal> {
    let approves = |d: &state::Decided| d.person == *person && d.decision == DecisionKind::Approve;
    if decisions.iter().any(approves) { Ok(()) } else { Err(Refusal::NothingToWithdraw(person.clone())) }
}

fn yours(asked: &Asked, actor: &AuthenticatedActor) -> Result<(), Refusal> {
    let yours = *actor.person() == asked.requester || *actor.person() == asked.beneficiary;
    if yours { Ok(()) } else { Err(Refusal::NotYours) }
}

fn wrong_state(state: &State) -> Refusal {
    Refusal::WrongState { state: state.name() }
}
