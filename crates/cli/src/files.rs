//! Files of this program: where they live (XDG base directories) and who may read them.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// `$XDG_CONFIG_HOME/chancery`, else `~/.config/chancery`.
pub fn config_folder() -> Result<PathBuf, Failure> {
    base_folder("XDG_CONFIG_HOME", ".config")
}

/// `$XDG_STATE_HOME/chancery`, else `~/.local/state/chancery`: sessions and keys.
pub fn state_folder() -> Result<PathBuf, Failure> {
    base_folder("XDG_STATE_HOME", ".local/state")
}

fn base_folder(variable: &str, below_home: &str) -> Result<PathBuf, Failure> {
    // A relative path is to be ignored (XDG Base Directory Specification).
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(variable)
        .or_else(|| absolute("HOME").map(|home| home.join(below_home)))
        .map(|folder| folder.join("chancery"))
        .ok_or_else(|| Failure::Fault(format!("neither `HOME` nor `{variable}` is set; set one of them")))
}

/// Makes a folder that only this user can enter.
pub fn make_private_folder(path: &Path) -> Result<(), Failure> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|fault| Failure::file(path, fault))
}

/// Writes a secret: mode 0600 from its first byte, and replaced in one step.
pub fn write_private(path: &Path, content: &[u8]) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        make_private_folder(folder)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let temporary = path.with_file_name(name);
    // A left-over of a process that died; its mode is not to be trusted
    let _ = fs::remove_file(&temporary);
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().map_err(|fault| Failure::file(path, fault))
}

/// Reads a file, `None` when it does not exist.
pub fn read_if_there(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(fault) => Err(Failure::file(path, fault)),
    }
}
