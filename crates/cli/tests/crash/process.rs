//! The real program as a process of its own.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::site::Site;

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What stands before the program's name, and its environment.
#[derive(Clone, Debug, Default)]
pub struct Launch {
    pub before: Vec<OsString>,
    pub environment: Vec<(String, OsString)>,
}

/// A server that was started: it serves, or it is about to, or it has ended.
#[derive(Debug)]
pub struct Server {
    child: Child,
    notices: Receiver<Notice>,
    stderr: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

/// What it says once it listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Notice {
    Serving(SocketAddr),
    /// It may not sign, and only takes back what is due.
    Held(SocketAddr),
}

/// A server that was to serve and does not.
#[derive(Debug)]
pub enum NotServing {
    Ended(Ended),
    Held(Box<Server>, Site),
}

impl NotServing {
    /// What was said about it.
    pub fn words(&self) -> String {
        match self {
            Self::Ended(ended) => ended.stderr.clone(),
            Self::Held(server, _) => server.stderr(),
        }
    }
}

/// How a server ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub stderr: String,
}

impl Launch {
    /// `chancery server run`; returns at once.
    pub fn spawn(&self, data: &Path) -> Server {
        let mut line = self.before.clone();
        line.push(OsString::from(env!("CARGO_BIN_EXE_chancery")));
        let mut command = Command::new(&line[0]);
        command.args(&line[1..]).args(["server", "run", "--data"]).arg(data);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("RUST_LOG", "warn");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, notices) = channel();
        let stderr = Arc::new(Mutex::new(String::new()));
        let (pipe, said) = (child.stderr.take().unwrap(), Arc::clone(&stderr));
        let reader = thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                if let Some(notice) = Notice::parse(&line) {
                    let _ = sender.send(notice);
                }
                let mut said = said.lock().unwrap();
                said.push_str(&line);
                said.push('\n');
            }
        });
        Server { child, notices, stderr, reader: Some(reader) }
    }

    /// Starts a server and waits until it serves, or does not.
    pub fn start(&self, data: &Path) -> Result<(Server, Site), NotServing> {
        let server = self.spawn(data);
        match server.next_notice() {
            Some(Notice::Serving(address)) => Ok((server, Site::at(address))),
            Some(Notice::Held(address)) => Err(NotServing::Held(Box::new(server), Site::at(address))),
            None => Err(NotServing::Ended(server.wait())),
        }
    }
}

impl Notice {
    fn parse(line: &str) -> Option<Self> {
        let address = |text: &str| text.parse().unwrap();
        if let Some(rest) = line.strip_prefix("serving ") {
            return rest.split_once(" on ").map(|(_, text)| Self::Serving(address(text)));
        }
        let rest = line.strip_prefix("nothing is signed or minted; due revocations go on, on ")?;
        rest.split_once(';').map(|(text, _)| Self::Held(address(text)))
    }
}

impl Server {
    /// `kill -9`.
    pub fn kill(mut self) -> Ended {
        // It may have ended by itself.
        let _ = self.child.kill();
        self.wait()
    }

    /// SIGTERM, and the end that follows.
    pub fn terminate(self) -> Ended {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success() || !self.lives(), "the server cannot be told to end");
        self.wait()
    }

    /// Where it serves after it was held.
    pub fn wait_until_serving(&self) -> Site {
        match self.next_notice() {
            Some(Notice::Serving(address)) => Site::at(address),
            other => panic!("{other:?}: {}", self.stderr()),
        }
    }

    /// The next thing that it says; nothing once it has ended.
    fn next_notice(&self) -> Option<Notice> {
        match self.notices.recv_timeout(PATIENCE) {
            Ok(notice) => Some(notice),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("it neither serves nor ends: {}", self.stderr()),
        }
    }

    /// Whether it still runs.
    pub fn lives(&self) -> bool {
        Path::new(&format!("/proc/{}/stat", self.child.id())).exists()
            && !std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))
                .is_ok_and(|stat| stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')))
    }

    /// What it said so far.
    pub fn stderr(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    fn wait(mut self) -> Ended {
        let status = self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        Ended { status, stderr: self.stderr() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs another command of the program to its end.
pub fn run<A: AsRef<OsStr>>(arguments: &[A]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chancery"));
    command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    command.stdin(Stdio::null()).output().unwrap()
}
