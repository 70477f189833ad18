//! Where the sshd program is, or how to get one.

use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use super::account::Account;

const FETCH_SCRIPT: &str = include_str!("../../../../tests/fixtures/sshd.sh");
const WRAPPER: &str = "libnss_wrapper.so";
/// Since OpenSSH 9.8 and 10.0 parts of the server are programs of their own.
const PROGRAMS: [(&str, &str); 2] = [("SshdSessionPath", "sshd-session"), ("SshdAuthPath", "sshd-auth")];

/// A server's program and what it needs beside it.
#[derive(Debug, Clone)]
pub(super) struct Installation {
    sshd: PathBuf,
    /// Programs of the server that are not where it was built to look, by the option that names them.
    programs: Vec<(&'static str, PathBuf)>,
    /// Shared libraries that the machine lacks, libnss-wrapper among them.
    libraries: Vec<PathBuf>,
}

impl Installation {
    /// `$CHANCERY_SSHD` (a program, or `DIR/usr/sbin/sshd` of unpacked packages), else `/usr/sbin/sshd`, else the
    /// packages in the cache folder, fetched when they are not there yet.
    pub(super) fn find_or_fetch() -> io::Result<Self> {
        let cache = cache_folder()?;
        if let Some(path) = env::var_os("CHANCERY_SSHD").filter(|path| !path.is_empty()) {
            let path = PathBuf::from(path);
            return match path.ancestors().nth(3) {
                Some(root)
                    if root.is_absolute() && root != Path::new("/") && path.ends_with("usr/sbin/sshd") =>
                {
                    Self::unpacked(root)
                }
                Some(_) | None => Self::installed(path, &cache),
            };
        }
        let system = Path::new("/usr/sbin/sshd");
        if system.exists() {
            return Self::installed(system.to_owned(), &cache);
        }
        fetch(&cache)?;
        Self::unpacked(&cache)
    }

    fn installed(sshd: PathBuf, cache: &Path) -> io::Result<Self> {
        if !sshd.is_absolute() || !sshd.is_file() {
            return Err(io::Error::other(format!(
                "`{}` is not sshd; give CHANCERY_SSHD as an absolute path",
                sshd.display()
            )));
        }
        // The account may need libnss-wrapper, installed or from the packages
        let libraries = match find_file(Path::new("/usr/lib"), WRAPPER, 2) {
            Some(wrapper) => vec![wrapper],
            None if Account::choose()?.is_borrowed() => {
                fetch(cache)?;
                find_file(&cache.join("usr/lib"), WRAPPER, 2).into_iter().collect()
            }
            None => Vec::new(),
        };
        Ok(Self { sshd, programs: Vec::new(), libraries })
    }

    fn unpacked(root: &Path) -> io::Result<Self> {
        let programs = PROGRAMS
            .into_iter()
            .map(|(option, name)| (option, root.join("usr/lib/openssh").join(name)))
            .filter(|(_, path)| path.is_file())
            .collect();
        let mut libraries = Vec::new();
        for folder in ["usr/lib", "lib"] {
            collect_libraries(&root.join(folder), 2, &mut libraries)?;
        }
        Ok(Self { sshd: root.join("usr/sbin/sshd"), programs, libraries })
    }

    /// Copies into `folder` what the account could not reach in a private home.
    pub(super) fn reachable_from(mut self, folder: &Path, account: &Account) -> io::Result<Self> {
        if account.is_owner_of_process() {
            return Ok(self);
        }
        let programs = folder.join("programs");
        fs::create_dir_all(&programs)?;
        fs::set_permissions(&programs, fs::Permissions::from_mode(0o755))?;
        let system = [Path::new("/usr"), Path::new("/lib")];
        let paths = std::iter::once(&mut self.sshd)
            .chain(self.programs.iter_mut().map(|(_, path)| path))
            .chain(&mut self.libraries);
        for path in paths {
            let name = path.file_name().map(PathBuf::from).unwrap_or_default();
            if system.iter().any(|root| path.starts_with(root)) {
                continue;
            }
            let copy = programs.join(name);
            // A program that runs cannot be overwritten, only replaced
            let _ = fs::remove_file(&copy);
            fs::copy(&*path, &copy)?;
            fs::set_permissions(&copy, fs::Permissions::from_mode(0o755))?;
            *path = copy;
        }
        Ok(self)
    }

    pub(super) fn sshd(&self) -> &Path {
        &self.sshd
    }

    pub(super) fn programs(&self) -> &[(&'static str, PathBuf)] {
        &self.programs
    }

    pub(super) fn wrapper(&self) -> Option<&Path> {
        self.libraries.iter().map(PathBuf::as_path).find(|path| path.ends_with(WRAPPER))
    }

    /// The folders of the libraries, for `LD_LIBRARY_PATH`.
    pub(super) fn library_folders(&self) -> Vec<&Path> {
        let mut folders: Vec<&Path> = self.libraries.iter().filter_map(|path| path.parent()).collect();
        folders.sort_unstable();
        folders.dedup();
        folders
    }
}

/// Unpacks the distribution's server into `folder`; nothing happens when it is there already.
///
/// # Errors
/// What `tests/fixtures/sshd.sh fetch` says is missing.
pub fn fetch(folder: &Path) -> io::Result<()> {
    // Several tests of one process would each download; the script itself bears with other processes
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if folder.join("usr/sbin/sshd").is_file() {
        return Ok(());
    }
    let mut shell = Command::new("sh")
        .args(["-s", "fetch"])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = shell.stdin.take() {
        stdin.write_all(FETCH_SCRIPT.as_bytes())?;
    }
    let output = shell.wait_with_output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("no OpenSSH server: {}", String::from_utf8_lossy(&output.stderr).trim())))
}

fn cache_folder() -> io::Result<PathBuf> {
    let folder = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    folder("XDG_CACHE_HOME")
        .or_else(|| folder("HOME").map(|home| home.join(".cache")))
        .map(|cache| cache.join("chancery/openssh"))
        .ok_or_else(|| io::Error::other("neither HOME nor XDG_CACHE_HOME is set; set one, or CHANCERY_SSHD"))
}

fn find_file(folder: &Path, name: &str, depth: u32) -> Option<PathBuf> {
    let here = folder.join(name);
    if here.is_file() {
        return Some(here);
    }
    let below = depth.checked_sub(1)?;
    fs::read_dir(folder)
        .ok()?
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .find_map(|entry| find_file(&entry.path(), name, below))
}

fn collect_libraries(folder: &Path, depth: u32, found: &mut Vec<PathBuf>) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && depth > 0 {
            collect_libraries(&path, depth - 1, found)?;
        } else if path.is_file()
            && path.file_name().is_some_and(|name| name.to_string_lossy().contains(".so"))
        {
            found.push(path);
        }
    }
    Ok(())
}
