//! Tables, and the lines of the final one.

use std::io::Write as _;

use crate::measure::Waits;

pub fn heading(title: &str) {
    println!("\n| {title} | per second | p50 / p99 ms | CPU ms each: server + generator |");
    println!("|---|---|---|---|");
}

pub fn line(name: &str, waits: &Waits) {
    println!(
        "| {name} | {:.0} | {:.2} / {:.2} | {:.2} + {:.2} |",
        waits.per_second(),
        waits.at(50),
        waits.at(99),
        waits.server_each(),
        waits.own_each()
    );
}

/// Says one line of the final table: what, what is wanted, what was found, the limit beside it, and whether it is good.
pub fn number(what: &str, wanted: &str, found: &str, limit: &str, good: bool) {
    let verdict = if good { "PASS" } else { "short" };
    let line = format!("| {what} | {wanted} | {found} | {limit} | | {verdict} |");
    println!("\n{line}");
    if let Some(path) = std::env::var_os("BENCH_NUMBERS") {
        let mut file = std::fs::File::options().append(true).create(true).open(path).unwrap();
        writeln!(file, "{line}").unwrap();
    }
}
