//! Which account the server runs as, and so the one that can log in.

use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::installation::Installation;

/// `nobody`, on every system that counts uids in 16 bits and more.
const UNPRIVILEGED: u32 = 65534;
const BORROWED_NAME: &str = "operator";

/// An account for the server.
#[derive(Debug, Clone)]
pub(super) struct Account {
    name: String,
    uid: u32,
    gid: u32,
    /// Known to the machine only through libnss-wrapper.
    borrowed: bool,
    /// The uid is not the one this process has.
    lowered: bool,
}

impl Account {
    /// The user of this process if sshd can log it in, else a borrowed name.
    pub(super) fn choose() -> io::Result<Self> {
        let process = fs::metadata("/proc/self")?;
        let lowered = process.uid() == 0;
        let (uid, gid) = if lowered { (UNPRIVILEGED, UNPRIVILEGED) } else { (process.uid(), process.gid()) };
        let own = if lowered { None } else { name_with_shell(uid, gid)? };
        let borrowed = own.is_none();
        Ok(Self { name: own.unwrap_or_else(|| BORROWED_NAME.to_owned()), uid, gid, borrowed, lowered })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) const fn uid(&self) -> u32 {
        self.uid
    }

    pub(super) const fn gid(&self) -> u32 {
        self.gid
    }

    pub(super) const fn is_borrowed(&self) -> bool {
        self.borrowed
    }

    pub(super) const fn is_owner_of_process(&self) -> bool {
        !self.lowered
    }

    /// sshd under this account. `folder` gets the account's entry when it is a borrowed one.
    pub(super) fn command(&self, installation: &Installation, folder: &Path) -> io::Result<Command> {
        let mut command = Command::new(installation.sshd());
        self.lower(&mut command);
        if self.borrowed {
            let wrapper = installation.wrapper().ok_or_else(|| {
                io::Error::other("this user has no account that sshd could log in, and libnss-wrapper is not there to lend one; install libnss-wrapper")
            })?;
            let (name, uid, gid) = (&self.name, self.uid, self.gid);
            let (accounts, groups) = (folder.join("accounts"), folder.join("groups"));
            fs::write(&accounts, format!("{name}:x:{uid}:{gid}::{}:/bin/sh\n", folder.display()))?;
            fs::write(&groups, format!("{name}:x:{gid}:\n"))?;
            command
                .env("LD_PRELOAD", wrapper)
                .env("NSS_WRAPPER_PASSWD", accounts)
                .env("NSS_WRAPPER_GROUP", groups);
        }
        let folders = installation.library_folders();
        if !folders.is_empty() {
            let inherited = env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
            let inherited = env::split_paths(&inherited).filter(|folder| folder.is_absolute());
            let path = env::join_paths(folders.into_iter().map(Path::to_owned).chain(inherited))
                .map_err(io::Error::other)?;
            command.env("LD_LIBRARY_PATH", path);
        }
        Ok(command)
    }

    /// sshd refuses everybody when it cannot read its revocation list, and says so only in its log: look before.
    pub(super) fn require_reading(&self, path: &Path) -> io::Result<()> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "test -r \"$1\"", "sh"]).arg(path).stdin(Stdio::null());
        self.lower(&mut command);
        if command.status()?.success() {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "`{}` cannot be read by uid {}; put it where everybody can reach it",
            path.display(),
            self.uid
        )))
    }

    fn lower(&self, command: &mut Command) {
        if self.lowered {
            // also leaves all further groups
            command.uid(self.uid).gid(self.gid);
        }
        command.current_dir("/");
    }
}

/// The user's name when there is an entry with this gid and a shell that runs commands.
fn name_with_shell(uid: u32, gid: u32) -> io::Result<Option<String>> {
    let output = Command::new("getent").args(["passwd", &uid.to_string()]).stdin(Stdio::null()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let fields: Vec<&str> = text.trim_end().split(':').collect();
    let [name, _, _, entry_gid, _, _, shell] = fields.as_slice() else { return Ok(None) };
    let usable = shell.is_empty() || (shell.ends_with("sh") && Path::new(shell).is_file());
    Ok((usable && *entry_gid == gid.to_string()).then(|| (*name).to_owned()))
}
