//! The folder that a demonstration leaves behind. A folder that is not one of these is never touched.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Says that the folder was made here and may be made again.
const MARKER: &str = ".chancery-demo-out";
const MARKER_TEXT: &str =
    "Made by `chancery demo`, which replaces everything in this folder when it is run again.\n";

/// Where to leave things.
pub struct OutFolder(PathBuf);

impl OutFolder {
    /// An empty folder with the marker: new, or emptied when it has the marker already.
    pub fn prepare(path: &Path) -> Result<Self, Failure> {
        let fault = |fault: std::io::Error| Failure::file(path, fault);
        let path = std::path::absolute(path).map_err(fault)?;
        if path.symlink_metadata().is_ok() {
            let is_ours =
                path.is_dir() && fs::read_to_string(path.join(MARKER)).is_ok_and(|text| text == MARKER_TEXT);
            let is_empty = path.is_dir() && fs::read_dir(&path).map_err(fault)?.next().is_none();
            if !is_ours && !is_empty {
                return Err(Failure::Usage(format!(
                    "`{}` is there and was not made by `chancery demo`: name another folder with `--out`",
                    path.display()
                )));
            }
            for entry in fs::read_dir(&path).map_err(fault)? {
                let entry = entry.map_err(fault)?;
                let is_folder = entry.file_type().map_err(fault)?.is_dir();
                if entry.file_name() != MARKER {
                    let removed = if is_folder {
                        fs::remove_dir_all(entry.path())
                    } else {
                        fs::remove_file(entry.path())
                    };
                    removed.map_err(fault)?;
                }
            }
        }
        fs::create_dir_all(&path).map_err(fault)?;
        fs::write(path.join(MARKER), MARKER_TEXT).map_err(fault)?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file, by its path with `/`.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.0.join(name);
        let fault = |fault: std::io::Error| Failure::file(&path, fault);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(fault)?;
        }
        fs::write(&path, bytes).map_err(fault)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::OutFolder;

    #[test]
    fn only_a_folder_of_its_own_is_emptied() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
        let out = OutFolder::prepare(&ours).unwrap();
        out.write("log/tile/0/000", b"x").unwrap();
        OutFolder::prepare(&ours).unwrap();
        assert!(!ours.join("log").exists());

        fs::create_dir(&theirs).unwrap();
        OutFolder::prepare(&theirs).unwrap();
        fs::remove_file(theirs.join(".chancery-demo-out")).unwrap();
        fs::write(theirs.join("thesis.tex"), "years of work").unwrap();
        assert!(OutFolder::prepare(&theirs).is_err());
        fs::write(theirs.join(".chancery-demo-out"), "something else").unwrap();
        assert!(OutFolder::prepare(&theirs).is_err());
        assert!(theirs.join("thesis.tex").exists());
    }
}
