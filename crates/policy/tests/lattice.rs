//! The lattice: whatever is added to the contributions, the answer never becomes looser, and order never matters.

#![allow(clippy::panic, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};

use chancery_domain::verdict::{Constraints, Outcome, Reason, RiskFactor, Selector, Stage};
use chancery_policy::bundle::Tiers;
use chancery_policy::compose::{Composed, Terms, compose};
use chancery_policy::contribution::{Constraint, RootContribution};
use proptest::collection::{btree_set, vec};
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use proptest::sample::select;

const NAMES: [&str; 3] = ["a", "b", "c"];

fn name() -> impl Strategy<Value = String> {
    select(&NAMES[..]).prop_map(str::to_owned)
}

fn selector() -> impl Strategy<Value = Selector> {
    let leaf = prop_oneof![
        name().prop_map(Selector::Role),
        name().prop_map(Selector::Group),
        Just(Selector::All(Vec::new()))
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Selector::All),
            vec(inner.clone(), 0..3).prop_map(Selector::Any),
            inner.prop_map(|inner| Selector::Not(Box::new(inner))),
        ]
    })
}

fn stage() -> impl Strategy<Value = Stage> {
    (name(), 1..4_u32, selector(), btree_set(name(), 0..2)).prop_map(|(id, quorum, from, mut after)| {
        after.retain(|other| *other < id);
        Stage { id, quorum, from, after }
    })
}

fn constraint() -> impl Strategy<Value = Constraint> {
    let clock = || proptest::option::of(0..2_000_u64);
    (
        clock(),
        clock(),
        clock(),
        clock(),
        proptest::collection::btree_map(name(), btree_set(name(), 0..3), 0..2),
    )
        .prop_map(
            |(pending_seconds, approval_validity_seconds, grant_seconds, session_seconds, scopes)| {
                Constraint {
                    pending_seconds,
                    approval_validity_seconds,
                    grant_seconds,
                    session_seconds,
                    scopes,
                }
            },
        )
}

fn reason() -> impl Strategy<Value = Reason> {
    name().prop_map(|rule| Reason { rule, message: "m".to_owned(), remedy: "r".to_owned() })
}

fn factor() -> impl Strategy<Value = RiskFactor> {
    (name(), -60..100_i32).prop_map(|(factor, points)| RiskFactor { factor, points, detail: "d".to_owned() })
}

fn contribution(privileged: bool) -> impl Strategy<Value = RootContribution> {
    let parts = (
        btree_set(reason(), 0..2),
        btree_set(factor(), 0..3),
        vec(stage(), 0..3),
        vec(constraint(), 0..2),
        btree_set(name(), 0..2),
        btree_set(name(), 0..2),
    );
    parts.prop_map(move |(deny, risk, stages, constraints, obligations, allow)| RootContribution {
        root: "chancery".to_owned(),
        may_allow: privileged,
        may_reduce: privileged,
        deny,
        risk,
        stages,
        constraints,
        obligations,
        allow,
    })
}

fn terms() -> Terms {
    Terms {
        clocks: Constraints {
            pending_seconds: 1_000,
            approval_validity_seconds: 1_000,
            grant_seconds: 900,
            session_seconds: 900,
            scopes: BTreeMap::new(),
        },
        asked_grant_seconds: 600,
        tiers: Tiers { medium: 25, high: 50, critical: 80 },
        refusals: BTreeSet::new(),
    }
}

/// The parts of a selector that everybody eligible must satisfy.
fn conjuncts(selector: &Selector) -> BTreeSet<Selector> {
    match selector {
        Selector::All(inner) if !inner.is_empty() => inner.iter().flat_map(conjuncts).collect(),
        other => BTreeSet::from([other.clone()]),
    }
}

/// Denied because something is not there: nothing spoke at all, or a stage waits for one that nobody defines.
/// Whoever adds what is missing answers, and loosens no other's answer.
fn is_gap(reason: &Reason) -> bool {
    reason.rule == "chancery.default_deny" || reason.rule == "chancery.unknown_stage"
}

/// Asserts that `after` is nowhere looser than `before`.
fn assert_no_looser(before: &Composed, after: &Composed) {
    assert!(after.outcome >= before.outcome, "{before:?} {after:?}");
    assert!(after.risk.score >= before.risk.score);
    assert!(after.obligations.is_superset(&before.obligations));
    let clocks = |composed: &Composed| {
        let Constraints {
            pending_seconds, approval_validity_seconds, grant_seconds, session_seconds, ..
        } = composed.constraints;
        [pending_seconds, approval_validity_seconds, grant_seconds, session_seconds]
    };
    assert!(clocks(after).iter().zip(clocks(before)).all(|(after, before)| *after <= before));
    for (scope, values) in &before.constraints.scopes {
        assert!(after.constraints.scopes.get(scope).is_some_and(|held| held.is_subset(values)));
    }
    if before.outcome == Outcome::Deny {
        assert!(before.reasons.iter().all(|reason| is_gap(reason) || after.reasons.contains(reason)));
    }
    if after.outcome == Outcome::RequireApproval {
        for stage in &before.stages {
            let Some(held) = after.stages.iter().find(|held| held.id == stage.id) else {
                panic!("a stage never goes away: {stage:?}");
            };
            assert!(held.quorum >= stage.quorum && held.after.is_superset(&stage.after));
            assert!(conjuncts(&held.from).is_superset(&conjuncts(&stage.from)));
        }
    }
}

proptest! {
    #[test]
    fn another_module_only_tightens(base in vec(contribution(true), 1..3), more in contribution(false)) {
        let before = compose(&base, &terms());
        if before.outcome != Outcome::Deny || !before.reasons.iter().all(is_gap) {
            let all: Vec<_> = base.iter().cloned().chain([more]).collect();
            assert_no_looser(&before, &compose(&all, &terms()));
        }
    }

    #[test]
    fn order_never_matters(mut roots in vec(contribution(true), 1..4), swap in any::<proptest::sample::Index>()) {
        let before = compose(&roots, &terms());
        let middle = swap.index(roots.len());
        roots.rotate_left(middle);
        for root in &mut roots {
            root.stages.reverse();
            root.constraints.reverse();
        }
        assert_eq!(before, compose(&roots, &terms()));
    }

    #[test]
    fn it_is_stated_twice_or_once(roots in vec(contribution(true), 1..3)) {
        let twice: Vec<_> = roots.iter().chain(&roots).cloned().collect();
        assert_eq!(compose(&roots, &terms()), compose(&twice, &terms()));
    }

    #[test]
    fn points_sum_to_the_score(roots in vec(contribution(true), 0..4)) {
        let composed = compose(&roots, &terms());
        let sum: i32 = composed.risk.factors.iter().map(|factor| factor.points).sum();
        assert_eq!(u32::try_from(sum), Ok(composed.risk.score));
        assert!(composed.risk.score <= 100);
    }

    #[test]
    fn an_answer_is_what_its_parts_say(roots in vec(contribution(true), 0..4)) {
        let composed = compose(&roots, &terms());
        assert_eq!(composed.stages.is_empty(), composed.outcome != Outcome::RequireApproval);
        assert_eq!(composed.reasons.is_empty(), composed.outcome == Outcome::RequireApproval);
        if roots.iter().any(|root| !root.deny.is_empty()) {
            assert_eq!(composed.outcome, Outcome::Deny);
        }
        if composed.outcome == Outcome::Allow {
            assert!(roots.iter().any(|root| !root.allow.is_empty()) && roots.iter().all(|root| root.stages.is_empty()));
        }
        assert!(composed.constraints.session_seconds <= composed.constraints.grant_seconds);
        assert!(composed.constraints.grant_seconds <= 600);
    }
}

/// Nobody said anything: the first test of any decision.
#[test]
fn the_empty_policy_denies() {
    for roots in [Vec::new(), vec![RootContribution::default()]] {
        let composed = compose(&roots, &terms());
        assert_eq!(composed.outcome, Outcome::Deny);
        assert_eq!(composed.reasons[0].rule, "chancery.default_deny");
    }
}
