//! `kill -9` under load, in a loop.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::load::{self, Worker};
use crate::process::Launch;
use crate::random::Random;
use crate::rules::Examined;
use crate::scene::Scene;

/// After this many deaths everything is examined, not only what is new.
const WHOLE_EVERY: u64 = 50;

/// No life is longer.
const LONGEST_LIFE: Duration = Duration::from_secs(5);

/// A server starts, is used, and dies in the middle of it.
fn live_and_die(scene: &mut Scene, workers: &mut [Worker], random: &mut Random) {
    let (launch, data) = (Launch::default(), scene.installation.data());
    if random.percent(10) {
        // Before it serves: while it reads, verifies, or catches up.
        let server = launch.spawn(&data);
        thread::sleep(Duration::from_millis(random.below(150)));
        server.kill();
        return;
    }
    let (server, site) = launch.start(&data).unwrap();
    scene.auditor.follow(&site, &mut scene.promises).unwrap();
    // Counted in answers, so that as much happens on a slow machine as on a fast one.
    let last = scene.promises.answers + random.below(20);
    let (begun, delay) = (Instant::now(), Duration::from_millis(random.below(40)));
    let (stop, promises) = (AtomicBool::new(false), Mutex::new(&mut scene.promises));
    let ended = thread::scope(|scope| {
        for worker in workers {
            let (site, stop, promises) = (&site, &stop, &promises);
            scope.spawn(move || worker.run(site, promises, stop));
        }
        while load::held(&promises).answers < last && begun.elapsed() < LONGEST_LIFE {
            thread::sleep(Duration::from_millis(2));
        }
        thread::sleep(delay);
        let ended = server.kill();
        stop.store(true, Ordering::Relaxed);
        ended
    });
    // The issuer may refuse: a grant can end while a claim for it is sent again.
    let complains = |line: &&str| line.contains("panicked") || line.contains("ERROR");
    let complaint = ended.stderr.lines().filter(complains).find(|line| !line.contains("the issuer refused"));
    if let Some(complaint) = complaint {
        scene.promises.violated(format!("the server complained: {complaint}"));
    }
}

#[test]
fn nothing_is_lost_when_the_server_is_killed_again_and_again() {
    let crashes = if std::env::var_os("CHANCERY_NIGHTLY").is_some() { 1000 } else { 200 };
    let begun = Instant::now();
    let (mut scene, mut random) = (Scene::new(), Random::of(0x0c4a));
    let pairs = scene.installation.pairs.iter().cloned().enumerate();
    let mut workers: Vec<Worker> =
        pairs.map(|(number, pair)| Worker::new(number, pair, Random::of(random.next()))).collect();
    let mut examined = Examined::default();
    for crash in 1..=crashes {
        live_and_die(&mut scene, &mut workers, &mut random);
        if crash % WHOLE_EVERY == 0 {
            examined = scene.examine_calmly(|scene, site| {
                let promises = Mutex::new(&mut scene.promises);
                workers.iter_mut().for_each(|worker| worker.finish(site, &promises).unwrap());
            });
        }
    }
    let promises = &scene.promises;
    println!(
        "crashes {crashes}, acknowledged {} events under {} checkpoints, {} certificates, {} leaves in the log, \
         violations {} ({} s)",
        promises.events.len(),
        promises.roots.len(),
        promises.certificates.len(),
        scene.auditor.leaves.len(),
        promises.violations.len(),
        begun.elapsed().as_secs()
    );
    println!("refused on the way: {:?}\nlogged: {:?}", promises.problems, examined.kinds);
    assert!(scene.violations().is_empty(), "{:#?}", scene.violations());
    // A run in which nothing happened shows nothing.
    for kind in ["grant.activated", "lease.issued", "lease.revoked", "grant.expired", "grant.revoked"] {
        let count = examined.kinds.get(kind).copied().unwrap_or_default();
        assert!(count >= crashes / 20, "{kind} happened {count} times");
    }
}
