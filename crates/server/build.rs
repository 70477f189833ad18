//! Lists the files of the default policy bundle, so that `init` can write them without finding them at run time.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    let missing = || std::io::Error::other("cargo did not say where the crate is");
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").ok_or_else(missing)?;
    let out = std::env::var_os("OUT_DIR").ok_or_else(missing)?;
    let policies = Path::new(&manifest).join("../../policies").canonicalize()?;
    println!("cargo::rerun-if-changed={}", policies.display());
    let mut files = Vec::new();
    list(&policies, &mut files)?;
    files.sort();
    let mut source = String::from("&[\n");
    for file in files {
        let name = file.strip_prefix(&policies).map_err(std::io::Error::other)?;
        // Writing to a string does not fail.
        let _ = writeln!(
            source,
            "    ({:?}, include_bytes!({:?})),",
            name.display().to_string(),
            file.display().to_string()
        );
    }
    source.push_str("]\n");
    fs::write(Path::new(&out).join("policy_files.rs"), source)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
