//! Each examination of the doctor: a spoiled installation, the finding, and what to do about it.

#![expect(clippy::unwrap_used, reason = "test code fails by panicking")]

mod world;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use chancery_domain::effect::Effect;
use chancery_domain::time::Timestamp;
use chancery_server::doctor::{Finding, Health, doctor_by};
use chancery_server::{Clock, Config};
use chancery_store::{NewEffect, Store as _};
use world::World;

fn examine(world: &World, clock: &Clock) -> Vec<Finding> {
    world.runtime.block_on(doctor_by(&world.data(), Some(clock.clone())))
}

fn bad(world: &World) -> Vec<(String, String, String)> {
    let found = examine(world, &world.clock).into_iter().filter(|one| one.health == Health::Bad);
    found.map(|one| (one.subject.to_owned(), one.detail, one.remedy)).collect()
}

/// Spoils something, expects one bad finding of this subject that says this, and puts it back.
#[track_caller]
fn check(world: &World, path: &str, spoil: impl FnOnce(&Path), subject: &str, says: &str) {
    let path = world.data().join(path);
    let was = fs::read(&path).ok();
    let mode = fs::metadata(&path).map(|metadata| metadata.permissions());
    spoil(&path);
    let found = bad(world);
    match was {
        Some(bytes) => fs::write(&path, bytes).unwrap(),
        None => drop(fs::remove_file(&path)),
    }
    if let Ok(mode) = mode {
        fs::set_permissions(&path, mode).unwrap();
    }
    let fits = |(of, detail, remedy): &(String, String, String)| {
        of == subject && detail.contains(says) && !remedy.is_empty()
    };
    assert!(found.iter().any(fits), "{subject}: {says}\n{found:#?}");
    assert_eq!(bad(world), [], "after {subject}");
}

#[test]
fn every_examination_finds_what_it_is_for() {
    let (mut world, ..) = World::sealed();
    // Beside the running server nothing is bad; afterwards neither.
    assert_eq!(bad(&world), []);
    world.stop();
    let open = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    let flip = |path: &Path| {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes.iter_mut().skip(middle).take(1).for_each(|byte| *byte ^= 1);
        fs::write(path, bytes).unwrap();
    };
    // The copy of the checkpoint has two notes, a block each.
    let flip_both = |path: &Path| {
        let mut bytes = fs::read(path).unwrap();
        bytes
            .chunks_mut(4096)
            .for_each(|block| block.iter_mut().skip(40).take(1).for_each(|byte| *byte ^= 1));
        fs::write(path, bytes).unwrap();
    };
    let remove = |path: &Path| fs::remove_file(path).unwrap();
    check(
        &world,
        "chancery.toml",
        |path| fs::write(path, "x = 1").unwrap(),
        "configuration",
        "unknown field",
    );
    check(&world, "keys/log.seed", open, "permissions", "keys/log.seed");
    check(&world, "keys/attestation.pkcs8", open, "attestation key", "mode 644");
    check(&world, "keys/log.seed", remove, "log key", "No such file");
    check(&world, "krl/ssh.krl", remove, "revocation list", "missing");
    let cut = |path: &Path| fs::File::options().write(true).open(path).unwrap().set_len(20).unwrap();
    check(&world, "krl/ssh.krl", cut, "issuer", "list");
    check(&world, "checkpoint/newest", remove, "checkpoint", "is missing");
    check(&world, "checkpoint/newest", flip_both, "checkpoint", "not a checkpoint of this log");
    check(&world, "checkpoint/restored", |path| fs::write(path, "x").unwrap(), "checkpoint", "backup");
    check(&world, "trust/trust.json", flip, "trust", "");
    check(&world, "policy/bundle.toml", flip, "policy", "");
}

#[test]
fn a_clock_behind_the_log_and_a_trust_root_that_ends() {
    let (world, ..) = World::sealed();
    let at = |text: &str| Clock::fixed(text.parse::<Timestamp>().unwrap());
    let found = examine(&world, &at("2026-11-24T09:00:00Z"));
    assert!(found.iter().any(|one| one.subject == "clock" && one.health == Health::Bad), "{found:#?}");
    for (time, health) in [
        ("2026-12-24T10:00:00Z", Health::Good),
        ("2028-11-01T10:00:00Z", Health::Notice),
        ("2029-01-01T10:00:00Z", Health::Bad),
    ] {
        let found = examine(&world, &at(time));
        let trust = found.iter().find(|one| one.subject == "trust").unwrap();
        assert_eq!(trust.health, health, "{time}: {trust:?}");
    }
}

#[test]
fn what_should_have_happened_long_ago() {
    let (mut world, ..) = World::sealed();
    world.stop();
    let config = Config::read_from(&world.data()).unwrap();
    assert!(config.database().exists());
    let due_at = world.clock.now();
    let effect = Effect::FireClock { request: "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap() };
    let payload = serde_json::to_value(&effect).unwrap();
    let late = NewEffect { key: effect.key(due_at), kind: "fire_clock".to_owned(), due_at, payload };
    let store = world.store();
    world.runtime.block_on(store.add_effect(late)).unwrap();
    drop(store);
    assert_eq!(bad(&world), []);
    world.clock.advance(600);
    let found = bad(&world);
    assert!(
        found.iter().any(|(of, detail, _)| of == "effects" && detail.contains("1 due, the oldest for 600")),
        "{found:#?}"
    );
    // A server that cannot do it raises an alarm in the end, with the reason.
    world.start();
    for _ in 0..200 {
        world.clock.advance(300);
        let found = bad(&world);
        if found.iter().any(|(of, detail, _)| of == "effects" && detail.contains("failed 6 times")) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let found = bad(&world);
    assert!(found.iter().any(|(_, detail, _)| detail.contains("times")), "{found:#?}");
}
