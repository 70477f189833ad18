//! The OpenSSH client, cut off from the user's own configuration, agent and known hosts.

use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::Sshd;

/// Runs `command` on the server and waits for its end. ssh exits with the command's code, or 255 when it was not
/// let in.
///
/// # Errors
/// When ssh cannot be run at all.
pub fn ssh_run(sshd: &Sshd, key_file: &Path, certificate_file: &Path, command: &str) -> io::Result<Output> {
    ssh_command(sshd, key_file, certificate_file).arg(destination(sshd)).arg(command).output()
}

/// An ssh client ready for further options and then the destination `USER@127.0.0.1`; host and port are set.
/// It knows the server's host key and accepts no other.
#[must_use]
pub fn ssh_command(sshd: &Sshd, key_file: &Path, certificate_file: &Path) -> Command {
    let mut command = Command::new("ssh");
    command.args(["-F", "/dev/null", "-p", &sshd.port().to_string(), "-i"]).arg(key_file);
    for option in [
        "BatchMode=yes",
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        "PreferredAuthentications=publickey",
        "GlobalKnownHostsFile=/dev/null",
        "StrictHostKeyChecking=yes",
        "UpdateHostKeys=no",
        "ConnectTimeout=20",
        "ControlPath=none",
    ] {
        command.arg("-o").arg(option);
    }
    command.arg("-o").arg(format!("CertificateFile=\"{}\"", certificate_file.display()));
    command.arg("-o").arg(format!("UserKnownHostsFile=\"{}\"", sshd.known_hosts().display()));
    command.stdin(Stdio::null());
    command
}

/// `USER@127.0.0.1`, the last argument before the command.
#[must_use]
pub fn destination(sshd: &Sshd) -> String {
    format!("{}@127.0.0.1", sshd.login_user())
}
