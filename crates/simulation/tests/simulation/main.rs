//! Deterministic simulation: the real server, twice, on a store in memory whose every step a seed decides. docs/testing.md
//! says how to read a history and how to run one seed again.

#![cfg(debug_assertions)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code fails by panicking"
)]

mod actions;
mod base;
mod checks;
mod driver;
#[path = "../../../server/tests/world/mod.rs"]
mod world;

use base::Base;
use chancery_simulation::Sabotage;
use driver::run;

/// Seeds of the short form; `CHANCERY_SIMULATION_SEEDS` asks for more, `CHANCERY_SIMULATION_SEED` for one alone.
const SEEDS: u64 = 200;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Fails with the history, drawn as text, and with the command that runs it again.
fn fail(seed: u64, history: &str, violation: &str) -> ! {
    panic!(
        "{history}\n\nseed {seed}: {violation}\nagain: CHANCERY_SIMULATION_SEED={seed} cargo test -p \
         chancery-simulation --test simulation no_seed -- --nocapture"
    );
}

#[test]
fn no_seed_breaks_what_must_always_hold() {
    let base = Base::new();
    if let Some(seed) = setting("CHANCERY_SIMULATION_SEED") {
        let report = run(&base, seed, None);
        println!("{}", report.history);
        assert_eq!(report.violation, None, "seed {seed}");
        return;
    }
    let seeds = setting("CHANCERY_SIMULATION_SEEDS").unwrap_or(SEEDS);
    let mut sums = [0; 3];
    for seed in 0..seeds {
        let report = run(&base, seed, None);
        if let Some(violation) = report.violation {
            fail(seed, &report.history, &violation);
        }
        sums.iter_mut().zip(report.counts).for_each(|(sum, count)| *sum += count);
    }
    let [leaves, issued, faults] = sums;
    println!("{seeds} seeds, {leaves} leaves, {issued} certificates, {faults} faults, 0 violations");
    assert!(issued > 0 && faults > 0, "nothing happened, so nothing was shown");
}

#[test]
fn the_same_seed_is_the_same_history() {
    let base = Base::new();
    for seed in 0..5 {
        let (one, two) = (run(&base, seed, None), run(&base, seed, None));
        assert!(one.history == two.history, "seed {seed}:\n{}\n\nand\n\n{}", one.history, two.history);
    }
}

/// A harness that finds nothing might be looking at nothing: each of these must be found.
#[test]
fn what_is_taken_away_is_missed() {
    let base = Base::new();
    for sabotage in Sabotage::ALL {
        let found = (0..SEEDS).find_map(|seed| Some((seed, run(&base, seed, Some(sabotage)).violation?)));
        let (seed, violation) = found.unwrap_or_else(|| panic!("{sabotage:?} is not noticed"));
        println!("{sabotage:?} is found by seed {seed}: {violation}");
    }
}
