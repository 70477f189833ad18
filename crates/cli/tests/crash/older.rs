//! A database that was restored from a copy: older than what was signed.

use std::fs;

use crate::errand::Errand;
use crate::installation::{Installation, Snapshot};
use crate::process::{Launch, NotServing, run};
use crate::scene::Scene;

/// Files that belong together in a copy of the database.
fn database(installation: &Installation) -> Snapshot {
    let all = Snapshot::of(&installation.data());
    let kept = all.entries().filter(|(path, _)| path.to_str().unwrap().starts_with("chancery.db"));
    Snapshot::from_entries(kept.map(|(path, entry)| (path.clone(), entry.clone())).collect())
}

/// One errand before the copy is made, one after it.
fn with_copy_in_between() -> (Scene, Snapshot, Snapshot) {
    let mut scene = Scene::new();
    let pairs = scene.installation.pairs.clone();
    let (mut copy, mut book) = (Snapshot::default(), Snapshot::default());
    for (number, pair) in pairs.iter().enumerate().take(2) {
        scene.examine_calmly(|scene, site| {
            Errand::new(number, pair, &format!("errand-{number}")).go_on(site, &mut scene.promises).unwrap();
        });
        if number == 0 {
            copy = database(&scene.installation);
            book = Snapshot::of(&scene.installation.data().join("checkpoint"));
        }
    }
    assert!(scene.violations().is_empty(), "{:#?}", scene.violations());
    (scene, copy, book)
}

fn restore(scene: &Scene, copy: &Snapshot) {
    for (path, _) in database(&scene.installation).entries() {
        fs::remove_file(scene.installation.data().join(path)).unwrap();
    }
    copy.write(&scene.installation.data());
}

/// Without the copy of the checkpoint, which does not go back in time: nothing is signed, minted or shown as the log.
#[test]
fn an_older_database_signs_and_mints_nothing() {
    let (scene, copy, _) = with_copy_in_between();
    restore(&scene, &copy);
    let data = scene.installation.data();
    let before = beside_the_database(&scene.installation);
    let Err(NotServing::Held(server, site)) = Launch::default().start(&data) else { panic!("it serves") };
    for words in ["the log signed a checkpoint of ", "it is older than what was signed"] {
        assert!(server.stderr().contains(words), "{}", server.stderr());
    }
    let requester = &scene.installation.pairs[0].requester;
    let known = scene.promises.certificates.values().find(|one| one.pair == 0).unwrap();
    let claim = format!("/api/v1/grants/{}/credentials", known.request);
    for (method, path) in [("GET", "/log/checkpoint"), ("POST", "/api/v1/drafts"), ("POST", claim.as_str())] {
        let answer = requester.call(&site, method, path, None).unwrap();
        assert!(answer.is_problem() && answer.code() == "log_held", "{path}: {}", answer.text());
    }
    // Hosts still get their list.
    assert!(site.open("GET", "/api/v1/revocations/ssh", None).unwrap().is_good());
    let examined = run(&["server", "doctor", "--data", data.to_str().unwrap()]);
    assert!(!examined.status.success());
    server.kill();
    // Checkpoint, book and revocation list are as they were: nothing was due.
    assert_eq!(before, beside_the_database(&scene.installation));
}

/// Everything that the server keeps outside of its database.
fn beside_the_database(installation: &Installation) -> Snapshot {
    let all = Snapshot::of(&installation.data());
    let kept = all.entries().filter(|(path, _)| !path.to_str().unwrap().starts_with("chancery.db"));
    Snapshot::from_entries(kept.map(|(path, entry)| (path.clone(), entry.clone())).collect())
}

/// A copy of everything that the server keeps cannot be told from the newest one by itself; whoever saw a later
/// checkpoint can. This is why the checkpoint's copy belongs elsewhere, and why logs have witnesses.
#[test]
fn an_older_database_with_its_checkpoint_is_noticed_from_outside() {
    let (mut scene, copy, checkpoint) = with_copy_in_between();
    restore(&scene, &copy);
    checkpoint.write(&scene.installation.data().join("checkpoint"));
    scene.examine_calmly(|_, _| {});
    let noticed = |words: &str| scene.violations().iter().any(|one| one.contains(words));
    assert!(noticed("leaves were read, now there are"), "{:#?}", scene.violations());
}
