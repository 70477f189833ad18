//! `chancery server run` in a process of its own.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Longer than anything may take here.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that runs. It is killed when it is dropped.
pub struct Process {
    child: Child,
    address: SocketAddr,
    said: std::thread::JoinHandle<String>,
}

impl Process {
    /// Starts it, with as many files as the system lets it open.
    pub fn start(data: &Path) -> Self {
        let mut child = Command::new("sh")
            .args(["-c", "ulimit -n \"$(ulimit -Hn)\"; exec \"$0\" server run --data \"$1\""])
            .arg(env!("CARGO_BIN_EXE_chancery"))
            .arg(data)
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let address = loop {
            assert!(stderr.read_line(&mut said).unwrap() > 0, "it does not start: {said}");
            if let Some((_, address)) = said.lines().last().unwrap().rsplit_once(" on ") {
                break address.trim().parse().unwrap();
            }
        };
        let said = std::thread::spawn(move || {
            let _ = stderr.read_to_string(&mut said);
            said
        });
        Self { child, address, said }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Bytes of memory that it occupies (`VmRSS`).
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// How many files it may have open.
    pub fn files(&self) -> usize {
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", self.child.id())).unwrap();
        let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap_or(usize::MAX)
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits until it has ended: its status, and what it said.
    pub fn ended(mut self) -> (ExitStatus, String) {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(began.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        let said = std::mem::replace(&mut self.said, std::thread::spawn(String::new));
        (status, said.join().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
