//! Appends a second, beside what the machine could do at most: run by `make bench`.
//!
//! Rounds of short measurements, taken in turn, so that a busy moment of the machine falls on all of them; the medians of
//! the rounds are printed. The limits: one raw 4 KiB append with `fdatasync`; a plain SQLite group commit of entries of the
//! same bytes, first in a loop, then for 128 writers that wait for their commit. Usage: `append [SECONDS]`, 10 by default:
//! how long all of it takes, about. The environment variable `BENCH_NUMBERS` names a file for the lines of the final table.
#![allow(clippy::unwrap_used, reason = "a benchmark may stop at the first error")]

mod limits;
mod store;

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bytes of one entry.
const ENTRY: usize = 1024;
/// Writers at once, and entries in a commit of the loop.
const WRITERS: u32 = 128;
/// Rounds, each of all measurements.
const ROUNDS: u32 = 5;

/// One measurement: its name, and how long each of its appends took, round by round.
struct Measured {
    name: &'static str,
    rounds: Vec<Round>,
}

struct Round {
    per_second: f64,
    half: f64,
    most: f64,
}

/// How long each append took, and all of them together.
pub struct Waits {
    /// Each of them.
    pub each: Vec<Duration>,
    /// From the first to the last.
    pub whole: Duration,
}

fn main() {
    let seconds: f64 = std::env::args().nth(1).map_or(10.0, |text| text.parse().unwrap());
    let length = Duration::from_secs_f64(seconds / f64::from(ROUNDS) / 5.0);
    let directory = tempfile::tempdir_in(".").unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    type Work<'a> = Box<dyn Fn(&Path, u32) -> Waits + 'a>;
    let works: Vec<(&'static str, Work<'_>)> = vec![
        ("limit: raw 4 KiB append + fdatasync", Box::new(|place, _| limits::raw(place, length))),
        ("limit: bare SQLite, one entry a commit", Box::new(|place, _| limits::in_a_loop(place, length, 1))),
        (
            "limit: bare SQLite, 128 entries a commit, in a loop",
            Box::new(|place, _| limits::in_a_loop(place, length, WRITERS)),
        ),
        (
            "limit: bare SQLite group commit, 128 writers",
            Box::new(|place, _| runtime.block_on(limits::group_commit(place, length, WRITERS))),
        ),
        (
            "store, 1 writer",
            Box::new(|place, round| runtime.block_on(store::appends(place, length, 1, round))),
        ),
        (
            "store, 128 writers",
            Box::new(|place, round| runtime.block_on(store::appends(place, length, WRITERS, round))),
        ),
    ];
    let mut measured: Vec<Measured> =
        works.iter().map(|(name, _)| Measured { name, rounds: Vec::new() }).collect();
    for round in 0..ROUNDS {
        for ((_, work), measured) in works.iter().zip(&mut measured) {
            if std::env::args().nth(2).is_none_or(|only| measured.name.contains(&only)) {
                measured.rounds.push(Round::of(work(directory.path(), round)));
            }
        }
    }
    println!("| entries of 1 KiB, medians of {ROUNDS} rounds | per second | p50 / p99 ms |");
    println!("|---|---|---|");
    for one in &measured {
        println!("| {} | {:.0} | {:.2} / {:.2} |", one.name, one.per_second(), one.half(), one.most());
    }
    let ([raw, .., group, single, many], true) = (measured.as_slice(), std::env::args().nth(2).is_none())
    else {
        return;
    };
    number(
        "durable append + signed checkpoint, one at a time, p50",
        "≤ 2 × raw append + fdatasync",
        &format!("{:.2} ms", single.half()),
        &format!("{:.2} ms", raw.half()),
        single.half() / raw.half(),
        single.half() <= 2.0 * raw.half(),
    );
    let share = many.per_second() / group.per_second();
    number(
        "durable 1 KiB entries, 128 writers",
        "≥ 0.6 × bare group commit",
        &format!("{:.0} /s", many.per_second()),
        &format!("{:.0} /s", group.per_second()),
        share,
        share >= 0.6,
    );
}

/// Says one line of the final table.
fn number(what: &str, wanted: &str, found: &str, limit: &str, ratio: f64, good: bool) {
    let verdict = if good { "PASS" } else { "short" };
    let line = format!("| {what} | {wanted} | {found} | {limit} | {ratio:.2} | {verdict} |");
    println!("\n{line}");
    if let Some(path) = std::env::var_os("BENCH_NUMBERS") {
        let mut file = std::fs::File::options().append(true).create(true).open(path).unwrap();
        writeln!(file, "{line}").unwrap();
    }
}

impl Measured {
    fn per_second(&self) -> f64 {
        median(self.rounds.iter().map(|round| round.per_second))
    }

    fn half(&self) -> f64 {
        median(self.rounds.iter().map(|round| round.half))
    }

    fn most(&self) -> f64 {
        median(self.rounds.iter().map(|round| round.most))
    }
}

impl Round {
    fn of(mut waits: Waits) -> Self {
        waits.each.sort_unstable();
        let per_second = waits.each.len() as f64 / waits.whole.as_secs_f64();
        let at = |percent: usize| {
            let wait = waits.each.get(waits.each.len() * percent / 100).copied().unwrap_or_default();
            wait.as_secs_f64() * 1000.0
        };
        Self { per_second, half: at(50), most: at(99) }
    }
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Runs one append after the other until the time is over.
pub fn repeat(length: Duration, mut append: impl FnMut()) -> Waits {
    let (begin, mut each) = (Instant::now(), Vec::new());
    while begin.elapsed() < length {
        let start = Instant::now();
        append();
        each.push(start.elapsed());
    }
    Waits { each, whole: begin.elapsed() }
}
