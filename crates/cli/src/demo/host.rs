//! The host that Eve wants to log in to: a real sshd with the installation's authority and revocation list.

use std::fs;
use std::path::PathBuf;
use std::process::Output as Ended;

use chancery_testkit::sshd::{HOST, Sshd, ssh_run};
use serde_json::json;

use super::installation::Installation;
use super::story::Story;
use crate::client::Client;
use crate::commands::grant::Ready;
use crate::failure::Failure;

/// It, and where it keeps the revocation list.
pub struct Host {
    sshd: Sshd,
    revocation_list: PathBuf,
    client: Client,
}

impl Host {
    /// Starts it.
    pub fn start(story: &mut Story<'_>, installation: &Installation) -> Result<Self, Failure> {
        story.step("host", "A host: OpenSSH trusts the authority and its revocation list, nothing else", |tell| {
            let folder = installation.folder().join("host");
            fs::create_dir_all(&folder).map_err(|fault| Failure::file(&folder, fault))?;
            let (revocation_list, client) = (folder.join("revoked_keys"), installation.anonymous()?);
            fetch(&client, &revocation_list)?;
            let authority = installation.server()?.ssh_ca;
            let sshd = Sshd::start(&authority, &revocation_list, &folder.join("sshd"))
                .map_err(|fault| Failure::Fault(format!("no sshd: {fault}")))?;
            tell.quote(&format!(
                "ListenAddress 127.0.0.1:{}\nTrustedUserCAKeys authority.pub\nRevokedKeys revoked_keys\nAuthorizedPrincipalsFile principals   # {}@{HOST}\nAuthorizedKeysFile none",
                sshd.port(),
                sshd.login_user()
            ));
            tell.result(json!({"port": sshd.port(), "login_user": sshd.login_user()}));
            Ok(Self { sshd, revocation_list, client })
        })
    }

    /// The account that can log in.
    pub fn login_user(&self) -> &str {
        self.sshd.login_user()
    }

    /// Fetches the revocation list, as a host does every few seconds.
    pub fn refresh(&self) -> Result<(), Failure> {
        fetch(&self.client, &self.revocation_list)
    }

    /// Logs in with a real ssh and runs a command.
    pub fn log_in(&self, ready: &Ready, command: &str) -> Result<Ended, Failure> {
        ssh_run(&self.sshd, &ready.identity, &ready.certificate_file, command)
            .map_err(|fault| Failure::Fault(format!("cannot run `ssh`: {fault}")))
    }

    /// The last line of the server's log that holds one of these words.
    pub fn last_words(&self, words: &[&str]) -> Result<Option<String>, Failure> {
        let log = self.sshd.log().map_err(|fault| Failure::file(self.sshd.log_path(), fault))?;
        Ok(log.lines().rev().find(|line| words.iter().any(|word| line.contains(word))).map(str::to_owned))
    }
}

/// Replaced in one step: a missing or half-written list would lock everybody out.
fn fetch(client: &Client, path: &PathBuf) -> Result<(), Failure> {
    let fault = |fault: std::io::Error| Failure::file(path, fault);
    let new = path.with_extension("new");
    fs::write(&new, client.bytes("/api/v1/revocations/ssh")?).map_err(fault)?;
    fs::rename(&new, path).map_err(fault)
}
