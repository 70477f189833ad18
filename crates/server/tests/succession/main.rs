//! One trust root after another: who may change what a server believes, and from where on it counts; one SSH authority
//! after another; one life of the log after another.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code fails by panicking")]

mod authorities;
mod lives;
mod scene;
#[path = "../world/mod.rs"]
mod world;

use std::fs;
use std::path::{Path, PathBuf};

use chancery_domain::event::{TrustEvent, TrustSealed, to_parts};
use chancery_domain::leaf::Stream;
use chancery_evidence::trust::{TrustDirectory, trust_challenge};
use chancery_evidence::verify::{CheckName, Options, Outcome};
use chancery_issuer::issue::read_certificate;
use chancery_server::doctor::doctor_by;
use chancery_server::{Config, ProposeOptions, Server, propose};
use chancery_store::{Append, Document, NewEvent, Store as _, StreamAppend};
use serde_json::json;

use scene::{Scene, failed};
use world::{ORIGIN, trust};

const APPROVERS: &str = "/floors/ssh-admin/minimum_approvers";

#[test]
fn a_floor_is_raised_by_two_administrators_and_holds_at_once() {
    let mut scene = Scene::new();
    let before = scene.approved();
    scene.credential(&before).good();
    let old = trust(&scene.folder());
    let early = scene.evidence(&before);
    scene.world.clock.advance(60);
    let proposed = scene.propose(&[(APPROVERS, json!(2))]).unwrap();
    assert!(proposed.changes.contains(&format!("~ {APPROVERS}: 1 → 2")), "{:?}", proposed.changes);
    // It is looked at by everybody, signed by administrators, and counts for nothing before it is sealed.
    let waiting = scene.world.call(&scene.erin, "GET", "/api/v1/trust/successor", None).good();
    assert!(waiting.get("public_key").is_none() && waiting["needed"] == json!(2), "{waiting}");
    let meanwhile = scene.approved();
    scene.credential(&meanwhile).good();
    scene.seal();
    // What was granted under the old floor gets no further credential under the new one.
    scene.credential(&meanwhile).refused("issuer_refused");
    let after = scene.approved();
    scene.credential(&after).refused("issuer_refused");
    scene.world.call(&scene.ada, "GET", "/api/v1/trust/successor", None).refused("not_found");

    // Evidence of before is believed by whoever went on; evidence of after only by them.
    let new = trust(&scene.folder());
    assert!(new.lineage().contains(&old.root().sha256()) && new.root().document().version == 2);
    let late = scene.evidence(&before);
    for (zip, directory, expected) in [
        (&early, &old, vec![]),
        (&early, &new, vec![]),
        (&late, &old, vec![]),
        (&late, &new, vec![]),
        (&scene.evidence(&after), &old, vec!["trust-root"]),
        (&scene.evidence(&after), &new, vec!["floor"]),
    ] {
        assert_eq!(failed(zip, directory), expected, "version {}", directory.root().document().version);
    }
    scene.world.restart();
    assert_eq!(failed(&scene.evidence(&before), &new), Vec::<&str>::new());
    scene.credential(&after).refused("issuer_refused");
}

/// One signature, the same twice, somebody without a say, another text, an earlier successor once more.
#[test]
fn what_does_not_make_a_successor() {
    let mut scene = Scene::new();
    let size = scene.world.log_size();
    scene.world.call(&scene.ada, "GET", "/api/v1/trust/successor", None).refused("not_found");
    let first = scene.propose(&[(APPROVERS, json!(2))]).unwrap().root;
    let (world, ada, ben) = (&scene.world, &mut scene.ada, &mut scene.ben);
    let one = Scene::sign(world, ada, &first).good();
    assert_eq!((&one["status"], &one["signed_by"]), (&json!("waiting"), &json!([ada.id])));
    Scene::sign(world, ada, &first).refused("trust_signed_twice");
    Scene::sign(world, &mut scene.erin, &first).refused("trust_not_standing");
    // The passkey of one in the name of another.
    let stolen = json!({
        "successor_sha256": first.sha256().to_hex(),
        "assertion": ada.passkey.assert(&trust_challenge(&first), ORIGIN),
    });
    world
        .call(ben, "POST", "/api/v1/trust/successor/signatures", Some(&stolen))
        .refused("trust_not_standing");
    // A signature over what was proposed before, for what is proposed now.
    let other = scene.world.runtime.block_on(propose(
        &scene.world.data(),
        ProposeOptions { changes: Vec::new(), replace: true, clock: Some(scene.world.clock.clone()) },
    ));
    let other = other.unwrap().root;
    Scene::sign(world, ada, &first).refused("offer_used");
    let mixed = json!({
        "successor_sha256": other.sha256().to_hex(),
        "assertion": ada.passkey.assert(&trust_challenge(&first), ORIGIN),
    });
    world.call(ada, "POST", "/api/v1/trust/successor/signatures", Some(&mixed)).refused("wrong_challenge");
    assert_eq!(world.log_size(), size);
    let kept = fs::read(scene.world.data().join("successor.json")).unwrap();
    scene.seal();
    // The same proposal once more, with nobody's signatures taken away.
    fs::write(scene.world.data().join("successor.json"), kept).unwrap();
    scene.world.call(&scene.ada, "GET", "/api/v1/trust/successor", None).refused("trust_version");
    let again = scene.propose(&[]).unwrap().root;
    scene.world.clock.advance(8 * 24 * 3600);
    for person in [&mut scene.ada, &mut scene.ben] {
        scene.world.sign_in(person);
    }
    Scene::sign(&scene.world, &mut scene.ada, &again).refused("offer_used");
}

/// Who owns the server writes what they like into log and folder: neither it nor its issuer believes it.
#[test]
fn a_server_cannot_widen_a_floor_by_itself() {
    let mut scene = Scene::new();
    let wide = scene.propose(&[("/floors/ssh-admin/allow", json!(true))]).unwrap().root;
    let assertion = scene.ada.passkey.assert(&trust_challenge(&wide), ORIGIN);
    let signatures = json!([{"person": scene.ada.id, "assertion": assertion}]);
    scene.world.stop();
    let event = TrustEvent::Sealed(TrustSealed {
        version: 2,
        sha256: wide.sha256(),
        signatures: serde_json::from_value(signatures).unwrap(),
    });
    let (kind, body) = to_parts(&event).unwrap();
    let mut append = Append::at(scene.world.clock.now());
    append.documents = [trust(&scene.folder()).root(), &wide]
        .map(|root| Document {
            sha256: root.sha256(),
            media_type: "application/json".to_owned(),
            bytes: root.canonical().as_bytes().to_vec(),
        })
        .to_vec();
    let events = vec![NewEvent { kind, body, private: None, attestation: None }];
    append.streams.push(StreamAppend { stream: Stream::Trust, expected_version: 1, events });
    let store = scene.world.store();
    scene.world.runtime.block_on(store.append(append)).unwrap();
    drop(store);
    let start = |scene: &Scene| {
        let config = Config::read_from(&scene.world.data()).unwrap();
        let started = Server::start_with_clock(config, scene.world.clock.clone());
        scene.world.runtime.block_on(started).err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert!(start(&scene).contains("does not follow"), "{}", start(&scene));
    // With a folder of its own making as well, it is the folder that does not read.
    for (name, bytes) in TrustDirectory::render(&wide).unwrap() {
        fs::write(scene.folder().join(name), bytes).unwrap();
    }
    assert!(start(&scene).contains("does not follow"), "{}", start(&scene));
}

/// A root of the attacker's own, complete and signed by administrators of their own: the issuer followed another.
#[test]
fn the_issuer_follows_one_line_of_roots() {
    let mut scene = Scene::new();
    let request = scene.approved();
    let other = Scene::new();
    let issuer = |scene: &Scene| {
        let config = Config::read_from(&scene.world.data()).unwrap();
        let (authority, list) = (config.ssh_ca_key(), config.ssh_krl());
        let book = config.data.join("issuer");
        let places =
            chancery_issuer::issue::Places { authority: &authority, revocation_list: &list, book: &book };
        let random = Box::new(ring::rand::SystemRandom::new());
        chancery_issuer::issue::Issuer::open(&places, scene.world.clock.now(), random).unwrap()
    };
    let refused = issuer(&scene).follow(&trust(&other.folder()), scene.world.clock.now()).unwrap_err();
    assert!(refused.to_string().contains("does not follow"), "{refused}");
    // Nor does it go back.
    let first = trust(&scene.folder());
    scene.propose(&[]).unwrap();
    scene.seal();
    let refused = issuer(&scene).follow(&first, scene.world.clock.now()).unwrap_err();
    assert!(refused.to_string().contains("does not follow"), "{refused}");
    scene.credential(&request).good();
}

/// A crash between the leaf and the folder, and one in the middle of the folder.
#[test]
fn the_folder_is_made_anew_from_the_log() {
    let mut scene = Scene::new();
    let old = copy(&scene.folder());
    scene.propose(&[(APPROVERS, json!(2))]).unwrap();
    scene.seal();
    let new = copy(&scene.folder());
    for what in ["behind", "half way", "staged", "torn"] {
        scene.world.stop();
        match what {
            "behind" => put(&old),
            "half way" => put(&old[..old.len() / 2]),
            "staged" => fs::write(scene.folder().join("policy.txt.new"), b"x").unwrap(),
            _ => fs::write(scene.folder().join("history.json"), b"[").unwrap(),
        }
        scene.world.start();
        assert_eq!(copy(&scene.folder()), new, "{what}");
    }
    assert_eq!(trust(&scene.folder()).root().document().version, 2);
}

fn put(files: &[(PathBuf, Vec<u8>)]) {
    files.iter().for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
}

#[test]
fn proposals_that_are_none() {
    let scene = Scene::new();
    for (changes, says) in [
        (vec![("/genesis/persons", json!([]))], "genesis"),
        (vec![("/floors/ssh-admin/minimum_approvers", json!("two"))], "not in order"),
        (vec![("/nowhere/at/all", json!(1))], "no place"),
        (vec![("/more", json!(1))], "unknown field"),
        (vec![("/administrators", json!([]))], "administrators"),
        (vec![("/rp_id", json!("other.example"))], "in order"),
    ] {
        let error = scene.propose(&changes).unwrap_err().to_string();
        assert!(error.contains(says), "{changes:?}: {error}");
    }
    let told = |scene: &Scene| {
        let data = scene.world.data();
        let found = scene.world.runtime.block_on(doctor_by(&data, Some(scene.world.clock.clone())));
        found.into_iter().any(|one| one.subject == "successor" && one.detail.contains("waits for signatures"))
    };
    assert!(!told(&scene));
    scene.propose(&[]).unwrap();
    assert!(told(&scene));
    let again = ProposeOptions { clock: Some(scene.world.clock.clone()), ..ProposeOptions::default() };
    let waits = scene.world.runtime.block_on(propose(&scene.world.data(), again)).unwrap_err();
    assert!(waits.to_string().contains("--replace"), "{waits}");
}

/// Both signed by two administrators, who were shown one or the other: whoever has the one does not believe a log that
/// sealed the other.
#[test]
fn two_successors_of_one_version() {
    let mut scene = Scene::new();
    let first = trust(&scene.folder());
    let shown = scene.propose(&[("/floors/ssh-admin/maximum_seconds", json!(700))]).unwrap().root;
    let mut signatures = Vec::new();
    for person in [&mut scene.ada, &mut scene.ben] {
        let assertion = person.passkey.assert(&trust_challenge(&shown), ORIGIN);
        signatures.push(json!({"person": person.id, "assertion": assertion}));
    }
    let mut lineage = first.lineage().clone();
    lineage.succeed(shown, serde_json::from_value(json!(signatures)).unwrap()).unwrap();
    let theirs = TrustDirectory::from(lineage);
    scene.propose(&[(APPROVERS, json!(1))]).unwrap();
    scene.seal();
    let request = scene.approved();
    scene.credential(&request).good();
    let zip = scene.evidence(&request);
    assert_eq!(failed(&zip, &trust(&scene.folder())), Vec::<&str>::new());
    assert_eq!(failed(&zip, &theirs), ["trust-root"]);
}

/// Leaving out the leaf that says that a version was sealed makes it count no later.
#[test]
fn evidence_without_the_leaf_of_a_version() {
    let mut scene = Scene::new();
    scene.propose(&[(APPROVERS, json!(2))]).unwrap();
    scene.seal();
    scene.world.clock.advance(60);
    let request = scene.approved();
    let zip = scene.evidence(&request);
    let mut files = chancery_evidence::bundle::unpack(&zip).unwrap();
    let mut manifest = chancery_evidence::bundle::Manifest::read(&files).unwrap();
    for index in manifest.trust.split_off(1) {
        files.remove(&format!("leaves/{index}.json"));
        files.remove(&format!("proofs/{index}.tlog-proof"));
    }
    manifest.seal(&mut files).unwrap();
    let options = Options { certificates: Some(&read_certificate), ..Options::default() };
    let verified = chancery_evidence::verify::verify(&files, &trust(&scene.folder()), &options);
    let floor = verified.outcome(CheckName::Floor);
    assert!(matches!(floor, Some(Outcome::Fail(_))), "{floor:?}");
}

fn copy(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(copy(&path));
        } else {
            files.push((path.clone(), fs::read(path).unwrap()));
        }
    }
    files.sort();
    files
}
