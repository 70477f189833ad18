//! Load over HTTP on a real server in another process, run by `make bench`.
//!
//! `load [SECONDS]`: submissions by 4 and by 64 clients, whole ways, and how they grow with the log; about so many seconds in
//! all, 240 by default. `load submit COUNT`: submissions by 64 clients and nothing else, to profile the server with.
//! `BENCH_NUMBERS` names a file for the lines of the final table, `BENCH_PLOT` one for the plot of the growth.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a benchmark may stop at the first error"
)]

mod client;
mod growth;
mod installation;
mod measure;
mod plot;
mod process;
mod report;
mod seed;
#[path = "../../tests/world/mod.rs"]
mod world;

use std::path::PathBuf;

use growth::Way;
use installation::Installation;
use report::{heading, line, number};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Sizes through which the log grows, in events.
const EVENTS: [(&str, usize); 3] =
    [("10^3 events", 1_000), ("10^5 events", 100_000), ("10^6 events", 1_000_000)];
/// Numbers of requests that wait.
const PENDING: [(&str, usize); 2] = [("10^3 pending", 1_000), ("10^5 pending", 100_000)];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["serve", data] => process::serve(&PathBuf::from(data)),
        ["submit", count] => only_submit(count.parse().unwrap()),
        ["way", times] => only_whole_ways(times.parse().unwrap()),
        ["grow", "events", size] => {
            growth::grow(
                Way::Events,
                &[("10^3 events", 1_000), ("more events", size.parse().unwrap())],
                None,
            );
        }
        ["grow", "pending", size] => {
            growth::grow(
                Way::Pending,
                &[("10^3 pending", 1_000), ("more pending", size.parse().unwrap())],
                None,
            );
        }
        [] => everything(240.0),
        [seconds] => everything(seconds.parse().unwrap()),
        _ => eprintln!("usage: load [SECONDS | submit COUNT | way TIMES | grow events|pending SIZE]"),
    }
}

fn only_submit(count: usize) {
    let mut installation = Installation::new(count.div_ceil(installation::PENDING).max(64), 2);
    // Said where a profiler is to be attached.
    eprintln!("server process {}", installation.server().id());
    heading("HTTP, submissions");
    line("submit, 64 clients", &measure::submit(&mut installation, 64, count));
}

fn only_whole_ways(times: usize) {
    let mut installation = Installation::new(0, 8);
    eprintln!("server process {}", installation.server().id());
    heading("HTTP, whole ways");
    line("submit, two decisions, certificate", &measure::whole_way(&mut installation, times).0);
}

/// All of it. Shorter than four minutes, it leaves out the largest log.
fn everything(seconds: f64) {
    let share = (seconds / 240.0).min(1.0);
    let times = |most: usize| ((most as f64 * share) as usize).max(most / 20);
    let mut installation = Installation::new(64, 8);
    heading("HTTP, plain over loopback, connections kept alive");
    let few = measure::submit(&mut installation, 4, times(1600));
    line("submit, 4 clients", &few);
    let many = measure::submit(&mut installation, 64, times(6400));
    line("submit, 64 clients", &many);
    let (ways, _) = measure::whole_way(&mut installation, times(60));
    line("whole way: submit, two decisions, certificate; 8 parties", &ways);
    let limit = "2 cores, generator included";
    let found = format!("{:.1} / {:.1} ms", few.at(50), few.at(99));
    let good = few.at(50) <= 5.0 && few.at(99) <= 25.0;
    number(
        "HTTP submit → verdict, logged and checkpointed, 4 clients, p50 / p99",
        "≤ 5 / ≤ 25 ms",
        &found,
        limit,
        good,
    );
    let found = format!("{:.0} /s", many.per_second());
    number("HTTP submit, 64 clients", "≥ 1,500 /s", &found, limit, many.per_second() >= 1500.0);
    let found = format!("{:.0} /s", ways.per_second());
    number("whole way", "≥ 250 /s", &found, limit, ways.per_second() >= 250.0);
    installation.without_server(|_| {});
    let resident = installation.server().resident();
    number("idle server, resident", "≤ 45 MB", &format!("{resident:.0} MB"), "", resident <= 45.0);
    drop(installation);
    let whole = share >= 1.0;
    let (events, pending) = if whole { (&EVENTS[..], &PENDING[..]) } else { (&EVENTS[..2], &PENDING[..1]) };
    let plot = std::env::var("BENCH_PLOT").ok();
    let (by_events, ready) = growth::grow(Way::Events, events, plot.as_deref());
    let (by_pending, _) = growth::grow(Way::Pending, pending, None);
    let largest = events.last().map_or("", |(name, _)| name);
    number(&format!("ready, a log of {largest}"), "≤ 150 ms", &format!("{ready:.0} ms"), "", ready <= 150.0);
    let (found, most) = (format!("{by_events:.2} / {by_pending:.2}"), by_events.max(by_pending));
    number(
        &format!("growth to {largest}, and in pending requests: the worst figure"),
        "≤ 1.5",
        &found,
        "the first size",
        most <= 1.5,
    );
}
