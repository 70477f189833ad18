//! Hands the checksums of the crates that give Rego its meaning to `src/version.rs`.

use std::error::Error;

/// The Rego engine, and the crates that decide what its builtins answer.
const CRATES: [&str; 5] = ["globset", "num-bigint", "regex", "regex-automata", "regorus"];

fn main() -> Result<(), Box<dyn Error>> {
    let lock_path = format!("{}/../../Cargo.lock", std::env::var("CARGO_MANIFEST_DIR")?);
    println!("cargo::rerun-if-changed={lock_path}");
    let lock = std::fs::read_to_string(&lock_path)?;
    let mut checksums = String::new();
    for name in CRATES {
        checksums.push_str(&locked(&lock, name)?);
        checksums.push(';');
    }
    let engine = locked(&lock, "regorus")?;
    let version = engine.split(' ').nth(1).ok_or("`Cargo.lock` names no version of `regorus`")?.to_owned();
    println!("cargo::rustc-env=CHANCERY_ENGINE_VERSION={version}");
    println!("cargo::rustc-env=CHANCERY_ENGINE_CHECKSUMS={checksums}");
    Ok(())
}

/// `name version checksum` of the one locked package of that name.
fn locked(lock: &str, name: &str) -> Result<String, String> {
    let mut found: Vec<String> = lock
        .split("[[package]]")
        .filter(|package| field(package, "name") == Some(name))
        .filter_map(|package| {
            Some(format!("{name} {} {}", field(package, "version")?, field(package, "checksum")?))
        })
        .collect();
    found.sort();
    if found.is_empty() {
        return Err(format!("`Cargo.lock` has no checksum of `{name}`: run `cargo generate-lockfile`"));
    }
    Ok(found.join(","))
}

fn field<'a>(package: &'a str, key: &str) -> Option<&'a str> {
    package.lines().find_map(|line| line.strip_prefix(key)?.trim().strip_prefix("= \"")?.strip_suffix('"'))
}
