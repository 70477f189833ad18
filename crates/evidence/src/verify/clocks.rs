//! The four clocks, by the times in the log. What starts a clock is recorded at once, in the append of what it
//! follows from, so that no server can set one later than the people who signed would expect.

use chancery_domain::event::Phase;
use chancery_domain::state::Judgement;
use chancery_domain::time::Timestamp;
use chancery_domain::verdict::{Outcome, VerdictDocument};

use super::lifecycle::Case;
use super::requester::Asking;
use super::verdict::{MAX_AGE_SECONDS, Verdict};

/// Each time that an event fixes must follow from the verdict, and each event must be within the times fixed
/// before it.
pub(super) fn approval_time(
    case: &Case,
    asking: &Asking,
    verdict: &VerdictDocument,
    verdicts: &[Verdict],
    last_counted: Option<Timestamp>,
) -> Vec<String> {
    let mut problems = Vec::new();
    let Some(judged) = case.request_phase() else { return problems };
    if judged.at != case.submitted.at {
        problems.push(format!("it was asked at {}, and judged at {}", case.submitted.at, judged.at));
    }
    let Some(judgement) = &case.judgement else { return problems };
    problems.extend(terms(judgement, judged.at, asking, verdict));
    let not_before = judgement.grant.not_before;
    let Some(approved) = &case.approved else { return problems };
    if approved.at >= judgement.lapses_at {
        problems.push(format!("it was approved at {}, when it had lapsed", approved.at));
    }
    let complete = if verdict.verdict == Outcome::Allow { Some(judged.at) } else { last_counted };
    if let Some(complete) = complete.filter(|complete| *complete != approved.at) {
        problems.push(format!("it was approved at {}, yet complete at {complete}", approved.at));
    }
    let latest = approved.at.max(not_before).plus(verdict.constraints.approval_validity_seconds);
    if approved.event.starts_by > latest {
        problems.push(format!("it may be started until {}, later than {latest}", approved.event.starts_by));
    }
    problems.extend(grant(case, judgement, verdicts));
    problems
}

/// The grant's own clock.
fn grant(case: &Case, judgement: &Judgement, verdicts: &[Verdict]) -> Vec<String> {
    let mut problems = Vec::new();
    let (Some(approved), Some(activated)) = (&case.approved, &case.activated) else { return problems };
    let not_before = judgement.grant.not_before;
    let (start, end) = (activated.event.started_at, activated.event.ends_at);
    // A clock that starts ahead of the log would end ahead of it as well; one behind it was started unseen.
    if start != activated.at {
        problems.push(format!("its grant starts at {start}, its leaf is dated {}", activated.at));
    }
    if start < not_before {
        problems.push(format!("its grant starts at {start}, before {not_before}"));
    }
    if start < approved.at {
        problems.push(format!("its grant starts at {start}, before it was approved"));
    }
    let last = approved.event.starts_by.min(judgement.grant.not_after);
    if activated.at >= last {
        problems.push(format!("its grant was started at {}, when {last} had passed", activated.at));
    }
    // Policy asked again before the start can only shorten.
    let again = || {
        verdicts
            .iter()
            .filter(|again| again.judged.event.phase == Phase::Issue && again.judged.index < activated.index)
    };
    if let Some(newest) = again().next_back()
        && activated.at.seconds_since(newest.judged.at) > MAX_AGE_SECONDS
    {
        problems
            .push(format!("its grant was started at {}, on a verdict of {}", activated.at, newest.judged.at));
    }
    let seconds = again().map(|again| again.document.constraints.grant_seconds).min().unwrap_or(u64::MAX);
    let latest = start.plus(judgement.grant.max_seconds.min(seconds)).min(judgement.grant.not_after);
    if end > latest {
        problems.push(format!("its grant ends at {end}, later than {latest}"));
    }
    problems
}

/// The terms that the verdict leads to, at most.
fn terms(judgement: &Judgement, at: Timestamp, asking: &Asking, verdict: &VerdictDocument) -> Vec<String> {
    let clocks = &verdict.constraints;
    let grant = &judgement.grant;
    let asked = &asking.document.clocks;
    let lapses = at.plus(clocks.pending_seconds);
    let last_start = lapses.max(grant.not_before).plus(clocks.approval_validity_seconds);
    let seconds = clocks.grant_seconds.min(asked.grant_seconds);
    [
        ("it may wait longer than the verdict says", judgement.lapses_at <= lapses),
        ("the grant may last longer than verdict and request say", grant.max_seconds <= seconds),
        (
            "it may start earlier than was asked",
            asked.not_before.is_none_or(|asked| grant.not_before >= asked),
        ),
        (
            "something of it may be valid longer than the clocks add up to",
            grant.not_after <= last_start.plus(seconds),
        ),
        ("terms stand under a denial", verdict.verdict != Outcome::Deny),
    ]
    .into_iter()
    .filter(|(_, holds)| !holds)
    .map(|(problem, _)| problem.to_owned())
    .collect()
}
