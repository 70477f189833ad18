//! Two digits that an approver gives, and that are not the requester's.

use super::{Facts, standing_verdict, wrong_state};
use crate::count;
use crate::event::{DecisionRefused, EndedBy, NUMBER_MISMATCH, RequestEvent};
use crate::proof::AuthenticatedActor;
use crate::refusal::Refusal;
use crate::state::{Pending, State};

/// Counts digits that were wrong.
///
/// INVARIANT: only whoever could approve now is counted, so that nobody else ends a request by guessing. They could
/// have rejected it as well.
pub(super) fn miss(
    state: &State,
    actor: &AuthenticatedActor,
    facts: &Facts<'_>,
) -> Result<Vec<RequestEvent>, Refusal> {
    let State::Pending(pending) = state else { return Err(wrong_state(state)) };
    let Pending { asked, judgement, decisions, .. } = pending;
    if facts.now >= judgement.lapses_at {
        return Err(Refusal::TooLate(judgement.lapses_at));
    }
    let verdict = standing_verdict(pending, facts)?;
    if !verdict.risk.needs_number() {
        return Err(Refusal::DecisionNotPossible);
    }
    let person = count::check_person(actor.person(), asked, facts.directory)?.id.clone();
    if count::eligible_stages(&person, &verdict.stages, asked, facts.directory).is_empty() {
        return Err(Refusal::NotEligible { person, stages: "approving this request".into() });
    }
    if decisions.iter().any(|earlier| earlier.person == person) {
        return Err(Refusal::AlreadyDecided(person));
    }
    let refused = DecisionRefused { person: person.clone(), code: NUMBER_MISMATCH.to_owned() };
    let mut events = vec![RequestEvent::DecisionRefused(refused)];
    if pending.mismatches_left() <= 1 {
        events.push(RequestEvent::Mismatched(EndedBy { person }));
    }
    Ok(events)
}
