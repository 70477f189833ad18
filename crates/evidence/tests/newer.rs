//! Bundles held against a newer log: what came after is shown, and what was left out, cut, forked or changed is found.
//! With `CHANCERY_CORPUS` set, bundle, log and verdict are kept for a second verifier (`chancery_testkit::corpus`).
#![expect(clippy::unwrap_used, reason = "test code fails by panicking")]

mod verification;

use chancery_canonical::Sha256;
use chancery_domain::document::DecisionKind;
use chancery_domain::event::{EndedBy, PolicyActivated, PolicyEvent, RequestEvent, to_parts};
use chancery_domain::leaf::{EventLeaf, Stream};
use chancery_domain::signature::Authority;
use chancery_evidence::bundle::{BundleFiles, Manifest, layout};
use chancery_evidence::verify::{NewerLog, Options, Outcome, verify};
use chancery_ledger::{Checkpoint, KeyType, SignerKey, Tree, leaf_hash};
use chancery_testkit::corpus::{self, KeptLog};
use chancery_testkit::scenario::{Scenario, read_leaf};
use serde_json::json;

use verification::{approve_anyway, options, without_identity};

/// A log of these leaves, signed by the scenario's key.
fn log_of(scenario: &Scenario, leaves: Vec<Vec<u8>>) -> KeptLog {
    signed_by(&scenario.world.log_key(), leaves)
}

fn signed_by(key: &SignerKey, leaves: Vec<Vec<u8>>) -> KeptLog {
    let root = Tree::empty().append(&leaves).unwrap().0.root();
    let origin = key.verifier().name().as_str().parse().unwrap();
    let checkpoint = Checkpoint::new(origin, root).sign(key).unwrap().note().to_string();
    KeptLog { checkpoint, size: root.size(), leaves }
}

fn leaves(scenario: &Scenario) -> Vec<Vec<u8>> {
    (0..scenario.size()).map(|index| read_leaf(scenario, index).unwrap()).collect()
}

/// The log that the scenario has now.
fn log(scenario: &Scenario) -> KeptLog {
    log_of(scenario, leaves(scenario))
}

/// `failed` is a part of what `newer-log` says, and nothing else fails; `later` are the kinds of what came after.
#[track_caller]
fn check(
    name: &str,
    (scenario, files): (&Scenario, &BundleFiles),
    log: &KeptLog,
    failed: Option<&str>,
    later: &[&str],
) {
    corpus::keep_against(name, files, &scenario.trust(), log);
    let leaf = |index| log.leaf(index);
    let newer = NewerLog { checkpoint: log.checkpoint.as_bytes(), leaf: &leaf };
    let found = verify(files, &scenario.trust(), &Options { newer_log: Some(&newer), ..options() });
    let expected: &[&str] = if failed.is_some() { &["newer-log"] } else { &[] };
    assert_eq!(found.failed(), expected, "{name}: {}", found.to_text());
    let kinds: Vec<&str> = found.later.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, later, "{name}");
    let check = found.checks.iter().find(|check| check.name == "newer-log").unwrap();
    match (&check.outcome, failed) {
        (Outcome::Fail(problems), Some(part)) => {
            assert!(problems.iter().any(|problem| problem.contains(part)), "{name}: {problems:?}");
        }
        (outcome, part) => assert_eq!((outcome, part), (&Outcome::Pass, None), "{name}"),
    }
}

fn ended(scenario: &Scenario) -> RequestEvent {
    RequestEvent::Ended(EndedBy { person: scenario.world.id("rita") })
}

#[test]
fn what_came_after_is_shown() {
    let mut scenario = Scenario::honest();
    let files = scenario.bundle();
    check("newer-same", (&scenario, &files), &log(&scenario), None, &[]);
    let sam = scenario.world.id("sam");
    scenario.world.change(&sam, "person.suspended", json!({ "person": sam }), &["ada"]);
    scenario.sync_people();
    let event = ended(&scenario);
    scenario.record(event);
    // Somebody of whom the bundle does not speak.
    scenario.world.add_member("eve", &["engineer"], &["ada", "bob"]);
    scenario.sync_people();
    let shown = ["person.suspended", "grant.ended"];
    check("newer-suspended", (&scenario, &files), &log(&scenario), None, &shown);
    // What is no event of anybody, so that several bundles of entries are read.
    let mut long = leaves(&scenario);
    long.extend((0..600).map(|number| format!("leaf {number}").into_bytes()));
    check("newer-long", (&scenario, &files), &log_of(&scenario, long), None, &shown);
    let full: Vec<Vec<u8>> = (scenario.size()..512).map(|_| b"{}".to_vec()).collect();
    let full = log_of(&scenario, [leaves(&scenario), full].concat());
    check("newer-full-bundles", (&scenario, &files), &full, None, &shown);
}

#[test]
fn another_log_is_no_newer_one() {
    let scenario = Scenario::honest();
    let files = scenario.bundle();
    let all = leaves(&scenario);
    let failed = |name: &str, log: &KeptLog, part: &str| {
        check(name, (&scenario, &files), log, Some(part), &[]);
    };
    let older = log_of(&scenario, all[..all.len() - 2].to_vec());
    failed("newer-older", &older, "fewer than");
    // The leaves that the checkpoint speaks of are not all there.
    let honest = log(&scenario);
    let cut = |count: usize| KeptLog { leaves: all[..count].to_vec(), ..log(&scenario) };
    failed("newer-cut", &cut(all.len() - 1), "cannot be read");
    failed("newer-without-leaves", &cut(0), "cannot be read");
    // One leaf is another: under the honest checkpoint, and under one that fits it.
    let mut changed = all.clone();
    changed[2] = b"{}".to_vec();
    let swapped = KeptLog { leaves: changed, ..log(&scenario) };
    failed("newer-leaf-changed", &swapped, "not those of its checkpoint");
    let mut rewritten = all.clone();
    rewritten[2].push(b' ');
    rewritten.push(b"{}".to_vec());
    failed("newer-rewritten", &log_of(&scenario, rewritten), "does not contain the bundle's");
    // Signed by somebody else, under the log's name and under another.
    for name in [scenario.world.log_key().verifier().name().as_str(), "other.chancery.test"] {
        let key = SignerKey::from_seed(name.parse().unwrap(), KeyType::Ed25519, &[7; 32]).unwrap();
        failed("newer-other-log", &signed_by(&key, all.clone()), "the newer checkpoint");
    }
    let broken = |checkpoint: &str| KeptLog { checkpoint: checkpoint.to_owned(), ..log(&scenario) };
    failed("newer-no-checkpoint", &broken("no note"), "the newer checkpoint");
    let text =
        honest.checkpoint.replacen(&format!("\n{}\n", honest.size), &format!("\n{}\n", honest.size + 1), 1);
    failed("newer-checkpoint-changed", &broken(&text), "the newer checkpoint");
}

#[test]
fn what_was_left_out_is_found() {
    // The end and the revocation, under the very checkpoint that covers them.
    let mut scenario = Scenario::honest();
    let lease = scenario.intend("second");
    scenario.end(&lease);
    let mut files = scenario.bundle();
    let mut manifest = Manifest::read(&files).unwrap();
    let is_end = |index: &u64| String::from_utf8_lossy(&files[&layout::leaf(*index)]).contains("grant.ended");
    let end = manifest.leaves.iter().rposition(is_end).unwrap();
    for index in manifest.leaves.split_off(end) {
        for path in [layout::leaf(index), layout::proof(index), layout::attestation(index)] {
            files.remove(&path);
        }
    }
    manifest.seal(&mut files).unwrap();
    check("newer-end-left-out", (&scenario, &files), &log(&scenario), Some("left out"), &[]);

    // A suspension of somebody whose word does not count here.
    let mut scenario = Scenario::new();
    let sue = scenario.world.id("sue");
    scenario.world.change(&sue, "person.suspended", json!({ "person": sue }), &["ada"]);
    scenario.sync_people();
    let left_out = *scenario.leaves_of(&sue).last().unwrap();
    scenario.submit();
    let files = without_identity(scenario.bundle(), &sue, left_out);
    check("newer-suspension-left-out", (&scenario, &files), &log(&scenario), Some("left out"), &[]);

    // Two administrators have to sign; the bundle does not speak of this person.
    let mut scenario = Scenario::honest();
    scenario.world.add_member("ghost", &["identity_admin"], &["ada"]);
    scenario.sync_people();
    let files = scenario.bundle();
    check("newer-ghost", (&scenario, &files), &log(&scenario), Some("`person.created`"), &[]);
}

#[test]
fn a_forked_stream_is_found_and_shown() {
    let scenario = Scenario::honest();
    let files = scenario.bundle();
    let time = scenario.world.now;
    let first = read_leaf(&scenario, scenario.leaves_of(&scenario.world.id("rita"))[0]).unwrap();
    let twin = EventLeaf { time, ..EventLeaf::from_bytes(&first).unwrap() };
    let activated = PolicyEvent::Activated(PolicyActivated {
        sequence: 1,
        from: None,
        to: Sha256::of(b"another policy"),
        engine: chancery_policy::engine_version().to_owned(),
        authority: Authority::Genesis,
    });
    let (kind, body) = to_parts(&activated).unwrap();
    let policy = EventLeaf { stream: Stream::Policy, version: 1, previous: None, kind, time, body };
    let (kind, body) = to_parts(&ended(&scenario)).unwrap();
    let stream = Stream::Request(scenario.document.id.clone());
    let previous = Some(Sha256::from_bytes(*leaf_hash(&first).as_bytes()));
    let request = EventLeaf { stream, version: 2, previous, kind, time, body };
    for (leaf, kind) in [(twin, "person.created"), (policy, "policy.activated"), (request, "grant.ended")] {
        let mut all = leaves(&scenario);
        all.push(leaf.to_bytes().unwrap());
        let forked = log_of(&scenario, all);
        check("newer-forked", (&scenario, &files), &forked, Some("the stream was forked"), &[kind]);
    }
}

#[test]
fn a_decision_names_a_checkpoint_of_this_log() {
    let mut scenario = Scenario::new();
    scenario.submit();
    scenario.approve("owen");
    let mut document = scenario.offer("sam", DecisionKind::Approve);
    document.checkpoint.root = Sha256::of(b"another tree");
    let recorded = scenario.world.sign_decision("sam", &document);
    scenario.record(RequestEvent::DecisionRecorded(recorded));
    approve_anyway(&mut scenario, &[("service_owner", "owen"), ("security", "sam")]);
    let files = scenario.bundle();
    let said = Some("names a checkpoint that is not of this log");
    check("newer-decision-of-another-log", (&scenario, &files), &log(&scenario), said, &[]);
}
