//! What somebody who owns the server could write into a stream: events that no command leads to. They cannot be
//! followed, so whoever replays the stream sees it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod world;

use std::collections::BTreeMap;

use chancery_canonical::{Bytes, Canonical};
use chancery_domain::decide::Command;
use chancery_domain::document::DecisionKind;
use chancery_domain::effect::{Effect, effects};
use chancery_domain::event::{DecisionRecorded, ExecutionOutcome, RequestEvent};
use chancery_domain::evolve::evolve;
use chancery_domain::people::Directory;
use chancery_domain::signature::Assertion;
use chancery_domain::state::State;
use chancery_domain::verdict::{Outcome, Party, Selector};
use world::{Office, actor, person, request_id, stages};

fn approved() -> Office {
    let mut office = Office::open(Outcome::RequireApproval, stages());
    office.submit();
    office.approve("dba", &["dba"]);
    office.approve("owner", &["owner"]);
    office
}

fn active() -> Office {
    let mut office = approved();
    assert_eq!(office.tell(Command::Activate(actor("requester"))), "request.judged grant.activated → active");
    office
}

fn follows(state: Option<State>, event: &RequestEvent) -> bool {
    evolve(&request_id(), state, event).is_ok()
}

/// Each event of a whole history, with one of its fields changed, no longer follows what came before it.
#[test]
fn events_of_another_revision_or_requester_follow_nothing() {
    let mut office = approved();
    office.revise();
    let mut checked = BTreeMap::new();
    let mut state = None;
    for event in &office.history {
        let mut forged = event.clone();
        let what = match &mut forged {
            RequestEvent::Submitted(body) => {
                body.revision = 2;
                "first revision"
            }
            RequestEvent::Revised(body) => {
                body.requester = person("stranger");
                "another requester"
            }
            RequestEvent::Judged(body) => {
                body.revision += 1;
                "judged revision"
            }
            RequestEvent::Approved(body) => {
                body.revision += 1;
                "approved revision"
            }
            _ => "",
        };
        assert!(follows(state.clone(), event));
        if !what.is_empty() {
            assert!(!follows(state.clone(), &forged), "{what}");
            checked.insert(what, ());
        }
        state = evolve(&request_id(), state, event).ok();
    }
    assert_eq!(checked.len(), 4);
}

fn recorded(office: &mut Office, name: &str, decision: DecisionKind) -> RequestEvent {
    let document = office.document(name, decision, &[]);
    let bytes = |length: usize| vec![0; length];
    RequestEvent::DecisionRecorded(DecisionRecorded {
        document: Canonical::of(&document).unwrap(),
        assertion: Assertion {
            credential_id: Bytes::new(bytes(8)).unwrap(),
            authenticator_data: Bytes::new(bytes(37)).unwrap(),
            client_data_json: Bytes::new(bytes(2)).unwrap(),
            signature: Bytes::new(bytes(8)).unwrap(),
        },
        attestation_sha256: None,
    })
}

/// A withdrawal or revocation that stands in the log, and is then passed over as if it did not.
#[test]
fn nothing_starts_after_a_decision_that_takes_it_back() {
    let start = active().history.last().unwrap().clone();
    let mut office = approved();
    let withdrawn = recorded(&mut office, "owner", DecisionKind::Withdraw);
    let after = evolve(&request_id(), office.state.clone(), &withdrawn).unwrap();
    assert!(follows(office.state.clone(), &start));
    assert!(!follows(Some(after), &start));

    let mut office = active();
    let lease = RequestEvent::LeaseIntended(office.lease(1, 10));
    let revoked = recorded(&mut office, "owner", DecisionKind::Revoke);
    let after = evolve(&request_id(), office.state.clone(), &revoked).unwrap();
    assert!(follows(office.state.clone(), &lease));
    assert!(!follows(Some(after), &lease));
}

#[test]
fn a_change_that_was_run_takes_its_credentials_back() {
    for outcome in [ExecutionOutcome::Completed, ExecutionOutcome::Failed, ExecutionOutcome::Unknown] {
        let mut office = active();
        let lease = Command::IntendLease(actor("requester"), office.lease(1, 50));
        office.tell(lease);
        let events = office.run(Command::FinishExecution(outcome)).unwrap();
        let state = office.state.as_ref().unwrap();
        let due = effects(&request_id(), &events[0], state, office.now);
        let taken_back = due.iter().any(|due| matches!(due.effect, Effect::RevokeLease { .. }));
        assert_eq!(taken_back, outcome != ExecutionOutcome::Unknown, "{outcome:?}");
    }
}

/// What is not known, or lost its parts, means nobody: alone, and under `not`.
#[test]
fn a_selector_that_says_nothing_never_means_everybody() {
    let directory = Office::open(Outcome::Allow, vec![]).directory;
    let people =
        |directory: &Directory, selector: &Selector| directory.resolve(selector, &person("requester")).len();
    let not = |selector: Selector| Selector::Not(Box::new(selector));
    let dba = || Selector::Role("dba".into());
    let group = || Selector::Group("contractors".into());
    for (selector, expected) in [
        (dba(), 3),
        (not(dba()), 5),
        (Selector::All(vec![dba(), not(Selector::Role("owner".into()))]), 2),
        (group(), 0),
        (not(group()), 0),
        (not(not(group())), 0),
        (Selector::All(vec![dba(), not(group())]), 0),
        (Selector::Any(vec![dba(), not(group())]), 3),
        (not(Selector::Any(vec![dba(), group()])), 0),
        (not(Selector::All(vec![dba(), group()])), 5),
        (Selector::All(vec![]), 0),
        (not(Selector::All(vec![])), 0),
        (Selector::Any(vec![]), 0),
        (not(Selector::Any(vec![])), 0),
        (Selector::Attribute(BTreeMap::new()), 0),
        (not(Selector::Attribute(BTreeMap::new())), 0),
        (Selector::ManagerOf(Party::Requester), 0),
        (not(Selector::ManagerOf(Party::Requester)), 0),
        (not(Selector::Person(person("dba"))), 7),
    ] {
        assert_eq!(people(&directory, &selector), expected, "{selector:?}");
    }
}
