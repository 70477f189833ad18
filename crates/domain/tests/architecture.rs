//! The rules of ARCHITECTURE.md that the compiler does not keep: arrows between crates, what the pure ones
//! may not depend on, and who may call the constructors of proofs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

const PURE: [&str; 5] =
    ["chancery-canonical", "chancery-ledger", "chancery-domain", "chancery-policy", "chancery-evidence"];

/// Reads clocks, waits, talks, stores or draws lots.
const IMPURE: [&str; 16] = [
    "tokio",
    "axum",
    "hyper",
    "ureq",
    "reqwest",
    "rusqlite",
    "tokio-postgres",
    "rand",
    "rand_core",
    "getrandom",
    "ulid",
    "uuid",
    "chrono",
    "time",
    "mio",
    "async-trait",
];

/// Layers from below: a crate may use those before it.
const ORDER: [&str; 15] = [
    "chancery-canonical",
    "chancery-ledger",
    "chancery-domain",
    "chancery-policy",
    "chancery-evidence",
    "chancery-faults",
    "chancery-signals",
    "chancery-issuer",
    "chancery-store",
    "chancery-api",
    "chancery-server",
    "chancery-testkit",
    "chancery-simulation",
    "chancery",
    "chancery-hostile",
];

/// Constructor of a proof, and the one place whose sources may call it.
const CONSTRUCTORS: [(&str, &str); 4] = [
    ("composed_by_the_policy_engine", "crates/policy/src"),
    ("authenticated_by_the_server", "crates/server/src"),
    ("SignedRequest::verified_by_evidence", "crates/evidence/src"),
    ("VerifiedDecision::verified_by_evidence", "crates/evidence/src"),
];

/// Plays the server in signed histories for tests; what it makes convinces no verifier, which wants signatures.
const STANDS_IN: (&str, &str) = ("authenticated_by_the_server", "crates/testkit/src/scenario");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Direct dependencies of each crate of the workspace, without those for tests.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let package = |package: &serde_json::Value| {
        let direct = package["dependencies"].as_array().unwrap().iter();
        let normal = direct.filter(|d| d["kind"] != "dev").map(|d| d["name"].as_str().unwrap().to_owned());
        (package["name"].as_str().unwrap().to_owned(), normal.collect())
    };
    metadata["packages"].as_array().unwrap().iter().map(package).collect()
}

#[test]
fn no_arrow_points_back() {
    let dependencies = dependencies();
    let ours: BTreeSet<&str> = dependencies.keys().map(String::as_str).collect();
    assert_eq!(ours, ORDER.into_iter().collect(), "a crate is not in the order");
    for (name, direct) in &dependencies {
        let place = |of: &str| ORDER.iter().position(|known| *known == of);
        for used in direct.iter().filter(|used| ours.contains(used.as_str())) {
            assert!(place(used) < place(name), "`{name}` must not depend on `{used}`");
        }
    }
}

#[test]
fn the_pure_crates_cannot_reach_the_world() {
    let dependencies = dependencies();
    for name in PURE {
        let impure: Vec<&String> =
            dependencies[name].iter().filter(|d| IMPURE.contains(&d.as_str())).collect();
        assert!(impure.is_empty(), "`{name}` is pure and must not depend on {impure:?}");
    }
    for (name, direct) in &dependencies {
        assert!(!direct.contains("regorus") || name == "chancery-policy", "`{name}` uses regorus");
        assert!(!direct.contains("rusqlite") || name == "chancery-store", "`{name}` uses SQL");
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        match path.is_dir() {
            true => sources(&path, found),
            false if path.extension().is_some_and(|e| e == "rs") => found.push(path),
            false => {}
        }
    }
}

#[test]
fn proofs_are_made_in_one_place() {
    let root = root();
    for (constructor, allowed) in CONSTRUCTORS {
        let mut files = Vec::new();
        for member in std::fs::read_dir(root.join("crates")).unwrap().map(Result::unwrap) {
            sources(&member.path().join("src"), &mut files);
        }
        for file in files {
            let path = file.strip_prefix(&root).unwrap().display().to_string();
            let text = std::fs::read_to_string(&file).unwrap();
            let stands_in = constructor == STANDS_IN.0 && path.starts_with(STANDS_IN.1);
            let elsewhere =
                !path.starts_with(allowed) && !path.starts_with("crates/domain/src") && !stands_in;
            assert!(!(elsewhere && text.contains(constructor)), "`{path}` must not call `{constructor}`");
        }
        let mut callers = Vec::new();
        sources(&root.join(allowed), &mut callers);
        let called = callers.iter().any(|file| std::fs::read_to_string(file).unwrap().contains(constructor));
        assert!(called, "nothing in `{allowed}` calls `{constructor}`: the rule guards nothing");
    }
}
