//! One life of the log after another.

use std::fs;

use chancery_evidence::trust::{Lineage, TrustDirectory, TrustRoot, trust_challenge};
use chancery_issuer::ssh::{Certificate, Krl};
use chancery_server::backup::{BackupOptions, backup};
use chancery_server::restore::{RestoreOptions, restore};
use chancery_server::{RotateError, Rotated};
use chancery_store::{SqliteStore, Store as _};
use serde_json::json;

use crate::APPROVERS;
use crate::scene::{Scene, failed, rotate};
use crate::world::{ORIGIN, trust};

#[test]
fn the_log_begins_a_new_life() {
    let mut scene = Scene::new();
    let request = scene.approved();
    let line = scene.credential(&request).good()["certificate"].as_str().unwrap().to_owned();
    let certificate = Certificate::parse(&line).unwrap();
    let pending = scene.world.request(&mut scene.erin, "staging");
    let (old, zip) = (trust(&scene.folder()), scene.evidence(&request));
    let last = scene.world.open("GET", "/log/checkpoint", None).bytes;
    // Not beside a running server, not without a name, and not under the same one.
    assert!(rotate(&scene, Some("log-2.example")).unwrap_err().to_string().contains("in use"));
    scene.world.stop();
    assert!(matches!(rotate(&scene, None), Err(RotateError::NoOrigin)));
    assert!(matches!(rotate(&scene, Some("log.example")), Err(RotateError::UsedOrigin(_))));
    let Ok(Rotated::Closed { rotation, revoked, .. }) = rotate(&scene, Some("log-2.example")) else {
        panic!("not closed")
    };
    assert_eq!((revoked, rotation.held), (1, rotation.closed.size));
    // What ran was taken back; nothing is recorded any more; what there was can still be read and exported.
    let list = Krl::load(&scene.world.data().join("krl/ssh.krl"), certificate.authority()).unwrap().unwrap();
    assert!(list.revokes(certificate.contents().serial, ""));
    assert!(matches!(rotate(&scene, None), Ok(Rotated::Waiting { .. })));
    scene.world.start();
    scene.world.sign_in(&mut scene.erin);
    scene.world.sign_in(&mut scene.olga);
    let draft = scene.world.draft(&scene.erin, "staging");
    scene.world.submit(&mut scene.erin, &draft).refused("log_closed");
    scene.world.decide(&mut scene.olga, &pending, "approve", None).refused("log_closed");
    scene.world.open("GET", "/readyz", None).refused("log_closed");
    assert_eq!(scene.world.open("GET", "/log/checkpoint", None).bytes, last);
    assert_eq!(failed(&scene.evidence(&request), &old), Vec::<&str>::new());
    scene.world.stop();
    scene.close_and_sign();
    assert!(matches!(rotate(&scene, None), Ok(Rotated::Finished { .. })));
    scene.move_on();

    // The new life: other name, the same people, none of the requests.
    let server = scene.world.open("GET", "/api/v1/server", None).good();
    assert_eq!((&server["log_origin"], &server["sealed"]), (&json!("log-2.example"), &json!(true)));
    let page = scene.world.call(&scene.ada, "GET", "/api/v1/audit?limit=1", None).good();
    assert_eq!(page["items"][0]["kind"], json!("log.rotated"), "{page}");
    scene.world.call(&scene.erin, "GET", &format!("/api/v1/requests/{pending}"), None).refused("not_found");
    let persons = scene.world.call(&scene.ada, "GET", "/api/v1/persons", None).good();
    assert!(persons["items"].as_array().unwrap().iter().any(|one| one["name"] == json!("Olga")), "{persons}");
    let again = scene.approved();
    scene.credential(&again).good();
    let new = trust(&scene.folder());
    assert_eq!(failed(&scene.evidence(&again), &new), Vec::<&str>::new());
    assert_eq!(failed(&scene.evidence(&again), &old), ["trust-root"]);
    // The old life verifies by the new root, and is served under its name.
    assert_eq!(failed(&zip, &new), Vec::<&str>::new());
    assert_eq!(scene.world.open("GET", "/lives/log.example/checkpoint", None).bytes, last);
    let tile = format!("/lives/log.example/tile/entries/000.p/{}", rotation.closed.size);
    assert!(scene.world.open("GET", &tile, None).status == 200);
    scene.world.open("GET", "/lives/other.example/checkpoint", None).refused("not_found");
    scene.world.restart();
    scene.propose(&[(APPROVERS, json!(2))]).unwrap();
    scene.seal();
    assert_eq!(failed(&zip, &trust(&scene.folder())), Vec::<&str>::new());
    old_life_is_restored(&scene, &last);
}

/// A backup has the lives that are over, and the seed of none.
fn old_life_is_restored(scene: &Scene, last: &[u8]) {
    let folder = scene.world.folder.path();
    let (copy, restored) = (folder.join("backup"), folder.join("restored"));
    let options = BackupOptions { with_keys: false, clock: Some(scene.world.clock.clone()) };
    let options_of_restore =
        RestoreOptions { keys: Some(scene.world.data().join("keys")), ..RestoreOptions::default() };
    let runtime = &scene.world.runtime;
    let manifest = runtime.block_on(backup(&scene.world.data(), &copy, options)).unwrap();
    assert!(manifest.files.keys().all(|path| !path.ends_with("seed")), "{:?}", manifest.files);
    runtime.block_on(restore(&copy, &restored, options_of_restore)).unwrap();
    let life = restored.join("lives/log.example");
    let key = trust(&restored.join("trust")).root().log_keys()[0].clone();
    let store = SqliteStore::open_read_only(life.join("chancery.db"), key).unwrap();
    let checkpoint = runtime.block_on(store.checkpoint()).unwrap();
    assert_eq!(checkpoint.note().to_string().as_bytes(), last);
    assert!(runtime.block_on(store.integrity(None)).unwrap().is_empty());
}

/// Whoever has the old key goes on with the old log, or whoever closed it cut its end off: the root says where it ended.
#[test]
fn a_life_that_was_closed_says_nothing_more() {
    let mut scene = Scene::new();
    let first = scene.approved();
    let options = BackupOptions { with_keys: true, clock: Some(scene.world.clock.clone()) };
    let copy = scene.world.folder.path().join("backup");
    let data = scene.world.data();
    scene.world.runtime.block_on(backup(&data, &copy, options)).unwrap();
    let second = scene.approved();
    let (kept, newest) = (scene.evidence(&second), scene.evidence(&first));
    // The end is cut off: the database of before the second request is closed as if it were all.
    scene.world.stop();
    for name in ["chancery.db", "chancery.db-wal", "chancery.db-shm"] {
        let _ = fs::remove_file(data.join(name));
    }
    fs::copy(copy.join("chancery.db"), data.join("chancery.db")).unwrap();
    // The copy of the newest checkpoint knows better, and is believed.
    let Ok(Rotated::Closed { rotation, .. }) = rotate(&scene, Some("log-2.example")) else {
        panic!("not closed")
    };
    assert!(rotation.held < rotation.closed.size, "{rotation:?}");
    scene.close_and_sign();
    rotate(&scene, None).unwrap();
    let honest = trust(&scene.folder());
    assert_eq!(failed(&kept, &honest), Vec::<&str>::new());
    // With the copy gone as well, nobody here can tell; but whoever kept evidence of the end can.
    let mut forged = honest.root().document().clone();
    forged.logs[0].closed.as_mut().unwrap().size = rotation.held;
    forged.logs[1].first_index = Some(rotation.held);
    let forged = TrustRoot::new(forged).unwrap();
    let mut signatures = Vec::new();
    for person in [&mut scene.ada, &mut scene.ben] {
        let assertion = person.passkey.assert(&trust_challenge(&forged), ORIGIN);
        signatures.push(json!({"person": person.id, "assertion": assertion}));
    }
    let first_root = honest.lineage().roots().next().unwrap().clone();
    let mut lineage = Lineage::begin(first_root).unwrap();
    let signatures = serde_json::from_value(json!(signatures)).unwrap();
    lineage.succeed(forged, signatures).unwrap();
    let cut = TrustDirectory::from(lineage);
    assert_eq!(failed(&kept, &cut), ["checkpoint-signature"]);
    assert_eq!(failed(&newest, &cut), ["checkpoint-signature"]);
}
