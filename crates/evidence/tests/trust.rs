//! What may stand in `trust.json` and beside it, and who may write the next one.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chancery_canonical::{Canonical, Sha256};
use chancery_domain::document::CheckpointReference;
use chancery_domain::signature::PersonSignature;
use chancery_domain::verdict::Outcome;
use chancery_evidence::authenticator::{Aaguid, AttestationRoot};
use chancery_evidence::recovery::RecoveryKey;
use chancery_evidence::trust::{
    InForce, Lineage, MAX_SUCCESSOR_OFFER_SECONDS, Recovery, TrustDirectory, TrustDocument, TrustRoot,
    Versions, accept_successor, check_standing, diff, trust_challenge,
};
use chancery_ledger::{KeyType, SignerKey, WitnessPolicy};
use chancery_testkit::passkey::Maker;
use chancery_testkit::people::{ENGINE, LOG_ORIGIN, World, recovery_public_key};
use serde_json::{Value, json};

#[test]
fn a_root_is_read_back_from_its_bytes() {
    let root = World::with_two_administrators().trust();
    assert_eq!(TrustRoot::parse(root.canonical().as_bytes()), Ok(root.clone()));
    assert_eq!(root.sha256(), Sha256::of(root.canonical().as_bytes()));
    assert_eq!(root.log_origin(), LOG_ORIGIN);
    assert!(root.log_key(LOG_ORIGIN).is_some() && root.log_key("other.test").is_none());
    assert!(root.knows_engine(ENGINE) && !root.knows_engine("regorus"));
    assert_eq!((root.attestation_keys("decision").len(), root.attestation_keys("x").len()), (1, 0));
    assert!(!root.is_expired(root.document().created_at) && root.is_expired(root.document().expires_at));
}

fn recovery_keys(count: u8) -> Vec<RecoveryKey> {
    (0..count).map(|number| recovery_public_key(&number.to_string())).collect()
}

fn recovery(document: &mut TrustDocument, threshold: u32, count: u8) {
    document.recovery = Recovery { threshold, keys: recovery_keys(count) };
}

#[test]
fn what_is_not_in_order_is_refused() {
    type Change = fn(&mut TrustDocument);
    let table: [(&str, Change, &str); 29] = [
        ("nothing", |_| {}, "in order"),
        ("version 0", |d| d.version = 0, "version"),
        ("a predecessor of the first", |d| d.previous_sha256 = Some(Sha256::of(b"")), "previous_sha256"),
        ("no predecessor of the second", |d| d.version = 2, "previous_sha256"),
        (
            "nobody who may sign the third",
            |d| (d.version, d.previous_sha256) = (2, Some(Sha256::of(b""))),
            "administrators",
        ),
        ("expired at once", |d| d.expires_at = d.created_at, "expires_at"),
        ("directories", |d| d.directories.push(json!({})), "directories"),
        ("recovery", |d| d.recovery.threshold = 1, "recovery"),
        ("a maker without models", |d| d.attestation_roots.push(without_models()), "attestation_roots"),
        ("no model", |d| d.attestation_roots.push(anonymous_model()), "attestation_roots"),
        ("recovery keys without a threshold", |d| d.recovery.keys = recovery_keys(2), "recovery"),
        ("fewer keys than administrators", |d| recovery(d, 1, 3), "recovery"),
        ("more than there are", |d| recovery(d, 4, 3), "recovery"),
        (
            "a key twice",
            |d| d.recovery = Recovery { threshold: 2, keys: [recovery_keys(2), recovery_keys(1)].concat() },
            "twice",
        ),
        ("two of three keys", |d| recovery(d, 2, 3), "in order"),
        ("nobody", |d| d.genesis.persons.clear(), "genesis"),
        ("a person twice", |d| d.genesis.persons.push(d.genesis.persons[0].clone()), "genesis"),
        ("no key", |d| d.genesis.persons[0].passkeys.clear(), "genesis"),
        (
            "a key of two",
            |d| d.genesis.persons[0].passkeys = d.genesis.persons[1].passkeys.clone(),
            "genesis",
        ),
        ("no administrator", |d| d.genesis.persons.iter_mut().for_each(|p| p.roles.clear()), "genesis"),
        ("one of two", |d| d.genesis.persons.truncate(1), "genesis"),
        ("one is enough", |d| d.administrators_needed = 1, "administrators_needed"),
        ("three", |d| (d.sealed_with, d.administrators_needed) = (3, 3), "administrators_needed"),
        ("no owners", |d| d.policy.owners_needed = 0, "policy"),
        ("no engine", |d| d.engines.clear(), "engines"),
        ("no floor", |d| d.floors.values_mut().for_each(|f| f.minimum_approvers = 0), "floors"),
        (
            "an unknown predicate",
            |d| {
                d.attestation_keys.insert("anything".into(), Vec::new());
            },
            "attestation_keys",
        ),
        ("no log", |d| d.logs.clear(), "logs"),
        ("another log in the policy", |d| d.witness_policy = "quorum none\n".into(), "witness_policy"),
    ];
    for (what, change, expected) in table {
        let mut document = World::with_two_administrators().trust_document();
        change(&mut document);
        let found = match TrustRoot::new(document) {
            Ok(_) => "in order".to_owned(),
            Err(error) => error.to_string(),
        };
        assert!(found.contains(expected), "{what}: {found}");
    }
}

const ZERO: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const ONE: &str = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[test]
fn loose_bytes_are_refused() {
    let root = World::with_two_administrators().trust();
    let text = root.canonical().as_str();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut value = root.canonical().value();
        change(&mut value);
        Canonical::of(&value).unwrap().as_str().to_owned()
    };
    for (what, bytes) in [
        ("a space", format!(" {text}")),
        ("an unknown field", with(&|value| value["more"] = json!(1))),
        ("a field inside", with(&|value| value["policy"]["more"] = json!(1))),
        ("a floor's field", with(&|value| value["floors"]["prod-database"]["alow"] = json!(true))),
        ("half a floor", with(&|value| value["floors"]["prod-database"] = json!({"maximum_seconds": 1}))),
        ("another type", with(&|value| value["type"] = json!("urn:chancery:trust:v2"))),
        ("an unknown issuer", with(&|value| value["issuers"][0]["kind"] = json!("x509"))),
        ("an issuer without key", with(&|value| value["issuers"][0]["public_key"] = json!("ssh-ed25519 AA"))),
        (
            "a recovery key of small order",
            with(&|value| value["recovery"] = json!({"threshold": 2, "keys": [ZERO, ONE]})),
        ),
        (
            "a recovery key of 31 bytes",
            with(&|value| value["recovery"] = json!({"threshold": 2, "keys": ["AA", "AQ"]})),
        ),
        ("another vkey", with(&|value| value["logs"][0]["origin"] = json!("other.chancery.test"))),
        ("a site elsewhere", with(&|value| value["origins"] = json!(["https://evil.test"]))),
        (
            "a key that is none",
            with(&|value| value["genesis"]["persons"][0]["passkeys"][0]["public_key"] = json!("oA")),
        ),
        ("nothing", String::new()),
    ] {
        assert!(TrustRoot::parse(bytes.as_bytes()).is_err(), "{what}");
    }
}

#[test]
fn floors_say_no_by_default() {
    let root = World::with_two_administrators().trust();
    assert!(root.floor("prod-root").is_none());
    let floor = root.floor("prod-database").unwrap();
    let code = |outcome, approvers, seconds| floor.check(outcome, approvers, seconds).map_err(|r| r.code());
    for (outcome, approvers, seconds, expected) in [
        (Outcome::RequireApproval, 1, 3600, Ok(())),
        (Outcome::RequireApproval, 0, 3600, Err("floor_approvers")),
        (Outcome::RequireApproval, 1, 3601, Err("floor_seconds")),
        (Outcome::Allow, 0, 1, Err("floor_allow")),
        (Outcome::Deny, 5, 1, Err("floor_denied")),
    ] {
        assert_eq!(code(outcome, approvers, seconds), expected);
    }
    let allowing = chancery_evidence::trust::Floor { allow: true, ..floor.clone() };
    assert_eq!(allowing.check(Outcome::Allow, 0, 3600), Ok(()));
}

#[test]
fn every_file_of_the_directory_says_the_same() {
    let root = World::with_two_administrators().trust();
    let files = TrustDirectory::render(&root).unwrap();
    assert_eq!(TrustDirectory::read(&files).unwrap().root(), &root);
    let policy = String::from_utf8(files["policy.txt"].clone()).unwrap();
    assert_eq!(&policy.parse::<WitnessPolicy>().unwrap(), root.witness_policy());
    let pem = String::from_utf8(files["keys/decision.pem"].clone()).unwrap();
    let key = chancery_evidence::public_key::P256PublicKey::from_pem(&pem).unwrap();
    assert_eq!(root.attestation_keys("decision"), [key]);

    for path in files.keys() {
        let mut changed = files.clone();
        changed.get_mut(path).unwrap().push(b'\n');
        assert!(TrustDirectory::read(&changed).is_err(), "{path} changed");
        let mut less = files.clone();
        less.remove(path);
        assert_eq!(TrustDirectory::read(&less).unwrap_err().code(), "trust_file_missing", "{path} missing");
    }
    let mut more = files.clone();
    more.insert("keys/other.pem".into(), pem.into_bytes());
    assert_eq!(TrustDirectory::read(&more).unwrap_err().code(), "trust_file_unexpected");
    let mut signed = files;
    signed.insert("signatures.json".into(), b"[]".to_vec());
    assert!(TrustDirectory::read(&signed).is_ok());
    signed.insert("signatures.json".into(), b"[ ]".to_vec());
    assert_eq!(TrustDirectory::read(&signed).unwrap_err().code(), "trust_signatures");
}

/// The same world's next version, with whatever change.
fn successor(world: &World, change: impl FnOnce(&mut TrustDocument)) -> TrustRoot {
    following(world, &world.trust(), change)
}

/// What follows a root, signed by nobody yet.
fn following(world: &World, before: &TrustRoot, change: impl FnOnce(&mut TrustDocument)) -> TrustRoot {
    let mut document = before.document().clone();
    document.version += 1;
    document.previous_sha256 = Some(before.sha256());
    document.administrators = world.administrators(&["ada", "bob"]);
    change(&mut document);
    TrustRoot::new(document).unwrap()
}

fn sign(world: &mut World, root: &TrustRoot, signers: &[&str]) -> Vec<PersonSignature> {
    let challenge = trust_challenge(root);
    let sign = |name: &&str| {
        let assertion = world.assert_challenge(name, &challenge);
        PersonSignature { person: world.id(name), assertion }
    };
    signers.iter().map(sign).collect()
}

#[test]
fn the_next_version_is_signed_by_both_thresholds() {
    for (signers, expected) in [
        (vec!["ada", "bob"], "accepted"),
        (vec!["ada"], "trust_too_few"),
        (vec![], "trust_too_few"),
        (vec!["ada", "ada"], "trust_signed_twice"),
        (vec!["ada", "bob", "eve"], "signer_unknown"),
        (vec!["ada", "eve"], "signer_unknown"),
        (vec!["ada", "bob", "mallory"], "signer_unknown"),
    ] {
        let mut world = World::with_two_administrators();
        world.add_genesis("eve", &["auditor"]);
        world.add_person("mallory", &["identity_admin"]);
        let current = world.trust();
        let next = successor(&world, |document| document.engines.push("regorus 0.15".into()));
        let signatures = sign(&mut world, &next, &signers);
        let found = accept_successor(&current, &next, &signatures);
        assert_eq!(found.map_or_else(|refusal| refusal.code(), |()| "accepted"), expected, "{signers:?}");
    }
}

#[test]
fn old_administrators_cannot_be_left_out_nor_can_the_new_ones() {
    let mut world = World::with_two_administrators();
    let current = world.trust();
    for name in ["carol", "dan"] {
        world.add_genesis(name, &["identity_admin"]);
    }
    let administrators = world.administrators(&["carol", "dan"]);
    let next = following(&world, &current, |document| document.administrators = administrators);
    for (signers, expected) in [
        (vec!["carol", "dan"], Err("trust_too_few")),
        (vec!["ada", "bob"], Err("trust_too_few")),
        (vec!["ada", "bob", "carol", "dan"], Ok(())),
    ] {
        let signatures = sign(&mut world, &next, &signers);
        let found = accept_successor(&current, &next, &signatures).map_err(|refusal| refusal.code());
        assert_eq!(found, expected, "{signers:?}");
    }
}

#[test]
fn a_signature_is_over_one_version() {
    let mut world = World::with_two_administrators();
    let current = world.trust();
    let (one, other) = (successor(&world, |_| {}), successor(&world, |d| d.engines.push("x".into())));
    let signatures = sign(&mut world, &one, &["ada", "bob"]);
    assert_eq!(accept_successor(&current, &other, &signatures).unwrap_err().code(), "wrong_challenge");
    assert_eq!(accept_successor(&one, &one, &signatures).unwrap_err().code(), "trust_version");
    assert_eq!(accept_successor(&one, &current, &signatures).unwrap_err().code(), "trust_version");
    let skipped = successor(&world, |document| document.version = 3);
    assert_eq!(accept_successor(&current, &skipped, &[]).unwrap_err().code(), "trust_version");
    let earlier = successor(&world, |d| d.created_at = "2026-11-22T11:59:59Z".parse().unwrap());
    assert_eq!(accept_successor(&current, &earlier, &[]).unwrap_err().code(), "trust_time");
}

/// A root of the same number and name, of another installation or made behind the administrators' backs.
#[test]
fn a_successor_names_what_it_follows() {
    let mut world = World::with_two_administrators();
    let current = world.trust();
    let mut otherwise = world.trust_document();
    otherwise.engines.push("x".into());
    let other = TrustRoot::new(otherwise).unwrap();
    let next = following(&world, &other, |_| {});
    let signatures = sign(&mut world, &next, &["ada", "bob"]);
    assert_eq!(accept_successor(&other, &next, &signatures), Ok(()));
    assert_eq!(accept_successor(&current, &next, &signatures).unwrap_err().code(), "trust_predecessor");
}

#[test]
fn what_no_successor_changes() {
    type Change = fn(&mut TrustDocument);
    let table: [(&str, Change); 5] = [
        ("genesis", |d| {
            d.genesis.persons[0].roles.insert("auditor".into());
        }),
        ("policy", |d| d.policy.genesis_sha256 = Sha256::of(b"another")),
        ("rp_id", |d| (d.rp_id, d.origins) = ("other.test".into(), vec!["https://other.test".into()])),
        ("origins", |d| d.origins = vec![format!("{}:8443", d.origins[0])]),
        ("logs", |d| {
            let key = SignerKey::from_seed("log9.test".parse().unwrap(), KeyType::Ed25519, &[3; 32]).unwrap();
            d.logs[0].vkey = key.verifier().to_string();
            d.logs[0].origin = "log9.test".parse().unwrap();
            d.witness_policy = format!("log {}\nquorum none\n", d.logs[0].vkey);
        }),
    ];
    let mut world = World::with_two_administrators();
    let current = world.trust();
    for (field, change) in table {
        let next = successor(&world, change);
        let signatures = sign(&mut world, &next, &["ada", "bob"]);
        let refusal = accept_successor(&current, &next, &signatures).unwrap_err();
        assert!(refusal.to_string().contains(&format!("`{field}`")), "{field}: {refusal}");
    }
}

type Files = std::collections::BTreeMap<String, Vec<u8>>;

/// Whoever has version 1 gets to version 3 by the files alone, and to no other.
#[test]
fn a_directory_is_followed_from_the_first_version() {
    let mut world = World::with_two_administrators();
    let first = world.trust();
    let second = successor(&world, |d| d.engines.push("regorus 0.15".into()));
    let third = following(&world, &second, |d| d.engines.remove(0).clear());
    let (two, three) =
        (sign(&mut world, &second, &["ada", "bob"]), sign(&mut world, &third, &["ada", "bob"]));
    let mut lineage = Lineage::begin(first.clone()).unwrap();
    lineage.succeed(second.clone(), two.clone()).unwrap();
    assert_eq!(lineage.succeed(second.clone(), two.clone()).unwrap_err().code(), "trust_version");
    lineage.succeed(third.clone(), three).unwrap();
    let files = TrustDirectory::from(lineage).files().unwrap();
    let directory = TrustDirectory::read(&files).unwrap();
    assert_eq!(directory.root(), &third);
    assert!(directory.lineage().contains(&first.sha256()) && directory.lineage().contains(&second.sha256()));
    let code = |change: &dyn Fn(&mut Files)| {
        let mut files = files.clone();
        change(&mut files);
        TrustDirectory::read(&files).map_or_else(|error| error.code(), |_| "read")
    };
    assert_eq!(code(&|_| {}), "read");
    assert_eq!(code(&|files| drop(files.remove("history.json"))), "trust_file_missing");
    assert_eq!(code(&|files| drop(files.remove("signatures.json"))), "trust_too_few");
    let one_signature = Canonical::of(&two[..1]).unwrap().as_bytes().to_vec();
    assert_eq!(
        code(&|files| drop(files.insert("signatures.json".into(), one_signature.clone()))),
        "wrong_challenge"
    );
    let history = |change: &dyn Fn(&mut Vec<Value>)| {
        let mut list: Vec<Value> = serde_json::from_slice(&files["history.json"]).unwrap();
        change(&mut list);
        let bytes = Canonical::of(&list).unwrap().as_bytes().to_vec();
        code(&|files| drop(files.insert("history.json".into(), bytes.clone())))
    };
    assert_eq!(history(&|list| drop(list.remove(0))), "trust_history_incomplete");
    assert_eq!(history(&|list| drop(list.pop())), "trust_version");
    assert_eq!(history(&|list| drop(list[1]["signatures"].as_array_mut().unwrap().pop())), "trust_too_few");
    assert_eq!(history(&|list| list.swap(0, 1)), "trust_history_incomplete");
}

/// A role or key that was taken away since signs no successor, though the version before still lists it.
#[test]
fn those_who_sign_administrate_by_the_log() {
    let mut world = World::with_two_administrators();
    world.add_genesis("carol", &["identity_admin"]);
    let (bob, current) = (world.id("bob"), world.trust());
    let role = json!({"person": bob, "role": "identity_admin"});
    world.change(&bob, "role.removed", role, &["ada"]);
    let people = world.directory();
    for (listed, signers, expected) in [
        (["ada", "carol"], ["ada", "carol"], Ok(())),
        (["ada", "carol"], ["ada", "bob"], Err("trust_not_standing")),
        (["ada", "bob"], ["ada", "carol"], Err("trust_not_standing")),
    ] {
        let administrators = world.administrators(&listed);
        let next = following(&world, &current, |document| document.administrators = administrators);
        let signatures = sign(&mut world, &next, &signers);
        let found = check_standing(&next, &signatures, &people).map_err(|refusal| refusal.code());
        assert_eq!(found, expected, "{listed:?} {signers:?}");
    }
}

#[test]
fn a_version_is_in_force_from_its_leaf_or_where_that_is_kept_back_from_its_time() {
    let world = World::with_two_administrators();
    let (first, second) = (world.trust(), successor(&world, |d| d.created_at = d.created_at.plus(100)));
    let start = first.document().created_at;
    let mut versions = Versions::new([&first, &second]).unwrap();
    let version =
        |versions: &Versions<'_>, index, seconds| versions.at(index, start.plus(seconds)).document().version;
    assert_eq!([0, 99, 100].map(|seconds| version(&versions, 5, seconds)), [1, 1, 2]);
    // Signatures are collected for a week: a leaf after that is one that was kept back.
    let offered = 100 + MAX_SUCCESSOR_OFFER_SECONDS;
    versions.sealed_at(2, 7, start.plus(offered + 1));
    assert_eq!([6, 7, 8].map(|index| version(&versions, index, 500)), [2, 2, 2]);
    versions.sealed_at(2, 7, start.plus(offered));
    assert_eq!([6, 7, 8].map(|index| version(&versions, index, 500)), [1, 1, 2]);
    // What is said again, later, says nothing new.
    versions.sealed_at(2, 20, start.plus(600));
    assert_eq!([6, 7, 8].map(|index| version(&versions, index, 700)), [1, 1, 2]);
    assert!(InForce::After(7).covers(8, start) && !InForce::After(7).covers(7, start));
}

#[test]
fn differences_are_lines() {
    let world = World::with_two_administrators();
    let (before, mut document) = (world.trust(), world.trust_document());
    assert_eq!(diff(&before, &before), Vec::<String>::new());
    document.floors.get_mut("prod-database").unwrap().minimum_approvers = 2;
    document.engines.insert(0, "regorus 0.15".into());
    document.genesis.persons[0].roles.remove("policy_owner");
    let id = document.genesis.persons[0].id.clone();
    let after = TrustRoot::new(document).unwrap();
    assert_eq!(
        diff(&before, &after),
        [
            "+ /engines/\"regorus 0.15\": \"regorus 0.15\"".to_owned(),
            "~ /floors/prod-database/minimum_approvers: 1 → 2".to_owned(),
            format!("- /genesis/persons/{id}/roles/\"policy_owner\": \"policy_owner\""),
        ]
    );
}

#[test]
fn a_life_of_the_log_follows_another() {
    let world = World::with_two_administrators();
    let mut document = world.trust_document();
    let next =
        SignerKey::from_seed("log2.chancery.test".parse().unwrap(), KeyType::Ed25519, &[9; 32]).unwrap();
    let vkey = next.verifier().to_string();
    document.witness_policy = format!("log {}\nlog {vkey}\nquorum none\n", world.log_key().verifier());
    document.logs[0].closed = Some(CheckpointReference { size: 100, root: Sha256::of(b"root") });
    document.logs.push(chancery_evidence::trust::TrustedLog {
        origin: "log2.chancery.test".parse().unwrap(),
        vkey,
        first_index: Some(100),
        closed: None,
    });
    for (what, wrong) in [
        ("an open life before another", (100, None)),
        ("a life that begins elsewhere", (99, document.logs[0].closed.clone())),
    ] {
        let mut document = document.clone();
        (document.logs[1].first_index, document.logs[0].closed) = (Some(wrong.0), wrong.1);
        assert!(TrustRoot::new(document).unwrap_err().to_string().contains("logs"), "{what}");
    }
    let root = TrustRoot::new(document).unwrap();
    assert_eq!(root.log_origin(), "log2.chancery.test");
    let files = TrustDirectory::render(&root).unwrap();
    assert_eq!(String::from_utf8_lossy(&files["log.vkey"]).lines().count(), 2);
}

fn without_models() -> AttestationRoot {
    AttestationRoot { aaguids: std::collections::BTreeSet::new(), ..Maker::new().root() }
}

fn anonymous_model() -> AttestationRoot {
    AttestationRoot { aaguids: [Aaguid::new([0; 16])].into(), ..Maker::new().root() }
}

#[test]
fn makers_are_written_as_they_publish_themselves() {
    let root = Maker::new().root();
    let text = serde_json::to_value(&root).unwrap();
    assert_eq!(text["aaguids"], json!(["00112233-4455-6677-8899-aabbccddeeff"]));
    assert_eq!(serde_json::from_value::<AttestationRoot>(text.clone()).unwrap(), root);
    for (pointer, wrong) in [
        ("/aaguids/0", json!("00112233445566778899aabbccddeeff")),
        ("/aaguids/0", json!("00112233-4455-6677-8899-AABBCCDDEEFF")),
        ("/aaguids/0", json!("00112233-4455-6677-8899-aabbccddeef")),
        ("/certificate", json!("AAAA")),
        ("/certificate", json!("-----BEGIN CERTIFICATE-----")),
    ] {
        let mut text = text.clone();
        *text.pointer_mut(pointer).unwrap() = wrong.clone();
        assert!(serde_json::from_value::<AttestationRoot>(text).is_err(), "{wrong}");
    }
}
