//! What a server can forge that owns the log's and the attestations' keys, and where it fails. Everything here is
//! logged, proved and attested as if it were honest, so that only human signatures, the floor and the replay stand
//! in the way.

mod verification;

use chancery_canonical::{Bytes, Canonical, Sha256};
use chancery_domain::document::{DecisionDocument, DecisionKind};
use chancery_domain::event::{Activated, DecisionRecorded, LeaseIntended, RequestEvent};
use chancery_domain::signature::Assertion;
use chancery_domain::state::{Active, State};
use chancery_evidence::verify::{NewerLog, Options, verify};
use chancery_policy::input::Phase;
use chancery_testkit::people::{ed25519, possession, ssh_line};
use chancery_testkit::scenario::{Scenario, certificate_reader, read_leaf};
use serde_json::json;

use verification::{
    approve_anyway, check_fails, check_passes, examined, judge, judge_again, judged, options,
};

// -------------------------------------------------------------------------------------------------- decisions

/// A request that `owen` approved honestly, and a second decision that the server puts into the log as it likes.
fn forged(forge: impl Fn(&mut Scenario) -> DecisionRecorded) -> Scenario {
    let mut scenario = Scenario::new();
    scenario.submit();
    scenario.approve("owen");
    let recorded = forge(&mut scenario);
    force(&mut scenario, recorded, &[("service_owner", "owen"), ("security", "sam")]);
    scenario
}

/// Records a decision, and the approval that would follow if it were good.
fn force(scenario: &mut Scenario, recorded: DecisionRecorded, seats: &[(&str, &str)]) {
    scenario.record(RequestEvent::DecisionRecorded(recorded));
    approve_anyway(scenario, seats);
}

/// One way in which a decision is about something else.
type Change = dyn Fn(&mut DecisionDocument);

/// Signs an offer of `sam`'s approval after a change to it.
fn signed(scenario: &mut Scenario, signer: &str, change: impl Fn(&mut DecisionDocument)) -> DecisionRecorded {
    let mut document = scenario.offer("sam", DecisionKind::Approve);
    change(&mut document);
    scenario.world.sign_decision(signer, &document)
}

/// The document changed after it was signed.
#[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
fn altered(
    scenario: &mut Scenario,
    kind: DecisionKind,
    change: impl Fn(&mut DecisionDocument),
) -> DecisionRecorded {
    let document = scenario.offer("sam", kind);
    let mut recorded = scenario.world.sign_decision("sam", &document);
    let mut document: DecisionDocument = recorded.document.decode().unwrap();
    change(&mut document);
    recorded.document = Canonical::of(&document).unwrap();
    recorded
}

#[test]
fn an_honest_second_decision_is_the_control() {
    let scenario = forged(|scenario| signed(scenario, "sam", |_| {}));
    check_passes(&scenario);
}

#[test]
fn a_server_cannot_forge_a_decision() {
    // Changed after the human signed.
    let scenario = forged(|s| altered(s, DecisionKind::Reject, |d| d.decision = DecisionKind::Approve));
    check_fails(&scenario, &["decision-signatures", "quorum"]);
    let scenario =
        forged(|s| altered(s, DecisionKind::Approve, |d| d.nonce = "AAAAAAAAAAAAAAAAAAAAAA".to_owned()));
    check_fails(&scenario, &["decision-signatures", "quorum"]);
    // Another person's assertion under this approver's name, and a swapped assertion.
    let scenario = forged(|s| {
        let mut recorded = signed(s, "sam", |_| {});
        recorded.assertion = signed(s, "sam", |_| {}).assertion;
        recorded
    });
    check_fails(&scenario, &["decision-signatures", "quorum"]);
    let scenario = forged(|s| {
        let mut recorded = signed(s, "sam", |_| {});
        recorded.assertion.signature = Bytes::new(vec![0x30, 6, 2, 1, 1, 2, 1, 1]).unwrap();
        recorded
    });
    check_fails(&scenario, &["decision-signatures", "quorum"]);
}

#[test]
fn a_decision_about_something_else_does_not_count() {
    let other_request = |d: &mut DecisionDocument| d.request.sha256 = Sha256::of(b"another request");
    let cases: [(&str, &Change); 6] = [
        ("another request", &other_request),
        ("another log", &|d| d.log_origin = "log.elsewhere.test".to_owned()),
        ("another verdict", &|d| d.verdict_sha256 = Sha256::of(b"another verdict")),
        ("another policy", &|d| d.policy_sha256 = Sha256::of(b"another policy")),
        ("a longer grant", &|d| d.grant.max_seconds += 1),
        ("a seat with another quorum", &|d| d.stages[0].quorum += 1),
    ];
    for (what, change) in cases {
        let scenario = forged(|s| signed(s, "sam", change));
        let verification = check_fails(&scenario, &["decision-subject", "quorum"]);
        assert!(!verification.passed(), "{what}");
    }
    // The seat that it would fill is not named.
    let scenario = forged(|s| signed(s, "sam", |d| d.stages.clear()));
    check_fails(&scenario, &["quorum"]);
    // An offer that had ended.
    let scenario = forged(|s| {
        let recorded = signed(s, "sam", |_| {});
        s.wait(600);
        recorded
    });
    check_fails(&scenario, &["decision-subject", "quorum"]);
    // The same decision twice.
    let mut scenario = Scenario::new();
    scenario.submit();
    let recorded = signed(&mut scenario, "sam", |_| {});
    scenario.record(RequestEvent::DecisionRecorded(recorded.clone()));
    scenario.approve("owen");
    let recorded_again = RequestEvent::DecisionRecorded(recorded);
    if matches!(scenario.state, Some(State::Pending(_))) {
        scenario.record(recorded_again);
        // Its nonce was used, and its passkey's counter stands still.
        check_fails(&scenario, &["decision-signatures", "decision-subject"]);
    }
    // A checkpoint of another log, which only all leaves can show.
    let scenario = forged(|s| signed(s, "sam", |d| d.checkpoint.root = Sha256::of(b"another tree")));
    let checkpoint = scenario.checkpoint(scenario.size()).note().to_string();
    let leaf = |index| read_leaf(&scenario, index);
    let newer = NewerLog { checkpoint: checkpoint.as_bytes(), leaf: &leaf };
    let with_log = Options { newer_log: Some(&newer), ..options() };
    assert_eq!(verify(&scenario.bundle(), &scenario.trust(), &with_log).failed(), ["newer-log"]);
}

#[test]
fn people_who_must_not_count_do_not() {
    // The requester, by their own key, in a seat.
    let mut scenario = Scenario::new();
    scenario.submit();
    scenario.approve("owen");
    let mut document = scenario.offer("sam", DecisionKind::Approve);
    document.approver = scenario.world.id("rita");
    document.credential_id_sha256 =
        Sha256::of(scenario.world.person("rita").passkey.credential_id().as_bytes());
    let recorded = scenario.world.sign_decision("rita", &document);
    force(&mut scenario, recorded, &[("service_owner", "owen"), ("security", "rita")]);
    check_fails(&scenario, &["quorum"]);
    // One person in two seats.
    let mut scenario = Scenario::new();
    scenario.submit();
    scenario.approve("owen");
    approve_anyway(&mut scenario, &[("service_owner", "owen"), ("security", "owen")]);
    check_fails(&scenario, &["floor", "quorum"]);
    // Somebody who is not eligible.
    let mut scenario = Scenario::new();
    scenario.submit();
    scenario.approve("owen");
    let mut document = scenario.offer("sam", DecisionKind::Approve);
    document.approver = scenario.world.id("ada");
    document.credential_id_sha256 =
        Sha256::of(scenario.world.person("ada").passkey.credential_id().as_bytes());
    let recorded = scenario.world.sign_decision("ada", &document);
    force(&mut scenario, recorded, &[("service_owner", "owen"), ("security", "ada")]);
    check_fails(&scenario, &["quorum"]);
    // Seats that the approvals do not lead to.
    let scenario = {
        let mut scenario = Scenario::new();
        scenario.submit();
        scenario.approve("owen");
        let recorded = signed(&mut scenario, "sam", |_| {});
        force(&mut scenario, recorded, &[("service_owner", "owen"), ("security", "sue")]);
        scenario
    };
    check_fails(&scenario, &["quorum"]);
    // A rejection, and then an approval all the same.
    let mut scenario = Scenario::new();
    scenario.submit();
    scenario.approve("owen");
    let document = scenario.offer("sue", DecisionKind::Reject);
    let no = scenario.world.sign_decision("sue", &document);
    scenario.record(RequestEvent::DecisionRecorded(no));
    let recorded = signed(&mut scenario, "sam", |_| {});
    force(&mut scenario, recorded, &[("service_owner", "owen"), ("security", "sam")]);
    check_fails(&scenario, &["quorum"]);
}

// ------------------------------------------------------------------------------------------- people and keys

#[test]
fn keys_count_only_while_they_are_enrolled() {
    // Removed before.
    let mut scenario = Scenario::new();
    scenario.submit();
    scenario.approve("owen");
    let recorded = signed(&mut scenario, "sam", |_| {});
    let sam = scenario.world.id("sam");
    let body = json!({ "person": sam, "credential_id": recorded.assertion.credential_id });
    scenario.world.change(&sam, "passkey.removed", body, &["ada"]);
    scenario.sync_people();
    force(&mut scenario, recorded, &[("service_owner", "owen"), ("security", "sam")]);
    check_fails(&scenario, &["decision-signatures", "quorum"]);
}

#[test]
fn a_copied_device_bound_passkey_gives_itself_away() {
    let mut scenario = Scenario::new();
    scenario.submit();
    scenario.approve("owen");
    let copy = scenario.world.person("sam").passkey.clone();
    scenario.approve("sam");
    scenario.activate();
    check_passes(&scenario);
    // The copy does not know that the original signed meanwhile.
    scenario.world.person_mut("sam").passkey = copy;
    assert_eq!(scenario.decide("sam", DecisionKind::Revoke), Ok(()));
    check_fails(&scenario, &["decision-signatures"]);
}

#[test]
fn a_person_enrolled_later_does_not_count() {
    let mut scenario = Scenario::new();
    scenario.submit();
    scenario.approve("owen");
    scenario.world.add_member("late", &["security"], &["ada", "bob"]);
    let mut document = scenario.offer("sam", DecisionKind::Approve);
    document.approver = scenario.world.id("late");
    document.credential_id_sha256 =
        Sha256::of(scenario.world.person("late").passkey.credential_id().as_bytes());
    let recorded = scenario.world.sign_decision("late", &document);
    force(&mut scenario, recorded, &[("service_owner", "owen"), ("security", "late")]);
    scenario.sync_people();
    let people = ["ada", "bob", "rita", "owen", "late"].map(|name| scenario.world.id(name));
    let verification = examined(&scenario.bundle_with(&people), &scenario.trust(), &options());
    let failed = verification.failed();
    assert!(failed.contains(&"decision-signatures") && failed.contains(&"quorum"), "{failed:?}");
}

#[test]
fn a_person_without_a_chain_is_nobody() {
    let mut honest = Scenario::new();
    honest.submit();
    honest.approve("owen");
    honest.approve("sam");
    let people = ["ada", "bob", "rita", "owen"].map(|name| honest.world.id(name));
    let verification = examined(&honest.bundle_with(&people), &honest.trust(), &options());
    let failed = verification.failed();
    assert!(failed.contains(&"decision-signatures") && failed.contains(&"quorum"), "{failed:?}");
    // Without the administrators nobody whom they created exists.
    let people = ["rita", "owen", "sam"].map(|name| honest.world.id(name));
    let failed = examined(&honest.bundle_with(&people), &honest.trust(), &options()).failed();
    assert!(failed.contains(&"identity-chain") && failed.contains(&"requester-signature"), "{failed:?}");
    // One administrator where two are needed.
    honest.world.add_member("ghost", &["security"], &["ada"]);
    honest.sync_people();
    let people = ["ada", "bob", "rita", "owen", "sam", "ghost"].map(|name| honest.world.id(name));
    let failed = examined(&honest.bundle_with(&people), &honest.trust(), &options()).failed();
    assert_eq!(failed, ["identity-chain"]);
}

// ------------------------------------------------------------------------------------------------ the request

#[test]
fn a_swapped_key_breaks_two_signatures() {
    let mut scenario = Scenario::new();
    let (mut submitted, _) = scenario.signed_by_requester();
    let thief = ed25519("thief");
    scenario.document.beneficiary.public_key = Some(ssh_line(&thief));
    submitted.request_sha256 = Canonical::of(&scenario.document).unwrap().digest();
    scenario.record(RequestEvent::Submitted(submitted.clone()));
    judge(&mut scenario);
    check_fails(&scenario, &["requester-signature", "beneficiary-possession"]);
    // With the thief's own proof of possession, the requester's signature still stands in the way.
    let mut scenario = Scenario::new();
    let (mut submitted, _) = scenario.signed_by_requester();
    scenario.document.beneficiary.public_key = Some(ssh_line(&thief));
    submitted.request_sha256 = Canonical::of(&scenario.document).unwrap().digest();
    submitted.possession = Some(possession(&thief, &scenario.document));
    scenario.record(RequestEvent::Submitted(submitted));
    judge(&mut scenario);
    check_fails(&scenario, &["requester-signature"]);
}

// ------------------------------------------------------------------------------------------- policy and floor

#[test]
fn a_verdict_below_the_floor_grants_nothing() {
    let mut scenario = Scenario::new();
    scenario.trust_document.floors.get_mut("ssh-admin").unwrap().minimum_approvers = 3;
    scenario.submit();
    scenario.approve("owen");
    scenario.approve("sam");
    check_fails(&scenario, &["floor"]);
    scenario.trust_document.floors.get_mut("ssh-admin").unwrap().minimum_approvers = 2;
    scenario.trust_document.floors.get_mut("ssh-admin").unwrap().maximum_seconds = 299;
    check_fails(&scenario, &["floor"]);
}

#[test]
fn an_invented_verdict_does_not_come_out_again() {
    use chancery_domain::verdict::Verdict;
    let mut scenario = Scenario::new();
    let (submitted, _) = scenario.signed_by_requester();
    scenario.record(RequestEvent::Submitted(submitted));
    let honest = scenario.judge(Phase::Request);
    let mut document = honest.document().clone();
    document.stages.retain(|stage| stage.id == "service_owner");
    let invented = Verdict::composed_by_the_policy_engine(document).unwrap();
    scenario.replace_verdict(&honest, &invented);
    let judged = judged(&scenario, &invented);
    scenario.record(RequestEvent::Judged(judged));
    let recorded = {
        let document = scenario.offer("owen", DecisionKind::Approve);
        scenario.world.sign_decision("owen", &document)
    };
    force(&mut scenario, recorded, &[("service_owner", "owen")]);
    check_fails(&scenario, &["verdict-replay", "floor"]);
    // Where one approver is enough, only the replay stands in the way.
    scenario.trust_document.floors.get_mut("ssh-admin").unwrap().minimum_approvers = 1;
    check_fails(&scenario, &["verdict-replay"]);
}

#[test]
fn a_grant_longer_than_signed_is_refused() {
    // Terms longer than the verdict's, to which the approvers even agree.
    let mut scenario = Scenario::new();
    let (submitted, _) = scenario.signed_by_requester();
    scenario.record(RequestEvent::Submitted(submitted));
    let verdict = scenario.judge(Phase::Request);
    let mut longer = judged(&scenario, &verdict);
    longer.grant.as_mut().unwrap().max_seconds += 600;
    scenario.record(RequestEvent::Judged(longer));
    for name in ["owen", "sam"] {
        let document = scenario.offer(name, DecisionKind::Approve);
        let recorded = scenario.world.sign_decision(name, &document);
        scenario.record(RequestEvent::DecisionRecorded(recorded));
    }
    approve_anyway(&mut scenario, &[("service_owner", "owen"), ("security", "sam")]);
    check_fails(&scenario, &["approval-time"]);
}

#[test]
fn the_clock_of_a_grant_holds() {
    let start = |change: &dyn Fn(&mut Activated)| {
        let mut scenario = Scenario::new();
        scenario.submit();
        scenario.approve("owen");
        scenario.approve("sam");
        judge_again(&mut scenario);
        let mut activated =
            Activated { started_at: scenario.world.now, ends_at: scenario.world.now.plus(300) };
        change(&mut activated);
        scenario.record(RequestEvent::Activated(activated));
        scenario
    };
    check_passes(&start(&|_| {}));
    check_fails(&start(&|a| a.ends_at = a.ends_at.plus(1)), &["approval-time"]);
    check_fails(&start(&|a| a.started_at = a.started_at.plus(30)), &["approval-time"]);
}

#[test]
fn nothing_starts_unless_policy_is_asked_again() {
    let approved = || {
        let mut scenario = Scenario::new();
        scenario.submit();
        scenario.approve("owen");
        scenario.approve("sam");
        scenario
    };
    let start = |scenario: &mut Scenario| {
        let activated = Activated { started_at: scenario.world.now, ends_at: scenario.world.now.plus(300) };
        scenario.record(RequestEvent::Activated(activated));
    };
    let mut unasked = approved();
    start(&mut unasked);
    check_fails(&unasked, &["quorum"]);
    // Somebody in a seat lost the role, so policy asked again wants somebody else.
    let mut stale = approved();
    let sam = stale.world.id("sam");
    stale.world.change(&sam, "role.removed", json!({ "person": sam, "role": "security" }), &["ada"]);
    stale.sync_people();
    judge_again(&mut stale);
    start(&mut stale);
    check_fails(&stale, &["quorum"]);
    // The requester is out.
    let mut out = approved();
    judge_again(&mut out);
    let rita = out.world.id("rita");
    out.world.change(&rita, "person.suspended", json!({ "person": rita }), &["ada"]);
    out.sync_people();
    start(&mut out);
    check_fails(&out, &["quorum"]);
}

// ----------------------------------------------------------------------------------------------- credentials

#[test]
fn credentials_stay_within_their_grant() {
    let announce = |change: &dyn Fn(&mut LeaseIntended, &Active)| {
        let mut scenario = Scenario::new();
        scenario.submit();
        scenario.approve("owen");
        scenario.approve("sam");
        scenario.activate();
        let Some(State::Active(active)) = scenario.state.clone() else { panic!("not active") };
        let mut lease = LeaseIntended {
            lease: chancery_testkit::people::ulid("lease").parse().unwrap(),
            credential: "ssh_certificate".to_owned(),
            serial: "7".to_owned(),
            to_be_signed_sha256: Sha256::of(b"certificate"),
            issuer_nonce: "AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
            not_after: active.ends_at,
        };
        change(&mut lease, &active);
        scenario.record(RequestEvent::LeaseIntended(lease));
        scenario
    };
    check_passes(&announce(&|_, _| {}));
    check_fails(&announce(&|lease, active| lease.not_after = active.ends_at.plus(1)), &["lease-intended"]);
    check_fails(&announce(&|lease, _| lease.serial = "0".to_owned()), &["lease-intended"]);
    check_fails(&announce(&|lease, _| lease.serial = "007".to_owned()), &["lease-intended"]);
}

#[test]
fn a_certificate_says_what_was_approved() {
    let scenario = Scenario::honest();
    let (files, trust) = (scenario.bundle(), scenario.trust());
    let check = |change: &dyn Fn(&mut chancery_evidence::verify::CertificateFacts), fails: bool| {
        let reader = |text: &str| {
            let mut facts = certificate_reader(text)?;
            change(&mut facts);
            Ok(facts)
        };
        let failed = verify(&files, &trust, &Options { certificates: Some(&reader), ..options() }).failed();
        assert_eq!(failed.contains(&"lease-intended"), fails, "{failed:?}");
    };
    check(&|_| {}, false);
    check(&|facts| facts.principals = vec!["root@web-1.example".to_owned()], true);
    check(&|facts| facts.principals = vec!["deploy@web-2.example".to_owned()], true);
    check(&|facts| facts.principals.push("root@web-1.example".to_owned()), true);
    check(&|facts| facts.principals.clear(), true);
    check(&|facts| facts.extensions.push("permit-port-forwarding".to_owned()), true);
    check(&|facts| facts.force_command = Some("/bin/sh".to_owned()), true);
    check(&|facts| facts.public_key = ssh_line(&ed25519("thief")), true);
    check(&|facts| facts.key_id = "another".to_owned(), true);
    check(&|facts| facts.serial = "1".to_owned(), true);
    check(&|facts| facts.valid_before = facts.valid_before.plus(1), true);
    check(&|facts| facts.authority = ssh_line(&ed25519("another authority")), true);
    check(&|facts| facts.to_be_signed_sha256 = Sha256::of(b"another"), true);
    // Nothing to read it with is not a pass.
    let without = Options { certificates: None, ..options() };
    assert!(verify(&files, &trust, &without).failed().contains(&"lease-intended"));
}

#[test]
fn an_assertion_of_another_world_is_worth_nothing() {
    let mut other = Scenario::new();
    other.submit();
    let foreign: Assertion = signed(&mut other, "sam", |_| {}).assertion;
    let scenario = forged(|s| {
        let mut recorded = signed(s, "sam", |_| {});
        recorded.assertion =
            Assertion { credential_id: recorded.assertion.credential_id.clone(), ..foreign.clone() };
        recorded
    });
    check_fails(&scenario, &["decision-signatures", "quorum"]);
}
