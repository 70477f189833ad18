//! Number matching: two digits that the requester sees and the approvers must be told, so that the two have spoken.
//! They stand in an ordinary table and nowhere in the log; what is logged is that somebody gave wrong ones.

use std::sync::Arc;

use chancery_domain::decide::{Command, Facts, decide};
use chancery_domain::document::{DecisionKind, RequestDocument};
use chancery_domain::event::RequestEvent;
use chancery_domain::id::RequestId;
use chancery_domain::proof::AuthenticatedActor;
use chancery_domain::refusal::Refusal;
use chancery_domain::state::{Asked, Pending, State};
use chancery_domain::time::Timestamp;
use chancery_store::{Store as _, Ticket, TicketKey};
use serde_json::json;

use super::load_request::LoadedRequest;
use super::record_events::{MAX_ATTEMPTS, Record};
use super::{App, Snapshot};
use crate::problem::Problem;
use crate::routes::view;

/// Sort of ticket of the digits; its key is the request and its revision.
pub const NUMBER: &str = "matching_number";

fn key(request: &RequestId, revision: u32) -> TicketKey {
    TicketKey { kind: NUMBER.to_owned(), key: format!("{request}/{revision}") }
}

impl App {
    /// New digits for a revision, good while it waits.
    pub(super) fn new_number(
        &self,
        document: &RequestDocument,
        lapses_at: Timestamp,
    ) -> Result<Ticket, Problem> {
        let TicketKey { kind, key } = key(&document.id, document.revision);
        Ok(Ticket { kind, key, value: json!(self.random.two_digits()?), expires_at: lapses_at })
    }

    /// The digits of the standing revision, while it waits for approvals that need them.
    pub(super) async fn number_of(&self, loaded: &LoadedRequest) -> Result<Option<String>, Problem> {
        if !needs_number(loaded) {
            return Ok(None);
        }
        let Asked { id, revision, .. } = loaded.asked();
        let ticket = self.store.ticket(&key(id, *revision), self.now()).await?;
        Ok(ticket.and_then(|ticket| ticket.value.as_str().map(str::to_owned)))
    }

    /// Compares the digits that an approver gives with the requester's, where the risk wants it. Wrong ones are logged,
    /// and the last of them ends the request. Returns the request as it was when they were right.
    pub(super) async fn match_number(
        &self,
        actor: &AuthenticatedActor,
        loaded: Arc<LoadedRequest>,
        given: Option<&str>,
    ) -> Result<Arc<LoadedRequest>, Problem> {
        let Some(given) = given.map(digits).transpose()? else {
            return if needs_number(&loaded) { Err(Refusal::NumberNeeded.into()) } else { Ok(loaded) };
        };
        // INVARIANT: one guess at a time. Of a hundred at once the first three that are wrong end the request, and no
        // later one is compared any more.
        let _turn = self.number_matching.lock().await;
        for _ in 0..MAX_ATTEMPTS {
            match self.try_match(actor, &loaded.id, given).await {
                Err(problem) if problem.is_conflict() => {}
                answer => return answer,
            }
        }
        Err(Problem::fault("a comparison met with conflicts without end"))
    }

    async fn try_match(
        &self,
        actor: &AuthenticatedActor,
        id: &RequestId,
        given: &str,
    ) -> Result<Arc<LoadedRequest>, Problem> {
        let (now, people) = (self.now(), self.people.now());
        let loaded = self.find_request(id, actor.person(), &people).await?;
        view::may_decide(&loaded, actor.person(), DecisionKind::Approve, &people)?;
        if !needs_number(&loaded) {
            return Ok(loaded);
        }
        let number = self.number_of(&loaded).await?.ok_or(Refusal::NumberUnknown)?;
        if number == given {
            return Ok(loaded);
        }
        let events = missed(&loaded, actor, &people, now)?;
        let ended = events.iter().any(|event| matches!(event, RequestEvent::Mismatched(_)));
        let left = pending(&loaded).map_or(0, Pending::mismatches_left).saturating_sub(1);
        self.record(Record::of(id, Some(&loaded), now).with(events), &people).await?;
        Err(if ended { Refusal::NumbersUsedUp.into() } else { Refusal::NumberMismatch(left).into() })
    }
}

fn missed(
    loaded: &LoadedRequest,
    actor: &AuthenticatedActor,
    people: &Snapshot,
    now: Timestamp,
) -> Result<Vec<RequestEvent>, Refusal> {
    let facts = Facts {
        now,
        directory: people.directory(),
        verdict: None,
        standing_verdict: Some(&loaded.standing_verdict),
        approvals: &loaded.approvals,
        alerts: people.alerts(),
    };
    decide(Some(&loaded.state), Command::MissNumber(actor.clone()), &facts)
}

/// Whether an approval of it needs the digits.
pub fn needs_number(loaded: &LoadedRequest) -> bool {
    pending(loaded).is_some() && loaded.standing_verdict.risk.needs_number()
}

/// The request while it waits for approvals.
pub fn pending(loaded: &LoadedRequest) -> Option<&Pending> {
    match &loaded.state {
        State::Pending(pending) => Some(pending),
        State::Evaluating(_)
        | State::Denied(_)
        | State::Approved(_)
        | State::Active(_)
        | State::Unknown(_)
        | State::RollingBack(_)
        | State::Ended(_) => None,
    }
}

/// What is no pair of digits is a slip of a program, and burns none.
fn digits(given: &str) -> Result<&str, Problem> {
    let good = given.len() == 2 && given.bytes().all(|byte| byte.is_ascii_digit());
    if good { Ok(given) } else { Err(Problem::member("/matching_number", "is not two decimal digits")) }
}
