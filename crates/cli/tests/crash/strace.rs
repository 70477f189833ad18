//! The same from below the C library: strace lets system calls of the program fail, or kills it in them. It counts
//! the calls of each thread, so the layer of `shim.rs` finds single steps better; this one cannot be gone around.

use std::process::Command;

use crate::faults::{Reaction, suffer};
use crate::process::Launch;

const CALLS: [&str; 6] = ["openat", "rename", "fsync", "fdatasync", "pwrite64", "write"];

/// A start in which call number `when` of each thread fails, or is the last.
fn launch(call: &str, injected: &str, when: &str) -> Launch {
    let words = ["strace", "-D", "-f", "-qqq", "-o", "/dev/null", "-e"];
    let mut before: Vec<_> = words.iter().map(Into::into).collect();
    before.push(format!("trace={call}").into());
    before.push("-e".into());
    before.push(format!("inject={call}:{injected}:when={when}").into());
    // One thread beside the store's own and those that read, so that the count means something.
    Launch { before, environment: vec![("TOKIO_WORKER_THREADS".to_owned(), "1".into())] }
}

fn is_usable() -> bool {
    Command::new("strace")
        .args(["-qqq", "-o", "/dev/null", "true"])
        .status()
        .is_ok_and(|ended| ended.success())
}

#[test]
fn every_system_call_may_fail() {
    // Tracing may be forbidden where tests run in a container; `scripts/setup` installs the program itself.
    if !is_usable() {
        println!("strace cannot trace here: nothing was shown");
        return;
    }
    let nightly = std::env::var_os("CHANCERY_NIGHTLY").is_some();
    let (mut violations, mut reactions) = (Vec::new(), Vec::new());
    for (position, call) in CALLS.into_iter().enumerate() {
        // Opening and writing files fails from the first on while a program starts: that is the loader's story.
        let counts: Vec<u64> = match (nightly, call) {
            (true, "openat") => (20..80).collect(),
            (true, _) => (1..60).collect(),
            (false, "openat") => vec![40 + position as u64],
            (false, _) => vec![2 + position as u64, 9],
        };
        for when in counts {
            for injected in ["signal=KILL", "error=EIO", "error=ENOSPC"] {
                let label = format!("{call} {injected} {when}");
                let (reaction, found) = suffer(&launch(call, injected, &when.to_string()), &label);
                violations.extend(found);
                reactions.push(reaction);
            }
        }
    }
    let count = |reaction| reactions.iter().filter(|one| **one == reaction).count();
    println!(
        "injected by strace {}, overcome {}, refused {}, died {}, violations {}",
        reactions.len(),
        count(Reaction::Overcame),
        count(Reaction::Refuses),
        count(Reaction::Died),
        violations.len()
    );
    assert!(violations.is_empty(), "{violations:#?}");
    assert!(count(Reaction::Died) > 0 && count(Reaction::Overcame) > 0, "{reactions:?}");
}
