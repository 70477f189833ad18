//! Lists the files of the default policy bundle, so that `init` can write them without finding them at run time, and
//! with the feature `console` those of the console that was built before.

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
    fs::write(Path::new(&out).join("policy_files.rs"), source)?;
    let console = console::files(Path::new(&manifest), Path::new(&out))?;
    fs::write(Path::new(&out).join("console_files.rs"), console)
}

#[cfg(not(feature = "console"))]
mod console {
    //! None.

    use std::path::Path;

    /// An empty table.
    pub fn files(_: &Path, _: &Path) -> std::io::Result<String> {
        Ok("&[]\n".to_owned())
    }
}

#[cfg(feature = "console")]
mod console {
    //! The files of `console/dist`, each in brotli too.

    use std::fmt::Write as _;
    use std::fs;
    use std::io::{Error, Result};
    use std::path::{Path, PathBuf};

    use brotli::enc::BrotliEncoderParams;

    /// The table of them, for `include!`.
    pub fn files(manifest: &Path, out: &Path) -> Result<String> {
        let dist = manifest.join("../../console/dist");
        println!("cargo::rerun-if-changed={}", dist.display());
        let unbuilt =
            |error: Error| Error::other(format!("{error}: run `make console` first, it needs Node"));
        let dist = dist.canonicalize().map_err(unbuilt)?;
        let mut files = Vec::new();
        super::list(&dist, &mut files)?;
        let mut named: Vec<(String, PathBuf)> = Vec::new();
        for file in files {
            let name = file.strip_prefix(&dist).map_err(Error::other)?.display().to_string();
            if !name.split('/').any(|part| part.starts_with('.')) {
                named.push((name, file));
            }
        }
        named.sort();
        check_index(&named)?;
        let mut source = String::from("&[\n");
        for (number, (name, file)) in named.iter().enumerate() {
            let bytes = fs::read(file)?;
            let compressed = out.join(format!("console-{number}.br"));
            let shorter = compress(&bytes)?;
            fs::write(&compressed, &shorter)?;
            let brotli = match shorter.len() < bytes.len() {
                true => format!("Some(include_bytes!({:?}))", compressed.display().to_string()),
                false => "None".to_owned(),
            };
            let whole = file.display().to_string();
            // Writing to a string does not fail.
            let _ = writeln!(
                source,
                "    File {{ path: {name:?}, bytes: include_bytes!({whole:?}), brotli: {brotli} }},"
            );
        }
        source.push_str("]\n");
        Ok(source)
    }

    /// Without it the styles that scripts add would be refused, on every page.
    fn check_index(files: &[(String, PathBuf)]) -> Result<()> {
        let index = files.iter().find(|(name, _)| name == "index.html");
        let (_, index) = index.ok_or_else(|| Error::other("console/dist has no index.html"))?;
        if fs::read_to_string(index)?.contains("__CSP_NONCE__") {
            return Ok(());
        }
        Err(Error::other("console/dist/index.html has no place for the nonce (`__CSP_NONCE__`)"))
    }

    fn compress(bytes: &[u8]) -> Result<Vec<u8>> {
        let parameters = BrotliEncoderParams { quality: 11, ..BrotliEncoderParams::default() };
        let mut compressed = Vec::new();
        brotli::BrotliCompress(&mut &*bytes, &mut compressed, &parameters)?;
        Ok(compressed)
    }
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
