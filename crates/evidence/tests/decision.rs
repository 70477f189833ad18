//! Every way in which a decision may not be the one that its approver signed.

use chancery_canonical::{Canonical, Sha256};
use chancery_domain::document::{DecisionDocument, DecisionKind, RequestReference};
use chancery_domain::people::Directory;
use chancery_evidence::decision::{verify_decision, verify_recorded_decision};
use chancery_testkit::passkey::SoftPasskey;
use chancery_testkit::people::{RP_ID, World, enrolled, reference};
use serde_json::json;

fn world() -> (World, Directory, RequestReference) {
    let mut world = World::with_two_administrators();
    world.add_member("eve", &[], &["ada", "bob"]);
    world.add_member("dan", &["dba"], &["ada", "bob"]);
    let directory = world.directory();
    let request = reference(&world.request_document("eve", "one"));
    (world, directory, request)
}

/// Changes the document before it is signed.
#[test]
fn what_a_decision_may_say() {
    type Change = fn(&mut World, &mut DecisionDocument);
    let table: [(&str, Change, &str); 14] = [
        ("nothing", |_, _| {}, "decided"),
        ("reject", |_, d| d.decision = DecisionKind::Reject, "decided"),
        ("another log", |_, d| d.log_origin = "other.chancery.test".into(), "decision_other_log"),
        ("another revision", |_, d| d.request.revision = 2, "decision_other_request"),
        ("another content", |_, d| d.request.sha256 = Sha256::of(b"x"), "decision_other_request"),
        ("a short nonce", |_, d| d.nonce = "AAAA".into(), "decision_nonce"),
        ("a nonce that is none", |_, d| d.nonce = "=".repeat(22), "decision_nonce"),
        ("no window", |_, d| d.expires_at = d.issued_at, "decision_window"),
        ("five minutes", |_, d| d.expires_at = d.issued_at.plus(300), "decided"),
        ("longer", |_, d| d.expires_at = d.issued_at.plus(301), "decision_window"),
        (
            "before it was offered",
            |w, d| {
                (d.issued_at, d.expires_at) = (w.now.plus(1), w.now.plus(60));
            },
            "decision_not_yet",
        ),
        ("at its end", |w, d| w.now = d.expires_at, "decision_expired"),
        ("another credential", |_, d| d.credential_id_sha256 = Sha256::of(b"x"), "decision_other_credential"),
        ("another approver", |w, d| d.approver = w.id("bob"), "passkey_not_of_person"),
    ];
    for (what, change, expected) in table {
        let (mut world, directory, request) = world();
        let mut document = world.decision_document("dan", DecisionKind::Approve, request.clone());
        change(&mut world, &mut document);
        let recorded = world.sign_decision("dan", &document);
        let verified = verify_recorded_decision(&recorded, &request, &world.context(&directory));
        let found = verified.map_or_else(
            |refusal| refusal.code(),
            |verified| {
                assert_eq!((verified.document(), verified.canonical()), (&document, &recorded.document));
                "decided"
            },
        );
        assert_eq!(found, expected, "{what}");
    }
}

/// Changes the document after it was signed: nothing in it can be touched.
#[test]
fn every_signed_field_is_covered() {
    type Change = fn(&mut DecisionDocument);
    let table: [(&str, Change); 9] = [
        ("flipped", |d| d.decision = DecisionKind::Reject),
        ("verdict", |d| d.verdict_sha256 = Sha256::of(b"x")),
        ("policy", |d| d.policy_sha256 = Sha256::of(b"x")),
        ("another seat", |d| d.stages[0].id = "security".into()),
        ("a longer grant", |d| d.grant.max_seconds += 1),
        ("a later grant", |d| d.grant.not_after = d.grant.not_after.plus(1)),
        ("a reason", |d| d.reason_sha256 = Some(Sha256::of(b"x"))),
        ("a checkpoint", |d| d.checkpoint.size += 1),
        ("a longer offer", |d| d.expires_at = d.expires_at.plus(1)),
    ];
    for (what, change) in table {
        let (mut world, directory, request) = world();
        let mut document = world.decision_document("dan", DecisionKind::Approve, request.clone());
        let assertion = world.sign_decision("dan", &document).assertion;
        change(&mut document);
        let document = Canonical::of(&document).unwrap();
        let refusal =
            verify_decision(&document, &assertion, &request, &world.context(&directory)).unwrap_err();
        assert_eq!(refusal.code(), "wrong_challenge", "{what}");
    }
}

#[test]
fn a_decision_does_not_move_to_another_revision() {
    let (mut world, directory, request) = world();
    let document = world.decision_document("dan", DecisionKind::Approve, request);
    let recorded = world.sign_decision("dan", &document);
    let mut revised = world.request_document("eve", "one");
    revised.revision = 2;
    let refusal = verify_recorded_decision(&recorded, &reference(&revised), &world.context(&directory));
    assert_eq!(refusal.unwrap_err().code(), "decision_other_request");
}

#[test]
fn the_key_is_theirs_at_that_moment() {
    let (mut world, before, request) = world();
    let dan = world.id("dan");
    let document = world.decision_document("dan", DecisionKind::Approve, request.clone());
    let recorded = world.sign_decision("dan", &document);
    let check = |world: &World, directory: &Directory, recorded: &_| {
        verify_recorded_decision(recorded, &request, &world.context(directory))
            .map_or_else(|refusal| refusal.code(), |_| "decided")
    };
    assert_eq!(check(&world, &before, &recorded), "decided");
    assert_eq!(check(&world, &Directory::default(), &recorded), "signer_unknown");

    let late = SoftPasskey::new(RP_ID);
    let old = std::mem::replace(&mut world.person_mut("dan").passkey, late);
    let by_late_key = {
        let document = world.decision_document("dan", DecisionKind::Approve, request.clone());
        world.sign_decision("dan", &document)
    };
    assert_eq!(check(&world, &before, &by_late_key), "passkey_not_of_person", "enrolled later");
    let late = std::mem::replace(&mut world.person_mut("dan").passkey, old);
    let enrolled_at = world.change(
        &dan,
        "passkey.enrolled",
        json!({ "person": dan, "passkey": enrolled(&late) }),
        &["dan"],
    );
    let key = enrolled(&world.person("dan").passkey);
    let body = json!({ "person": dan, "credential_id": key.credential_id });
    let removed_at = world.change(&dan, "passkey.removed", body, &["dan"]);
    let suspended_at = {
        let body = json!({ "person": dan });
        world.change(&dan, "person.suspended", body, &["ada"])
    };
    let chain = world.chain().unwrap();
    for (index, first, second) in [
        (enrolled_at, "decided", "passkey_not_of_person"),
        (enrolled_at + 1, "decided", "decided"),
        (removed_at, "decided", "decided"),
        (removed_at + 1, "passkey_not_of_person", "decided"),
        (suspended_at, "passkey_not_of_person", "decided"),
        (suspended_at + 1, "signer_suspended", "signer_suspended"),
    ] {
        let directory = chain.directory_at(index);
        assert_eq!(check(&world, &directory, &recorded), first, "at {index}");
        assert_eq!(check(&world, &directory, &by_late_key), second, "at {index}");
    }
}
