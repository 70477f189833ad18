//! Controls: each breaks what the examination is there to notice, and the examination must say so.

use rusqlite::Connection;
use serde_json::Value;

use crate::errand::Errand;
use crate::installation::Snapshot;
use crate::rules;
use crate::scene::Scene;

/// Somebody's request is taken from its draft to its revocation, and nothing is wrong with it.
fn after_one_errand() -> Scene {
    let mut scene = Scene::new();
    scene.examine_calmly(|scene, site| {
        let pair = scene.installation.pairs[0].clone();
        Errand::new(0, &pair, "one").go_on(site, &mut scene.promises).unwrap();
    });
    assert!(scene.violations().is_empty(), "{:#?}", scene.violations());
    scene
}

/// Whether something that was noticed speaks of this.
#[track_caller]
fn check_noticed(violations: &[String], words: &str) {
    assert!(violations.iter().any(|one| one.contains(words)), "`{words}` is not in {violations:#?}");
}

#[test]
fn a_lost_acknowledged_event_is_noticed() {
    let mut scene = Scene::new();
    let before = Snapshot::of(&scene.installation.data());
    scene.examine_calmly(|scene, site| {
        let pair = scene.installation.pairs[0].clone();
        Errand::new(0, &pair, "one").go_on(site, &mut scene.promises).unwrap();
    });
    assert!(scene.violations().is_empty(), "{:#?}", scene.violations());
    // Database, checkpoint copy, issuer's book and revocation list, all of them older: nothing inside can tell.
    scene.replace_data(&before);
    scene.auditor = crate::auditor::Auditor::new();
    scene.promises.unchecked = scene.promises.events.keys().copied().collect();
    scene.examine_calmly(|_, _| {});
    check_noticed(scene.violations(), "was acknowledged and is lost");
    check_noticed(scene.violations(), "leaves was signed, there are");
    check_noticed(scene.violations(), "revocation list 0 came after 1");
    check_noticed(scene.violations(), "stands nowhere in the log");
    check_noticed(scene.violations(), "has no checkpointed approval");
}

#[test]
fn a_row_that_was_changed_is_noticed() {
    let mut scene = after_one_errand();
    let database = Connection::open(scene.installation.data().join("chancery.db")).unwrap();
    let changed = database.execute("UPDATE requests SET state = 'active'", []).unwrap();
    assert_eq!(changed, 1);
    drop(database);
    scene.examine_calmly(|_, _| {});
    check_noticed(scene.violations(), "doctor: ");
}

#[test]
fn an_event_that_was_deleted_is_noticed() {
    let mut scene = after_one_errand();
    let database = Connection::open(scene.installation.data().join("chancery.db")).unwrap();
    database.execute_batch("PRAGMA foreign_keys = OFF; DROP TRIGGER leaves_never_go").unwrap();
    let last_but_three = "DELETE FROM leaves WHERE leaf_index = (SELECT max(leaf_index) - 3 FROM leaves)";
    let deleted = database.execute(last_but_three, []);
    assert_eq!(deleted.unwrap(), 1);
    drop(database);
    scene.examine_calmly(|_, _| {});
    check_noticed(scene.violations(), "the log in the database does not verify");
}

/// A log that says something twice, late or in the wrong order is not a good one, however well it is signed.
#[test]
fn a_log_that_breaks_a_rule_is_noticed() {
    let scene = after_one_errand();
    let leaves = &scene.auditor.leaves;
    let year = 365 * 24 * 3600;
    let now = jiff::Timestamp::now().as_second();
    let examine = |leaves: &[Vec<u8>]| rules::examine(leaves, now).violations;
    assert!(examine(leaves).is_empty());
    let doubled = |kind: &str| {
        let mut more = leaves.clone();
        more.push(leaves.iter().find(|leaf| is(leaf, kind)).unwrap().clone());
        examine(&more)
    };
    let changed = |kind: &str, change: &dyn Fn(&mut Value)| {
        let mut others = leaves.clone();
        let leaf = others.iter_mut().find(|leaf| is(leaf, kind)).unwrap();
        let mut value: Value = serde_json::from_slice(leaf).unwrap();
        change(&mut value["spec"]);
        *leaf = serde_json::to_vec(&value).unwrap();
        examine(&others)
    };
    check_noticed(&doubled("lease.issued"), "issued 2");
    check_noticed(&doubled("lease.intended"), "announced 2 times");
    check_noticed(&doubled("lease.intended"), "has the serial of another");
    check_noticed(&doubled("lease.revoked"), "revoked 2");
    check_noticed(&doubled("grant.activated"), "2 activations");
    check_noticed(&doubled("decision.recorded"), "counts one decision twice");
    check_noticed(&doubled("request.approved"), "is broken at version");
    let later = |spec: &mut Value| {
        spec["body"]["ends_at"] = Value::from("2099-01-01T00:00:00Z");
    };
    check_noticed(&changed("grant.activated", &later), "runs longer than it was granted");
    let earlier = |spec: &mut Value| spec["time"] = Value::from("2020-01-01T00:00:00Z");
    check_noticed(&changed("grant.revoked", &earlier), "is dated before an earlier one");
    let cut: Vec<_> = leaves.iter().filter(|leaf| !is(leaf, "lease.revoked")).cloned().collect();
    check_noticed(&rules::examine(&cut, now + year).late, "is not taken back");
    let cut: Vec<_> = cut.into_iter().filter(|leaf| !is(leaf, "grant.revoked")).collect();
    check_noticed(&rules::examine(&cut, now + year).late, "outlives its clock");
}

fn is(leaf: &[u8], kind: &str) -> bool {
    serde_json::from_slice::<Value>(leaf).unwrap()["spec"]["kind"] == kind
}
