//! The request's stream, replayed by the domain's own rules and sorted into what each later check needs.

use chancery_canonical::Sha256;
use chancery_domain::document::{DecisionDocument, DecisionKind, RequestReference};
use chancery_domain::event::{
    Activated, Approved, DecisionRecorded, Judged, LeaseIntended, LeaseIssued, LeaseRevoked, Phase,
    RequestEvent, Submitted,
};
use chancery_domain::evolve::evolve;
use chancery_domain::id::{PersonId, RequestId};
use chancery_domain::state::{Asked, Judgement, State};

use super::check::Finding;
use super::streams::Recorded;

/// A decision, and what stood when it was recorded.
pub(super) struct DecisionPlace {
    pub recorded: Recorded<DecisionRecorded>,
    pub asked: Asked,
    pub judgement: Option<Judgement>,
}

/// One request as its stream tells it. What is of an earlier revision is void and only kept where said.
pub(super) struct Case {
    pub id: RequestId,
    /// Where it stands after its last event.
    pub state: State,
    /// The current revision.
    pub submitted: Recorded<Submitted>,
    /// Verdicts on the current revision, that of the request phase first.
    pub judged: Vec<Recorded<Judged>>,
    /// What the request-phase verdict fixed, unless it was a denial.
    pub judgement: Option<Judgement>,
    /// All decisions, those of earlier revisions too.
    pub decisions: Vec<DecisionPlace>,
    /// The approval of the current revision.
    pub approved: Option<Recorded<Approved>>,
    /// The start of its grant.
    pub activated: Option<Recorded<Activated>>,
    /// Credentials under it.
    pub intended: Vec<Recorded<LeaseIntended>>,
    /// Those that were made.
    pub issued: Vec<Recorded<LeaseIssued>>,
    /// Those that are on the revocation list.
    pub revoked: Vec<Recorded<LeaseRevoked>>,
}

impl Case {
    /// The verdict of the request phase on the current revision.
    pub fn request_phase(&self) -> Option<&Recorded<Judged>> {
        self.judged.iter().find(|judged| judged.event.phase == Phase::Request)
    }

    /// Whether a decision is about the current revision.
    pub fn is_current(&self, decision: &DecisionPlace) -> bool {
        decision.asked == *self.state.asked()
    }
}

pub(super) fn reference(asked: &Asked) -> RequestReference {
    RequestReference { id: asked.id.clone(), revision: asked.revision, sha256: asked.request_sha256 }
}

/// Replays the stream. The first event that does not fit ends the replay: after it nothing means anything.
pub(super) fn stream_lifecycle(
    id: &RequestId,
    request_sha256: &Sha256,
    events: &[Recorded<RequestEvent>],
) -> Finding<Case> {
    let mut problems = Vec::new();
    let mut case: Option<Case> = None;
    let mut previous: Option<&RequestEvent> = None;
    for recorded in events {
        let before = case.as_ref().map(|case| case.state.clone());
        let after = match evolve(id, before.clone(), &recorded.event) {
            Ok(after) => after,
            Err(error) => {
                problems.push(format!("leaf {}: {error}", recorded.index));
                break;
            }
        };
        if let Some(problem) = unfounded(recorded, previous, case.as_ref()) {
            problems.push(format!("leaf {}: {problem}", recorded.index));
        }
        previous = Some(&recorded.event);
        case = take_in(case, before.as_ref(), after, recorded);
    }
    let Some(case) = case else {
        problems.push("the request was never submitted".to_owned());
        return Finding { value: None, problems };
    };
    let named = case.state.asked().request_sha256;
    if named != *request_sha256 {
        problems.push(format!("`evidence.json` is about another revision than the current one, `{named}`"));
    }
    for pair in events.windows(2) {
        if let [earlier, later] = pair
            && later.at < earlier.at
        {
            problems.push(format!("leaf {} is dated before leaf {}", later.index, earlier.index));
        }
    }
    Finding::with(case, problems)
}

/// What ends a request in a person's name stands directly after what that person signed, and a grant's clock runs
/// out when it was set to. Who cancelled, ended or rolled back did not sign: there the log has only the server's word.
fn unfounded(
    recorded: &Recorded<RequestEvent>,
    previous: Option<&RequestEvent>,
    case: Option<&Case>,
) -> Option<String> {
    match &recorded.event {
        RequestEvent::Rejected(body) => {
            let founded = decided(previous, &body.person, &[DecisionKind::Reject]);
            (!founded)
                .then(|| format!("it names `{}`, whose rejection does not stand before it", body.person))
        }
        RequestEvent::Revoked(body) => {
            let kinds = [DecisionKind::Revoke, DecisionKind::Withdraw];
            let founded = decided(previous, &body.person, &kinds);
            (!founded).then(|| format!("it names `{}`, whose decision does not stand before it", body.person))
        }
        RequestEvent::Expired(body) => {
            let set = case.and_then(|case| case.activated.as_ref()).map(|activated| activated.event.ends_at);
            let founded = set == Some(body.ended_at) && body.ended_at <= recorded.at;
            (!founded).then(|| format!("its grant did not end at {}", body.ended_at))
        }
        RequestEvent::Submitted(_)
        | RequestEvent::Revised(_)
        | RequestEvent::Judged(_)
        | RequestEvent::DecisionRecorded(_)
        | RequestEvent::DecisionRefused(_)
        | RequestEvent::Approved(_)
        // That so many mismatches stand before it is the replay's own rule.
        | RequestEvent::Mismatched(_)
        | RequestEvent::Cancelled(_)
        | RequestEvent::Lapsed(_)
        | RequestEvent::Activated(_)
        | RequestEvent::LeaseIntended(_)
        | RequestEvent::LeaseIssued(_)
        | RequestEvent::LeaseRevoked(_)
        | RequestEvent::Ended(_)
        | RequestEvent::ExecutionFinished(_)
        | RequestEvent::RollbackStarted(_)
        | RequestEvent::RollbackFinished(_)
        | RequestEvent::Redacted(_) => None,
    }
}

/// Whether the event is a decision of these kinds by this person. Its signature is checked as every decision's is.
fn decided(event: Option<&RequestEvent>, person: &PersonId, kinds: &[DecisionKind]) -> bool {
    let Some(RequestEvent::DecisionRecorded(body)) = event else { return false };
    let document = body.document.decode::<DecisionDocument>();
    document.is_ok_and(|document| document.approver == *person && kinds.contains(&document.decision))
}

fn take_in(
    case: Option<Case>,
    before: Option<&State>,
    after: State,
    recorded: &Recorded<RequestEvent>,
) -> Option<Case> {
    if let RequestEvent::Submitted(body) | RequestEvent::Revised(body) = &recorded.event {
        return Some(Case {
            id: after.asked().id.clone(),
            state: after,
            submitted: recorded.part(body.clone()),
            judged: Vec::new(),
            judgement: None,
            decisions: case.map(|case| case.decisions).unwrap_or_default(),
            approved: None,
            activated: None,
            intended: Vec::new(),
            issued: Vec::new(),
            revoked: Vec::new(),
        });
    }
    let mut case = case?;
    match &recorded.event {
        RequestEvent::Judged(body) => {
            case.judged.push(recorded.part(body.clone()));
            if let State::Pending(pending) = &after {
                case.judgement = Some(pending.judgement.clone());
            }
        }
        RequestEvent::DecisionRecorded(body) => {
            let asked = before.map_or_else(|| after.asked().clone(), |state| state.asked().clone());
            let judgement = case.judgement.clone();
            case.decisions.push(DecisionPlace { recorded: recorded.part(body.clone()), asked, judgement });
        }
        RequestEvent::Approved(body) => case.approved = Some(recorded.part(body.clone())),
        RequestEvent::Activated(body) => case.activated = Some(recorded.part(body.clone())),
        RequestEvent::LeaseIntended(body) => case.intended.push(recorded.part(body.clone())),
        RequestEvent::LeaseIssued(body) => case.issued.push(recorded.part(body.clone())),
        RequestEvent::LeaseRevoked(body) => case.revoked.push(recorded.part(body.clone())),
        RequestEvent::Submitted(_)
        | RequestEvent::Revised(_)
        | RequestEvent::DecisionRefused(_)
        | RequestEvent::Rejected(_)
        | RequestEvent::Mismatched(_)
        | RequestEvent::Cancelled(_)
        | RequestEvent::Lapsed(_)
        | RequestEvent::Expired(_)
        | RequestEvent::Ended(_)
        | RequestEvent::Revoked(_)
        | RequestEvent::ExecutionFinished(_)
        | RequestEvent::RollbackStarted(_)
        | RequestEvent::RollbackFinished(_)
        | RequestEvent::Redacted(_) => {}
    }
    case.state = after;
    Some(case)
}
