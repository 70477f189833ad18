//! A request as a reader sees it: what was signed, who may and did decide, what happened, what is open to them.

use std::collections::{BTreeMap, BTreeSet};

use chancery_api::grant::{GrantView, OpenSessions};
use chancery_api::person::PersonReference;
use chancery_api::request::{ActionView, ClocksView, DecisionView, RequestView, StageView, TimelineEntry};
use chancery_domain::count;
use chancery_domain::document::{DecisionDocument, DecisionKind};
use chancery_domain::event::{Judged, Phase, RequestEvent};
use chancery_domain::evolve::event_name;
use chancery_domain::id::{LeaseId, PersonId};
use chancery_domain::refusal::Refusal;
use chancery_domain::seats;
use chancery_domain::state::{Active, Approved, Judgement, State};
use chancery_domain::verdict::{Outcome, Stage};
use serde_json::Value;

use super::Snapshot;
use super::describe_request::{reach, subject, unusual};
use super::load_request::{LoadedRequest, Placed};
use super::people::disclosures;
use super::view_request::Beside;
use crate::routes::view;

/// The whole view.
pub fn show(loaded: &LoadedRequest, reader: &PersonId, people: &Snapshot, beside: Beside) -> RequestView {
    let asked = loaded.asked();
    let input = beside.input.value();
    let entitlement = input.get("entitlement").unwrap_or(&Value::Null);
    RequestView {
        id: loaded.id.to_string(),
        version: loaded.version,
        state: loaded.state.name().to_owned(),
        revision: asked.revision,
        requester: view::reference(&asked.requester, people),
        beneficiary: view::reference(&asked.beneficiary, people),
        entitlement: asked.entitlement.clone(),
        title: beside.title,
        subject: subject(&loaded.request.parameters, entitlement),
        document: loaded.document.as_str().to_owned(),
        request_sha256: asked.request_sha256.to_hex(),
        disclosures: loaded.disclosures().iter().map(|one| one.as_str().to_owned()).collect(),
        verdict: loaded.verdict.value(),
        verdict_sha256: loaded.verdict.digest().to_hex(),
        input: beside.input.as_str().to_owned(),
        unusual: unusual(&input),
        blast_radius: reach(&input),
        undo: loaded.request.undo.clone(),
        seen: beside.seen,
        number_matching: beside.matching,
        matching_number: beside.number,
        stages: stages(loaded, people),
        decisions: loaded.events.iter().filter_map(|placed| decision(placed, people)).collect(),
        clocks: clocks(&loaded.state),
        leases: leases(loaded),
        actions: actions(loaded, reader, people),
        timeline: loaded.events.iter().map(|placed| timeline(placed, people)).collect(),
    }
}

/// A grant as a reader sees it; `None` while nothing was granted.
pub fn grant(loaded: &LoadedRequest, people: &Snapshot) -> Option<GrantView> {
    let granted = loaded.events.iter().any(|placed| matches!(placed.event, RequestEvent::Approved(_)));
    let asked = loaded.asked();
    let clocks = clocks(&loaded.state);
    granted.then(|| GrantView {
        id: loaded.id.to_string(),
        version: loaded.version,
        state: loaded.state.name().to_owned(),
        entitlement: asked.entitlement.clone(),
        requester: view::reference(&asked.requester, people),
        beneficiary: view::reference(&asked.beneficiary, people),
        starts_by: clocks.starts_by,
        started_at: clocks.started_at,
        ends_at: clocks.ends_at,
        leases: leases(loaded),
        sessions_may_stay_open: sessions_may_stay_open(loaded),
    })
}

/// What was issued under a grant that has ended may have opened sessions that no list and no clock ends.
fn sessions_may_stay_open(loaded: &LoadedRequest) -> Vec<OpenSessions> {
    let (State::Ended(ended) | State::RollingBack(ended)) = &loaded.state else { return Vec::new() };
    let was_issued = |lease: &LeaseId| {
        loaded
            .events
            .iter()
            .any(|placed| matches!(&placed.event, RequestEvent::LeaseIssued(body) if body.lease == *lease))
    };
    let issued = ended.leases.iter().filter(|(id, _)| was_issued(id));
    issued
        .map(|(id, lease)| OpenSessions {
            lease: id.to_string(),
            serial: lease.serial.clone(),
            named_in_log: format!("ID {} (serial {})", loaded.id, lease.serial),
        })
        .collect()
}

fn leases(loaded: &LoadedRequest) -> Vec<chancery_api::grant::LeaseView> {
    let leases = loaded.state.leases().into_iter().flatten();
    leases.map(|(id, lease)| view::lease(id, lease)).collect()
}

/// The stages with those approvals that count now.
fn stages(loaded: &LoadedRequest, people: &Snapshot) -> Vec<StageView> {
    let (asked, directory) = (loaded.asked(), people.directory());
    let stages = &loaded.standing_verdict.stages;
    let eligible = count::eligible_people(&loaded.standing_verdict, asked, directory);
    let mut approved: BTreeMap<String, BTreeSet<PersonId>> = BTreeMap::new();
    let mut filled = BTreeSet::new();
    match &loaded.state {
        State::Pending(pending) => {
            let standing: Vec<_> = loaded
                .approvals
                .iter()
                .filter(|one| pending.decisions.iter().any(|kept| kept.sha256 == one.sha256()))
                .cloned()
                .collect();
            let judgement = &pending.judgement;
            let claims = count::claims(&standing, asked, judgement, &loaded.standing_verdict, directory);
            filled = seats::filled(stages, &claims);
            for claim in &claims {
                for stage in &claim.stages {
                    approved.entry(stage.clone()).or_default().insert(claim.person.clone());
                }
            }
        }
        State::Approved(Approved { seats, .. })
        | State::Active(Active { approved: Approved { seats, .. }, .. })
        | State::Unknown(Active { approved: Approved { seats, .. }, .. }) => {
            approved.clone_from(seats);
            filled.extend(seats.keys().cloned());
        }
        State::Ended(_) | State::RollingBack(_) => {
            let seated = loaded.events.iter().rev().find_map(|placed| {
                let RequestEvent::Approved(body) = &placed.event else { return None };
                Some(&body.seats)
            });
            approved = seated.cloned().unwrap_or_default();
            filled.extend(approved.keys().cloned());
        }
        State::Evaluating(_) | State::Denied(_) => {}
    }
    let shown = |stage: &Stage| view::stage(stage, &eligible, &approved, filled.contains(&stage.id), people);
    stages.iter().map(shown).collect()
}

fn decision(placed: &Placed, people: &Snapshot) -> Option<DecisionView> {
    let RequestEvent::DecisionRecorded(recorded) = &placed.event else { return None };
    let document: DecisionDocument = recorded.document.decode().ok()?;
    let beside = disclosures(placed.private.as_ref());
    let reason = beside.iter().find(|one| one.name() == "reason").and_then(|one| one.value().as_str());
    Some(DecisionView {
        person: view::reference(&document.approver, people),
        decision: word(document.decision).to_owned(),
        revision: document.request.revision,
        stages: document.stages.into_iter().map(|stage| stage.id).collect(),
        suspicious: document.suspicious.is_some(),
        reason: reason.map(str::to_owned),
        time: placed.time.to_string(),
        leaf_index: placed.position.leaf_index,
    })
}

/// The word for a decision.
pub fn word(kind: DecisionKind) -> &'static str {
    match kind {
        DecisionKind::Approve => "approve",
        DecisionKind::Reject => "reject",
        DecisionKind::Withdraw => "withdraw",
        DecisionKind::Revoke => "revoke",
        DecisionKind::Override => "override",
        DecisionKind::BreakGlass => "break_glass",
    }
}

fn clocks(state: &State) -> ClocksView {
    let fixed = |judgement: &Judgement| ClocksView {
        lapses_at: Some(judgement.lapses_at.to_string()),
        max_seconds: Some(judgement.grant.max_seconds),
        not_before: Some(judgement.grant.not_before.to_string()),
        not_after: Some(judgement.grant.not_after.to_string()),
        ..ClocksView::default()
    };
    match state {
        State::Pending(pending) => fixed(&pending.judgement),
        State::Approved(approved) => {
            ClocksView { starts_by: Some(approved.starts_by.to_string()), ..fixed(&approved.judgement) }
        }
        State::Active(active) | State::Unknown(active) => ClocksView {
            starts_by: Some(active.approved.starts_by.to_string()),
            started_at: Some(active.started_at.to_string()),
            ends_at: Some(active.ends_at.to_string()),
            ..fixed(&active.approved.judgement)
        },
        State::Evaluating(_) | State::Denied(_) | State::RollingBack(_) | State::Ended(_) => {
            ClocksView::default()
        }
    }
}

/// What is open to the reader, and why the rest is not.
fn actions(loaded: &LoadedRequest, reader: &PersonId, people: &Snapshot) -> BTreeMap<String, ActionView> {
    let mut actions = BTreeMap::new();
    for kind in [DecisionKind::Approve, DecisionKind::Reject, DecisionKind::Withdraw, DecisionKind::Revoke] {
        let may = view::may_decide(loaded, reader, kind, people);
        actions.insert(word(kind).to_owned(), action(may.err().as_ref()));
    }
    let asked = loaded.asked();
    let party = *reader == asked.requester || *reader == asked.beneficiary;
    let wrong_state = Refusal::WrongState { state: loaded.state.name() };
    let frozen = people.alerts().check_parties(asked).err();
    for (name, possible) in [
        ("cancel", matches!(loaded.state, State::Evaluating(_) | State::Pending(_) | State::Approved(_))),
        ("revise", matches!(loaded.state, State::Pending(_) | State::Approved(_))),
        ("credential", matches!(loaded.state, State::Approved(_) | State::Active(_))),
        ("end", matches!(loaded.state, State::Active(_))),
    ] {
        let starts = matches!(name, "revise" | "credential");
        let refusal = match (party, possible) {
            (false, _) => Some(&Refusal::NotYours),
            (true, false) => Some(&wrong_state),
            (true, true) => frozen.as_ref().filter(|_| starts),
        };
        actions.insert(name.to_owned(), action(refusal));
    }
    actions
}

fn action(refusal: Option<&Refusal>) -> ActionView {
    ActionView {
        allowed: refusal.is_none(),
        code: refusal.map(|refusal| refusal.code().to_owned()),
        reason: refusal.map(ToString::to_string),
    }
}

fn timeline(placed: &Placed, people: &Snapshot) -> TimelineEntry {
    let (person, summary) = told(&placed.event, people);
    TimelineEntry {
        leaf_index: placed.position.leaf_index,
        attestation_index: placed.position.attestation_index,
        version: placed.position.version,
        kind: event_name(&placed.event).to_owned(),
        time: placed.time.to_string(),
        person,
        summary,
    }
}

/// Who caused an event, and what happened in a few words.
fn told(event: &RequestEvent, people: &Snapshot) -> (Option<PersonReference>, String) {
    let by = |person: &PersonId| Some(view::reference(person, people));
    match event {
        RequestEvent::Submitted(body) => (by(&body.requester), format!("asked for {}", body.entitlement)),
        RequestEvent::Revised(body) => {
            (by(&body.requester), format!("asked anew, revision {}", body.revision))
        }
        RequestEvent::Judged(body) => (None, judged(body)),
        RequestEvent::DecisionRecorded(body) => match body.document.decode::<DecisionDocument>() {
            Ok(document) => (by(&document.approver), word(document.decision).to_owned()),
            Err(_) => (None, "decided".to_owned()),
        },
        RequestEvent::DecisionRefused(body) => (by(&body.person), format!("was refused: {}", body.code)),
        RequestEvent::Approved(body) => (None, format!("approved, to be started by {}", body.starts_by)),
        RequestEvent::Rejected(body) => (by(&body.person), "rejected".to_owned()),
        RequestEvent::Mismatched(body) => {
            (by(&body.person), "gave wrong digits for the last time: rejected".to_owned())
        }
        RequestEvent::Cancelled(body) => (by(&body.person), "cancelled".to_owned()),
        RequestEvent::Lapsed(_) => (None, "lapsed".to_owned()),
        RequestEvent::Activated(body) => (None, format!("started, ends at {}", body.ends_at)),
        RequestEvent::LeaseIntended(body) => (None, format!("lease {} announced", body.lease)),
        RequestEvent::LeaseIssued(body) => (None, format!("lease {} issued", body.lease)),
        RequestEvent::LeaseRevoked(body) => {
            (None, format!("lease {} revoked, list {}", body.lease, body.list_number))
        }
        RequestEvent::Expired(_) => (None, "expired".to_owned()),
        RequestEvent::Ended(body) => (by(&body.person), "ended".to_owned()),
        RequestEvent::Revoked(body) => (by(&body.person), "revoked".to_owned()),
        RequestEvent::ExecutionFinished(_) => (None, "the change was run".to_owned()),
        RequestEvent::RollbackStarted(body) => (by(&body.person), "undo started".to_owned()),
        RequestEvent::RollbackFinished(body) => {
            (None, if body.applied { "undone".to_owned() } else { "undo failed".to_owned() })
        }
        RequestEvent::Redacted(body) => (by(&body.person), format!("erased {} values", body.digests.len())),
    }
}

fn judged(body: &Judged) -> String {
    let outcome = match body.outcome {
        Outcome::Allow => "policy lets it through",
        Outcome::RequireApproval => "policy wants approvals",
        Outcome::Deny => "policy denies it",
    };
    let when = match body.phase {
        Phase::Request => "",
        Phase::Approve => " at the approval",
        Phase::Issue => " at the start",
        Phase::Runtime => " while it is used",
        Phase::Change => " for a change of policy",
    };
    format!("{outcome}{when}, risk {}", body.risk_score)
}
