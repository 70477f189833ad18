//! The program itself, in a process of its own, under load: ten thousand who listen, slow and silent clients, and
//! signals in the middle of work. What is compared are medians of the same run, never absolute times.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code fails by panicking")]

#[path = "../../../server/tests/world/mod.rs"]
mod world;

mod listeners;
mod process;
mod signals;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chancery_server::{Clock, Config};
use process::Process;
use world::{Person, World};

/// An installation that this process has set up and another one serves.
struct Site {
    process: Process,
    world: World,
    erin: Person,
    olga: Person,
    others: Vec<Person>,
}

/// Sets it up: an engineer, an approver, and so many others without any role.
fn site(others: usize, change: impl FnOnce(&mut Config)) -> Site {
    let world = World::by_clock(Clock::system().unwrap(), |config| {
        // Everybody enrols from this machine.
        config.limits.open_requests_per_minute = 10_000;
        config.limits.pending_requests_per_person = 200;
        config.limits.submissions_per_person_per_hour = 1_000_000;
        config.limits.requests_per_person_per_minute = 1_000_000;
        change(config);
    });
    let (mut world, mut ada, mut ben) = world.enrol_and_seal();
    let erin = world.admit("Erin", &["engineer"], &mut ada, &mut ben);
    let olga = world.admit("Olga", &["service_owner"], &mut ada, &mut ben);
    let others =
        (0..others).map(|number| world.admit(&format!("Other {number}"), &[], &mut ada, &mut ben)).collect();
    world.stop();
    let process = Process::start(&world.data());
    world.elsewhere = Some(process.address());
    Site { process, world, erin, olga, others }
}

/// The middle one.
fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Sets a flag when it goes out of scope, so that threads end also when a test fails.
struct Flag<'flag>(&'flag AtomicBool);

impl Drop for Flag<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}
