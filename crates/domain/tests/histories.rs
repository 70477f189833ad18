//! Random histories against a reference model. The model knows the five sentences of ARCHITECTURE.md and
//! nothing of how `decide` is written; a failing history is printed as text.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod world;

use std::collections::{BTreeMap, BTreeSet};

use chancery_domain::decide::Command;
use chancery_domain::document::DecisionKind;
use chancery_domain::effect::{Effect, effects};
use chancery_domain::event::{LeaseIssued, LeaseRevoked, RequestEvent};
use chancery_domain::evolve::replay;
use chancery_domain::id::PersonId;
use chancery_domain::state::State;
use chancery_domain::time::Timestamp;
use chancery_domain::verdict::Outcome;
use proptest::prelude::*;
use world::{GRANT_SECONDS, Office, PEOPLE, actor, lease_id, person, request_id, stages};

#[derive(Clone, Debug)]
enum Act {
    Decide(usize, DecisionKind, Vec<&'static str>),
    /// Signs now, hands it in after the next act.
    DecideLate(usize, DecisionKind, Vec<&'static str>),
    Revise,
    Cancel(usize),
    Activate(usize),
    Lease(usize, u32, u64),
    Issued(u32),
    Revoked(u32),
    End(usize),
    Pass(u64),
    Suspend(usize),
}

fn act() -> impl Strategy<Value = Act> {
    let who = 0..PEOPLE.len();
    let decision = prop_oneof![
        8 => Just(DecisionKind::Approve),
        1 => Just(DecisionKind::Reject),
        1 => Just(DecisionKind::Withdraw),
        1 => Just(DecisionKind::Revoke),
        1 => Just(DecisionKind::Override),
    ];
    let named = prop_oneof![
        4 => Just(vec!["dba"]),
        4 => Just(vec!["owner"]),
        4 => Just(vec!["dba", "owner"]),
        1 => Just(vec![]),
        1 => Just(vec!["nowhere"]),
    ];
    prop_oneof![
        10 => (who.clone(), decision.clone(), named.clone()).prop_map(|(w, d, n)| Act::Decide(w, d, n)),
        2 => (who.clone(), decision, named).prop_map(|(w, d, n)| Act::DecideLate(w, d, n)),
        1 => Just(Act::Revise),
        1 => who.clone().prop_map(Act::Cancel),
        6 => who.clone().prop_map(Act::Activate),
        4 => (who.clone(), 0_u32..4, 0..GRANT_SECONDS * 2).prop_map(|(w, n, s)| Act::Lease(w, n, s)),
        2 => (0_u32..4).prop_map(Act::Issued),
        1 => (0_u32..4).prop_map(Act::Revoked),
        1 => who.clone().prop_map(Act::End),
        4 => (0_u64..400).prop_map(Act::Pass),
        1 => who.prop_map(Act::Suspend),
    ]
}

/// What the five sentences need to know of a history, told in the plainest way.
#[derive(Default)]
struct Model {
    /// Approvals that count for the revision that stands: who, and for which stages.
    standing: BTreeMap<PersonId, BTreeSet<String>>,
    suspended: BTreeSet<PersonId>,
    approved: bool,
    ends_at: Option<Timestamp>,
    ended: bool,
}

impl Model {
    /// Whether two different people of the standing ones cover both stages.
    fn covered(&self) -> bool {
        let may = |p: &PersonId, stage: &str, of: &BTreeSet<String>| {
            let roles =
                PEOPLE.iter().find(|(name, _)| person(name) == *p).map_or(&[][..], |(_, roles)| *roles);
            of.contains(stage) && roles.contains(&stage) && !self.suspended.contains(p)
        };
        let stranger = |p: &PersonId| *p != person("requester") && *p != person("beneficiary");
        self.standing.iter().any(|(a, of_a)| {
            self.standing.iter().any(|(b, of_b)| {
                a != b && stranger(a) && stranger(b) && may(a, "dba", of_a) && may(b, "owner", of_b)
            })
        })
    }

    fn follow(&mut self, event: &RequestEvent, now: Timestamp) {
        match event {
            RequestEvent::Revised(_) => {
                *self = Self { suspended: std::mem::take(&mut self.suspended), ..Self::default() }
            }
            RequestEvent::DecisionRecorded(body) => {
                let document: chancery_domain::document::DecisionDocument = body.document.decode().unwrap();
                match document.decision {
                    DecisionKind::Approve => {
                        let of = document.stages.iter().map(|s| s.id.clone()).collect();
                        let again = self.standing.insert(document.approver, of);
                        assert_eq!(again, None, "one human decided twice");
                    }
                    DecisionKind::Withdraw => _ = self.standing.remove(&document.approver),
                    _ => {}
                }
            }
            RequestEvent::Approved(body) => {
                assert!(self.covered(), "sentence 2: approved without two people over both stages");
                let seated: BTreeSet<_> = body.seats.values().flatten().collect();
                assert_eq!(seated.len(), 2, "one human in two seats");
                self.approved = true;
            }
            RequestEvent::Activated(body) => {
                assert!(self.approved && !self.ended, "activated without an approval");
                assert_eq!(body.ends_at, now.plus(GRANT_SECONDS), "the clock starts at activation");
                self.ends_at = Some(body.ends_at);
            }
            RequestEvent::LeaseIntended(body) => {
                let ends_at = self.ends_at.expect("sentence 1: a lease without an active grant");
                assert!(!self.ended && now < ends_at, "a lease after the end");
                assert!(body.not_after <= ends_at, "sentence 4: a lease that outlives its clock");
            }
            RequestEvent::Rejected(_) | RequestEvent::Cancelled(_) | RequestEvent::Lapsed(_) => {
                assert!(self.ends_at.is_none(), "ended as if it had not started");
                self.ended = true;
            }
            RequestEvent::Expired(_) => {
                assert!(now >= self.ends_at.expect("active"), "expired early");
                self.ended = true;
            }
            RequestEvent::Ended(_) | RequestEvent::Revoked(_) => self.ended = true,
            _ => {}
        }
    }
}

fn command(office: &mut Office, act: &Act) -> Option<Command> {
    let name = |index: &usize| PEOPLE[*index].0;
    Some(match act {
        Act::Decide(who, kind, of) | Act::DecideLate(who, kind, of) => {
            let document = office.document(name(who), *kind, of);
            Office::sign(document, name(who))
        }
        Act::Revise => {
            let next = office.state.as_ref().map_or(1, |state| state.asked().revision + 1);
            Command::Revise(office.request(next))
        }
        Act::Cancel(who) => Command::Cancel(actor(name(who))),
        Act::Activate(who) => Command::Activate(actor(name(who))),
        Act::Lease(who, n, seconds) => Command::IntendLease(actor(name(who)), office.lease(*n, *seconds)),
        Act::Issued(n) => {
            Command::RecordIssued(LeaseIssued { lease: lease_id(*n), attestation_sha256: None })
        }
        Act::Revoked(n) => Command::RecordRevoked(LeaseRevoked {
            lease: lease_id(*n),
            list_number: "1".into(),
            attestation_sha256: None,
        }),
        Act::End(who) => Command::End(actor(name(who))),
        Act::Pass(seconds) => {
            office.now = office.now.plus(*seconds);
            Command::ClockFired
        }
        Act::Suspend(_) => return None,
    })
}

fn run(acts: &[Act]) {
    let mut office = Office::open(Outcome::RequireApproval, stages());
    office.submit();
    let mut model = Model::default();
    let mut late: Vec<Command> = Vec::new();
    let mut told: Vec<String> = Vec::new();
    for act in acts {
        if let Act::Suspend(who) = act {
            office.suspend(PEOPLE[*who].0);
            model.suspended.insert(person(PEOPLE[*who].0));
            continue;
        }
        let mut commands = std::mem::take(&mut late);
        match (command(&mut office, act), act) {
            (Some(command), Act::DecideLate(..)) => late.push(command),
            (Some(command), _) => commands.insert(0, command),
            (None, _) => {}
        }
        for command in commands {
            let before = office.history.len();
            let line = office.tell(command);
            told.push(format!("{} {act:?}: {line}", office.now));
            let events: Vec<RequestEvent> = office.history[before..].to_vec();
            for event in &events {
                model.follow(event, office.now);
            }
            check_state(&office, &model, &events, &told);
        }
    }
}

fn check_state(office: &Office, model: &Model, new: &[RequestEvent], told: &[String]) {
    let state = office.state.as_ref().expect("submitted");
    let history = told.join("\n");
    // The log is the truth: folding it anew gives the same state.
    assert_eq!(replay(&request_id(), &office.history).unwrap().as_ref(), Some(state), "{history}");
    // Whatever is open has a clock, and that clock has an effect that will fire it.
    if let Some(due) = state.due_at() {
        let fires = office.history.iter().any(|event| {
            effects(&request_id(), event, state, office.now)
                .iter()
                .any(|next| next.at == due && matches!(next.effect, Effect::FireClock { .. }))
        });
        assert!(fires, "sentence 4: no timer for {due}\n{history}");
    }
    let leases = state.leases().map_or(0, BTreeMap::len);
    assert!(leases == 0 || model.ends_at.is_some(), "sentence 1\n{history}");
    if matches!(state, State::Active(_)) {
        assert!(!model.ended, "{history}");
    }
    // Ending early takes back what may still be valid.
    let ended_early = new.iter().any(|e| matches!(e, RequestEvent::Ended(_) | RequestEvent::Revoked(_)));
    if ended_early {
        let open = state.leases().into_iter().flatten().filter(|(_, lease)| lease.not_after > office.now);
        for (id, _) in open.filter(|(_, lease)| lease.status != chancery_domain::state::LeaseStatus::Revoked)
        {
            let taken_back = new.iter().any(|event| {
                effects(&request_id(), event, state, office.now)
                    .iter()
                    .any(|due| matches!(&due.effect, Effect::RevokeLease { lease, .. } if lease == id))
            });
            assert!(taken_back, "lease {id} stays valid after the end\n{history}");
        }
    }
}

/// 2,000 in the ordinary run; `make nightly` says more.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|number| number.parse().ok()).unwrap_or(2000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_history_breaks_the_five_sentences(acts in prop::collection::vec(act(), 0..40)) {
        run(&acts);
    }
}

/// The generator reaches what it is meant to reach: a check that never sees an active grant proves nothing.
#[test]
fn the_model_sees_the_whole_way() {
    run(&[
        Act::Decide(2, DecisionKind::Approve, vec!["dba"]),
        Act::DecideLate(3, DecisionKind::Approve, vec!["owner"]),
        Act::Pass(1),
        Act::Activate(0),
        Act::Lease(0, 1, 50),
        Act::Issued(1),
        Act::Decide(4, DecisionKind::Revoke, vec![]),
        Act::Revoked(1),
    ]);
}
