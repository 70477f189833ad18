//! Where only the server's word stands behind an event: its times, its engine, in whose name it ends something, and
//! what it leaves out. Everything else here is honest.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code fails by panicking")]

mod verification;

use chancery_canonical::Sha256;
use chancery_domain::document::{DecisionKind, ShownStage};
use chancery_domain::event::{
    Activated, EndedBy, Expired, LeaseIntended, PolicyActivated, PolicyEvent, RequestEvent, to_parts,
};
use chancery_domain::leaf::{EventLeaf, Stream};
use chancery_domain::signature::Authority;
use chancery_domain::state::State;
use chancery_domain::time::Timestamp;
use chancery_domain::verdict::Verdict;
use chancery_evidence::bundle::BundleFiles;
use chancery_evidence::report;
use chancery_evidence::verify::{CertificateFacts, NewerLog, Options, Verification, verify};
use chancery_ledger::{Checkpoint, Tree, leaf_hash};
use chancery_policy::input::Phase;
use chancery_policy::{Bundle, Engine};
use chancery_testkit::people::ulid;
use chancery_testkit::scenario::{Scenario, certificate_reader, default_policy, read_leaf};
use serde_json::json;

use verification::{
    approve_anyway, check_fails, check_passes, examined, judge, judge_again, judged, options,
    without_identity,
};

fn approved() -> Scenario {
    let mut scenario = Scenario::new();
    scenario.submit();
    scenario.approve("owen");
    scenario.approve("sam");
    scenario
}

fn back(at: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_unix(at.unix() - seconds).unwrap()
}

/// The default policy with one more module.
fn policy_with(rules: &str) -> Engine {
    let mut files = default_policy().bundle().files().clone();
    let module = format!("package chancery\n\n{rules}\n");
    files.insert("chancery/rules/extra.rego".to_owned(), module.into_bytes());
    Engine::prepare(Bundle::from_files(files).unwrap()).unwrap()
}

// ------------------------------------------------------------------------------------------------------ times

#[test]
fn no_event_is_dated_back_behind_another_stream() {
    let dated_back = |seconds: i64| {
        let mut scenario = Scenario::new();
        scenario.wait(1000);
        scenario.submit();
        let now = scenario.world.now;
        // Twenty seconds passed since the latest event.
        scenario.world.now = back(now, 20 + seconds);
        let sue = scenario.world.id("sue");
        scenario.world.change(&sue, "person.suspended", json!({ "person": sue }), &["ada"]);
        scenario.sync_people();
        scenario.world.now = now;
        scenario
    };
    let failed = |seconds| {
        let scenario = dated_back(seconds);
        examined(&scenario.bundle(), &scenario.trust(), &options()).failed()
    };
    assert!(failed(0).is_empty() && failed(300).is_empty(), "appends may overtake each other");
    assert_eq!(failed(301), ["log-time"]);
}

#[test]
fn no_clock_starts_later_than_what_it_follows_from() {
    // Judged a second after it was asked, which would move every clock.
    let mut scenario = Scenario::new();
    let (submitted, _) = scenario.signed_by_requester();
    scenario.record(RequestEvent::Submitted(submitted));
    scenario.wait(1);
    judge(&mut scenario);
    check_fails(&scenario, &["approval-time"]);
    // Approved after the last approval: the time in which it may be started is moved.
    let complete = |late: u64| {
        let mut scenario = Scenario::new();
        scenario.submit();
        scenario.approve("owen");
        let document = scenario.offer("sam", DecisionKind::Approve);
        let recorded = scenario.world.sign_decision("sam", &document);
        scenario.record(RequestEvent::DecisionRecorded(recorded));
        scenario.wait(late);
        approve_anyway(&mut scenario, &[("service_owner", "owen"), ("security", "sam")]);
        scenario
    };
    check_passes(&complete(0));
    check_fails(&complete(1), &["approval-time"]);
    // Started at another time than its leaf says, or on a verdict that was kept for later.
    let start = |kept: u64, off: i64| {
        let mut scenario = approved();
        judge_again(&mut scenario);
        scenario.wait(kept);
        let started_at = back(scenario.world.now, off);
        scenario.record(RequestEvent::Activated(Activated { started_at, ends_at: started_at.plus(300) }));
        scenario
    };
    check_passes(&start(300, 0));
    check_fails(&start(301, 0), &["approval-time"]);
    check_fails(&start(0, 1), &["approval-time"]);
}

#[test]
fn an_expired_trust_directory_verifies_nothing() {
    let scenario = Scenario::honest();
    let (files, trust) = (scenario.bundle(), scenario.trust());
    let end = trust.root().document().expires_at;
    let failed = |now| verify(&files, &trust, &Options { now: Some(now), ..options() }).failed();
    assert!(failed(back(end, 1)).is_empty());
    assert_eq!(failed(end), ["trust-root"]);
}

// ----------------------------------------------------------------------------------------------------- policy

const BARRED: &str = r#"deny contains {"rule": "extra.barred", "message": "barred", "remedy": "ask later"} if {
	"barred" in input.requester.roles
}"#;

fn announce(scenario: &mut Scenario, change: impl Fn(&mut LeaseIntended)) {
    let Some(State::Active(active)) = scenario.state.clone() else { panic!("not active") };
    let mut lease = LeaseIntended {
        lease: ulid("lease").parse().unwrap(),
        credential: "ssh_certificate".to_owned(),
        serial: "7".to_owned(),
        to_be_signed_sha256: Sha256::of(b"certificate"),
        issuer_nonce: "AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        not_after: active.ends_at,
    };
    change(&mut lease);
    scenario.record(RequestEvent::LeaseIntended(lease));
}

#[test]
fn no_credential_is_announced_after_policy_said_no() {
    let asked_again = |act: Option<&str>| {
        let mut scenario = Scenario::with_policy(policy_with(BARRED));
        scenario.submit();
        scenario.approve("owen");
        scenario.approve("sam");
        scenario.activate();
        let rita = scenario.world.id("rita");
        if let Some(act) = act {
            let body = json!({ "person": rita, "role": "barred" });
            scenario.world.change(&rita, act, body, &["ada", "bob"]);
            scenario.sync_people();
        }
        judge_again(&mut scenario);
        announce(&mut scenario, |_| {});
        scenario
    };
    check_passes(&asked_again(None));
    check_fails(&asked_again(Some("role.granted")), &["quorum"]);
    // A verdict that only wants other people is no better.
    let mut scenario = approved();
    scenario.activate();
    let sam = scenario.world.id("sam");
    scenario.world.change(&sam, "role.removed", json!({ "person": sam, "role": "security" }), &["ada"]);
    scenario.sync_people();
    judge_again(&mut scenario);
    announce(&mut scenario, |_| {});
    check_fails(&scenario, &["quorum"]);
}

#[test]
fn an_engine_that_nobody_has_does_not_hide_a_verdict() {
    let mut scenario = Scenario::new();
    let (submitted, _) = scenario.signed_by_requester();
    scenario.record(RequestEvent::Submitted(submitted));
    let honest = scenario.judge(Phase::Request);
    let mut document = honest.document().clone();
    document.engine = "regorus 99.0.0".to_owned();
    let invented = Verdict::composed_by_the_policy_engine(document).unwrap();
    scenario.replace_verdict(&honest, &invented);
    let body = judged(&scenario, &invented);
    scenario.record(RequestEvent::Judged(body));
    // Not even where a replay is not demanded, and where the trust directory knew the engine.
    let lenient = Options { require_replay: false, ..options() };
    let verification = examined(&scenario.bundle(), &scenario.trust(), &lenient);
    assert_eq!(verification.failed(), ["policy-chain"]);
    assert!(verification.not_proved.iter().any(|said| said.contains("`verdict-replay` was skipped")));
    scenario.trust_document.engines.push("regorus 99.0.0".to_owned());
    assert_eq!(examined(&scenario.bundle(), &scenario.trust(), &lenient).failed(), ["policy-chain"]);
}

#[test]
fn what_was_skipped_is_not_proved() {
    let scenario = Scenario::honest();
    let mut files = scenario.bundle();
    files.retain(|path, _| !path.starts_with("disclosures/"));
    let files = verification::resealed(files);
    let lenient = Options { require_replay: false, ..options() };
    let verification = examined(&files, &scenario.trust(), &lenient);
    assert!(verification.passed());
    for name in ["verdict-replay", "newer-log"] {
        let said = format!("`{name}` was skipped");
        assert!(verification.not_proved.iter().any(|line| line.contains(&said)), "{name}");
    }
    let refused = chancery_evidence::verify::verify_zip(b"PK", &scenario.trust(), &options());
    assert!(refused.not_proved.iter().any(|line| line.contains("`quorum` was skipped")));
}

#[test]
fn an_obligation_that_nobody_knows_grants_nothing() {
    let obliged = |obligation: &str| {
        let rule = format!("obligation contains \"{obligation}\"");
        let mut scenario = Scenario::with_policy(policy_with(&rule));
        let (submitted, _) = scenario.signed_by_requester();
        scenario.record(RequestEvent::Submitted(submitted));
        judge(&mut scenario);
        for name in ["owen", "sam"] {
            let document = scenario.offer(name, DecisionKind::Approve);
            let recorded = scenario.world.sign_decision(name, &document);
            scenario.record(RequestEvent::DecisionRecorded(recorded));
        }
        approve_anyway(&mut scenario, &[("service_owner", "owen"), ("security", "sam")]);
        scenario
    };
    check_passes(&obliged("post_review"));
    check_fails(&obliged("two_person_watch"), &["quorum"]);
}

// ------------------------------------------------------------------------------------------- in whose name

#[test]
fn nobody_ends_a_request_in_the_name_of_another() {
    let by = |scenario: &Scenario, name: &str| EndedBy { person: scenario.world.id(name) };
    let mut rejected = Scenario::new();
    rejected.submit();
    let body = by(&rejected, "sue");
    rejected.record(RequestEvent::Rejected(body));
    check_fails(&rejected, &["stream-lifecycle"]);
    // The decision is there, of somebody else.
    let mut other = Scenario::new();
    other.submit();
    let document = other.offer("sam", DecisionKind::Reject);
    let recorded = other.world.sign_decision("sam", &document);
    other.record(RequestEvent::DecisionRecorded(recorded));
    let body = by(&other, "sue");
    other.record(RequestEvent::Rejected(body));
    check_fails(&other, &["stream-lifecycle"]);
    let mut revoked = approved();
    let body = by(&revoked, "sam");
    revoked.record(RequestEvent::Revoked(body));
    check_fails(&revoked, &["stream-lifecycle"]);
    for kind in [DecisionKind::Revoke, DecisionKind::Withdraw] {
        let mut honest = approved();
        honest.decide("sam", kind).unwrap();
        check_passes(&honest);
    }
}

#[test]
fn a_grant_expires_when_it_was_set_to() {
    let expired = |waited: u64, off: i64| {
        let mut scenario = approved();
        scenario.activate();
        let Some(State::Active(active)) = scenario.state.clone() else { panic!("not active") };
        scenario.world.now = active.started_at.plus(waited);
        scenario.record(RequestEvent::Expired(Expired { ended_at: back(active.ends_at, off) }));
        scenario
    };
    check_passes(&expired(300, 0));
    check_fails(&expired(299, 0), &["stream-lifecycle"]);
    check_fails(&expired(300, 1), &["stream-lifecycle"]);
}

#[test]
fn what_nobody_signed_is_said_to_be_the_servers_word() {
    let mut scenario = approved();
    scenario.activate();
    let lease = scenario.issue("first");
    let signed = examined(&scenario.bundle(), &scenario.trust(), &options());
    let says = |verification: &Verification| {
        let said = |line: &String| line.contains("the server says so");
        (verification.not_proved.iter().any(said), report::render(verification).contains("the server says"))
    };
    assert_eq!(says(&signed), (false, false));
    scenario.end(&lease);
    let ended = examined(&scenario.bundle(), &scenario.trust(), &options());
    assert!(ended.passed());
    assert_eq!(says(&ended), (true, true));
}

// ------------------------------------------------------------------------------------------------ credentials

#[test]
fn only_the_kind_of_credential_that_is_known_is_announced() {
    let announced = |credential: &str| {
        let mut scenario = approved();
        scenario.activate();
        announce(&mut scenario, |lease| lease.credential = credential.to_owned());
        scenario
    };
    check_passes(&announced("ssh_certificate"));
    check_fails(&announced("password"), &["lease-intended"]);
}

#[test]
fn a_key_line_is_only_the_key() {
    let mut scenario = Scenario::new();
    let line = scenario.document.beneficiary.public_key.clone().unwrap();
    scenario.document.beneficiary.public_key = Some(format!("{line} rita@laptop.example"));
    let (submitted, _) = scenario.signed_by_requester();
    scenario.record(RequestEvent::Submitted(submitted));
    judge(&mut scenario);
    check_fails(&scenario, &["beneficiary-possession"]);
}

/// Whether a certificate that says something else than the scenario's own fits what was approved.
#[track_caller]
fn check_certificate(scenario: &Scenario, change: &dyn Fn(&mut CertificateFacts), fits: bool) {
    let reader = |text: &str| {
        let mut facts = certificate_reader(text)?;
        change(&mut facts);
        Ok(facts)
    };
    let with_reader = Options { certificates: Some(&reader), ..options() };
    let verification = verify(&scenario.bundle(), &scenario.trust(), &with_reader);
    let failed = verification.failed();
    assert_eq!(!failed.contains(&"lease-intended"), fits, "{}", verification.to_text());
}

fn issued(mut scenario: Scenario) -> Scenario {
    scenario.submit();
    scenario.approve("owen");
    scenario.approve("sam");
    scenario.activate();
    scenario.issue("first");
    scenario
}

fn sources(facts: &mut CertificateFacts, addresses: &[&str]) {
    facts.source_addresses = addresses.iter().map(ToString::to_string).collect();
}

#[test]
fn source_addresses_are_those_asked_for_or_those_of_the_scope() {
    let mut scenario = Scenario::new();
    scenario.document.parameters.insert("source_address".to_owned(), "2001:DB8:0::/32".into());
    let asked = issued(scenario);
    check_certificate(&asked, &|facts| sources(facts, &["2001:db8::/32"]), true);
    check_certificate(&asked, &|facts| sources(facts, &[]), false);
    check_certificate(&asked, &|facts| sources(facts, &["2001:db8::/32", "10.0.0.0/8"]), false);
    // Nothing asked for: policy's own.
    let rule = r#"constraint contains {"scopes": {"source_address": ["10.0.0.0/8", "192.0.2.7"]}}"#;
    let scoped = issued(Scenario::with_policy(policy_with(rule)));
    check_certificate(&scoped, &|facts| sources(facts, &["192.0.2.7/32", "10.0.0.0/8"]), true);
    check_certificate(&scoped, &|facts| sources(facts, &["10.0.0.0/8"]), false);
    check_certificate(&scoped, &|facts| sources(facts, &[]), false);
}

#[test]
fn a_certificate_is_not_valid_before_its_grant() {
    let scenario = Scenario::honest();
    check_certificate(&scenario, &|_| {}, true);
    check_certificate(&scenario, &|facts| facts.valid_after = back(facts.valid_after, 1), false);
}

// ------------------------------------------------------------------------------------------------- left out

/// Verifies against a newer log: the scenario's, and some more leaves.
fn against_log(scenario: &Scenario, files: &BundleFiles, more: &[Vec<u8>]) -> Verification {
    let mut leaves: Vec<Vec<u8>> =
        (0..scenario.size()).map(|index| read_leaf(scenario, index).unwrap()).collect();
    leaves.extend(more.iter().cloned());
    let key = scenario.world.log_key();
    let root = Tree::empty().append(&leaves).unwrap().0.root();
    let origin = key.verifier().name().as_str().parse().unwrap();
    let checkpoint = Checkpoint::new(origin, root).sign(&key).unwrap().note().to_string();
    let leaf = |index: u64| leaves.get(usize::try_from(index).unwrap()).cloned();
    let newer = NewerLog { checkpoint: checkpoint.as_bytes(), leaf: &leaf };
    verify(files, &scenario.trust(), &Options { newer_log: Some(&newer), ..options() })
}

#[test]
fn without_a_newer_log_no_end_of_a_stream_is_proved() {
    let scenario = Scenario::honest();
    let alone = examined(&scenario.bundle(), &scenario.trust(), &options());
    let end = |line: &String| line.contains("left off the end") && line.contains("two versions");
    assert!(alone.passed() && alone.not_proved.iter().any(end));
    let held = against_log(&scenario, &scenario.bundle(), &[]);
    assert!(held.passed() && !held.not_proved.iter().any(end), "{}", held.to_text());
}

#[test]
fn a_suspension_that_was_left_out_is_found_in_the_log() {
    // Suspended before everything, and the server says nothing of it.
    let mut scenario = Scenario::new();
    let sam = scenario.world.id("sam");
    scenario.world.change(&sam, "person.suspended", json!({ "person": sam }), &["ada"]);
    scenario.sync_people();
    let left_out = *scenario.leaves_of(&sam).last().unwrap();
    scenario.submit();
    for (name, stage) in [("owen", "service_owner"), ("sam", "security")] {
        // What a suspended person is still offered: the seat that they had.
        let mut document = scenario.offer(name, DecisionKind::Approve);
        document.stages = vec![ShownStage { id: stage.to_owned(), quorum: 1 }];
        let recorded = scenario.world.sign_decision(name, &document);
        scenario.record(RequestEvent::DecisionRecorded(recorded));
    }
    approve_anyway(&mut scenario, &[("service_owner", "owen"), ("security", "sam")]);
    let whole = examined(&scenario.bundle(), &scenario.trust(), &options()).failed();
    assert!(whole.contains(&"quorum"), "{whole:?}");
    let cut = without_identity(scenario.bundle(), &sam, left_out);
    assert!(examined(&cut, &scenario.trust(), &options()).passed(), "without a newer log nobody can know");
    assert_eq!(against_log(&scenario, &cut, &[]).failed(), ["newer-log"]);
}

#[test]
fn a_stream_of_somebody_whom_the_bundle_leaves_out_is_checked_as_well() {
    let mut scenario = approved();
    // Two administrators have to sign; the bundle does not speak of this person.
    scenario.world.add_member("ghost", &["identity_admin"], &["ada"]);
    scenario.sync_people();
    check_passes(&scenario);
    let held = against_log(&scenario, &scenario.bundle(), &[]);
    assert_eq!(held.failed(), ["newer-log"]);
}

#[test]
fn a_forked_stream_is_found_in_the_log() {
    let scenario = Scenario::honest();
    let files = scenario.bundle();
    // The same version of the request's stream once more, and a policy that stands beside the one there is.
    let first = scenario.leaves_of(&scenario.world.id("rita"))[0];
    let identity = read_leaf(&scenario, first).unwrap();
    let mut twin = EventLeaf::from_bytes(&identity).unwrap();
    twin.time = scenario.world.now;
    let activated = PolicyEvent::Activated(PolicyActivated {
        sequence: 1,
        from: None,
        to: Sha256::of(b"another policy"),
        engine: chancery_policy::engine_version().to_owned(),
        authority: Authority::Genesis,
    });
    let (kind, body) = to_parts(&activated).unwrap();
    let time = scenario.world.now;
    let policy = EventLeaf { stream: Stream::Policy, version: 1, previous: None, kind, time, body };
    let ended = RequestEvent::Ended(EndedBy { person: scenario.world.id("rita") });
    let (kind, body) = to_parts(&ended).unwrap();
    let stream = Stream::Request(scenario.document.id.clone());
    let previous = Some(Sha256::from_bytes(*leaf_hash(&identity).as_bytes()));
    let request = EventLeaf { stream, version: 2, previous, kind, time, body };
    for leaf in [twin, policy, request] {
        let held = against_log(&scenario, &files, &[leaf.to_bytes().unwrap()]);
        assert_eq!(held.failed(), ["newer-log"], "{}", leaf.stream);
        assert_eq!(held.later.len(), 1, "and shown");
    }
}
