//! What the program says of itself: help, usage, manual and completions that do not change by accident.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::process::Command;

fn run(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chancery"));
    command.env_clear().env("HOME", "/nonexistent").env("COLUMNS", "100").args(arguments);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Every command's help, in one file that a reviewer reads as a difference.
#[test]
fn help_of_every_command() {
    let mut all = String::new();
    let mut waiting: Vec<Vec<String>> = vec![Vec::new()];
    while let Some(path) = waiting.pop() {
        let mut arguments: Vec<&str> = path.iter().map(String::as_str).collect();
        arguments.push("--help");
        let (code, stdout, stderr) = run(&arguments);
        assert_eq!((code, stderr.as_str()), (0, ""), "{path:?}");
        let own = without_global_options(&stdout);
        all.push_str(&format!("$ chancery {}\n{own}\n", arguments.join(" ")));
        let below: Vec<String> = subcommands(&stdout);
        waiting.extend(below.into_iter().rev().map(|name| [path.clone(), vec![name]].concat()));
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots/help.txt");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(path, &all).unwrap();
    }
    let known = std::fs::read_to_string(path).unwrap_or_default();
    assert!(all == known, "help changed; look at it with UPDATE_SNAPSHOTS=1 and `git diff`");
}

/// They are the same everywhere, and stand in the first help.
fn without_global_options(help: &str) -> String {
    match (help.find("Global options:"), help.starts_with("Ask for something dangerous")) {
        (Some(start), false) => {
            let rest = &help[start..];
            let end = rest.find("\n\n").map_or(rest.len(), |end| end + 2);
            format!("{}{}", &help[..start], &rest[end..])
        }
        _ => help.to_owned(),
    }
}

fn subcommands(help: &str) -> Vec<String> {
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    listed
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect()
}

#[test]
fn version_names_the_engine() {
    let (code, stdout, _) = run(&["--version"]);
    assert_eq!(code, 0);
    assert!(stdout.contains(chancery_policy::engine_version()), "{stdout}");
}

#[test]
fn usage_is_on_stderr_with_2() {
    for arguments in
        [&["requst"][..], &["request", "create"], &["verify"], &["exec", "ID"], &["whoami", "-o", "xml"]]
    {
        let (code, stdout, stderr) = run(arguments);
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(stderr.contains("error:"), "{stderr}");
    }
}

#[test]
fn the_manual_and_completions_are_made() {
    let (code, roff, _) = run(&["man"]);
    assert!(code == 0 && roff.starts_with(".ie") && roff.contains("CHANCERY REQUEST CREATE"), "{roff:.300}");
    for shell in ["bash", "zsh", "fish"] {
        let (code, script, _) = run(&["completion", shell]);
        assert!(code == 0 && script.contains("chancery"), "{shell}");
    }
}
