//! `trust/` from a folder: what its owner believes, and nothing that came with evidence.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use chancery_evidence::trust::TrustDirectory;

use crate::failure::Failure;

/// Reads every file below a folder, by path with `/`. Two levels: `keys/` is the deepest.
///
/// # Errors
/// [`Failure::Usage`] when it does not exist; what the file system says otherwise.
pub fn read_files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    if !folder.is_dir() {
        return Err(Failure::Usage(format!(
            "`{}` is not a folder: name a trust directory",
            folder.display()
        )));
    }
    let mut files = BTreeMap::new();
    read_into(folder, "", &mut files)?;
    Ok(files)
}

/// Reads a trust directory.
///
/// # Errors
/// As [`read_files`]; [`Failure::Usage`] when its files are not in order, since it is the verifier's own.
pub fn read(folder: &Path) -> Result<TrustDirectory, Failure> {
    if folder.is_dir() && !folder.join("trust.json").is_file() {
        let folder = folder.display();
        return Err(Failure::Usage(format!("`{folder}` holds no `trust.json`: name a trust directory")));
    }
    TrustDirectory::read(&read_files(folder)?)
        .map_err(|fault| Failure::Usage(format!("`{}` cannot be trusted: {fault}", folder.display())))
}

fn read_into(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) -> Result<(), Failure> {
    let fault = |fault: std::io::Error| Failure::file(folder, fault);
    for entry in fs::read_dir(folder).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().map_err(fault)?.is_dir() && prefix.is_empty() {
            read_into(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.insert(name, fs::read(entry.path()).map_err(fault)?);
        }
    }
    Ok(())
}
