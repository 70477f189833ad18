//! Getting back in without a key: what an attacker would make of it, and why nothing comes of that.

mod verification;

use chancery_canonical::{Bytes, Canonical, Sha256};
use chancery_domain::document::{DecisionKind, IdentityDocument, challenge};
use chancery_domain::event::{EndedBy, RequestEvent};
use chancery_domain::leaf::EventLeaf;
use chancery_domain::people::RECOVERY_SECONDS;
use chancery_domain::signature::{Authority, RecoverySignature};
use chancery_evidence::recovery::MAX_RECOVERY_OFFER_SECONDS;
use chancery_testkit::passkey::SoftPasskey;
use chancery_testkit::people::{RP_ID, World, enrolled, recovery_key, recovery_signature};
use chancery_testkit::scenario::Scenario;
use ring::signature::KeyPair as _;
use serde_json::{Value, json};

use verification::{approve_anyway, check_fails, check_passes, examined, judge, options};

const DAY: u64 = RECOVERY_SECONDS;

/// Four administrators and `eve`; three recovery keys of which two are needed.
#[expect(clippy::unwrap_used, reason = "test code fails by panicking")]
fn world() -> World {
    let mut world = World::with_two_administrators();
    for name in ["carol", "dan"] {
        world.add_member(name, &["identity_admin"], &["ada", "bob"]);
    }
    world.add_member("eve", &["dba"], &["ada", "bob"]);
    world.seal_recovery_keys(2, &["k1", "k2", "k3"]);
    world.now = "2026-11-23T08:00:00Z".parse().unwrap();
    world
}

/// Admits everything in the world and then this leaf.
#[expect(clippy::expect_used, reason = "test code fails by panicking")]
fn refusal(world: &World, leaf: &EventLeaf) -> &'static str {
    let mut chain = world.chain().expect("the world before is in order");
    chain.admit(world.next_index(), leaf).map_or_else(|refusal| refusal.code(), |()| "admitted")
}

fn recovery(world: &mut World, name: &str, signers: &[&str]) -> EventLeaf {
    let body = world.recovered_body(name, &SoftPasskey::new(RP_ID));
    let id = world.id(name);
    world.signed_leaf(&id, "person.recovered", body, signers)
}

fn cancellation(world: &mut World, name: &str, signer: &str) -> EventLeaf {
    let (id, body) = world.cancelled_body(name);
    world.signed_leaf(&id, "recovery.cancelled", body, &[signer])
}

#[test]
fn a_recovery_takes_two_administrators_who_are_others() {
    let table: [(&str, &[&str], &str); 9] = [
        ("eve", &["ada", "bob"], "admitted"),
        ("eve", &["ada"], "identity_too_few"),
        ("eve", &[], "identity_too_few"),
        ("eve", &["ada", "ada"], "identity_signed_twice"),
        ("eve", &["ada", "eve"], "identity_own_recovery"),
        ("ada", &["ada", "bob"], "identity_own_recovery"),
        ("ada", &["bob"], "identity_too_few"),
        ("ada", &["bob", "carol"], "admitted"),
        ("ada", &["bob", "eve"], "identity_not_entitled"),
    ];
    for (name, signers, expected) in table {
        let mut world = world();
        let leaf = recovery(&mut world, name, signers);
        assert_eq!(refusal(&world, &leaf), expected, "{name} by {signers:?}");
    }
    let mut world = world();
    let body = world.recovered_body("eve", &SoftPasskey::new(RP_ID));
    let leaf = world.identity_leaf(&world.id("eve"), "person.recovered", body, &Authority::Genesis);
    assert_eq!(refusal(&world, &leaf), "identity_genesis_cannot");
    // It gives a key and nothing else: the body has no place for a role.
    let mut body = world.recovered_body("eve", &SoftPasskey::new(RP_ID));
    body["roles"] = json!(["identity_admin"]);
    let id = world.id("eve");
    let leaf = world.signed_leaf(&id, "person.recovered", body, &["ada", "bob"]);
    assert_eq!(refusal(&world, &leaf), "identity_malformed");
}

/// A recovers B, and B's new key recovers A: two people for the price of one quorum.
#[test]
fn nobody_whose_recovery_runs_recovers_another() {
    for (offered, recorded, expected) in [
        (0, 0, "passkey_waits"),
        (DAY - 1, DAY - 1, "passkey_waits"),
        (DAY, DAY, "admitted"),
        // Signed within the day and held back until after it.
        (DAY - 1, DAY + 9, "passkey_waits"),
    ] {
        let mut world = world();
        world.recover("carol", &["bob", "dan"]);
        let start = world.now;
        world.now = start.plus(offered);
        let body = world.recovered_body("ada", &SoftPasskey::new(RP_ID));
        let document = world.identity_document("person.recovered", &body);
        let authority = world.authorise(&document, &["carol", "dan"]);
        world.now = start.plus(recorded);
        let leaf = world.identity_leaf(&world.id("ada"), "person.recovered", body, &authority);
        assert_eq!(
            refusal(&world, &leaf),
            expected,
            "offered after {offered} s, recorded after {recorded} s"
        );
    }
}

#[test]
fn a_key_that_was_lost_signs_nothing() {
    let mut world = world();
    let old = world.recover("bob", &["ada", "carol"]);
    world.person_mut("bob").passkey = old;
    let (eve, bob) = (world.id("eve"), world.id("bob"));
    for (about, act, body, signers) in [
        (&eve, "role.granted", json!({ "person": eve, "role": "auditor" }), ["bob", "ada"].as_slice()),
        (&eve, "person.suspended", json!({ "person": eve }), &["bob"]),
        (&bob, "role.removed", json!({ "person": bob, "role": "identity_admin" }), &["bob"]),
        (
            &bob,
            "passkey.enrolled",
            json!({ "person": bob, "passkey": enrolled(&SoftPasskey::new(RP_ID)) }),
            &["bob"],
        ),
    ] {
        let leaf = world.signed_leaf(about, act, body.clone(), signers);
        assert_eq!(refusal(&world, &leaf), "passkey_lost", "{act}");
        let start = world.now;
        world.now = start.plus(2 * DAY);
        let leaf = world.signed_leaf(about, act, body, signers);
        assert_eq!(refusal(&world, &leaf), "passkey_lost", "{act}, two days later");
        world.now = start;
    }
}

/// Somebody talks two administrators into letting them in as eve; eve, who has her key, hears of it.
#[test]
fn whoever_has_an_old_key_stops_it_and_so_does_any_administrator() {
    let table: [(&str, &str, u64, &str); 7] = [
        ("eve", "an old key", DAY - 1, "admitted"),
        ("eve", "an old key", DAY, "passkey_not_of_person"),
        ("eve", "the new key", 0, "passkey_waits"),
        ("ada", "", DAY - 1, "admitted"),
        ("ada", "", DAY, "identity_contradiction"),
        ("carol", "", 0, "admitted"),
        ("mallory", "", 0, "identity_not_entitled"),
    ];
    for (signer, key, later, expected) in table {
        let mut world = world();
        world.add_member("mallory", &["dba"], &["ada", "bob"]);
        let old = world.recover("eve", &["ada", "bob"]);
        world.now = world.now.plus(later);
        let (id, body) = world.cancelled_body("eve");
        if key == "an old key" {
            world.person_mut("eve").passkey = old;
        }
        let leaf = world.signed_leaf(&id, "recovery.cancelled", body, &[signer]);
        assert_eq!(refusal(&world, &leaf), expected, "{signer} with {key} after {later} s");
    }
}

#[test]
fn a_recovery_that_was_stopped_leaves_no_trace_of_its_key() {
    let mut world = world();
    let old = world.recover("eve", &["ada", "bob"]);
    let held_back = recovery(&mut world, "eve", &["ada", "bob"]);
    assert_eq!(refusal(&world, &held_back), "identity_contradiction", "one at a time");
    world.now = world.now.plus(5);
    let leaf = cancellation(&mut world, "eve", "carol");
    world.push(leaf);
    let new = std::mem::replace(&mut world.person_mut("eve").passkey, old);
    let id = world.id("eve");
    world.now = world.now.plus(DAY);
    let body = world.recovered_body("eve", &new);
    let leaf = world.signed_leaf(&id, "person.recovered", body, &["ada", "bob"]);
    assert_eq!(refusal(&world, &leaf), "passkey_used_before");
    // The old key is hers again.
    let leaf = world.signed_leaf(
        &id,
        "passkey.enrolled",
        world.recovered_body("eve", &SoftPasskey::new(RP_ID)),
        &["eve"],
    );
    assert_eq!(refusal(&world, &leaf), "admitted");
    // A second recovery, signed before the first was stopped, gives nothing after it.
    let Value::String(document) = held_back.body["authority"]["document"].clone() else { panic!() };
    let signatures = serde_json::from_value(held_back.body["authority"]["signatures"].clone());
    let authority = Authority::People {
        document: Canonical::parse(document.as_bytes()).unwrap_or_else(|_| panic!()),
        signatures: signatures.unwrap_or_else(|_| panic!()),
    };
    let mut body = Value::Object(held_back.body);
    body.as_object_mut().map(|body| body.remove("authority"));
    world.now = world.now.plus(0);
    let mut leaf = world.identity_leaf(&id, "person.recovered", body, &authority);
    leaf.time = held_back.time.plus(9);
    assert_eq!(refusal(&world, &leaf), "identity_overtaken");
}

#[test]
fn a_stolen_key_does_not_come_back_when_a_recovery_is_stopped() {
    let mut world = world();
    let stolen = world.recover("eve", &["ada", "bob"]);
    let id = world.id("eve");
    let body = json!({ "person": id, "credential_id": stolen.credential_id() });
    world.now = world.now.plus(1);
    world.change(&id, "passkey.removed", body, &["carol"]);
    world.now = world.now.plus(1);
    let (_, body) = world.cancelled_body("eve");
    let by_thief = {
        let new = std::mem::replace(&mut world.person_mut("eve").passkey, stolen);
        let leaf = world.signed_leaf(&id, "recovery.cancelled", body.clone(), &["eve"]);
        world.person_mut("eve").passkey = new;
        leaf
    };
    assert_eq!(refusal(&world, &by_thief), "passkey_not_of_person");
    world.change(&id, "recovery.cancelled", body, &["ada"]);
    assert!(world.directory().person(&id).is_some_and(|eve| eve.passkeys.is_empty()));
}

// --------------------------------------------------------------------------------------------- recovery keys

fn by_keys(world: &mut World, act: &str, name: &str, body: Value, keys: &[&str]) -> EventLeaf {
    let document = world.identity_document(act, &body);
    let authority = world.authorise_by_keys(&document, keys);
    world.identity_leaf(&world.id(name), act, body, &authority)
}

#[test]
fn so_many_distinct_recovery_keys_let_one_person_back_in() {
    let table: [(&[&str], &str); 8] = [
        (&["k1", "k2"], "admitted"),
        (&["k3", "k1", "k2"], "admitted"),
        (&["k1"], "recovery_too_few"),
        (&[], "recovery_too_few"),
        (&["k1", "k1"], "recovery_signed_twice"),
        (&["k1", "k2", "k1"], "recovery_signed_twice"),
        (&["k1", "k4"], "recovery_unknown_key"),
        (&["k1", "k2", "k4"], "recovery_unknown_key"),
    ];
    for (keys, expected) in table {
        for name in ["ada", "eve"] {
            let mut world = world();
            let body = world.recovered_body(name, &SoftPasskey::new(RP_ID));
            let leaf = by_keys(&mut world, "person.recovered", name, body, keys);
            assert_eq!(refusal(&world, &leaf), expected, "{name} by {keys:?}");
        }
    }
    let mut world = world();
    world.seal_recovery_keys(0, &[]);
    let body = world.recovered_body("ada", &SoftPasskey::new(RP_ID));
    let leaf = by_keys(&mut world, "person.recovered", "ada", body, &["k1", "k2"]);
    assert_eq!(refusal(&world, &leaf), "recovery_no_keys");
}

#[test]
fn recovery_keys_widen_nothing() {
    let table: [(&str, &str, Value, &str); 9] = [
        ("person.created", "nina", json!({ "roles": ["identity_admin"] }), "admitted"),
        ("person.created", "nina", json!({ "roles": ["identity_admin", "dba"] }), "recovery_widens"),
        ("person.created", "nina", json!({ "roles": [] }), "recovery_widens"),
        (
            "person.created",
            "nina",
            json!({ "roles": ["identity_admin"], "attributes": { "unit": "x" } }),
            "recovery_widens",
        ),
        ("role.granted", "eve", json!({ "role": "identity_admin" }), "recovery_cannot"),
        ("attribute.assigned", "eve", json!({ "name": "unit", "value": "x" }), "recovery_cannot"),
        ("person.suspended", "ada", json!({}), "recovery_cannot"),
        ("person.reinstated", "ada", json!({}), "recovery_cannot"),
        ("role.removed", "ada", json!({ "role": "identity_admin" }), "recovery_cannot"),
    ];
    for (act, name, change, expected) in table {
        let mut world = world();
        world.add_person("nina", &[]);
        let mut body = json!({ "person": world.id(name) });
        if act == "person.created" {
            body = world.created_body(name);
        }
        for (member, value) in change.as_object().into_iter().flatten() {
            body[member] = value.clone();
        }
        let leaf = by_keys(&mut world, act, name, body, &["k1", "k2"]);
        assert_eq!(refusal(&world, &leaf), expected, "{act} {change}");
    }
}

#[test]
fn an_administrator_whom_recovery_keys_made_waits_a_day() {
    for (later, expected) in [(0, "passkey_waits"), (DAY - 1, "passkey_waits"), (DAY, "admitted")] {
        let mut world = world();
        world.add_person("nina", &["identity_admin"]);
        let body = world.created_body("nina");
        let leaf = by_keys(&mut world, "person.created", "nina", body, &["k1", "k2"]);
        world.push(leaf);
        world.now = world.now.plus(later);
        let (id, body) = (world.id("eve"), json!({ "person": world.id("eve") }));
        let leaf = world.signed_leaf(&id, "person.suspended", body, &["nina"]);
        assert_eq!(refusal(&world, &leaf), expected, "after {later} s");
        if later < DAY {
            let leaf = cancellation(&mut world, "nina", "ada");
            assert_eq!(refusal(&world, &leaf), "admitted", "whoever still administers may stop it");
        }
    }
}

/// The signatures of an honest ceremony, put to another use.
#[test]
fn signatures_of_recovery_keys_are_for_one_person_one_key_and_one_log() {
    type Change = fn(&World, &mut IdentityDocument);
    let table: [(&str, Change, &str); 7] = [
        ("nothing", |_, _| {}, "admitted"),
        (
            "another person",
            |world, document| {
                document.body.insert("person".into(), json!(world.id("eve")));
            },
            "recovery_signature",
        ),
        (
            "another key",
            |_, document| {
                document.body.insert("passkey".into(), json!(enrolled(&SoftPasskey::new(RP_ID))));
            },
            "recovery_signature",
        ),
        ("another log", |_, document| document.log_origin = "other.test".into(), "identity_other_log"),
        ("another act", |_, document| document.act = "person.created".into(), "identity_other_act"),
        (
            "a longer offer",
            |_, document| document.expires_at = document.expires_at.plus(1),
            "recovery_signature",
        ),
        (
            "too long an offer",
            |_, document| document.expires_at = document.issued_at.plus(MAX_RECOVERY_OFFER_SECONDS + 1),
            "identity_window",
        ),
    ];
    for (what, change, expected) in table {
        let mut world = world();
        let body = world.recovered_body("ada", &SoftPasskey::new(RP_ID));
        let mut document = world.identity_document("person.recovered", &body);
        let Authority::RecoveryKeys { signatures, .. } = world.authorise_by_keys(&document, &["k1", "k2"])
        else {
            panic!("signed by recovery keys");
        };
        change(&world, &mut document);
        let Ok(canonical) = Canonical::of(&document) else { panic!("a document has canonical bytes") };
        let body = Value::Object(document.body.clone());
        let about = if what == "another person" { "eve" } else { "ada" };
        let authority = Authority::RecoveryKeys { document: canonical, signatures };
        let leaf = world.identity_leaf(&world.id(about), "person.recovered", body, &authority);
        assert_eq!(refusal(&world, &leaf), expected, "{what}");
    }
}

#[test]
fn a_document_is_used_once_and_signed_under_its_own_context() {
    let mut world = world();
    let body = world.recovered_body("eve", &SoftPasskey::new(RP_ID));
    let document = world.identity_document("person.recovered", &body);
    let Ok(canonical) = Canonical::of(&document) else { panic!() };
    // What a recovery key would sign as a person does.
    let of_people = |name: &str| {
        let key = recovery_key(name);
        let signature = key.sign(challenge::<IdentityDocument>(&canonical).as_bytes());
        let (Ok(public_key), Ok(signature)) =
            (Bytes::new(key.public_key().as_ref()), Bytes::new(signature.as_ref()))
        else {
            panic!()
        };
        RecoverySignature { public_key, signature }
    };
    let id = world.id("eve");
    let signatures = vec![of_people("k1"), recovery_signature("k2", &canonical)];
    let authority = Authority::RecoveryKeys { document: canonical.clone(), signatures };
    let leaf = world.identity_leaf(&id, "person.recovered", body.clone(), &authority);
    assert_eq!(refusal(&world, &leaf), "recovery_signature");

    let authority = world.authorise_by_keys(&document, &["k1", "k2"]);
    let leaf = world.identity_leaf(&id, "person.recovered", body.clone(), &authority);
    world.push(leaf);
    let again = world.identity_leaf(&id, "person.recovered", body, &authority);
    assert_eq!(refusal(&world, &again), "passkey_used_before");
}

#[test]
fn leaves_of_recoveries_fit_with_all_signatures() {
    let mut world = world();
    let all = ["k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8"];
    world.seal_recovery_keys(8, &all);
    world.add_person("nina", &["identity_admin"]);
    let body = world.created_body("nina");
    let created = by_keys(&mut world, "person.created", "nina", body, &all);
    let body = world.recovered_body("ada", &SoftPasskey::new(RP_ID));
    let recovered = by_keys(&mut world, "person.recovered", "ada", body, &all);
    let by_people = recovery(&mut world, "eve", &["ada", "bob"]);
    for leaf in [created, recovered, by_people] {
        let size = leaf.to_bytes().map_or(0, |bytes| bytes.len());
        assert!((1..=4096).contains(&size), "{}: {size} bytes", leaf.kind);
        assert_eq!(refusal(&world, &leaf), "admitted");
    }
}

// -------------------------------------------------------------------------------------- what a stranger says

/// `sam` lost his keys, and waits so long before anything is asked.
fn recovered_security(waited: u64) -> Scenario {
    let mut scenario = Scenario::new();
    scenario.world.recover("sam", &["ada", "bob"]);
    scenario.sync_people();
    wait(&mut scenario, waited);
    scenario
}

/// Lets time pass, and drafts the request only then.
fn wait(scenario: &mut Scenario, seconds: u64) {
    scenario.wait(seconds);
    scenario.document.created_at = scenario.world.now;
}

#[test]
fn an_approval_by_a_recovered_key_counts_a_day_later_and_says_so() {
    let mut scenario = recovered_security(DAY);
    scenario.submit();
    scenario.approve("owen");
    scenario.approve("sam");
    check_passes(&scenario);
    let verification = examined(&scenario.bundle(), &scenario.trust(), &options());
    let said = verification.not_proved.join("\n");
    assert!(said.contains("a day passed after the recovery of person"), "{said}");
    assert!(said.contains("all times are the server's own"), "{said}");
}

/// The server records it all the same, proves and attests it.
fn forced(scenario: &mut Scenario) {
    scenario.submit();
    scenario.approve("owen");
    let mut document = scenario.offer("sam", DecisionKind::Approve);
    document.credential_id_sha256 =
        Sha256::of(scenario.world.person("sam").passkey.credential_id().as_bytes());
    let recorded = scenario.world.sign_decision("sam", &document);
    scenario.record(RequestEvent::DecisionRecorded(recorded));
    approve_anyway(scenario, &[("service_owner", "owen"), ("security", "sam")]);
}

#[test]
fn an_approval_within_the_day_is_refused_from_bytes() {
    for waited in [0, DAY - 60] {
        let mut scenario = recovered_security(waited);
        forced(&mut scenario);
        check_fails(&scenario, &["recovery-wait", "decision-signatures", "quorum"]);
    }
}

#[test]
fn an_approval_by_a_lost_key_is_refused_from_bytes() {
    let mut scenario = Scenario::new();
    let old = scenario.world.recover("sam", &["ada", "bob"]);
    scenario.world.person_mut("sam").passkey = old;
    scenario.sync_people();
    wait(&mut scenario, 2 * DAY);
    forced(&mut scenario);
    check_fails(&scenario, &["recovery-wait", "decision-signatures", "quorum"]);
}

#[test]
fn a_request_within_the_day_is_refused_from_bytes() {
    let mut scenario = Scenario::new();
    scenario.world.recover("rita", &["ada", "bob"]);
    scenario.sync_people();
    wait(&mut scenario, 60);
    let (submitted, _) = scenario.signed_by_requester();
    scenario.record(RequestEvent::Submitted(submitted));
    judge(&mut scenario);
    scenario.approve("owen");
    scenario.approve("sam");
    check_fails(&scenario, &["recovery-wait", "requester-signature"]);
}

/// A server that moves its clock a day forward gets its key, and can never put the clock back. That its times are its
/// own is said; only witnesses could say more.
#[test]
fn a_clock_that_was_put_forward_stays_there() {
    let mut scenario = recovered_security(0);
    let honest = scenario.world.now;
    wait(&mut scenario, DAY);
    scenario.submit();
    scenario.approve("owen");
    scenario.approve("sam");
    check_passes(&scenario);
    scenario.world.now = honest.plus(600);
    let cancelled = EndedBy { person: scenario.world.id("rita") };
    scenario.record(RequestEvent::Cancelled(cancelled));
    let failed = examined(&scenario.bundle(), &scenario.trust(), &options()).failed();
    assert!(failed.contains(&"log-time"), "{failed:?}");
}
