//! The server in a process of its own: this program again, told to serve. It ends when its input ends.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use chancery_server::{Config, Server};

/// Clock ticks of `/proc/PID/stat` in a second.
const TICKS: f64 = 100.0;

pub struct Process {
    child: Child,
    /// Kept open, so that the server can write to it.
    _output: BufReader<ChildStdout>,
    pub address: SocketAddr,
    /// From the start to an answer of `/readyz`.
    pub ready: Duration,
}

impl Process {
    /// Starts a server on an installation, and waits until it says whether it is ready.
    pub fn start(data: &Path) -> Self {
        let begin = Instant::now();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("serve")
            .arg(data)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let address = line.trim().parse().unwrap();
        // Before the seal the answer is that it is not ready, and it is an answer all the same.
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut answer = agent.get(format!("http://{address}/readyz")).call().unwrap();
        answer.body_mut().read_to_string().unwrap();
        Self { child, _output: output, address, ready: begin.elapsed() }
    }

    /// Lets it end, and waits for that.
    pub fn stop(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Seconds of CPU that it used so far.
    pub fn cpu(&self) -> f64 {
        cpu(&self.child.id().to_string())
    }

    /// Its resident memory, in MB.
    pub fn resident(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }
}

/// Seconds of CPU that a process used so far; `self` for this one.
pub fn cpu(process: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let after_name = text.rsplit_once(')').unwrap().1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / TICKS
}

/// What the other process does.
pub fn serve(data: &Path) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = Config::read_from(data).unwrap();
    let running = runtime.block_on(Server::start(config)).unwrap();
    println!("{}", running.address());
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    runtime.block_on(running.shutdown());
}
