//! docs/guide/quickstart.md, run as it is written: its `sh` blocks in one shell, with a real sshd as the host, and
//! passkeys in software where the guide says what to do in a browser.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use chancery_api::decision::DecisionKind::Approve;
use chancery_cli::demo::people::invite;
use chancery_cli::demo::person::Person;
use chancery_testkit::sshd::{HOST, Sshd};

const GUIDE: &str = include_str!("../../../docs/guide/quickstart.md");
const LIMIT: Duration = Duration::from_secs(60);
const DONE: &str = "block-ended-with ";

/// What stands in the guide, in its order.
#[derive(Debug, PartialEq)]
enum Part {
    Shell(String),
    Browser(String),
    Host(String),
}

fn parts() -> Vec<Part> {
    let mut parts = Vec::new();
    let mut lines = GUIDE.lines();
    while let Some(line) = lines.next() {
        let mut block =
            || lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
        if line == "```sh" {
            parts.push(Part::Shell(block()));
        } else if line == "```" {
            parts.push(Part::Host(block()));
        } else if let Some(step) = line.strip_prefix("<!-- browser: ") {
            parts.push(Part::Browser(step.trim_end_matches(" -->").to_owned()));
        }
    }
    parts
}

/// One bash, whose lines are read as they come.
struct Shell {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
}

impl Shell {
    fn start(folder: &Path, path: &str) -> Self {
        let mut command = Command::new("bash");
        command.env_clear().env("PATH", path).env("HOME", folder).current_dir(folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, lines) = channel();
        read_into(child.stdout.take().unwrap(), sender.clone());
        read_into(child.stderr.take().unwrap(), sender);
        let mut stdin = child.stdin.take().unwrap();
        writeln!(stdin, "set -o pipefail").unwrap();
        Self { stdin, child, lines }
    }

    /// Runs a block to its end; `react` sees each line meanwhile.
    fn run(&mut self, block: &str, mut react: impl FnMut(&str)) -> String {
        // A command that fails ends the shell, which the reader sees; ssh must not read what is still to be run.
        writeln!(self.stdin, "set -e; {{\n{block}\n}} < /dev/null\nset +e; echo \"{DONE}$?\"").unwrap();
        let (begun, mut said) = (Instant::now(), String::new());
        loop {
            let line = self.lines.recv_timeout(LIMIT.saturating_sub(begun.elapsed()));
            let line = line.unwrap_or_else(|_| panic!("{block}\ndid not end well; it said:\n{said}"));
            if line.starts_with(DONE) {
                return said;
            }
            react(&line);
            said.push_str(&line);
            said.push('\n');
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = writeln!(self.stdin, "kill $(jobs -p); wait; exit");
        let _ = self.child.wait();
    }
}

fn read_into(pipe: impl std::io::Read + Send + 'static, sender: Sender<String>) {
    thread::spawn(move || {
        BufReader::new(pipe).lines().map_while(Result::ok).all(|line| sender.send(line).is_ok())
    });
}

/// A folder that sshd's account can enter, `chancery` and an `ssh` that knows where the host is.
fn desk() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let programs = folder.path().join("bin");
    fs::create_dir(&programs).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_chancery"), programs.join("chancery")).unwrap();
    (folder, programs)
}

/// The host of the guide is this sshd: it must have at least the options that the guide tells to set.
fn start_host(folder: &Path, programs: &Path, told: &str) -> Sshd {
    let authority = fs::read_to_string(folder.join("chancery-ca.pub")).unwrap();
    let sshd = Sshd::start(authority.trim(), &folder.join("chancery.krl"), &folder.join("host")).unwrap();
    let configuration = fs::read_to_string(sshd.folder().join("sshd_config")).unwrap();
    for option in ["TrustedUserCAKeys", "RevokedKeys", "AuthorizedPrincipalsFile"] {
        assert!(
            told.contains(&format!("{option} ")) && configuration.contains(&format!("{option} ")),
            "{option}"
        );
    }
    assert!(told.contains(&format!("echo {}@{HOST} >", sshd.login_user())), "{told}");
    let where_it_is = format!(
        "#!/bin/sh\nexec {} -F /dev/null -o HostName=127.0.0.1 -o Port={} -o HostKeyAlias=guide -o UserKnownHostsFile={} \"$@\"\n",
        which("ssh"),
        sshd.port(),
        folder.join("known_hosts").display()
    );
    fs::write(folder.join("known_hosts"), format!("guide {}\n", sshd.host_key())).unwrap();
    fs::write(programs.join("ssh"), where_it_is).unwrap();
    fs::set_permissions(programs.join("ssh"), fs::Permissions::from_mode(0o755)).unwrap();
    sshd
}

fn which(program: &str) -> String {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
    String::from_utf8(found.stdout).unwrap().trim().to_owned()
}

/// The port of the guide may be taken on a machine that runs tests: another one stands in for it.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn the_guide_does_what_it_says() {
    let (folder, programs) = desk();
    let port = free_port().to_string();
    let site = format!("http://localhost:{port}");
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut shell = Shell::start(folder.path(), &path);
    let (mut ada, mut bo, mut host): (Option<Person>, Option<Person>, Option<Sshd>) = (None, None, None);
    let (mut link, mut asked) = (String::new(), String::new());
    let mut last = String::new();
    for part in parts() {
        match part {
            Part::Shell(block) => {
                let mut block = block.replace("localhost:7420", &format!("localhost:{port}"));
                if block.starts_with("chancery init") {
                    let address = format!(" --public-url {site} --listen 127.0.0.1:{port}\n");
                    block = format!("{}{address}", block.trim_end());
                }
                if let Some(host) = &host {
                    block = block.replace("deploy", host.login_user()).replace("web-1.example", HOST);
                }
                last = shell.run(&block, |line| {
                    if let Some((_, login)) = line.split_once("login=") {
                        ada.as_ref().unwrap().sign_login(login.trim()).unwrap();
                    }
                    if let Some(request) = line.strip_prefix("request ").filter(|id| id.len() == 26) {
                        request.clone_into(&mut asked);
                    }
                    if let Some(digits) = line.strip_prefix("approvers will ask you for the digits ") {
                        let digits = Some(digits.trim().to_owned());
                        bo.as_ref().unwrap().decide(&asked, Approve, None, digits).unwrap();
                    }
                });
                if block.starts_with("cat ") {
                    last.trim().clone_into(&mut link);
                }
                wait_for_server(&block, &site);
            }
            Part::Browser(step) if step.contains("first") => {
                let token = link.split_once('#').unwrap().1;
                let (mut person, waiting) = Person::enrol(&site, "Ada", token).unwrap();
                assert_eq!(waiting, None);
                person.sign_in().unwrap();
                ada = Some(person);
            }
            Part::Browser(_) => {
                let invitation = invite(ada.as_ref().unwrap(), &["service_owner"]).unwrap();
                let (mut person, waiting) = Person::enrol(&site, "Bo", &invitation.token).unwrap();
                assert_eq!(waiting, None);
                person.sign_in().unwrap();
                bo = Some(person);
            }
            Part::Host(told) => {
                let login_user = login_user();
                let told = told.replace("deploy", &login_user).replace("web-1.example", HOST);
                host = Some(start_host(folder.path(), &programs, &told));
            }
        }
    }
    assert!(last.contains("verified: an approved request, now completed"), "{last}");
    assert_eq!(bo.is_some(), host.is_some());
}

/// The account that the sshd will have, from a short-lived one.
fn login_user() -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(folder.path().join("krl"), "").unwrap();
    let sshd = Sshd::start("ssh-ed25519 AAAA", &folder.path().join("krl"), folder.path()).unwrap();
    sshd.login_user().to_owned()
}

/// The guide starts the server in the background and goes on; a person is slower than this test.
fn wait_for_server(block: &str, site: &str) {
    if !block.contains("server run") {
        return;
    }
    let address = site.trim_start_matches("http://");
    let begun = Instant::now();
    while std::net::TcpStream::connect(address).is_err() {
        assert!(begun.elapsed() < LIMIT, "the server did not start");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_guide_has_ten_commands() {
    let numbered = (1..=10).all(|number| GUIDE.contains(&format!("\n**{number}.** ")));
    assert!(numbered && !GUIDE.contains("**11.**"));
    let browser = parts().iter().filter(|part| matches!(part, Part::Browser(_))).count();
    assert_eq!(browser, 2);
}
