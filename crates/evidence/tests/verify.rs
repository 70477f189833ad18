//! Honest bundles verify; what is shown of them; what a newer log adds.

mod verification;

use chancery_domain::document::DecisionKind;
use chancery_domain::state::LeaseStatus;
use chancery_evidence::bundle::{Manifest, layout, with_report};
use chancery_evidence::report;
use chancery_evidence::verify::{CheckName, KeptPolicy, NewerLog, Options, Outcome, Verification, verify};
use chancery_ledger::{KeyType, SignerKey};
use chancery_testkit::scenario::{Scenario, certificate_reader, read_leaf};

use verification::examined;

fn examine(scenario: &Scenario) -> Verification {
    let options =
        Options { certificates: Some(&certificate_reader), require_replay: true, ..Options::default() };
    examined(&scenario.bundle(), &scenario.trust(), &options)
}

/// Every check but those named passes, and those are skipped.
#[track_caller]
#[expect(clippy::panic, reason = "test code fails by panicking")]
fn check_all_pass(verification: &Verification, skipped: &[CheckName]) {
    for name in CheckName::ALL {
        match verification.outcome(name) {
            Some(Outcome::Pass) => assert!(!skipped.contains(&name), "{name} ran"),
            Some(Outcome::Skipped(reason)) => {
                // Nothing here asks for hardware; tests/authenticator.rs does.
                let skipped = [skipped, &[CheckName::PasskeyAttestation]].concat();
                assert!(skipped.contains(&name), "{name} was skipped: {reason}")
            }
            other => panic!("{name}: {other:?}\n{}", verification.to_text()),
        }
    }
}

#[test]
fn an_honest_credential_verifies_in_full() {
    let scenario = Scenario::honest();
    let verification = examine(&scenario);
    check_all_pass(&verification, &[CheckName::NewerLog]);
    let logged = verification.logged.as_ref().expect("an approval");
    let approved = logged.value();
    assert!(approved.is_active());
    assert_eq!(approved.document(), &scenario.document);
    assert_eq!(approved.seats().len(), 2);
    assert_eq!(approved.leases().len(), 1);
    assert_eq!(approved.leases()[0].status, LeaseStatus::Issued);
    assert_eq!(approved.terms().max_seconds, 300);
    assert_eq!(verification.story.justification.as_deref(), Some("the disk is <b>full</b>"));
    assert_eq!(verification.story.decisions.len(), 2);
    assert_eq!(verification.story.decisions[0].reason.as_deref(), Some("owen looked at it"));
    assert!(verification.to_text().contains("NOT proved"));
    assert_eq!(verification.to_json()["verified"], true);
}

#[test]
fn every_stage_of_a_request_verifies() {
    let mut scenario = Scenario::new();
    scenario.submit();
    let undecided = [
        CheckName::DecisionSignatures,
        CheckName::DecisionSubject,
        CheckName::Quorum,
        CheckName::Floor,
        CheckName::LeaseIntended,
        CheckName::NewerLog,
    ];
    let verification = examine(&scenario);
    check_all_pass(&verification, &undecided);
    assert!(verification.logged.is_none(), "nothing was approved");

    scenario.approve("owen");
    check_all_pass(&examine(&scenario), &undecided[2..]);

    // An edit voids the approval; the bundle is then about the new revision.
    scenario.document.clocks.grant_seconds = 200;
    scenario.revise();
    scenario.approve("owen");
    scenario.decide("sam", DecisionKind::Approve).unwrap();
    check_all_pass(&examine(&scenario), &undecided[4..]);
    assert!(examine(&scenario).logged.is_some());

    scenario.activate();
    let lease = scenario.issue("first");
    scenario.end(&lease);
    let verification = examine(&scenario);
    check_all_pass(&verification, &[CheckName::NewerLog]);
    let logged = verification.logged.expect("an approval that has ended");
    assert!(!logged.value().is_active());
    assert_eq!(logged.value().lease(&lease).unwrap().status, LeaseStatus::Revoked);
}

#[test]
fn a_rejection_and_a_withdrawal_verify_and_approve_nothing() {
    let mut scenario = Scenario::new();
    scenario.submit();
    scenario.approve("owen");
    scenario.decide("owen", DecisionKind::Withdraw).unwrap();
    scenario.decide("sam", DecisionKind::Reject).unwrap();
    let verification = examine(&scenario);
    assert!(verification.passed(), "{}", verification.to_text());
    assert!(verification.logged.is_none());
    assert_eq!(verification.story.state, "rejected");
}

#[test]
fn redaction_keeps_every_proof_and_costs_the_replay() {
    let scenario = Scenario::honest();
    let mut files = scenario.bundle();
    files.retain(|path, _| !path.starts_with("disclosures/"));
    let manifest = Manifest::read(&files).unwrap();
    manifest.seal(&mut files).unwrap();
    let options = Options { certificates: Some(&certificate_reader), ..Options::default() };
    let verification = examined(&files, &scenario.trust(), &options);
    check_all_pass(&verification, &[CheckName::VerdictReplay, CheckName::NewerLog]);
    assert!(verification.story.justification.is_none());
    let Some(Outcome::Skipped(reason)) = verification.outcome(CheckName::VerdictReplay) else {
        panic!("replayed")
    };
    assert!(reason.contains("not replayable") && reason.contains("/request"), "{reason}");
    let strict = Options { require_replay: true, ..options };
    assert_eq!(verify(&files, &scenario.trust(), &strict).failed(), ["verdict-replay"]);
}

#[test]
fn a_replay_that_is_left_out_is_said_and_cannot_be_when_it_is_required() {
    let scenario = Scenario::honest();
    let files = scenario.bundle();
    let without =
        Options { certificates: Some(&certificate_reader), without_replay: true, ..Options::default() };
    let verification = verify(&files, &scenario.trust(), &without);
    check_all_pass(
        &verification,
        &[CheckName::VerdictReplay, CheckName::PasskeyAttestation, CheckName::NewerLog],
    );
    assert!(verification.not_proved.iter().any(|said| said.contains("verdict-replay")));
    let required = verify(&files, &scenario.trust(), &Options { require_replay: true, ..without });
    assert_eq!(required.outcome(CheckName::VerdictReplay), Some(&Outcome::Pass));
}

/// A bundle of policy that was prepared before is used for the very same files, and for no others.
#[test]
fn a_policy_that_was_kept_is_believed_for_its_own_files_alone() {
    let scenario = Scenario::honest();
    let (files, trust) = (scenario.bundle(), scenario.trust());
    let kept = KeptPolicy::default();
    let options = Options {
        certificates: Some(&certificate_reader),
        require_replay: true,
        policy: Some(&kept),
        ..Options::default()
    };
    for _ in 0..2 {
        check_all_pass(&verify(&files, &trust, &options), &[CheckName::NewerLog]);
    }
    let rules = files.keys().find(|path| path.starts_with("policy/") && path.ends_with(".rego")).unwrap();
    let mut changed = files.clone();
    changed.get_mut(rules).unwrap().extend_from_slice(b"\n");
    assert_eq!(
        verify(&changed, &trust, &options).failed(),
        ["file-digests", "policy-digest", "lease-intended"]
    );
    let mut malformed = files.clone();
    malformed.insert(rules.clone(), b"package".to_vec());
    assert_eq!(
        verify(&malformed, &trust, &options).failed(),
        ["file-digests", "policy-digest", "lease-intended"]
    );
}

#[test]
fn a_newer_log_shows_what_came_after() {
    let mut scenario = Scenario::new();
    scenario.submit();
    scenario.approve("owen");
    scenario.approve("sam");
    scenario.activate();
    let lease = scenario.issue("first");
    let files = scenario.bundle();
    let trust = scenario.trust();
    scenario.end(&lease);
    let checkpoint = scenario.checkpoint(scenario.size()).note().to_string();
    let leaf = |index| read_leaf(&scenario, index);
    let newer = NewerLog { checkpoint: checkpoint.as_bytes(), leaf: &leaf };
    let options =
        Options { newer_log: Some(&newer), certificates: Some(&certificate_reader), ..Options::default() };
    let verification = verify(&files, &trust, &options);
    check_all_pass(&verification, &[]);
    let kinds: Vec<&str> = verification.later.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["grant.ended", "lease.revoked"]);
}

#[test]
fn the_report_escapes_and_is_no_evidence() {
    let scenario = Scenario::honest();
    let verification = examine(&scenario);
    let page = report::render(&verification);
    assert!(page.contains("the disk is &lt;b&gt;full&lt;/b&gt;"), "the justification is shown, escaped");
    assert!(
        !page.contains("<b>") && !page.contains("<script") && !page.contains("http://"),
        "nothing foreign"
    );
    for shown in ["web-1.example", "service_owner", "decision.recorded", "NOT proved", "quorum"] {
        assert!(page.contains(shown), "{shown}");
    }
    let files = with_report(scenario.bundle(), &page).unwrap();
    let options = Options { certificates: Some(&certificate_reader), ..Options::default() };
    assert!(examined(&files, &scenario.trust(), &options).passed());
    assert!(!layout::is_evidence(layout::REPORT) && !layout::is_evidence("trust/trust.json"));
}

#[test]
fn the_trust_directory_decides() {
    let mut scenario = Scenario::honest();
    let files = scenario.bundle();
    let options = Options { certificates: Some(&certificate_reader), ..Options::default() };
    let honest = scenario.trust_document.clone();
    let mut check = |change: &dyn Fn(&mut chancery_evidence::trust::TrustDocument), failed: &[&str]| {
        scenario.trust_document = honest.clone();
        change(&mut scenario.trust_document);
        assert_eq!(examined(&files, &scenario.trust(), &options).failed(), failed);
    };
    check(&|_| {}, &[]);
    check(
        &|document| document.policy.genesis_sha256 = chancery_canonical::Sha256::of(b"other"),
        &["policy-chain"],
    );
    check(&|document| document.engines = vec!["another engine".to_owned()], &["policy-chain", "floor"]);
    check(&|document| document.floors.clear(), &["floor"]);
    check(&|document| document.expires_at = document.created_at.plus(30), &["trust-root"]);
    check(
        &|document| {
            document.attestation_keys.remove("decision");
        },
        &["attestation-signatures"],
    );
    check(
        &|document| {
            let name = "witness.test".parse().unwrap();
            let witness = SignerKey::from_seed(name, KeyType::Cosignature, &[7; 32]).unwrap();
            let logs = document.witness_policy.replace("quorum none\n", "");
            document.witness_policy = format!("{logs}witness w {}\nquorum w\n", witness.verifier());
        },
        &["witness-policy"],
    );
}
