//! The lifecycle, told as histories: what somebody does, what comes of it, where the request then stands.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod world;

use chancery_canonical::Sha256;
use chancery_domain::decide::Command;
use chancery_domain::document::DecisionKind;
use chancery_domain::event::{ExecutionOutcome, LeaseIssued, LeaseRevoked, RollbackFinished};
use chancery_domain::people::RECOVERY_SECONDS;
use chancery_domain::verdict::{Outcome, Selector, Stage};
use world::{
    APPROVAL_SECONDS, GRANT_SECONDS, Office, PENDING_SECONDS, actor, lease_id, person, recovered_credential,
    stages,
};

fn pending() -> Office {
    let mut office = Office::open(Outcome::RequireApproval, stages());
    assert_eq!(office.submit(), "request.submitted request.judged → pending");
    office
}

fn approved() -> Office {
    let mut office = pending();
    office.approve("dba", &["dba"]);
    assert_eq!(
        office.approve("owner", &["owner"]),
        "decision.recorded request.judged request.approved → approved"
    );
    office
}

fn active() -> Office {
    let mut office = approved();
    assert_eq!(office.tell(Command::Activate(actor("requester"))), "request.judged grant.activated → active");
    office
}

#[test]
fn policy_alone_may_deny_or_allow() {
    assert_eq!(Office::open(Outcome::Deny, vec![]).submit(), "request.submitted request.judged → denied");
    let mut allowed = Office::open(Outcome::Allow, vec![]);
    assert_eq!(allowed.submit(), "request.submitted request.judged request.approved → approved");
    assert_eq!(allowed.submit(), "refused: request_exists → approved");
}

#[test]
fn one_human_fills_one_seat() {
    let mut office = pending();
    assert_eq!(office.approve("both", &["dba", "owner"]), "decision.recorded request.judged → pending");
    assert_eq!(office.approve("both", &["dba", "owner"]), "refused: already_decided → pending");
    assert_eq!(
        office.approve("dba", &["dba"]),
        "decision.recorded request.judged request.approved → approved"
    );
}

#[test]
fn nobody_decides_on_what_is_theirs_on_any_path() {
    for name in ["requester", "beneficiary"] {
        for decision in
            [DecisionKind::Approve, DecisionKind::Reject, DecisionKind::Override, DecisionKind::BreakGlass]
        {
            for stages in [&["dba"][..], &["owner"], &["dba", "owner"], &[]] {
                let told = pending().decide(name, decision, stages);
                assert_eq!(told, "refused: self_approval → pending", "{name} {decision:?} {stages:?}");
            }
        }
    }
}

#[test]
fn only_the_eligible_decide_and_only_on_what_stands() {
    for (name, stages, code) in [
        ("stranger", vec!["dba"], "not_eligible"),
        ("admin", vec!["dba"], "not_eligible"),
        ("dba", vec!["owner"], "not_eligible"),
        ("dba", vec!["dba", "owner"], "not_eligible"),
        ("dba", vec!["nowhere"], "not_eligible"),
        ("dba", vec![], "not_eligible"),
    ] {
        assert_eq!(
            pending().approve(name, &stages),
            format!("refused: {code} → pending"),
            "{name} {stages:?}"
        );
    }
    let mut office = pending();
    office.suspend("dba");
    assert_eq!(office.approve("dba", &["dba"]), "refused: person_not_active → pending");
}

#[test]
fn a_decision_about_something_else_is_worth_nothing() {
    let other = Sha256::of(b"other");
    for part in ["request", "revision", "verdict", "policy", "longer", "later", "earlier", "expired"] {
        let mut office = pending();
        let mut document = office.document("dba", DecisionKind::Approve, &["dba"]);
        let mut code = "request_changed";
        match part {
            "request" => document.request.sha256 = other,
            "revision" => document.request.revision += 1,
            "verdict" => document.verdict_sha256 = other,
            "policy" => document.policy_sha256 = other,
            "longer" => document.grant.max_seconds += 1,
            "later" => document.grant.not_after = document.grant.not_after.plus(1),
            "earlier" => document.grant.not_before = "2020-01-01T00:00:00Z".parse().unwrap(),
            _ => (document.expires_at, code) = (office.now, "offer_expired"),
        }
        assert_eq!(
            office.tell(Office::sign(document, "dba")),
            format!("refused: {code} → pending"),
            "{part}"
        );
    }
}

#[test]
fn an_edit_voids_every_decision() {
    let mut office = pending();
    office.approve("dba", &["dba"]);
    let stale = office.document("owner", DecisionKind::Approve, &["owner"]);
    assert_eq!(office.revise(), "request.revised request.judged → pending");
    assert_eq!(office.tell(Office::sign(stale, "owner")), "refused: request_changed → pending");
    assert_eq!(office.approve("owner", &["owner"]), "decision.recorded request.judged → pending");
    assert_eq!(
        office.approve("dba", &["dba"]),
        "decision.recorded request.judged request.approved → approved"
    );
    assert_eq!(office.revise(), "request.revised request.judged → pending");
    let mut office = active();
    assert_eq!(office.revise(), "refused: wrong_state → active");
}

#[test]
fn one_reject_is_final() {
    let mut office = pending();
    office.approve("dba", &["dba"]);
    assert_eq!(
        office.decide("owner", DecisionKind::Reject, &["owner"]),
        "decision.recorded request.rejected → rejected"
    );
    assert_eq!(office.approve("both", &["owner"]), "refused: wrong_state → rejected");
}

#[test]
fn an_approval_can_be_withdrawn_until_activation() {
    let mut office = pending();
    assert_eq!(office.decide("dba", DecisionKind::Withdraw, &[]), "refused: nothing_to_withdraw → pending");
    office.approve("dba", &["dba"]);
    assert_eq!(office.decide("dba", DecisionKind::Withdraw, &[]), "decision.recorded → pending");
    assert_eq!(office.approve("owner", &["owner"]), "decision.recorded request.judged → pending");
    assert_eq!(
        office.approve("dba", &["dba"]),
        "decision.recorded request.judged request.approved → approved"
    );
    assert_eq!(
        office.decide("owner", DecisionKind::Withdraw, &[]),
        "decision.recorded grant.revoked → revoked"
    );
    assert_eq!(active().decide("owner", DecisionKind::Withdraw, &[]), "refused: wrong_state → active");
}

#[test]
fn a_role_taken_away_makes_an_approval_worthless_at_once() {
    let mut office = pending();
    office.approve("dba", &["dba"]);
    office.suspend("dba");
    assert_eq!(office.approve("owner", &["owner"]), "decision.recorded request.judged → pending");
    assert_eq!(
        office.approve("both", &["dba"]),
        "decision.recorded request.judged request.approved → approved"
    );
}

#[test]
fn the_four_clocks_are_four() {
    let mut office = pending();
    assert_eq!(office.pass(PENDING_SECONDS - 1), "→ pending");
    assert_eq!(office.pass(1), "request.lapsed → lapsed");
    let mut office = approved();
    assert_eq!(office.pass(APPROVAL_SECONDS - 1), "→ approved");
    assert_eq!(office.tell(Command::Activate(actor("requester"))), "request.judged grant.activated → active");
    // The grant's clock starts at activation, not at submission.
    assert_eq!(office.pass(GRANT_SECONDS - 1), "→ active");
    assert_eq!(office.pass(1), "grant.expired → expired");
    let mut office = approved();
    assert_eq!(office.pass(APPROVAL_SECONDS), "request.lapsed → lapsed");
    let mut office = approved();
    office.now = office.now.plus(APPROVAL_SECONDS);
    assert_eq!(office.tell(Command::Activate(actor("requester"))), "refused: too_late → approved");
    let mut office = pending();
    office.now = office.now.plus(PENDING_SECONDS);
    let told = office.approve("dba", &["dba"]);
    assert_eq!(
        told, "refused: too_late → pending",
        "a clock that has run out stands even before its timer fires"
    );
}

#[test]
fn a_lease_never_outlives_its_grant() {
    let mut office = active();
    let lease =
        |office: &Office, n, seconds| Command::IntendLease(actor("requester"), office.lease(n, seconds));
    for (n, seconds, told) in [
        (1, GRANT_SECONDS + 1, "refused: lease_misfit → active"),
        (1, GRANT_SECONDS, "request.judged lease.intended → active"),
        (1, 10, "refused: lease_misfit → active"),
        (2, 10, "request.judged lease.intended → active"),
    ] {
        let command = lease(&office, n, seconds);
        assert_eq!(office.tell(command), told, "lease {n} for {seconds} s");
    }
    let stranger = Command::IntendLease(actor("stranger"), office.lease(3, 10));
    assert_eq!(office.tell(stranger), "refused: not_yours → active");
    let issued = |n| Command::RecordIssued(LeaseIssued { lease: lease_id(n), attestation_sha256: None });
    assert_eq!(office.tell(issued(1)), "lease.issued → active");
    assert_eq!(office.tell(issued(1)), "→ active", "told twice");
    assert_eq!(office.tell(issued(9)), "refused: lease_misfit → active");
    office.now = office.now.plus(GRANT_SECONDS);
    let late = lease(&office, 4, 0);
    assert_eq!(office.tell(late), "refused: too_late → active");
}

#[test]
fn a_grant_ends_early_by_its_owner_or_by_those_who_watch_over_it() {
    let mut office = active();
    assert_eq!(office.tell(Command::End(actor("owner"))), "refused: not_yours → active");
    assert_eq!(office.tell(Command::End(actor("beneficiary"))), "grant.ended → completed");
    for (name, told) in [
        ("owner", "decision.recorded grant.revoked → revoked"),
        ("both", "decision.recorded grant.revoked → revoked"),
        ("admin", "decision.recorded grant.revoked → revoked"),
        ("requester", "decision.recorded grant.revoked → revoked"),
        ("stranger", "refused: not_eligible → active"),
    ] {
        assert_eq!(active().decide(name, DecisionKind::Revoke, &[]), told, "{name}");
    }
    let mut office = active();
    office.suspend("owner");
    assert_eq!(office.decide("owner", DecisionKind::Revoke, &[]), "refused: person_not_active → active");
}

#[test]
fn news_of_a_lease_is_taken_after_the_end_too() {
    let mut office = active();
    let command = Command::IntendLease(actor("requester"), office.lease(1, 50));
    office.tell(command);
    office.decide("owner", DecisionKind::Revoke, &[]);
    let issued = LeaseIssued { lease: lease_id(1), attestation_sha256: None };
    assert_eq!(office.tell(Command::RecordIssued(issued)), "lease.issued → revoked");
    let revoked = LeaseRevoked { lease: lease_id(1), list_number: "1".into(), attestation_sha256: None };
    assert_eq!(office.tell(Command::RecordRevoked(revoked.clone())), "lease.revoked → revoked");
    assert_eq!(office.tell(Command::RecordRevoked(revoked)), "→ revoked");
}

#[test]
fn policy_asked_again_can_only_tighten() {
    // Stricter while people decide, and at the moment of issue.
    let mut office = pending();
    office.approve("dba", &["dba"]);
    let stale = office.document("owner", DecisionKind::Approve, &["owner"]);
    let standing = office.verdict.clone();
    office.verdict.verdict = Outcome::Deny;
    // The verdict that fixed the stages is held to its digest, so the changed one cannot stand in for it.
    assert_eq!(office.tell(Office::sign(stale, "owner")), "refused: request_changed → pending");
    office.verdict = standing;
    let mut office = approved();
    office.verdict.verdict = Outcome::Deny;
    assert_eq!(office.tell(Command::Activate(actor("requester"))), "request.judged → denied");
    let mut office = approved();
    office.verdict.constraints.grant_seconds = GRANT_SECONDS * 10;
    office.tell(Command::Activate(actor("requester")));
    assert_eq!(office.pass(GRANT_SECONDS), "grant.expired → expired");
}

#[test]
fn what_policy_wants_more_of_cannot_start() {
    // Allowed outright, and now people have to approve.
    let mut office = Office::open(Outcome::Allow, vec![]);
    office.submit();
    (office.verdict.verdict, office.verdict.stages) = (Outcome::RequireApproval, stages());
    assert_eq!(office.tell(Command::Activate(actor("requester"))), "refused: denied_by_policy → approved");
    // One more seat, one more stage, other people in it.
    let more = |change: fn(&mut Vec<Stage>)| {
        let mut office = approved();
        change(&mut office.verdict.stages);
        office.tell(Command::Activate(actor("requester")))
    };
    let refused = "refused: denied_by_policy → approved";
    assert_eq!(more(|_| {}), "request.judged grant.activated → active");
    assert_eq!(more(|stages| stages[0].quorum = 2), refused);
    assert_eq!(more(|stages| stages.push(Stage { id: "third".into(), ..stages[0].clone() })), refused);
    assert_eq!(more(|stages| stages[0].from = Selector::Role("identity_admin".into())), refused);
    assert_eq!(more(|stages| _ = stages.pop()), "request.judged grant.activated → active");
    // Whoever was suspended meanwhile sits nowhere.
    let mut office = approved();
    office.suspend("owner");
    assert_eq!(office.tell(Command::Activate(actor("requester"))), refused);
}

#[test]
fn policy_is_asked_before_each_credential() {
    let mut office = active();
    office.verdict.verdict = Outcome::Deny;
    let lease = Command::IntendLease(actor("requester"), office.lease(1, 10));
    assert_eq!(office.tell(lease), "refused: denied_by_policy → active");
    // It wants more people now than sit in the seats.
    let mut office = active();
    office.verdict.stages[0].quorum = 2;
    let lease = Command::IntendLease(actor("requester"), office.lease(1, 10));
    assert_eq!(office.tell(lease), "refused: denied_by_policy → active");
}

#[test]
fn nothing_starts_for_somebody_who_was_suspended() {
    for name in ["requester", "beneficiary"] {
        for by in ["requester", "beneficiary"] {
            let mut office = approved();
            office.suspend(name);
            let told = office.tell(Command::Activate(actor(by)));
            assert_eq!(told, "refused: person_not_active → approved", "{name} by {by}");
            let mut office = active();
            office.suspend(name);
            let lease = Command::IntendLease(actor(by), office.lease(1, 10));
            assert_eq!(office.tell(lease), "refused: person_not_active → active", "{name} by {by}");
        }
    }
}

#[test]
fn a_grant_is_never_longer_than_was_asked() {
    let mut office = Office::open(Outcome::RequireApproval, stages());
    office.verdict.constraints.grant_seconds = GRANT_SECONDS * 10;
    office.submit();
    office.approve("dba", &["dba"]);
    office.approve("owner", &["owner"]);
    office.tell(Command::Activate(actor("requester")));
    assert_eq!(office.pass(GRANT_SECONDS), "grant.expired → expired");
}

#[test]
fn a_passkey_taken_away_takes_its_approvals_along() {
    let mut office = pending();
    office.approve("dba", &["dba"]);
    office.remove_passkey("dba");
    assert_eq!(office.approve("owner", &["owner"]), "decision.recorded request.judged → pending");
}

#[test]
fn a_key_that_came_by_a_recovery_approves_a_day_later() {
    for (waited, told) in [
        (0, "refused: recovery_waiting → pending"),
        (RECOVERY_SECONDS - 1, "refused: recovery_waiting → pending"),
        (RECOVERY_SECONDS, "decision.recorded request.judged → pending"),
    ] {
        let mut office = Office::open(Outcome::RequireApproval, stages());
        office.recover("dba");
        office.now = office.now.plus(waited);
        office.submit();
        let mut document = office.document("dba", DecisionKind::Approve, &["dba"]);
        document.credential_id_sha256 = Sha256::of(recovered_credential("dba").as_bytes());
        assert_eq!(office.tell(Office::sign(document, "dba")), told, "after {waited} seconds");
    }
}

#[test]
fn a_recovery_takes_the_approvals_of_the_lost_key_along() {
    let mut office = pending();
    office.approve("dba", &["dba"]);
    office.recover("dba");
    assert_eq!(office.approve("owner", &["owner"]), "decision.recorded request.judged → pending");
}

#[test]
fn only_those_who_watch_over_a_change_undo_it_and_only_auditors_redact() {
    for (name, told) in [
        ("stranger", "refused: not_eligible → active"),
        ("requester", "rollback.started → rolling_back"),
        ("owner", "rollback.started → rolling_back"),
        ("admin", "rollback.started → rolling_back"),
    ] {
        assert_eq!(active().tell(Command::StartRollback(actor(name))), told, "{name}");
    }
    for (name, told) in [
        ("stranger", "refused: not_eligible → pending"),
        ("requester", "refused: not_eligible → pending"),
        ("admin", "refused: not_eligible → pending"),
        ("auditor", "redaction.made → pending"),
    ] {
        assert_eq!(pending().tell(Command::Redact(actor(name), vec!["digest".into()])), told, "{name}");
    }
}

#[test]
fn a_request_that_nobody_can_approve_fails_at_submission() {
    let lonely = |role: &str| Stage {
        id: "lonely".into(),
        quorum: 1,
        from: Selector::Role(role.into()),
        after: [].into(),
    };
    // Approval is required, and nobody is named who could give it.
    let mut office = Office::open(Outcome::RequireApproval, vec![]);
    assert_eq!(office.submit(), "refused: stage_cannot_be_filled → none");
    let mut office = Office::open(Outcome::RequireApproval, vec![Stage { quorum: 0, ..stages()[0].clone() }]);
    assert_eq!(office.submit(), "refused: stage_cannot_be_filled → none");
    // Only the requester is an engineer besides the beneficiary.
    let mut office = Office::open(Outcome::RequireApproval, vec![lonely("engineer")]);
    assert_eq!(office.submit(), "refused: stage_cannot_be_filled → none");
    let mut office = Office::open(Outcome::RequireApproval, vec![lonely("admin_of_nothing")]);
    assert_eq!(office.submit(), "refused: stage_cannot_be_filled → none");
    let mut office = Office::open(Outcome::RequireApproval, stages());
    office.suspend("requester");
    assert_eq!(office.submit(), "refused: person_not_active → none");
}

#[test]
fn a_stage_that_comes_after_another_waits() {
    let mut ordered = stages();
    ordered[1].after.insert("dba".into());
    let mut office = Office::open(Outcome::RequireApproval, ordered);
    office.submit();
    assert_eq!(office.approve("owner", &["owner"]), "refused: not_yet_in_turn → pending");
    office.approve("dba", &["dba"]);
    assert_eq!(
        office.approve("owner", &["owner"]),
        "decision.recorded request.judged request.approved → approved"
    );
}

#[test]
fn a_synced_passkey_is_refused_where_a_hardware_one_is_obliged() {
    let mut office = Office::open(Outcome::RequireApproval, stages());
    office.verdict.obligations.insert("hardware_passkey".into());
    office.submit();
    assert_eq!(office.approve("both", &["dba"]), "refused: hardware_passkey_needed → pending");
    assert_eq!(office.approve("dba", &["dba"]), "decision.recorded request.judged → pending");
}

#[test]
fn an_obligation_that_nobody_understands_grants_nothing() {
    for (obligation, answer) in [
        ("post_review", "request.submitted request.judged → pending"),
        ("two_person_watch", "refused: denied_by_policy → none"),
    ] {
        let mut office = Office::open(Outcome::RequireApproval, stages());
        office.verdict.obligations.insert(obligation.into());
        assert_eq!(office.submit(), answer, "{obligation}");
    }
}

#[test]
fn a_change_may_be_run_be_unknown_and_be_undone() {
    let finish = |outcome| Command::FinishExecution(outcome);
    let mut office = active();
    assert_eq!(office.tell(finish(ExecutionOutcome::Unknown)), "execution.finished → unknown");
    assert_eq!(office.tell(finish(ExecutionOutcome::Unknown)), "→ unknown");
    assert_eq!(office.tell(finish(ExecutionOutcome::Completed)), "execution.finished → completed");
    assert_eq!(office.tell(Command::StartRollback(actor("owner"))), "rollback.started → rolling_back");
    let failed = Command::FinishRollback(RollbackFinished { applied: false });
    assert_eq!(office.tell(failed), "rollback.finished → rollback_failed");
    assert_eq!(office.tell(Command::StartRollback(actor("owner"))), "refused: wrong_state → rollback_failed");
    assert_eq!(active().tell(finish(ExecutionOutcome::Failed)), "execution.finished → failed");
}

#[test]
fn only_the_requester_takes_a_request_back() {
    assert_eq!(pending().tell(Command::Cancel(actor("owner"))), "refused: not_yours → pending");
    assert_eq!(pending().tell(Command::Cancel(actor("requester"))), "request.cancelled → cancelled");
    assert_eq!(approved().tell(Command::Cancel(actor("requester"))), "request.cancelled → cancelled");
    assert_eq!(active().tell(Command::Cancel(actor("requester"))), "refused: wrong_state → active");
    let _ = person("admin");
}
