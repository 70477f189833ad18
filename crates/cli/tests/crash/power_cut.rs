//! The power goes at any moment. Every step on the disk is recorded once; then the disk is made again as it would
//! be after a cut at many points of that record, with everything lost that was never synced.

use std::fs;

use crate::auditor::Auditor;
use crate::disk::{Disk, Step, read_journal};
use crate::errand::Errand;
use crate::installation::Snapshot;
use crate::promises::Promises;
use crate::random::Random;
use crate::scene::Scene;
use crate::shim::{EIO, Shim};

/// What people knew when the journal had this length.
struct Moment {
    journal: u64,
    promises: Promises,
    errand: Errand,
}

/// A run that nothing disturbed, step by step.
struct Recording {
    scene: Scene,
    before: Snapshot,
    steps: Vec<Step>,
    moments: Vec<Moment>,
}

/// Runs two errands, and records the disk and what people were told.
fn record(disturb: impl FnOnce(Shim) -> Shim) -> Recording {
    let mut scene = Scene::new();
    let data = scene.installation.data();
    let before = Snapshot::of(&data);
    let journal = scene.installation.folder().join("journal");
    let shim = disturb(Shim::on(&data).journal(&journal));
    let (server, site) = shim.launch().start(&data).unwrap();
    let mut moments = Vec::new();
    for (number, pair) in scene.installation.pairs.clone().iter().enumerate().take(2) {
        let mut errand = Errand::new(number, pair, &format!("errand-{number}"));
        loop {
            let over = errand.step(&site, &mut scene.promises).unwrap();
            // Whatever was durable when the answer was sent is in the journal by now.
            let length = fs::metadata(&journal).unwrap().len();
            let (promises, errand) = (scene.promises.clone(), errand.clone());
            moments.push(Moment { journal: length, promises, errand });
            if over {
                break;
            }
        }
    }
    server.kill();
    let steps = read_journal(&fs::read(&journal).unwrap());
    Recording { scene, before, steps, moments }
}

impl Recording {
    /// Cuts after a step, starts what is left and examines it.
    fn examine_cut(&mut self, step: usize, lots: Option<&mut Random>) -> Vec<String> {
        let mut disk = Disk::of(&self.before);
        self.steps[..step].iter().for_each(|step| disk.take(step));
        self.scene.replace_data(&disk.cut(lots));
        let at = self.steps[..step].last().map_or(0, |step| step.end);
        let known = self.moments.iter().rev().find(|moment| moment.journal <= at);
        self.scene.promises = Promises::of_log(self.scene.installation.log_key());
        self.scene.auditor = Auditor::new();
        let last = &self.moments.last().unwrap().errand;
        let errand = known.map(|known| {
            self.scene.promises = known.promises.clone();
            self.scene.promises.unchecked = known.promises.events.keys().copied().collect();
            let people = self.moments.iter().rev().find(|moment| moment.errand.is_of(&known.errand));
            known.errand.clone().with_people_of(people.map_or(last, |moment| &moment.errand))
        });
        self.scene.examine_calmly(|scene, site| {
            if let Some(mut errand) = errand
                && let Err(obstacle) = errand.go_on(site, &mut scene.promises)
            {
                scene.promises.violated(format!("nobody can go on: {obstacle:?}"));
            }
        });
        self.scene.violations().to_vec()
    }

    /// Points at which to cut: right after answers, where most is at stake, and in between.
    fn points(&self, most: usize) -> Vec<usize> {
        let total = self.steps.len();
        let spread = (0..=most).map(|part| part * total / most);
        let after_answers = self
            .moments
            .iter()
            .map(|moment| self.steps.iter().take_while(|step| step.end <= moment.journal).count());
        let mut points: Vec<usize> = spread.chain(after_answers).collect();
        points.sort_unstable();
        points.dedup();
        points
    }
}

fn is_nightly() -> bool {
    std::env::var_os("CHANCERY_NIGHTLY").is_some()
}

#[test]
fn nothing_acknowledged_is_lost_when_the_power_goes() {
    let mut recording = record(|shim| shim);
    let (mut random, mut violations) = (Random::of(0x70e4), Vec::new());
    let points = recording.points(if is_nightly() { recording.steps.len() } else { 8 });
    let cuts = points.len();
    for (number, point) in points.into_iter().enumerate() {
        let lots = (number % 2 == 1).then_some(&mut random);
        let found = recording.examine_cut(point, lots);
        violations.extend(found.into_iter().map(|one| format!("cut after step {point}: {one}")));
    }
    println!(
        "power cuts {cuts} of {} steps, acknowledged {} events, violations {}",
        recording.steps.len(),
        recording.moments.last().unwrap().promises.events.len(),
        violations.len()
    );
    assert!(violations.is_empty(), "{violations:#?}");
}

/// The control: commits that do not sync the write-ahead log, which is what `synchronous=NORMAL` means, do lose
/// what was acknowledged, and the same examination says so.
#[test]
fn commits_that_are_not_synced_are_noticed() {
    let mut recording = record(|shim| shim.deaf_to("-wal"));
    let last = recording.steps.len();
    let violations = recording.examine_cut(last, None);
    println!("power cut with commits that are not synced: {} violations, as it must be", violations.len());
    let lost =
        |one: &String| one.contains("was acknowledged and is lost") || one.contains("does not serve again");
    assert!(violations.iter().any(lost), "{violations:#?}");
}

/// A revocation list whose folder could not be synced does not last yet: the log says "revoked" only of what the
/// power cannot take away any more.
#[test]
fn a_revocation_that_is_logged_outlasts_the_power() {
    // One of these is the sync of the folder after the new list was renamed into it.
    for first in 1..=3 {
        let mut recording = record(|shim| shim.fail("S", "krl", EIO, first));
        let revoked = recording.moments.iter().rfind(|moment| moment.errand.is_first()).unwrap().journal;
        let step = recording.steps.iter().take_while(|step| step.end <= revoked).count();
        let violations = recording.examine_cut(step, None);
        assert!(violations.is_empty(), "sync {first} of the list fails: {violations:#?}");
    }
}
