//! A rotation of the log, and the seal before it, with every step failing once: "not done", and "done but reported failed".
//!
//! A binary of its own: an armed point is armed for the whole process.

#![cfg(debug_assertions)]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code fails by panicking")]

#[path = "succession/scene.rs"]
mod scene;
mod world;

use std::sync::{Mutex, MutexGuard, PoisonError};

use chancery_faults::{Mode, arm};
use chancery_server::{Rotated, Rotation, SealOptions, seal};

use scene::{Scene, failed, rotate};
use world::{World, trust};

/// Held by each test: what is armed for one must not be reached by another.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Every step fails once, done or not: the same command goes on, and ends with one new life.
#[test]
fn a_rotation_goes_on_from_every_step() {
    let _alone = alone();
    for (point, passing) in [
        ("rotate.close", 0),
        ("rotate.key", 0),
        ("rotate.trust", 0),
        ("rotate.complete", 0),
        ("rotate.keep", 0),
        ("rotate.keep", 2),
        ("rotate.kept", 0),
        ("rotate.place", 0),
        ("rotate.place", 2),
        ("rotate.configure", 0),
        ("rotate.open", 0),
    ] {
        for mode in [Mode::NotDone, Mode::DoneButFailed] {
            let mut scene = Scene::new();
            scene.world.stop();
            let armed = arm(point, mode, passing);
            let first = rotate(&scene, Some("log-2.example"));
            if first.is_err() {
                drop(armed);
                rotate(&scene, Some("log-2.example")).unwrap();
                scene.close_and_sign();
                assert!(matches!(rotate(&scene, None), Ok(Rotated::Finished { .. })), "{point} {mode:?}");
            } else {
                scene.close_and_sign();
                assert!(rotate(&scene, None).is_err(), "{point} {mode:?} was not reached");
                drop(armed);
                // After the last step there is nothing left to do, and the command would begin another rotation.
                if Rotation::read(&scene.world.data()).unwrap().is_some() {
                    let finished = rotate(&scene, None);
                    assert!(
                        matches!(finished, Ok(Rotated::Finished { .. })),
                        "{point} {mode:?}: {finished:?}"
                    );
                }
            }
            scene.move_on();
            let request = scene.approved();
            scene.credential(&request).good();
            assert_eq!(failed(&scene.evidence(&request), &trust(&scene.folder())), Vec::<&str>::new());
        }
    }
}

/// The issuer notes which root it follows, or nothing is sealed; the next look seals.
#[test]
fn a_seal_goes_on_from_every_step_of_the_issuer() {
    let _alone = alone();
    for point in [
        "issuer.trust.open",
        "issuer.trust.write",
        "issuer.trust.sync",
        "issuer.trust.rename",
        "issuer.trust.sync_folder",
    ] {
        for mode in [Mode::NotDone, Mode::DoneButFailed] {
            let mut world = World::new();
            let token = world.first_link.clone();
            let mut ada = world.enrol(&token, "Ada");
            world.sign_in(&mut ada);
            let token = world.invite(&ada, &[]);
            world.enrol(&token, "Ben");
            let armed = arm(point, mode, 0);
            let options = SealOptions { clock: Some(world.clock.clone()), ..SealOptions::default() };
            world.runtime.block_on(seal(&world.data(), options)).unwrap();
            for _ in 0..100 {
                if armed.fired() {
                    break;
                }
                world.open("GET", "/api/v1/server", None).good();
            }
            assert!(armed.fired(), "{point}");
            drop(armed);
            assert_eq!(world.open("GET", "/api/v1/server", None).good()["sealed"], true, "{point} {mode:?}");
            world.restart();
            assert_eq!(world.open("GET", "/readyz", None).status, 200);
        }
    }
}
