//! A real OpenSSH server on loopback, for tests and for the demonstration.
//!
//! It needs no root, no installed server and no system change. Where openssh-server is not installed, its package is
//! unpacked into a cache folder (`tests/fixtures/sshd.sh`). It trusts one authority (`TrustedUserCAKeys`) and reads
//! one revocation list (`RevokedKeys`); nothing else opens it.
//!
//! # The account
//! sshd without root can only log in the account it runs as, so that is the one: [`Sshd::login_user`].
//! - A plain user with a shell: that user.
//! - Root, or a user without an entry or a shell: the account `operator`, which exists only in the eyes of this
//!   sshd (through libnss-wrapper). For root its uid is 65534: sshd under root would need the account `sshd` and
//!   the folder `/run/sshd`, which belong to an installed server. The folder given to [`Sshd::start`] and the
//!   folder of the revocation list must then be reachable for everybody, so not below `/root`.

mod account;
mod client;
mod installation;

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use account::Account;
pub use client::{destination, ssh_command, ssh_run};
use installation::Installation;
pub use installation::fetch;

/// sshd takes far less; a machine under load may not.
const START_LIMIT: Duration = Duration::from_secs(20);
const PORT_ATTEMPTS: u32 = 8;

/// The host's name, as requests name it. A certificate names account and host in one principal, so that one for
/// another host does not open this one.
pub const HOST: &str = "target.chancery.test";

/// A running server. Dropping it ends the server and the sessions under it.
#[derive(Debug)]
pub struct Sshd {
    child: Child,
    port: u16,
    host_key: String,
    login_user: String,
    log: PathBuf,
    folder: PathBuf,
}

impl Sshd {
    /// Starts a server that admits certificates of `authority_line` (`ssh-ed25519 BASE64 COMMENT`) whose principal
    /// is [`Self::principal`], unless the list at `krl` revokes them. `folder` holds its host key, configuration
    /// and log; it is made when it is missing.
    ///
    /// # Errors
    /// When there is no sshd and none can be fetched, when the server ends at once (its log is in the message), and
    /// when `krl` cannot be read by the account.
    pub fn start(authority_line: &str, krl: &Path, folder: &Path) -> io::Result<Self> {
        let account = Account::choose()?;
        fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        let krl = std::path::absolute(krl)?;
        let installation = Installation::find_or_fetch()?.reachable_from(&folder, &account)?;
        open_folder(&folder, &account)?;
        account.require_reading(&krl)?;
        let host_key = make_host_key(&folder, &account)?;
        fs::write(folder.join("authority.pub"), format!("{authority_line}\n"))?;
        fs::write(folder.join("principals"), format!("{}@{HOST}\n", account.name()))?;
        for _ in 0..PORT_ATTEMPTS {
            let port = free_port()?;
            let log = folder.join(format!("log/sshd-{port}.log"));
            fs::write(folder.join("sshd_config"), configuration(port, &folder, &krl, &installation)?)?;
            let child = account
                .command(&installation, &folder)?
                .arg("-D")
                .arg("-f")
                .arg(folder.join("sshd_config"))
                .arg("-E")
                .arg(&log)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(fs::File::create(folder.join("stderr.log"))?)
                .spawn()?;
            let mut server = Self {
                child,
                port,
                host_key: host_key.clone(),
                login_user: account.name().to_owned(),
                log,
                folder: folder.clone(),
            };
            if server.wait_until_listening()? {
                fs::write(server.known_hosts(), format!("[127.0.0.1]:{port} {host_key}\n"))?;
                return Ok(server);
            }
        }
        Err(io::Error::other("no free port was still free when sshd came to it; try again"))
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The server's public key: `ssh-ed25519 BASE64`.
    #[must_use]
    pub fn host_key(&self) -> &str {
        &self.host_key
    }

    /// The principal that a certificate must name: the account, at this host.
    #[must_use]
    pub fn principal(&self) -> String {
        format!("{}@{HOST}", self.login_user)
    }

    /// The one account that can log in.
    #[must_use]
    pub fn login_user(&self) -> &str {
        &self.login_user
    }

    /// The server's own process.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Where the server writes its log.
    #[must_use]
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// The log so far (`LogLevel VERBOSE`: every accepted certificate with key id and serial).
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn log(&self) -> io::Result<String> {
        fs::read_to_string(&self.log)
    }

    /// The folder given to [`Self::start`].
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file that tells ssh clients the server's host key.
    #[must_use]
    pub fn known_hosts(&self) -> PathBuf {
        self.folder.join("known_hosts")
    }

    /// Ends every session that is open, and leaves the server running. Returns how many processes were told.
    ///
    /// # Errors
    /// When the processes cannot be listed.
    pub fn end_sessions(&self) -> io::Result<usize> {
        let processes = descendants(self.child.id())?;
        end(&processes);
        Ok(processes.len())
    }

    /// `false` when somebody else had taken the port.
    fn wait_until_listening(&mut self) -> io::Result<bool> {
        let start = Instant::now();
        let listening = format!("Server listening on 127.0.0.1 port {}.", self.port);
        loop {
            let ended = self.child.try_wait()?;
            let log = self.log().unwrap_or_default();
            if log.contains(&listening) {
                return Ok(true);
            }
            if log.contains("Address already in use") {
                return Ok(false);
            }
            if ended.is_some() || start.elapsed() > START_LIMIT {
                let stderr = fs::read_to_string(self.folder.join("stderr.log")).unwrap_or_default();
                return Err(io::Error::other(format!("sshd did not start: {log}{stderr}")));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // Before the listener is gone: its sessions are found as its descendants
        let sessions = descendants(self.child.id()).unwrap_or_default();
        let _ = self.child.kill();
        let _ = self.child.wait();
        end(&sessions);
    }
}

fn configuration(port: u16, folder: &Path, krl: &Path, installation: &Installation) -> io::Result<String> {
    let host_key = quoted(&folder.join("host_key"))?;
    let authority = quoted(&folder.join("authority.pub"))?;
    let principals = quoted(&folder.join("principals"))?;
    let revoked = quoted(krl)?;
    let mut text = format!(
        "ListenAddress 127.0.0.1\nPort {port}\nHostKey {host_key}\nPidFile none\nUsePAM no\nStrictModes no\n\
         TrustedUserCAKeys {authority}\nRevokedKeys {revoked}\nAuthorizedKeysFile none\n\
         AuthorizedPrincipalsFile {principals}\n\
         PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitUserRC no\nPrintMotd no\n\
         AllowTcpForwarding yes\nAllowAgentForwarding yes\nLogLevel VERBOSE\n"
    );
    for (option, program) in installation.programs() {
        text.push_str(&format!("{option} {}\n", quoted(program)?));
    }
    Ok(text)
}

fn quoted(path: &Path) -> io::Result<String> {
    match path.to_str() {
        // sshd expands `%` in some paths
        Some(text) if !text.contains(['"', '\\', '%', '\n']) => Ok(format!("\"{text}\"")),
        _ => Err(io::Error::other(format!("`{}` cannot stand in sshd's configuration", path.display()))),
    }
}

/// Everybody may come in (the account may be another user), and the account may write its log.
fn open_folder(folder: &Path, account: &Account) -> io::Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    let log = folder.join("log");
    fs::create_dir_all(&log)?;
    chown(&log, Some(account.uid()), Some(account.gid()))
}

/// Makes the host key, or keeps the one that is there; returns its public line.
fn make_host_key(folder: &Path, account: &Account) -> io::Result<String> {
    let path = folder.join("host_key");
    if !path.exists() {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"])
            .arg(&path)
            .stdin(Stdio::null())
            .output()
            .map_err(|fault| {
                io::Error::other(format!("cannot run `ssh-keygen` ({fault}); install openssh-client"))
            })?;
        if !made.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&made.stderr).into_owned()));
        }
        chown(&path, Some(account.uid()), Some(account.gid()))?;
    }
    Ok(fs::read_to_string(folder.join("host_key.pub"))?.trim().to_owned())
}

/// A port that nobody has at this moment. sshd cannot take port 0; another process may be faster, so callers retry.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// All processes below `ancestor`, itself not included.
fn descendants(ancestor: u32) -> io::Result<Vec<u32>> {
    let mut found = Vec::new();
    let mut waiting = vec![ancestor];
    while let Some(parent) = waiting.pop() {
        for entry in fs::read_dir("/proc")? {
            let Some(process) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            if parent_of(process) == Some(parent) {
                found.push(process);
                waiting.push(process);
            }
        }
    }
    Ok(found)
}

/// From `/proc/PID/stat`: `PID (NAME) STATE PARENT …`, where the name may hold anything.
fn parent_of(process: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn end(processes: &[u32]) {
    if processes.is_empty() {
        return;
    }
    let ids = processes.iter().map(ToString::to_string);
    // those that ended by themselves meanwhile make `kill` complain
    let _ = Command::new("sh").args(["-c", "kill -KILL \"$@\" 2>/dev/null", "sh"]).args(ids).status();
}
