//! Runs the program as a person or a script does: with its own home, against a real server in this process.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use chancery_cli::demo::Stage;
use chancery_cli::demo::person::Person;
use serde_json::Value;
use tempfile::TempDir;

/// One user's machine.
pub struct Desk {
    home: TempDir,
    server: String,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    /// Exit code; −1 after a signal.
    pub code: i32,
    /// Data.
    pub stdout: String,
    /// The rest.
    pub stderr: String,
}

impl Desk {
    /// Nobody is signed in here yet.
    pub fn new(server: &str) -> Self {
        Self { home: tempfile::tempdir().unwrap(), server: server.to_owned() }
    }

    /// Signs a person in: the program begins and waits, the person's page signs.
    pub fn sign_in(stage: &Stage, person: &Person) -> Self {
        let desk = Self::new(stage.url());
        let mut child = desk.start(&["login", "--device"]);
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let login = loop {
            let mut line = String::new();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "`login` ended before it showed an address");
            if let Some((_, login)) = line.trim().split_once("login=") {
                break login.to_owned();
            }
        };
        person.sign_login(&login).unwrap();
        let ran = finish(child);
        assert_eq!(ran.code, 0, "{ran:?}");
        desk
    }

    /// The program, with this home and no other.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chancery"));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        command
            .env("HOME", self.home.path())
            .env("CHANCERY_SERVER", &self.server)
            .current_dir(self.home.path());
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts it.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    /// Runs it to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().unwrap().into()
    }

    /// Runs it and holds it to an exit code.
    #[track_caller]
    pub fn check(&self, arguments: &[&str], code: i32) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, code, "chancery {}\n{}\n{}", arguments.join(" "), ran.stdout, ran.stderr);
        ran
    }

    /// A file in this home.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }
}

impl Ran {
    /// stdout as one JSON document.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|fault| panic!("{fault}: {}", self.stdout))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Waits for a child, whose stderr may have been taken.
pub fn finish(mut child: Child) -> Ran {
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    let mut stderr = String::new();
    if let Some(mut pipe) = child.stderr.take() {
        pipe.read_to_string(&mut stderr).unwrap();
    }
    Ran { code: child.wait().unwrap().code().unwrap_or(-1), stdout, stderr }
}
