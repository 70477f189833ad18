//! The lattice. Contributions of all roots become one answer, and another contribution can only tighten it:
//! deny > require_approval > allow, highest quorum, shortest clock, intersection of scopes, union of
//! obligations and reasons (interfaces.md §Policy bundle). Order never matters.
//!
//! Two denials say that something is missing, and end when a module supplies it: `chancery.default_deny` (no
//! rule spoke) and `chancery.unknown_stage` (a stage comes after one that nobody defines).

mod stages;

use std::collections::{BTreeMap, BTreeSet};

use chancery_domain::verdict::{Constraints, Outcome, Reason, Risk, RiskFactor, Stage};

use crate::bundle::Tiers;
use crate::contribution::RootContribution;

/// The factor that makes the points sum to a score that was held to 0..=100.
pub const BOUNDED: &str = "bounded";

/// What the host itself knows of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The entitlement's own clocks: the longest there are.
    pub clocks: Constraints,
    /// The length of the grant that was asked for, in seconds.
    pub asked_grant_seconds: u64,
    /// The tiers of risk.
    pub tiers: Tiers,
    /// Denials of the host, such as an unknown entitlement.
    pub refusals: BTreeSet<Reason>,
}

/// A verdict without the digests that bind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composed {
    /// The answer.
    pub outcome: Outcome,
    /// How dangerous.
    pub risk: Risk,
    /// Sorted by id; empty unless approval is required.
    pub stages: Vec<Stage>,
    /// Clocks and scopes.
    pub constraints: Constraints,
    /// Sorted.
    pub obligations: BTreeSet<String>,
    /// Sorted.
    pub reasons: Vec<Reason>,
}

/// A denial that the host itself pronounces.
pub fn refusal(rule: &str, message: impl Into<String>, remedy: impl Into<String>) -> Reason {
    Reason { rule: rule.to_owned(), message: message.into(), remedy: remedy.into() }
}

/// Composes one answer.
pub fn compose(roots: &[RootContribution], terms: &Terms) -> Composed {
    let mut denials: BTreeSet<Reason> = terms.refusals.clone();
    denials.extend(roots.iter().flat_map(|root| root.deny.iter().cloned()));
    denials.extend(roots.iter().flat_map(overreach));

    let stages = match stages::join(roots.iter().flat_map(|root| &root.stages)) {
        Ok(stages) => stages,
        Err(refusals) => {
            denials.extend(refusals);
            Vec::new()
        }
    };
    let constraints = constrain(roots, terms, &mut denials);
    let allowed: BTreeSet<&String> =
        roots.iter().filter(|root| root.may_allow).flat_map(|root| &root.allow).collect();
    if denials.is_empty() && stages.is_empty() && allowed.is_empty() {
        denials.insert(refusal(
            "chancery.default_deny",
            "no rule allows this request or says who may approve it",
            "ask the policy's owners for a rule that covers it",
        ));
    }

    let (outcome, reasons) = if !denials.is_empty() {
        (Outcome::Deny, denials.into_iter().collect())
    } else if !stages.is_empty() {
        (Outcome::RequireApproval, Vec::new())
    } else {
        (Outcome::Allow, allowed.into_iter().map(|rule| refusal(rule, "allowed by this rule", "")).collect())
    };
    Composed {
        outcome,
        risk: weigh(roots, terms.tiers),
        stages: if outcome == Outcome::RequireApproval { stages } else { Vec::new() },
        constraints,
        obligations: roots.iter().flat_map(|root| root.obligations.iter().cloned()).collect(),
        reasons,
    }
}

/// What a root says without being entitled to: it denies, so that nobody is misled about what it does.
fn overreach(root: &RootContribution) -> Vec<Reason> {
    let mut refusals = Vec::new();
    if !root.may_allow && !root.allow.is_empty() {
        refusals.push(refusal(
            "chancery.allow_not_permitted",
            format!("package `{}` allows, but `bundle.toml` does not let it", root.root),
            "move the rule to a root that may allow, or let this root",
        ));
    }
    if !root.may_reduce && root.risk.iter().any(|factor| factor.points < 0) {
        refusals.push(refusal(
            "chancery.negative_points_not_permitted",
            format!("package `{}` takes off risk points, but `bundle.toml` does not let it", root.root),
            "move the rule to a root that may carry negative points, or let this root",
        ));
    }
    refusals
}

fn weigh(roots: &[RootContribution], tiers: Tiers) -> Risk {
    let counts = |root: &RootContribution, factor: &RiskFactor| factor.points >= 0 || root.may_reduce;
    let mut factors: BTreeSet<RiskFactor> = roots
        .iter()
        .flat_map(|root| root.risk.iter().filter(move |factor| counts(root, factor)).cloned())
        .collect();
    let sum = factors.iter().fold(0_i32, |sum, factor| sum.saturating_add(factor.points));
    let bounded = sum.clamp(0, 100);
    if bounded != sum {
        factors.insert(RiskFactor {
            factor: BOUNDED.to_owned(),
            points: bounded.saturating_sub(sum),
            detail: "the score is held to 0..=100".to_owned(),
        });
    }
    let score = u32::try_from(bounded).unwrap_or(100);
    Risk { score, tier: tiers.of(score).to_owned(), factors: factors.into_iter().collect() }
}

fn constrain(roots: &[RootContribution], terms: &Terms, denials: &mut BTreeSet<Reason>) -> Constraints {
    let mut held = terms.clocks.clone();
    let longest = held.grant_seconds;
    for constraint in roots.iter().flat_map(|root| &root.constraints) {
        shorten(&mut held.pending_seconds, constraint.pending_seconds);
        shorten(&mut held.approval_validity_seconds, constraint.approval_validity_seconds);
        shorten(&mut held.grant_seconds, constraint.grant_seconds);
        shorten(&mut held.session_seconds, constraint.session_seconds);
        narrow(&mut held.scopes, &constraint.scopes);
    }
    if terms.asked_grant_seconds > longest {
        denials.insert(refusal(
            "chancery.grant_too_long",
            format!(
                "{} seconds were asked for; this entitlement gives at most {longest}",
                terms.asked_grant_seconds
            ),
            format!("ask for {longest} seconds or less"),
        ));
    }
    shorten(&mut held.grant_seconds, Some(terms.asked_grant_seconds));
    // A session under a grant has nothing to last for beyond it.
    shorten(&mut held.session_seconds, Some(held.grant_seconds));
    refuse_nothing_left(&held, denials);
    held
}

fn shorten(clock: &mut u64, limit: Option<u64>) {
    *clock = (*clock).min(limit.unwrap_or(u64::MAX));
}

fn narrow(held: &mut BTreeMap<String, BTreeSet<String>>, more: &BTreeMap<String, BTreeSet<String>>) {
    for (scope, values) in more {
        // A name that is absent is not restricted yet.
        held.entry(scope.clone())
            .and_modify(|held| held.retain(|value| values.contains(value)))
            .or_insert_with(|| values.clone());
    }
}

fn refuse_nothing_left(held: &Constraints, denials: &mut BTreeSet<Reason>) {
    let clocks = [
        ("pending_seconds", held.pending_seconds),
        ("approval_validity_seconds", held.approval_validity_seconds),
        ("grant_seconds", held.grant_seconds),
        ("session_seconds", held.session_seconds),
    ];
    for (name, _) in clocks.iter().filter(|(_, seconds)| *seconds == 0) {
        denials.insert(refusal(
            "chancery.no_time_left",
            format!("the clock `{name}` is 0 seconds"),
            "ask for at least one second, or ask the policy's owners why nothing is left",
        ));
    }
    for (scope, _) in held.scopes.iter().filter(|(_, values)| values.is_empty()) {
        denials.insert(refusal(
            "chancery.no_scope_left",
            format!("no value of `{scope}` satisfies every rule"),
            "ask the policy's owners which rules exclude each other",
        ));
    }
}
