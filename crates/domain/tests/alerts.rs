//! Digits that are guessed, requests that are reported, and who is frozen by it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod world;

use chancery_domain::alerts::{Alerts, acknowledge};
use chancery_domain::decide::Command;
use chancery_domain::document::{DecisionDocument, DecisionKind, Suspicious};
use chancery_domain::event::{
    AlertEvent, AlertReason, DecisionRefused, EndedBy, NUMBER_MISMATCH, RequestEvent,
};
use chancery_domain::evolve::evolve;
use chancery_domain::id::AlertId;
use chancery_domain::leaf::Stream;
use chancery_domain::refusal::Refusal;
use chancery_domain::state::State;
use chancery_domain::verdict::Outcome;
use world::{Office, PENDING_SECONDS, actor, person, request_id, stages};

const MISS: &str = "decision.refused → pending";
const LAST: &str = "decision.refused request.mismatched → rejected";

fn pending(tier: &str) -> Office {
    let mut office = Office::open(Outcome::RequireApproval, stages());
    office.verdict.risk.tier = tier.to_owned();
    assert_eq!(office.submit(), "request.submitted request.judged → pending");
    office
}

fn miss(office: &mut Office, name: &str) -> String {
    office.tell(Command::MissNumber(actor(name)))
}

fn report(office: &mut Office, name: &str) -> String {
    let mut document = office.document(name, DecisionKind::Reject, &["dba"]);
    document.suspicious = Some(Suspicious);
    office.tell(Office::sign(document, name))
}

#[test]
fn three_misses_of_whomever_end_it() {
    let mut office = pending("high");
    assert_eq!(miss(&mut office, "dba"), MISS);
    assert_eq!(miss(&mut office, "owner"), MISS);
    assert_eq!(miss(&mut office, "dba"), LAST);
    let alert = office.alerts.alert(&AlertId::of_request(&request_id())).unwrap();
    assert_eq!(alert.raised.reason, AlertReason::NumberMismatch);
    assert_eq!((&alert.raised.person, alert.freezes()), (&person("dba"), false));
    assert_eq!(office.alerts.check(&person("requester")), Ok(()));
    assert_eq!(miss(&mut office, "owner"), "refused: wrong_state → rejected");
}

/// Whoever could not approve burns none, so that nobody ends another's request by guessing.
#[test]
fn only_who_could_approve_now_is_counted() {
    let mut office = pending("critical");
    for (name, code) in [
        ("requester", "self_approval"),
        ("beneficiary", "self_approval"),
        ("stranger", "not_eligible"),
        ("admin", "not_eligible"),
        ("auditor", "not_eligible"),
    ] {
        for _ in 0..4 {
            assert_eq!(miss(&mut office, name), format!("refused: {code} → pending"));
        }
    }
    office.approve("both", &["dba", "owner"]);
    assert_eq!(miss(&mut office, "both"), "refused: already_decided → pending");
    office.suspend("dba");
    assert_eq!(miss(&mut office, "dba"), "refused: person_not_active → pending");
    office.now = office.now.plus(PENDING_SECONDS);
    assert_eq!(miss(&mut office, "owner"), "refused: too_late → pending");
    let mut calm = pending("medium");
    assert_eq!(miss(&mut calm, "dba"), "refused: decision_not_possible → pending");
}

#[test]
fn a_new_revision_has_its_own_misses() {
    let mut office = pending("high");
    miss(&mut office, "dba");
    miss(&mut office, "dba");
    assert_eq!(office.revise(), "request.revised request.judged → pending");
    assert_eq!(miss(&mut office, "dba"), MISS);
    let Some(State::Pending(standing)) = &office.state else { panic!("it waits") };
    assert_eq!(standing.mismatches_left(), 2);
}

/// A log cannot end a request by digits that nobody gave.
#[test]
fn an_end_without_its_misses_does_not_follow() {
    let mut office = pending("high");
    let ended = |name: &str| RequestEvent::Mismatched(EndedBy { person: person(name) });
    let refused = |code: &str| {
        RequestEvent::DecisionRefused(DecisionRefused { person: person("dba"), code: code.to_owned() })
    };
    let follows = |office: &Office, event: &RequestEvent| evolve(&request_id(), office.state.clone(), event);
    for _ in 0..2 {
        miss(&mut office, "dba");
        assert!(follows(&office, &ended("dba")).is_err());
    }
    office.state = Some(follows(&office, &refused("self_approval")).unwrap());
    assert!(follows(&office, &ended("dba")).is_err());
    office.state = Some(follows(&office, &refused(NUMBER_MISMATCH)).unwrap());
    assert!(follows(&office, &ended("owner")).is_err(), "in the name of somebody who gave none");
    assert_eq!(follows(&office, &ended("dba")).unwrap().name(), "rejected");
}

#[test]
fn a_report_freezes_until_somebody_else_looked() {
    let mut office = pending("low");
    assert_eq!(report(&mut office, "dba"), "decision.recorded request.rejected → rejected");
    let id = AlertId::of_request(&request_id());
    let frozen = Err(Refusal::RequesterFrozen { person: person("requester"), alert: id.clone() });
    assert_eq!(office.alerts.check(&person("requester")), frozen);
    assert_eq!(office.alerts.check(&person("beneficiary")), Ok(()));
    // Asking anew is refused, whoever it is for.
    let mut again = Office::open(Outcome::RequireApproval, stages());
    again.alerts = office.alerts.clone();
    assert_eq!(again.submit(), "refused: requester_frozen → none");
    for (name, code) in [("stranger", "not_eligible"), ("dba", "not_eligible"), ("requester", "not_eligible")]
    {
        let refused = acknowledge(&office.alerts, &id, &actor(name), &office.directory).unwrap_err();
        assert_eq!(refused.code(), code, "{name}");
    }
    let events = acknowledge(&office.alerts, &id, &actor("admin"), &office.directory).unwrap();
    assert_eq!(events.len(), 1);
    office.alerts.evolve(&id, &events[0], office.now).unwrap();
    assert_eq!(office.alerts.check(&person("requester")), Ok(()));
    assert_eq!(acknowledge(&office.alerts, &id, &actor("admin"), &office.directory), Ok(Vec::new()));
    assert!(office.alerts.evolve(&id, &events[0], office.now).is_err(), "acknowledged twice");
    let unknown: AlertId = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap();
    let refused = acknowledge(&office.alerts, &unknown, &actor("admin"), &office.directory);
    assert_eq!(refused, Err(Refusal::UnknownAlert));
}

/// What was granted before goes on, and nothing is added to it.
#[test]
fn a_running_grant_of_the_reported_gets_no_new_credential() {
    let mut office = Office::open(Outcome::RequireApproval, stages());
    office.submit();
    office.approve("dba", &["dba"]);
    office.approve("owner", &["owner"]);
    let mut other = pending("low");
    report(&mut other, "dba");
    let calm = std::mem::replace(&mut office.alerts, other.alerts.clone());
    assert_eq!(office.tell(Command::Activate(actor("requester"))), "refused: requester_frozen → approved");
    assert_eq!(office.tell(Command::Activate(actor("beneficiary"))), "refused: requester_frozen → approved");
    office.alerts = calm;
    office.tell(Command::Activate(actor("requester")));
    let lease = office.lease(1, 10);
    office.alerts = other.alerts;
    for name in ["requester", "beneficiary"] {
        let told = office.tell(Command::IntendLease(actor(name), lease.clone()));
        assert_eq!(told, "refused: requester_frozen → active", "{name}");
    }
    assert_eq!(office.tell(Command::End(actor("requester"))), "grant.ended → completed");
}

/// Nobody thaws themselves, administrators included.
#[test]
fn an_administrator_who_was_reported_asks_another_one() {
    let mut office = pending("low");
    report(&mut office, "dba");
    let id = AlertId::of_request(&request_id());
    let mut raised = office.alerts.alert(&id).unwrap().raised.clone();
    raised.requester = person("admin");
    let mut alerts = Alerts::default();
    alerts.evolve(&id, &AlertEvent::Raised(raised.clone()), office.now).unwrap();
    let refused = acknowledge(&alerts, &id, &actor("admin"), &office.directory);
    assert_eq!(refused, Err(Refusal::AlertAboutYou));
    assert!(alerts.evolve(&id, &AlertEvent::Raised(raised), office.now).is_err(), "raised twice");
}

#[test]
fn only_true_is_a_report() {
    let mut office = pending("low");
    let mut document = office.document("dba", DecisionKind::Reject, &["dba"]);
    let plain = serde_json::to_value(&document).unwrap();
    assert!(plain.get("suspicious").is_none());
    document.suspicious = Some(Suspicious);
    let mut said = serde_json::to_value(&document).unwrap();
    assert_eq!(said["suspicious"], serde_json::json!(true));
    for wrong in [serde_json::json!(false), serde_json::json!(1), serde_json::json!("true")] {
        said["suspicious"] = wrong.clone();
        assert!(serde_json::from_value::<DecisionDocument>(said.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn the_stream_of_an_alert_has_its_requests_id() {
    let id = AlertId::of_request(&request_id());
    let stream = Stream::Alert(id.clone());
    assert_eq!(stream.to_string(), format!("alert/{}", request_id()));
    assert_eq!(stream.to_string().parse::<Stream>(), Ok(stream));
    assert_eq!(id.request(), request_id());
    assert!("alert/".parse::<Stream>().is_err() && "alert/x".parse::<Stream>().is_err());
}
