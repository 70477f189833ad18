//! Single steps on the disk that fail: the process dies at one, or the system reports an error for one, before it is
//! done or after it was. Then a clean start, and everything is examined.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::disk::{Step, read_journal};
use crate::errand::{Errand, Obstacle};
use crate::installation::Installation;
use crate::process::{Ended, Launch, NotServing};
use crate::random::Random;
use crate::scene::Scene;
use crate::shim::{EIO, ENOSPC, EROFS, KILL, Shim, TORN};

/// Which files: the database, the copy of its checkpoint, the issuer's book, the revocation list.
const PLACES: [&str; 4] = ["chancery.db", "checkpoint", "issuer", "krl"];
/// Which steps: opening for writing, writing, syncing, renaming.
const STEPS: [&str; 4] = ["OC", "W", "S", "R"];
/// How often people try again after an error, before an operator restarts the server.
const TRIES: usize = 3;

/// One way in which one step fails.
#[derive(Clone, Copy, Debug)]
struct Fault {
    steps: &'static str,
    place: &'static str,
    action: &'static str,
    afterwards: bool,
    /// Which of these steps, counted from 1.
    first: u64,
}

impl Fault {
    fn shim(&self, data: &Path) -> Shim {
        let shim = Shim::on(data).fail(self.steps, self.place, self.action, self.first);
        if self.afterwards { shim.afterwards() } else { shim }
    }
}

/// What a fault led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// The errand went through all the same, perhaps with a repeat.
    Overcame,
    /// The server said what was wrong, and still does.
    Refuses,
    /// It died, or did not start.
    Died,
}

/// Starts a server under this launch and lets somebody try to get through; then a clean start finishes the errand,
/// and everything is examined.
pub fn suffer(launch: &Launch, label: &str) -> (Reaction, Vec<String>) {
    let mut scene = Scene::new();
    let pair = scene.installation.pairs[0].clone();
    let mut errand = Errand::new(0, &pair, "one");
    let reaction = match launch_of(launch, &scene.installation).start(&scene.installation.data()) {
        Err(NotServing::Ended(ended)) => {
            check_last_words(&ended, &mut scene);
            Reaction::Died
        }
        Err(NotServing::Held(server, _)) => {
            scene.promises.violated(format!("it holds back for no reason: {}", server.stderr()));
            Reaction::Refuses
        }
        Ok((server, site)) => {
            let mut reaction = Reaction::Refuses;
            for _ in 0..TRIES {
                match errand.go_on(&site, &mut scene.promises) {
                    Ok(()) => reaction = Reaction::Overcame,
                    Err(Obstacle::Gone(_)) if !server.lives() => reaction = Reaction::Died,
                    // Said as it must be: that is checked where it is heard.
                    Err(_) => continue,
                }
                break;
            }
            server.kill();
            reaction
        }
    };
    scene.examine_calmly(|scene, site| {
        if let Err(obstacle) = errand.go_on(site, &mut scene.promises) {
            scene.promises.violated(format!("nobody can go on after a clean start: {obstacle:?}"));
        }
    });
    let violations = scene.violations().iter().map(|one| format!("{label}: {one}")).collect();
    (reaction, violations)
}

/// The folder's name is known only now.
fn launch_of(launch: &Launch, installation: &Installation) -> Launch {
    let mut launch = launch.clone();
    for (name, value) in &mut launch.environment {
        if name == "SHIM_ROOT" {
            *value = installation.data().into_os_string();
        }
    }
    launch
}

/// A server that does not start says why, unless it was killed.
fn check_last_words(ended: &Ended, scene: &mut Scene) {
    if ended.status.code().is_some() && !ended.stderr.contains("error: ") {
        scene.promises.violated(format!("it ended without a word: {ended:?}"));
    }
    if ended.stderr.contains("panicked") {
        scene.promises.violated(format!("it panicked: {}", ended.stderr));
    }
}

/// How many steps of each sort a run takes that nothing disturbs.
fn healthy_steps() -> Vec<Step> {
    let mut scene = Scene::new();
    let journal = scene.installation.folder().join("journal");
    let launch = Shim::on(&scene.installation.data()).journal(&journal).launch();
    let (server, site) = launch.start(&scene.installation.data()).unwrap();
    let pair = scene.installation.pairs[0].clone();
    Errand::new(0, &pair, "one").go_on(&site, &mut scene.promises).unwrap();
    server.kill();
    read_journal(&fs::read(&journal).unwrap())
}

/// All the faults, or so many of each sort.
fn faults(most: Option<usize>) -> Vec<Fault> {
    let healthy = healthy_steps();
    let mut random = Random::of(0xfa17);
    let mut faults = Vec::new();
    for place in PLACES {
        for steps in STEPS {
            let fits = |step: &&Step| {
                steps.as_bytes().contains(&step.letter) && step.path.to_str().unwrap().contains(place)
            };
            let count = healthy.iter().filter(fits).count() as u64;
            let torn = (steps == "W").then_some((TORN, true));
            let ways = [(KILL, false), (KILL, true), (EIO, false), (EIO, true)];
            for (action, afterwards) in ways.into_iter().chain(torn).filter(|_| count > 0) {
                let fault = |first| Fault { steps, place, action, afterwards, first };
                match most {
                    None => faults.extend((1..=count).map(fault)),
                    Some(most) => faults.extend((0..most).map(|_| fault(1 + random.below(count)))),
                }
            }
        }
    }
    faults
}

#[test]
fn every_step_on_the_disk_may_fail() {
    let nightly = std::env::var_os("CHANCERY_NIGHTLY").is_some();
    let faults = faults((!nightly).then_some(1));
    let (mut violations, mut reactions) = (Vec::new(), Vec::new());
    for fault in &faults {
        let launch = fault.shim(Path::new("/")).launch();
        let (reaction, found) = suffer(&launch, &format!("{fault:?}"));
        violations.extend(found);
        reactions.push(reaction);
    }
    let count = |reaction| reactions.iter().filter(|one| **one == reaction).count();
    let (overcame, died) = (count(Reaction::Overcame), count(Reaction::Died));
    println!(
        "faults {}, overcome {overcame}, refused {}, died {died}, violations {}",
        faults.len(),
        count(Reaction::Refuses),
        violations.len()
    );
    assert!(violations.is_empty(), "{violations:#?}");
    assert!(overcame > faults.len() / 8 && died > faults.len() / 8, "{reactions:?}");
}

/// The disk takes nothing more, and later does again.
#[track_caller]
fn check_recovers(action: &str, steps: &str) {
    let mut scene = Scene::new();
    let full = scene.installation.folder().join("full");
    let data = scene.installation.data();
    let launch = Shim::on(&data).fail(steps, "", action, 1).only_while(&full).launch();
    let (server, site) = launch.start(&data).unwrap();
    let people = scene.installation.pairs.clone();
    let named = |number: usize| Errand::new(number, &people[number], &format!("errand-{number}"));
    let mut errands: Vec<Errand> = (0..people.len()).map(named).collect();
    for (steps, errand) in errands.iter_mut().enumerate() {
        // Each comes a step further before it happens.
        for _ in 0..=steps {
            errand.step(&site, &mut scene.promises).unwrap();
        }
        fs::write(&full, "").unwrap();
        for _ in 0..TRIES {
            let obstacle = errand.go_on(&site, &mut scene.promises).unwrap_err();
            let Obstacle::Refused(answer) = &obstacle else { panic!("{obstacle:?}") };
            assert!(answer.status >= 500, "{obstacle:?}");
        }
        // What needs no disk goes on.
        assert_eq!(site.open("GET", "/healthz", None).unwrap().status, 200);
        scene.auditor.follow(&site, &mut scene.promises).unwrap();
        fs::remove_file(&full).unwrap();
        errand.go_on(&site, &mut scene.promises).unwrap();
    }
    scene.examine(&site);
    server.kill();
    scene.examine_calmly(|_, _| {});
    assert!(scene.violations().is_empty(), "{:#?}", scene.violations());
}

#[test]
fn a_full_disk_refuses_and_recovers() {
    check_recovers(ENOSPC, "CWT");
}

#[test]
fn a_disk_that_becomes_read_only_refuses_and_recovers() {
    check_recovers(EROFS, "OCWTSRUM");
}

/// A folder that the server may not write to: it does not start, says which file it is about, and changes nothing.
#[test]
fn a_read_only_folder_is_named_at_the_start() {
    let mut scene = Scene::new();
    let data = scene.installation.data();
    let folders = [data.clone(), data.join("checkpoint"), data.join("krl"), data.join("issuer")];
    let set = |mode: u32| {
        for path in &folders {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        for file in ["chancery.db", "chancery.db.lock"] {
            fs::set_permissions(data.join(file), fs::Permissions::from_mode(mode & 0o600)).unwrap();
        }
    };
    set(0o500);
    // Root may write anywhere, unless it gives that right away.
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let mut launch = Launch::default();
    if is_root {
        launch.before = vec!["setpriv".into(), "--bounding-set=-dac_override,-dac_read_search".into()];
    }
    let Err(NotServing::Ended(ended)) = launch.start(&data) else { panic!("it started") };
    assert!(ended.stderr.contains("error: `") && ended.stderr.contains("ermission denied"), "{ended:?}");
    set(0o700);
    let pair = scene.installation.pairs[0].clone();
    scene.examine_calmly(|scene, site| {
        Errand::new(0, &pair, "one").go_on(site, &mut scene.promises).unwrap();
    });
    assert!(scene.violations().is_empty(), "{:#?}", scene.violations());
}
