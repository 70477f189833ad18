//! A layer between the program and the C library (`shim.c`), compiled when a test first needs it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::process::Launch;

/// No space left on device (errno 28 on Linux).
pub const ENOSPC: &str = "28";
/// Input/output error.
pub const EIO: &str = "5";
/// Read-only file system.
pub const EROFS: &str = "30";
/// The process dies before the step.
pub const KILL: &str = "kill";
/// The process dies when half of a write is done.
pub const TORN: &str = "torn";

/// What the layer does. Steps are letters: `C` create, `O` open for writing, `o` open for reading, `W` write,
/// `T` truncate, `S` sync of a file or folder, `R` rename, `U` unlink, `M` make a folder.
#[derive(Clone, Debug, Default)]
pub struct Shim {
    variables: Vec<(String, OsString)>,
}

impl Shim {
    /// Watches a folder and disturbs nothing.
    pub fn on(folder: &Path) -> Self {
        Self::default().with("SHIM_ROOT", folder)
    }

    /// Writes a record of every step.
    pub fn journal(self, path: &Path) -> Self {
        self.with("SHIM_JOURNAL", path)
    }

    /// Lets the steps with these letters fail whose path contains `place`: number `first`, counted from 1.
    pub fn fail(self, steps: &str, place: &str, action: &str, first: u64) -> Self {
        let this = self.with("SHIM_STEPS", steps).with("SHIM_PLACE", place).with("SHIM_ACTION", action);
        this.with("SHIM_FIRST", first.to_string())
    }

    /// Takes the step, and only then lets it fail.
    pub fn afterwards(self) -> Self {
        self.with("SHIM_AFTERWARDS", "1")
    }

    /// Lets all the steps fail while a file exists.
    pub fn only_while(self, file: &Path) -> Self {
        self.with("SHIM_WHILE", file)
    }

    /// Syncs of paths that contain this do nothing, and say that they did.
    pub fn deaf_to(self, place: &str) -> Self {
        self.with("SHIM_DEAF", place)
    }

    /// The clock shows as many seconds more as stand in a file (eight bytes, native order).
    pub fn clock(self, file: &Path) -> Self {
        self.with("SHIM_CLOCK", file)
    }

    /// A start of the program under this layer.
    pub fn launch(&self) -> Launch {
        let mut environment = self.variables.clone();
        environment.push(("LD_PRELOAD".to_owned(), library().into_os_string()));
        Launch { before: Vec::new(), environment }
    }

    fn with(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.variables.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }
}

/// The compiled layer. It stays where the test run keeps its other products.
fn library() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let source = TempDir::new_in(folder).unwrap();
        let (text, built) = (source.path().join("shim.c"), source.path().join("shim.so"));
        std::fs::write(&text, include_str!("shim.c")).unwrap();
        let mut compiler = Command::new("cc");
        compiler
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"])
            .arg(&built)
            .arg(&text);
        assert!(compiler.args(["-ldl", "-lpthread"]).status().unwrap().success());
        // Renamed into place, for another test run may be at it as well.
        let kept = folder.join("chancery-crash-shim.so");
        std::fs::rename(&built, &kept).unwrap();
        kept
    };
    BUILT.get_or_init(build).clone()
}
