//! The machine's clock jumps an hour, forward or back, under a server that runs or one that starts.

use std::fs;
use std::path::Path;

use crate::errand::Errand;
use crate::process::{Launch, NotServing};
use crate::scene::Scene;
use crate::shim::Shim;

const HOUR: i64 = 3600;

/// The file that moves the clock of every process under this launch.
struct Clock {
    file: std::path::PathBuf,
    launch: Launch,
}

impl Clock {
    fn of(scene: &Scene) -> Self {
        let file = scene.installation.folder().join("clock");
        fs::write(&file, 0_i64.to_ne_bytes()).unwrap();
        let launch = Shim::on(Path::new("/nowhere")).clock(&file).launch();
        Self { file, launch }
    }

    fn set(&self, seconds: i64) {
        // In place: the running server has mapped this file.
        let file = fs::OpenOptions::new().write(true).open(&self.file).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, &seconds.to_ne_bytes(), 0).unwrap();
    }
}

/// Errands by everybody, while the clock goes where it wants.
#[track_caller]
fn check_jumps(jumps: [i64; 3]) {
    let mut scene = Scene::new();
    let clock = Clock::of(&scene);
    let (server, site) = clock.launch.start(&scene.installation.data()).unwrap();
    for ((number, pair), jump) in scene.installation.pairs.clone().iter().enumerate().zip(jumps) {
        let mut errand = Errand::new(number, pair, &format!("errand-{number}"));
        for _ in 0..3 {
            errand.step(&site, &mut scene.promises).unwrap();
        }
        clock.set(jump);
        if jump <= 0 {
            errand.go_on(&site, &mut scene.promises).unwrap();
        }
    }
    scene.examine(&site);
    server.kill();
    assert!(scene.violations().is_empty(), "{jumps:?}: {:#?}", scene.violations());
}

/// Back: what happens next is dated like the newest event, and no grant gets longer by it.
#[test]
fn a_clock_that_is_set_back_dates_nothing_back() {
    check_jumps([-HOUR, 0, -HOUR]);
}

/// Forward: grants of ten minutes that run are over at once, and their credentials with them.
#[test]
fn a_clock_that_runs_ahead_ends_what_its_time_is_over() {
    let mut scene = Scene::new();
    let clock = Clock::of(&scene);
    let (server, site) = clock.launch.start(&scene.installation.data()).unwrap();
    let pair = scene.installation.pairs[0].clone();
    let mut errand = Errand::new(0, &pair, "one");
    // Submitted, approved, claimed.
    for _ in 0..3 {
        errand.step(&site, &mut scene.promises).unwrap();
    }
    clock.set(HOUR);
    scene.examine_at(&site, HOUR);
    let kinds = crate::rules::examine(&scene.auditor.leaves, 0).kinds;
    assert_eq!((kinds.get("grant.activated"), kinds.get("grant.expired")), (Some(&1), Some(&1)), "{kinds:?}");
    server.kill();
    // A clock that is right again is an hour behind the newest event: nothing is signed by it.
    clock.set(0);
    let Err(NotServing::Held(server, site)) = clock.launch.start(&scene.installation.data()) else {
        panic!("it signs by a clock that is behind")
    };
    assert!(server.stderr().contains("the clock shows"), "{}", server.stderr());
    let refused = site.open("GET", "/log/checkpoint", None).unwrap();
    assert!(refused.is_problem() && refused.code() == "log_held", "{}", refused.text());
    // Once the clock is right, the same process serves.
    clock.set(HOUR);
    let site = server.wait_until_serving();
    scene.examine_at(&site, HOUR);
    server.kill();
    // The doctor's own clock shows the true time, and it says what is wrong.
    scene
        .promises
        .violations
        .retain(|one| !(one.contains("doctor: ") && one.contains("the newest event is of")));
    assert!(scene.violations().is_empty(), "{:#?}", scene.violations());
}
