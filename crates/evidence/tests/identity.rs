//! Who may say who exists: every way to slip a person, a key or a role into the chain.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use chancery_canonical::Sha256;
use chancery_domain::event::Passkey;
use chancery_domain::leaf::EventLeaf;
use chancery_domain::signature::Authority;
use chancery_evidence::identity::Chain;
use chancery_testkit::passkey::SoftPasskey;
use chancery_testkit::people::{RP_ID, World, enrolled};
use serde_json::{Value, json};

/// Two administrators, a member `eve`, everything in order.
fn world() -> World {
    let mut world = World::with_two_administrators();
    world.add_member("eve", &["dba"], &["ada", "bob"]);
    world
}

/// Admits everything in the world and then this leaf.
fn refusal(world: &World, leaf: &EventLeaf) -> &'static str {
    let mut chain = world.chain().expect("the world before is in order");
    let before = chain.directory().clone();
    let index = world.next_index();
    match chain.admit(index, leaf) {
        Ok(()) => "admitted",
        Err(refusal) => {
            assert_eq!(*chain.directory(), before, "a refused leaf changes nothing");
            refusal.code()
        }
    }
}

fn role(world: &World, name: &str, role: &str) -> Value {
    json!({ "person": world.id(name), "role": role })
}

#[test]
fn each_act_takes_the_right_people() {
    // act, about whom, signed by whom, what comes of it
    let table: [(&str, &str, &[&str], &str); 23] = [
        ("role.granted", "eve", &["ada", "bob"], "admitted"),
        ("role.granted", "eve", &["ada"], "identity_too_few"),
        ("role.granted", "eve", &[], "identity_too_few"),
        ("role.granted", "eve", &["ada", "ada"], "identity_signed_twice"),
        ("role.granted", "eve", &["ada", "eve"], "identity_own_role"),
        ("role.granted", "ada", &["ada", "bob"], "identity_own_role"),
        ("role.granted", "eve", &["ada", "mallory"], "signer_unknown"),
        ("role.granted", "bob", &["ada", "eve"], "identity_not_entitled"),
        ("role.removed", "eve", &["ada"], "admitted"),
        ("role.removed", "eve", &["eve"], "admitted"),
        ("role.removed", "ada", &["eve"], "identity_not_entitled"),
        ("attribute.assigned", "eve", &["ada", "bob"], "admitted"),
        ("attribute.assigned", "eve", &["bob"], "identity_too_few"),
        ("attribute.assigned", "ada", &["ada", "bob"], "identity_own_role"),
        ("person.suspended", "eve", &["bob"], "admitted"),
        ("person.suspended", "eve", &["eve"], "admitted"),
        ("person.suspended", "ada", &["eve"], "identity_not_entitled"),
        ("person.suspended", "ada", &[], "identity_too_few"),
        ("person.reinstated", "eve", &["ada", "bob"], "admitted"),
        ("person.reinstated", "eve", &["ada"], "identity_too_few"),
        ("passkey.removed", "eve", &["eve"], "admitted"),
        ("passkey.removed", "eve", &["bob"], "admitted"),
        ("passkey.removed", "ada", &["eve"], "identity_not_entitled"),
    ];
    for (act, about, signers, expected) in table {
        let mut world = world();
        world.add_person("mallory", &["identity_admin"]);
        let id = world.id(about);
        let body = match act {
            "attribute.assigned" => json!({ "person": id, "name": "business_unit", "value": "payments" }),
            "passkey.removed" => json!({
                "person": id, "credential_id": enrolled(&world.person(about).passkey).credential_id,
            }),
            "person.suspended" | "person.reinstated" => json!({ "person": id }),
            _ => role(&world, about, "approver"),
        };
        let leaf = world.signed_leaf(&id, act, body, signers);
        assert_eq!(refusal(&world, &leaf), expected, "{act} of {about} by {signers:?}");
    }
}

#[test]
fn a_further_key_is_signed_by_an_earlier_one_of_the_same_person() {
    for (signer, expected) in
        [("eve", "admitted"), ("ada", "identity_not_entitled"), ("the new key", "passkey_not_of_person")]
    {
        let mut world = world();
        let new = SoftPasskey::new(RP_ID);
        let body = json!({ "person": world.id("eve"), "passkey": enrolled(&new) });
        if signer == "the new key" {
            world.person_mut("eve").passkey = new;
        }
        let signer = if signer == "ada" { "ada" } else { "eve" };
        let id = world.id("eve");
        let leaf = world.signed_leaf(&id, "passkey.enrolled", body, &[signer]);
        assert_eq!(refusal(&world, &leaf), expected);
    }
}

#[test]
fn a_key_counts_only_between_its_enrolment_and_its_removal() {
    let mut world = world();
    let id = world.id("eve");
    let old = enrolled(&world.person("eve").passkey);
    let enrolled_at = world.leaves().last().unwrap().0;
    let second = SoftPasskey::new(RP_ID);
    let body = json!({ "person": id, "passkey": enrolled(&second) });
    world.change(&id, "passkey.enrolled", body, &["eve"]);
    let body = json!({ "person": id, "credential_id": old.credential_id });
    let removed_at = world.change(&id, "passkey.removed", body, &["ada"]);
    let chain = world.chain().unwrap();
    for (index, there) in [
        (0, false),
        (enrolled_at, false),
        (enrolled_at + 1, true),
        (removed_at, true),
        (removed_at + 1, false),
        (u64::MAX, false),
    ] {
        let id = old.credential_id.as_bytes();
        assert_eq!(chain.directory_at(index).owner_of(id).is_some(), there, "at {index}");
    }
    // It cannot sign, and nobody can bring it back: neither the person nor the genesis.
    let leaf = world.signed_leaf(&id, "person.suspended", json!({ "person": id }), &["eve"]);
    assert_eq!(refusal(&world, &leaf), "passkey_not_of_person");
    world.person_mut("eve").passkey = second;
    let leaf = world.signed_leaf(&id, "passkey.enrolled", json!({ "person": id, "passkey": old }), &["eve"]);
    assert_eq!(refusal(&world, &leaf), "passkey_used_before");
}

#[test]
fn a_removed_genesis_key_does_not_come_back() {
    let mut world = world();
    let id = world.id("bob");
    let key = enrolled(&world.person("bob").passkey);
    world.change(
        &id,
        "passkey.removed",
        json!({ "person": id, "credential_id": key.credential_id }),
        &["ada"],
    );
    let body = json!({ "person": id, "passkey": key });
    let leaf = world.identity_leaf(&id, "passkey.enrolled", body, &Authority::Genesis);
    assert_eq!(refusal(&world, &leaf), "passkey_used_before");
}

#[test]
fn suspended_people_and_later_administrators_do_not_count() {
    let mut world = world();
    let (bob, eve) = (world.id("bob"), world.id("eve"));
    let early = world.next_index();
    let body = role(&world, "eve", "identity_admin");
    world.change(&eve, "role.granted", body, &["ada", "bob"]);
    let mallory = world.add_person("mallory", &[]);
    let body = world.created_body("mallory");
    let leaf = world.signed_leaf(&mallory, "person.created", body, &["ada", "eve"]);
    assert_eq!(refusal(&world, &leaf), "admitted");
    // The same leaf, put before the grant: eve was no administrator there.
    let mut chain = Chain::from_trust(&world.trust());
    for (index, earlier) in world.leaves().iter().filter(|(index, _)| *index < early) {
        chain.admit(*index, earlier).unwrap();
    }
    assert_eq!(chain.admit(early, &leaf).unwrap_err().code(), "identity_not_entitled");

    world.change(&bob, "person.suspended", json!({ "person": bob }), &["ada"]);
    let body = world.created_body("mallory");
    let leaf = world.signed_leaf(&mallory, "person.created", body, &["ada", "bob"]);
    assert_eq!(refusal(&world, &leaf), "signer_suspended");
    // One administrator does not become enough because the other is gone.
    let body = json!({ "person": bob });
    let leaf = world.signed_leaf(&bob, "person.reinstated", body, &["ada"]);
    assert_eq!(refusal(&world, &leaf), "identity_too_few");
}

#[test]
fn the_signed_document_is_about_exactly_this_event() {
    type Change = fn(&mut World, &mut chancery_domain::document::IdentityDocument);
    let table: [(&str, Change, &str); 10] = [
        ("nothing", |_, _| {}, "admitted"),
        ("log", |_, d| d.log_origin = "other.chancery.test".into(), "identity_other_log"),
        ("act", |_, d| d.act = "role.removed".into(), "identity_other_act"),
        (
            "role",
            |_, d| {
                d.body.insert("role".into(), json!("auditor"));
            },
            "identity_other_body",
        ),
        (
            "a member more",
            |_, d| {
                d.body.insert("more".into(), json!(1));
            },
            "identity_other_body",
        ),
        ("short nonce", |_, d| d.nonce = "AAAA".into(), "identity_nonce"),
        ("no window", |_, d| d.expires_at = d.issued_at, "identity_window"),
        ("long window", |_, d| d.expires_at = d.issued_at.plus(86_401), "identity_window"),
        ("late", |w, _| w.now = w.now.plus(600), "identity_expired"),
        (
            "early",
            |_, d| (d.issued_at, d.expires_at) = (d.issued_at.plus(5), d.expires_at.plus(5)),
            "identity_not_yet",
        ),
    ];
    for (what, change, expected) in table {
        let mut world = world();
        let (id, body) = (world.id("eve"), role(&world, "eve", "approver"));
        let mut document = world.identity_document("role.granted", &body);
        change(&mut world, &mut document);
        let authority = world.authorise(&document, &["ada", "bob"]);
        let leaf = world.identity_leaf(&id, "role.granted", body, &authority);
        assert_eq!(refusal(&world, &leaf), expected, "{what}");
    }
}

#[test]
fn a_signature_authorises_one_event_and_no_other_text() {
    let mut world = world();
    let (id, body) = (world.id("eve"), role(&world, "eve", "approver"));
    let document = world.identity_document("role.granted", &body);
    let authority = world.authorise(&document, &["ada", "bob"]);
    let leaf = world.identity_leaf(&id, "role.granted", body.clone(), &authority);
    world.push(leaf);
    let again = world.identity_leaf(&id, "role.granted", body.clone(), &authority);
    assert_eq!(refusal(&world, &again), "identity_nonce_used");

    // Signed: auditor. Logged: approver, with the document changed to match.
    let signed = world.identity_document("role.granted", &role(&world, "eve", "auditor"));
    let Authority::People { signatures, .. } = world.authorise(&signed, &["ada", "bob"]) else { panic!() };
    let document = world.identity_document("role.granted", &body);
    let Authority::People { document, .. } = world.authorise(&document, &[]) else { panic!() };
    let leaf = world.identity_leaf(&id, "role.granted", body, &Authority::People { document, signatures });
    assert_eq!(refusal(&world, &leaf), "wrong_challenge");
}

/// Two administrators grant a role, and take it away again. Whoever orders the log turns the two around.
#[test]
fn what_was_offered_before_a_removal_gives_nothing_after_it() {
    for (grant_offered_later_by, expected) in [(0, "identity_overtaken"), (7, "admitted")] {
        let mut world = world();
        let (id, body) = (world.id("eve"), role(&world, "eve", "dba"));
        let started = world.now;
        world.now = started.plus(grant_offered_later_by);
        let document = world.identity_document("role.granted", &body);
        let held_back = world.authorise(&document, &["ada", "bob"]);
        world.now = started.plus(5);
        let removal = world.identity_document("role.removed", &body);
        let authority = world.authorise(&removal, &["ada"]);
        world.now = started.plus(9);
        let leaf = world.identity_leaf(&id, "role.removed", body.clone(), &authority);
        world.push(leaf);
        let leaf = world.identity_leaf(&id, "role.granted", body, &held_back);
        assert_eq!(refusal(&world, &leaf), expected);
    }
}

#[test]
fn genesis_is_what_the_trust_root_names_and_nothing_else() {
    type Change = fn(&mut Value);
    let table: [(&str, Change, &str); 4] = [
        ("nothing", |_| {}, "admitted"),
        (
            "a role more",
            |body| body["roles"] = json!(["identity_admin", "policy_owner", "root"]),
            "identity_not_genesis",
        ),
        ("an attribute", |body| body["attributes"] = json!({"unit": "x"}), "identity_not_genesis"),
        (
            "another key",
            |body| body["passkey"] = serde_json::to_value(enrolled(&SoftPasskey::new(RP_ID))).unwrap(),
            "identity_not_genesis",
        ),
    ];
    for (what, change, expected) in table {
        let mut world = World::new();
        let id = world.add_genesis("ada", &["identity_admin", "policy_owner"]);
        let mut body = world.created_body("ada");
        change(&mut body);
        let leaf = World::new().identity_leaf(&id, "person.created", body, &Authority::Genesis);
        let outcome = Chain::from_trust(&world.trust()).admit(7, &leaf);
        assert_eq!(outcome.map_or_else(|refusal| refusal.code(), |()| "admitted"), expected, "{what}");
    }
    let mut world = world();
    let mallory = world.add_person("mallory", &["identity_admin"]);
    let leaf =
        world.identity_leaf(&mallory, "person.created", world.created_body("mallory"), &Authority::Genesis);
    assert_eq!(refusal(&world, &leaf), "identity_not_genesis");
    let body = role(&world, "ada", "approver");
    let leaf = world.identity_leaf(&world.id("ada"), "role.granted", body, &Authority::Genesis);
    assert_eq!(refusal(&world, &leaf), "identity_genesis_cannot");
}

#[test]
fn streams_have_no_gaps_and_no_other_people() {
    type Change = fn(&World, &mut EventLeaf);
    let table: [(&str, Change, &str); 7] = [
        ("nothing", |_, _| {}, "admitted"),
        ("a version left out", |_, leaf| leaf.version += 1, "identity_stream_broken"),
        ("a version again", |_, leaf| (leaf.version, leaf.previous) = (1, None), "identity_stream_broken"),
        ("another past", |_, leaf| leaf.previous = Some(Sha256::of(b"")), "identity_stream_broken"),
        (
            "the stream of somebody else",
            |w, leaf| {
                let other = w.identity_leaf(&w.id("bob"), "x", json!({}), &Authority::Genesis);
                (leaf.stream, leaf.version, leaf.previous) = (other.stream, other.version, other.previous);
            },
            "identity_other_person",
        ),
        ("no identity", |_, leaf| leaf.stream = "policy".parse().unwrap(), "identity_stream"),
        ("an unknown kind", |_, leaf| leaf.kind = "role.given".into(), "identity_malformed"),
    ];
    for (what, change, expected) in table {
        let mut world = world();
        let (id, body) = (world.id("eve"), role(&world, "eve", "approver"));
        let mut leaf = world.signed_leaf(&id, "role.granted", body, &["ada", "bob"]);
        change(&world, &mut leaf);
        assert_eq!(refusal(&world, &leaf), expected, "{what}");
    }
    let world = world();
    let (last, leaf) = world.leaves().last().unwrap();
    assert_eq!(world.chain().unwrap().admit(*last, leaf).unwrap_err().code(), "identity_out_of_order");
}

#[test]
fn an_unreadable_key_is_not_enrolled() {
    let mut world = world();
    let id = world.id("eve");
    let broken = Passkey {
        public_key: chancery_canonical::Bytes::new([0xa0]).unwrap(),
        ..enrolled(&SoftPasskey::new(RP_ID))
    };
    let body = json!({ "person": id, "passkey": broken });
    let leaf = world.signed_leaf(&id, "passkey.enrolled", body, &["eve"]);
    assert_eq!(refusal(&world, &leaf), "passkey_unreadable");
}

#[test]
fn one_administrator_is_enough_until_there_are_two() {
    let mut world = World::new();
    world.add_genesis("ada", &["identity_admin"]);
    world.add_member("eve", &[], &["ada"]);
    world.add_member("bob", &["identity_admin"], &["ada"]);
    assert!(world.chain().is_ok(), "sealed with one: one is enough");
    // The second version wants two, and still admits what one did while there was one.
    let mut document = world.trust_document();
    (document.version, document.sealed_with, document.administrators_needed) = (2, 2, 2);
    document.previous_sha256 = Some(world.trust().sha256());
    document.administrators = world.administrators(&["ada", "bob"]);
    let root = chancery_evidence::trust::TrustRoot::new(document).unwrap();
    let mut chain = Chain::from_trust(&root);
    for (index, leaf) in world.leaves() {
        chain.admit(*index, leaf).unwrap();
    }
    let id = world.id("eve");
    let body = role(&world, "eve", "approver");
    let index = world.next_index();
    let leaf = world.signed_leaf(&id, "role.granted", body.clone(), &["ada"]);
    assert_eq!(chain.admit(index, &leaf).unwrap_err().code(), "identity_too_few");
    let leaf = world.signed_leaf(&id, "role.granted", body, &["ada", "bob"]);
    assert_eq!(chain.admit(index, &leaf), Ok(()));
}

#[test]
fn an_unsealed_chain_believes_any_genesis_and_says_so() {
    let mut world = World::with_two_administrators();
    let mallory = world.add_person("mallory", &["identity_admin"]);
    let leaf =
        world.identity_leaf(&mallory, "person.created", world.created_body("mallory"), &Authority::Genesis);
    let mut chain = Chain::unsealed(world.log_origin.clone(), world.relying_party().clone());
    assert_eq!((chain.is_sealed(), chain.admit(1, &leaf)), (false, Ok(())));
    assert!(world.chain().unwrap().is_sealed());
}

#[test]
fn leaves_fit_with_two_signatures() {
    let world = world();
    let sizes: Vec<usize> = world.leaves().iter().map(|(_, leaf)| leaf.to_bytes().unwrap().len()).collect();
    assert!(sizes.iter().all(|size| *size <= 4096), "{sizes:?}");
}
